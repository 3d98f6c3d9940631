#include <twiliowa/redis/redis_pool.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/redis/redis_store.hpp>

#include "memory.hpp"
#include "support/certificates.hpp"
#include "support/forked_store.hpp"
#include "support/show.hpp"

namespace redis_pool_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

const std::string canary = "canary+447700900123";

std::chrono::milliseconds taken(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
}

Result<RedisReply> asked(RedisConnection& connection, std::initializer_list<std::string_view> words,
                         std::chrono::milliseconds time = patience) {
    const std::vector<std::string_view> command{words};
    return connection.command(command, std::chrono::steady_clock::now() + time);
}

std::string refusal_of(const std::string& url, RedisPoolOptions options = {}) {
    options.connect_timeout = patience;
    return store_refusal([&] { store_on(std::make_shared<RedisPool>(url, options)); });
}

/// What the first operation of a store says, which begins all the same.
std::string problem_at(const std::string& url) {
    return store_problem(store_on(pool_to(url))->get(canary));
}

/// Takes connections, and says to each what it is told to, once.
class FakeRedis {
public:
    explicit FakeRedis(std::string says) : says_(std::move(says)) {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address_;
        auto* const generic = reinterpret_cast<sockaddr*>(&address_);
        REQUIRE(::bind(socket_, generic, length) == 0);
        REQUIRE(::getsockname(socket_, generic, &length) == 0);
        REQUIRE(::listen(socket_, 16) == 0);
        thread_ = std::thread{[this] { serve(); }};
    }
    FakeRedis(const FakeRedis&) = delete;
    FakeRedis& operator=(const FakeRedis&) = delete;
    ~FakeRedis() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
        for (const int connection : connections_) ::close(connection);
    }
    std::string url() const {
        return "redis://127.0.0.1:" + std::to_string(ntohs(address_.sin_port));
    }

private:
    void serve() {
        while (true) {
            const int connection = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) return;
            [[maybe_unused]] const auto sent =
                ::send(connection, says_.data(), says_.size(), MSG_NOSIGNAL);
            connections_.push_back(connection);
        }
    }
    std::string says_;
    int socket_;
    sockaddr_in address_{};
    std::vector<int> connections_ = {};
    std::thread thread_ = {};
};

}  // namespace

TEST_CASE("answers of Redis come back as they are") {
    if (lacks_redis()) return;
    const RedisMemory m;
    auto& redis = *m.pool;
    const std::string bytes{"\0\r\n\xff", 4};
    CHECK(told(redis, {"SET", m.prefix + "k", bytes}).text == "OK");
    CHECK(told(redis, {"GET", m.prefix + "k"}).text == bytes);
    CHECK(told(redis, {"GET", m.prefix + "none"}).kind == RedisReplyKind::nothing);
    CHECK(told(redis, {"STRLEN", m.prefix + "k"}).number == 4);
    CHECK(told(redis, {"STRLEN", m.prefix + "k"}).kind == RedisReplyKind::number);
    const auto list = told(redis, {"MGET", m.prefix + "k", m.prefix + "none"});
    CHECK(list.kind == RedisReplyKind::list);
    CHECK(list.list.at(0).text == bytes);
    CHECK(list.list.at(1).kind == RedisReplyKind::nothing);
    const auto error = told(redis, {"NO-SUCH-COMMAND"});
    CHECK(error.kind == RedisReplyKind::error);
    CHECK(error.text == containing("ERR unknown command"));
    CHECK(told(redis, {"GET", m.prefix + "k"}).text == bytes);
}

TEST_CASE("options and URLs that a RedisPool cannot have are refused") {
    CHECK_THROWS_AS(RedisPool("redis://host", {.connections = 0}), InvalidRequestError);
    CHECK_THROWS_AS(RedisPool("redis://host", {.connect_timeout = 0ms}), InvalidRequestError);
    CHECK_THROWS_AS(RedisPool(""), InvalidRequestError);
    CHECK_THROWS_AS(RedisPool("redis://user:secret@host"), InvalidRequestError);
    CHECK_THROWS_AS(RedisPool("redis://user@host"), InvalidRequestError);
}

