/// What a store takes to be asked about a recipient is time of the send's.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "state/store_deadline.hpp"
#include "support/show.hpp"
#include "support/store_doubles.hpp"

namespace send_deadline_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;
using twiliowa::testing::SteppedStore;

namespace {

/// A client that asks a store for opt-outs, which takes its time.
struct SlowOffice {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<SteppedStore> store =
        std::make_shared<SteppedStore>(MemoryStoreOptions{.clock = clock});

    MessagesClient client() const {
        ClientOptions options;
        options.from = "+14155238886";
        options.transport = transport;
        options.clock = clock;
        options.timeout = 30s;
        options.opt_outs = std::make_shared<OptOuts>(store, OptOutOptions{.clock = clock});
        return MessagesClient(Credentials::auth_token("AC" + std::string(32, '0'), "token"),
                              options);
    }
    /// Sends, in either form.
    Result<Message> send(bool blocking, const CallOptions& options = {}) const {
        const OutboundText message{.to = "+447700900123", .body = "Hi"};
        const auto sender = client();
        if (blocking) return sender.try_send(message, options);
        std::optional<Result<Message>> result;
        sender.async_send(
            message, [&](Result<Message> sent) { result.emplace(std::move(sent)); }, options);
        transport->run_until_idle(clock.get());
        REQUIRE(result.has_value());
        return *result;
    }
};

const std::string created = R"({"sid":"SM)" + std::string(32, 'a') + R"(","status":"queued"})";

}  // namespace

TEST_CASE("a send has the time that its store has left, and no more") {
    for (const bool blocking : {true, false}) {
        SlowOffice office;
        const auto begun = office.clock->monotonic_now();
        office.store->before_read = [&] { office.clock->advance(10s); };
        std::optional<MonotonicTime> deadline;
        office.transport->then([&](const HttpRequest&, const CallContext& context) {
            deadline = context.deadline;
            return HttpResponse{.status = 201, .body = created};
        });
        CHECK(office.send(blocking));
        CHECK(deadline == begun + 30s);
    }
}

TEST_CASE("a send of which a store has taken the time does not leave") {
    for (const bool blocking : {true, false}) {
        SlowOffice office;
        auto took = 31s;
        CallOptions options;
        SUBCASE("all of it") {}
        SUBCASE("so much that nobody would learn what became of the message") {
            took = 26s;
        }
        SUBCASE("more than half of a call's own time") {
            options.timeout = 4s;
            took = 3s;
        }
        office.store->before_read = [&] { office.clock->advance(took); };
        office.transport->respond(201, created);
        const auto sent = office.send(blocking, options);
        REQUIRE_FALSE(sent);
        CHECK(sent.error().kind() == ErrorKind::timeout);
        CHECK(sent.error().effect() == Effect::none);
        CHECK(office.transport->request_count() == 0);
    }
}

TEST_CASE("a store is told by when it is wanted, while a send asks it") {
    SlowOffice office;
    const auto is_unbounded = [] { return detail::store_deadline() == MonotonicTime::max(); };
    REQUIRE(is_unbounded());
    std::optional<MonotonicTime> wanted;
    office.store->before_read = [&] { wanted = detail::store_deadline(); };
    office.transport->respond(201, created);
    const auto before = std::chrono::steady_clock::now();
    CHECK(office.send(true, {.timeout = 7s}));
    REQUIRE(wanted);
    CHECK(*wanted >= before + 7s);
    CHECK(*wanted <= std::chrono::steady_clock::now() + 7s);
    CHECK(is_unbounded());
}

TEST_CASE("of two deadlines for stores the earlier one holds, until it is over") {
    const detail::StoreDeadline outer{1h};
    const auto first = detail::store_deadline();
    {
        const detail::StoreDeadline inner{24h};
        CHECK(detail::store_deadline() == first);
        const detail::StoreDeadline shorter{1min};
        CHECK(detail::store_deadline() < first);
    }
    CHECK(detail::store_deadline() == first);
    const detail::StoreDeadline none{std::chrono::milliseconds::max()};
    CHECK(detail::store_deadline() == first);
}

}  // namespace send_deadline_test
