// What a user writes whose services remember in one Redis.
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>
#include <twiliowa/twiliowa.hpp>

#include <iostream>
#include <memory>

bool second_unit_works();

int main() {
    try {
        twiliowa::RedisStore{std::make_shared<twiliowa::RedisPool>("unix:///nowhere/redis")};
    } catch (const twiliowa::TransportError& error) {
        std::cout << error.what() << '\n';
        return second_unit_works() ? 0 : 1;
    }
    return 1;
}