TEST_CASE("TLS is refused by name where hiredis has none") {
    try {
        const RedisPool pool{"rediss://host"};
        CHECK(RedisPool::has_tls());
    } catch (const InvalidRequestError& error) {
        CHECK_FALSE(RedisPool::has_tls());
        CHECK(error.error().field() == "url");
        CHECK(std::string{error.what()} ==
              containing("wants TLS (rediss://), which this hiredis lacks"));
        CHECK_FALSE(error.error().hint().empty());
    }
}

TEST_CASE("a server is reached by TLS, if its certificate is for its name") {
    if (!RedisPool::has_tls()) {
        skip("this hiredis has no TLS");
        return;
    }
    if (lacks_redis()) return;
    ServerDirectory directory;
    const auto install = [&](const Certificates& made, const std::string& authority) {
        std::ofstream{directory.path / authority} << made.ca_pem;
        std::ofstream{directory.path / "server.pem"} << made.server_pem;
        std::ofstream{directory.path / "key.pem"} << made.key_pem;
        return (directory.path / authority).string();
    };
    const auto ca_file = install(make_certificates(), "ca.pem");
    TestRedis server{{.tcp = true, .tls = directory.path}};
    const auto port = ":" + std::to_string(server.port());
    const RedisPoolOptions trusting{.connect_timeout = patience, .ca_file = ca_file};
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        const auto store =
            store_on(std::make_shared<RedisPool>("rediss://" + host + port, trusting));
        const std::string value(1'000'000, 'x');
        CHECK(store->compare_and_set(host, 0, value, 1h, Keep::pinned).value() != 0);
        CHECK(store->get(host).value()->value == value);
    }
    CHECK(refusal_of("rediss://localhost" + port) == containing("cannot be reached by TLS"));
    CHECK(refusal_of("redis://localhost" + port) == containing("lost its server in the middle"));
    CHECK_THROWS_AS(RedisPool("rediss://localhost", {.ca_file = "/nowhere"}), InvalidRequestError);
    // Its authority is trusted, and its certificate is another host's.
    const auto other_ca =
        install(make_certificates({.host = "elsewhere", .ip = false}), "other.pem");
    TestRedis elsewhere{{.tcp = true, .tls = directory.path}};
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        CHECK(refusal_of("rediss://" + host + ":" + std::to_string(elsewhere.port()),
                         {.ca_file = other_ca}) == containing("cannot be reached by TLS"));
    }
    // A handshake that is not answered ends in time.
    FakeRedis silent{""};
    RedisPool waiting{"rediss" + silent.url().substr(5),
                      {.connect_timeout = 200ms, .ca_file = ca_file}};
    const auto took = taken([&] {
        CHECK(store_problem(asked(waiting, {"PING"})) == containing("cannot be reached by TLS"));
    });
    CHECK(took >= 200ms);
    CHECK(took < 4s);
}

TEST_CASE("a server that is not there is named") {
    CHECK(problem_at("unix:///nowhere/redis") == containing("store: cannot be reached"));
    CHECK(problem_at("redis://127.0.0.1:1") == containing("store: cannot be reached"));
    CHECK(problem_at("redis://no-such-host.invalid") == containing("store: cannot be reached"));
    CHECK(problem_at("unix:///" + std::string(200, 'x')) == containing("store: cannot be reached"));
}

