// What a user writes whose services remember in one Redis.
#include <iostream>
#include <memory>

#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>

int main() {
    // It is made while the server is away, and says so when it is asked.
    twiliowa::RedisStore store{std::make_shared<twiliowa::RedisPool>("unix:///nowhere/redis")};
    const auto read = store.get("key");
    if (read) return 1;
    std::cout << read.error().what() << '\n';
    return 0;
}
