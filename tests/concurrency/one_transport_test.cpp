// Many threads on one client, over libcurl and real sockets.
#include <atomic>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <twiliowa/messages_client.hpp>

#include "support/test_server.hpp"

namespace one_transport_test {

using namespace twiliowa;
using namespace twiliowa::test;

TEST_CASE("64 threads send on one client over real sockets, blocking and not; each once") {
    constexpr int thread_count = 64;
    constexpr int rounds = 4;
    TestServer server({}, [](const ReceivedRequest&) {
        Reply reply;
        reply.body = R"({"sid":"SM00000000000000000000000000000000","status":"queued"})";
        return reply;
    });
    ClientOptions options;
    options.from = "+14155238886";
    options.base_url = server.url("127.0.0.1");
    const MessagesClient client(
        Credentials::auth_token("AC00000000000000000000000000000000", "token"), options);
    std::atomic<int> sent{0};
    std::atomic<int> left{thread_count * rounds};
    std::promise<void> done;
    std::vector<std::thread> threads;
    for (int i = 0; i < thread_count; ++i) {
        threads.emplace_back([&, i] {
            for (int k = 0; k < rounds; ++k) {
                const auto body = std::to_string(i) + '.' + std::to_string(k);
                client.async_send_text({.to = "+447700900123", .body = "a" + body},
                                       [&](const Result<Message>& result) {
                                           if (result) ++sent;
                                           if (--left == 0) done.set_value();
                                       });
                if (client.try_send_text({.to = "+447700900123", .body = "b" + body})) ++sent;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    done.get_future().wait();
    CHECK(sent == 2 * thread_count * rounds);
    std::set<std::string> bodies;
    for (const auto& request : server.requests()) bodies.insert(request.body);
    CHECK(bodies.size() == 2u * thread_count * rounds);
    CHECK(server.requests().size() == bodies.size());
}

}  // namespace one_transport_test