TEST_CASE("a password, a user and a database that are refused are named") {
    if (lacks_redis()) return;
    TestRedis server{{.tcp = true, .settings = {"--requirepass", "tested"}}};
    server.cli({"-a", "tested", "--no-auth-warning", "ACL", "SETUSER", "teller", "on", ">told",
                "~twiliowa:*", "+info", "+eval", "+evalsha", "+time", "+hmget", "+hset", "+hdel",
                "+hexists", "+pexpire", "+persist"});
    server.cli({"-a", "tested", "--no-auth-warning", "ACL", "SETUSER", "reader", "on", ">told",
                "~twiliowa:*", "+info", "+get"});
    const auto url = server.tcp_url();
    const auto as_user = [&](const std::string& user) {
        return "redis://" + user + "@127.0.0.1:" + std::to_string(server.port());
    };
    CHECK(refusal_of(url) == containing("store: refuses the login (Redis NOAUTH)"));
    CHECK(refusal_of(url, {.password = Secret{"canary"}}) ==
          containing("store: refuses the login (Redis WRONGPASS)"));
    CHECK(refusal_of(url + "/16", {.password = Secret{"tested"}}) ==
          containing("store: has no such database"));
    CHECK(refusal_of(url + "/15", {.password = Secret{"tested"}}) == "it was opened");
    CHECK(refusal_of(as_user("nobody"), {.password = Secret{"told"}}) ==
          containing("store: refuses the login (Redis WRONGPASS)"));
    // A password where none is set.
    CHECK(refusal_of(TestRedis::shared().url(), {.password = Secret{"canary"}}) ==
          containing("store: refuses the login"));
    // The rights that the error names are enough, and less is named.
    const auto options = RedisPoolOptions{.password = Secret{"told"}};
    const auto store = store_on(std::make_shared<RedisPool>(as_user("teller"), options));
    const auto version = put_into(*store, "k");
    CHECK(is_in(*store, "k"));
    CHECK(store->compare_and_set("k", version, "v", Store::forever, Keep::pinned).value() != 0);
    CHECK(store->compare_and_set("e", 0, "v", 0ms, Keep::pinned).value() != 0);
    CHECK(store->erase("k", store->get("k").value()->version).value());
    const auto reader = store_on(std::make_shared<RedisPool>(as_user("reader"), options));
    CHECK(store_problem(reader->get(canary)) == containing("refuses this user (Redis NOPERM)"));
}

TEST_CASE("a password comes from the environment where the options have none") {
    if (lacks_redis()) return;
    TestRedis server{{.settings = {"--requirepass", "tested"}}};
    ::setenv("REDISCLI_AUTH", "tested", 1);
    const auto opened = refusal_of(server.url());
    ::unsetenv("REDISCLI_AUTH");
    CHECK(opened == "it was opened");
}

TEST_CASE("a database of another number has its own entries") {
    if (lacks_redis()) return;
    const RedisMemory m;
    put_into(*m.open(), "k");
    CHECK_FALSE(is_in(*store_on(pool_to(m.server.url() + "?db=1"), m.prefix), "k"));
}

TEST_CASE("a server that stands still is named when the time is over") {
    if (lacks_redis()) return;
    TestRedis server{{.tcp = true}};
    const auto pool = pool_to(server.tcp_url());
    RedisStore store{pool, {.timeout = 1s}};
    put_into(store, canary);
    server.pause();
    const auto reading = taken([&] {
        CHECK(store_problem(store.get(canary)) == containing("lost its server in the middle"));
    });
    CHECK(reading >= 1s);
    CHECK(reading < 20s);
    // A new connection is taken by the system, and answered by nobody.
    const auto writing = taken([&] {
        CHECK(store_problem(store.compare_and_set(canary, 0, canary, 1h, Keep::pinned)) ==
              containing("lost its server in the middle"));
    });
    CHECK(writing >= 1s);
    CHECK(writing < 20s);
    server.resume();
    CHECK(is_in(*store_on(pool), canary));
}

TEST_CASE("a server that is busy with another's script is named") {
    if (lacks_redis()) return;
    TestRedis server{{.settings = {"--busy-reply-threshold", "1"}}};
    const auto pool = pool_to(server.url());
    const auto store = store_on(pool);
    put_into(*store, canary);
    std::thread hog{[&] {
        const auto reply = asked(*pool, {"EVAL", "while true do end", "0"});
        CHECK((reply.has_value() && reply->kind == RedisReplyKind::error));
    }};
    std::string problem;
    while (problem.find("BUSY") == std::string::npos) {
        const auto read = store->get(canary);
        if (!read) problem = store_problem(read);
    }
    CHECK(problem == containing("waits for another's script (Redis BUSY)"));
    server.cli({"SCRIPT", "KILL"});
    hog.join();
    CHECK(is_in(*store, canary));
}

TEST_CASE("a server that loads its data is named") {
    const std::string loading = "-LOADING Redis is loading the dataset in memory\r\n";
    // At the start, which is no error, and to the first operation.
    FakeRedis server{loading + loading};
    CHECK(problem_at(server.url()) == containing("store: is not ready (Redis LOADING)"));
}

TEST_CASE("a server that has no connection left is named") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto store = store_on(pool_to(server.url()));
    put_into(*store, "k");
    server.cli({"CONFIG", "SET", "maxclients", "1"});
    CHECK(problem_at(server.url()) == containing("store: has no connection left"));
    CHECK(is_in(*store, "k"));
}

TEST_CASE("a server that speaks something else, nothing, or in drops is named in time") {
    for (const std::string says :
         {"HTTP/1.1 400 Bad Request\r\n\r\n", "$999999999\r\nx", "*2\r\n$1\r\na", "$-2\r\n", ""}) {
        CAPTURE(says);
        FakeRedis server{says};
        const auto pool = pool_to(server.url());
        const auto took = taken([&] {
            RedisStore store{pool, {.timeout = 200ms}};
            CHECK(store_problem(store.get(canary)) ==
                  containing("store: lost its server in the middle"));
        });
        CHECK(took < 4s);
    }
}

TEST_CASE("a login that is not answered ends with the time for connecting") {
    FakeRedis server{""};
    const RedisPoolOptions options{.connect_timeout = 200ms, .password = Secret{"canary"}};
    const auto pool = std::make_shared<RedisPool>(server.url(), options);
    const auto took = taken([&] {
        CHECK(store_problem(store_on(pool)->get(canary)) == containing("cannot be reached"));
    });
    CHECK(took >= 200ms);
    CHECK(took < 4s);
}

TEST_CASE("a server that goes away is named, and used again when it is back") {
    if (lacks_redis()) return;
    TestRedis server{{.settings = {"--appendonly", "yes", "--appendfsync", "always"}}};
    const auto store = store_on(pool_to(server.url()));
    const auto version = put_into(*store, canary);
    server.stop();
    server.start();
    // Connections that ended while nobody looked are not used; while it reads its data it says so.
    auto read = store->get(canary);
    while (!read) {
        CHECK(store_problem(read) == containing("is not ready"));
        read = store->get(canary);
    }
    CHECK(read.value()->version == version);
    server.kill_now();
    CHECK(store_problem(store->get(canary)) == containing("cannot be reached"));
    // And again, at once, until it is tried again.
    CHECK(store_problem(store->compare_and_set(canary, version, canary, 1h, Keep::pinned)) ==
          containing("cannot be reached"));
    CHECK(store_problem(store->erase(canary, version)) == containing("cannot be reached"));
    CHECK(store_problem(store->get_each(std::vector{canary})) == containing("cannot be reached"));
    server.start();
    do {
        read = store->get(canary);
    } while (!read);
    CHECK(read.value()->version == version);
}

TEST_CASE("a connection that the server ends in the middle does not end the program") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto pool = pool_to(server.url(), 1);
    CHECK(told(*pool, {"PING"}).text == "PONG");
    const std::string large(30'000'000, 'x');
    // It is more than the server lets a command have, and it hangs up.
    server.cli({"CONFIG", "SET", "client-query-buffer-limit", "1mb"});
    CHECK(store_problem(asked(*pool, {"SET", "k", large})) ==
          containing("lost its server in the middle"));
    CHECK(told(*pool, {"PING"}).text == "PONG");
}

TEST_CASE("threads share the connections, and one for which none is free says so in time") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto pool = pool_to(server.url(), 2);
    std::vector<std::thread> holders;
    for (int i = 0; i < 2; ++i) {
        holders.emplace_back([&] { CHECK(told(*pool, {"BLPOP", "go", "0"}).list.size() == 2); });
    }
    while (server.cli({"INFO", "clients"}).find("blocked_clients:2") == std::string::npos) {
    }
    CHECK(store_problem(asked(*pool, {"PING"}, 50ms)) == containing("has no connection free"));
    server.cli({"RPUSH", "go", "a", "b"});
    for (auto& holder : holders) holder.join();
    CHECK(told(*pool, {"PING"}).text == "PONG");
}

TEST_CASE("a RedisPool that was opened before fork() answers an error in the child") {
    if (lacks_redis()) return;
    const RedisMemory m;
    check_forked_store([&] { return store_on(pool_to(m.server.url()), m.prefix); });
}

}  // namespace redis_pool_test
