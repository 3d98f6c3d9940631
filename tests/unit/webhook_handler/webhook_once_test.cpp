// One signed text is one event, and one event runs once: two keys, of which the signature is one.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/event_key.hpp>

#include "support/show.hpp"
#include "support/store_doubles.hpp"
#include "support/webhook_service.hpp"

namespace webhook_once_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace twiliowa::test;
using twiliowa::testing::ManualClock;
using twiliowa::testing::SteppedStore;

namespace {

WebhookParameters text_fields(const std::string& body) {
    return {{"MessageSid", sid}, {"AccountSid", account}, {"From", customer},
            {"To", sender},      {"Body", body},          {"NumMedia", "0"}};
}

/// `original`'s signature on another form, at another target where one is given.
WebhookRequest signed_like(const WebhookRequest& original, const WebhookParameters& fields,
                           const std::string& target = "/hook?tenant=7") {
    auto request = Service::request(fields);
    request.target = target;
    request.headers = original.headers;
    return request;
}

/// Counts what ran.
struct Counted : Service {
    template <class Change>
    explicit Counted(Change change) : Service(change) {
        handler.on_message([this](const InboundMessage&) { ++runs; })
            .on_status([this](const StatusCallback&) { ++runs; })
            .on_unknown([this](const UnknownWebhook&) { ++runs; });
    }
    Counted() : Counted([](WebhookOptions&) {}) {}

    WebhookOutcome outcome(const WebhookRequest& request) {
        static_cast<void>(handler.handle(request));
        return heard->entries.back().outcome;
    }

    int runs = 0;
};

}  // namespace

TEST_CASE("the same bytes twice are one event") {
    Counted service;
    CHECK(service.outcome(text("hi")) == WebhookOutcome::handled);
    CHECK(service.outcome(text("hi")) == WebhookOutcome::duplicate);
    CHECK(service.runs == 1);
}

TEST_CASE("the fallback URL with its ErrorCode is the same event") {
    Counted service;
    CHECK(service.outcome(text("hi")) == WebhookOutcome::handled);
    auto fields = text_fields("hi");
    fields.insert(fields.end(), {{"ErrorCode", "11200"}, {"ErrorUrl", "https://example.com/hook"}});
    auto fallback = Service::request(fields);
    fallback.target = "/fallback";
    CHECK(service.outcome(Service::sign(fallback)) == WebhookOutcome::duplicate);
    CHECK(service.runs == 1);
}

TEST_CASE("another key, host or port, and GET after POST, are the same event") {
    const auto dedup = std::make_shared<DedupStore>(std::make_shared<MemoryStore>());
    const auto share = [&](WebhookOptions& options) { options.dedup = dedup; };
    Counted service{share};
    CHECK(service.outcome(text("hi")) == WebhookOutcome::handled);

    const RequestValidator new_key{"the token after the change"};
    auto rotated = text("hi");
    rotated.headers.back().second =
        new_key.sign({.url = "https://example.com/hook?tenant=7", .body = rotated.body});
    Counted after;
    after.options.dedup = dedup;
    after.handler = WebhookHandler{new_key, after.options};
    CHECK(after.outcome(rotated) == WebhookOutcome::duplicate);

    auto elsewhere = text("hi");
    elsewhere.headers.back().second = RequestValidator{token}.sign(
        {.url = "https://bot.example.org:8443/hook?tenant=7", .body = elsewhere.body});
    Counted other{[&](WebhookOptions& options) {
        share(options);
        options.public_url = PublicUrl::fixed("https://bot.example.org:8443");
    }};
    CHECK(other.outcome(elsewhere) == WebhookOutcome::duplicate);

    Counted by_get{[&](WebhookOptions& options) {
        share(options);
        options.method = WebhookMethod::get;
    }};
    WebhookRequest get;
    get.method = "GET";
    get.target = "/hook?" + text("hi").body;
    CHECK(by_get.outcome(Service::sign(get)) == WebhookOutcome::duplicate);
    CHECK(service.runs + after.runs + other.runs + by_get.runs == 1);
}

TEST_CASE("the same status with other details is one event; sent, delivered and read are three") {
    Counted service;
    CHECK(service.outcome(status("failed")) == WebhookOutcome::handled);
    CHECK(service.outcome(status("failed", "63016")) == WebhookOutcome::duplicate);
    for (const std::string word : {"sent", "delivered", "read"}) {
        CHECK(service.outcome(status(word)) == WebhookOutcome::handled);
    }
    CHECK(service.runs == 4);
}

TEST_CASE("the same text with two SIDs is two events") {
    Counted service;
    CHECK(service.outcome(text("hi")) == WebhookOutcome::handled);
    CHECK(service.outcome(text("hi", "MM0123456789abcdef0123456789abcdef")) ==
          WebhookOutcome::handled);
    CHECK(service.runs == 2);
}

TEST_CASE("a signature that was read as one event is refused as another, and told") {
    Counted service;
    const auto original = text("hi");
    const auto other = signed_like(original, {{"AccountSid", account},
                                              {"Bod", "yhi"},
                                              {"From", customer},
                                              {"MessageSid", sid},
                                              {"NumMedi", "a0"},
                                              {"To", sender}});
    CHECK(service.outcome(original) == WebhookOutcome::handled);
    CHECK(service.outcome(other) == WebhookOutcome::recut);
    const auto& entry = service.heard->entries.back();
    CHECK(entry.status == 403);
    CHECK(entry.account_sid == account);
    CHECK_FALSE(entry.reason.empty());
    CHECK(service.outcome(original) == WebhookOutcome::duplicate);
    CHECK(service.runs == 1);
}

TEST_CASE("the recut first and the original second: one run, and the other is refused") {
    Counted service;
    const auto original = text("hi");
    const auto other = signed_like(original, {{"AccountSid", account},
                                              {"Bod", "yhi"},
                                              {"From", customer},
                                              {"MessageSid", sid},
                                              {"NumMedi", "a0"},
                                              {"To", sender}});
    CHECK(service.outcome(other) == WebhookOutcome::handled);
    CHECK(service.heard->entries.back().kind == "unknown");
    CHECK(service.outcome(original) == WebhookOutcome::recut);
    CHECK(service.runs == 1);
}

TEST_CASE("a MessageSid that is cut at any length does not run the handler again") {
    Counted service;
    const auto original = text("hi");
    CHECK(service.outcome(original) == WebhookOutcome::handled);
    for (std::size_t length = 0; length < sid.size(); ++length) {
        auto fields = text_fields("hi");
        fields[0].second = sid.substr(0, length);
        fields.emplace_back(sid.substr(length), "");
        const auto outcome = service.outcome(signed_like(original, fields));
        CHECK((outcome == WebhookOutcome::unreadable || outcome == WebhookOutcome::bad_signature));
    }
    CHECK(service.runs == 1);
}

TEST_CASE("only whole SIDs are SIDs") {
    Counted service;
    const auto with = [](std::size_t field, const std::string& value) {
        auto fields = text_fields("hi");
        fields[field].second = value;
        return Service::request(fields);
    };
    for (const auto& odd : std::vector<std::string>{sid.substr(0, 33), "XX" + sid.substr(2),
                                                    sid + "0", sid.substr(0, 33) + "g", account}) {
        CHECK(service.outcome(with(0, odd)) == WebhookOutcome::unreadable);
        CHECK(service.heard->entries.back().status == 400);
    }
    for (const auto& odd : std::vector<std::string>{"AC1", sid, account + "1"}) {
        CHECK(service.outcome(with(1, odd)) == WebhookOutcome::unreadable);
    }
    CHECK(service.runs == 0);
    CHECK(service.outcome(with(0, "MM" + sid.substr(2))) == WebhookOutcome::handled);
}

TEST_CASE("parameters repeated without end make one event, one entry each") {
    const auto store = std::make_shared<MemoryStore>();
    Counted service{
        [&](WebhookOptions& options) { options.dedup = std::make_shared<DedupStore>(store); }};
    const auto original = Service::request({{"Amount", "10"}, {"Tone", "x"}});
    CHECK(service.outcome(original) == WebhookOutcome::handled);
    const auto entries = store->size();
    auto repeated = original;
    for (int i = 0; i < 900; ++i) {
        repeated.body += "&Amount=10";
        CHECK(service.outcome(repeated) == WebhookOutcome::duplicate);
    }
    CHECK(service.runs == 1);
    CHECK(store->size() == entries);
}

TEST_CASE("a flood from one signature does not push an event out of the memory") {
    Counted service{[](WebhookOptions& options) {
        options.dedup = std::make_shared<DedupStore>(
            std::make_shared<MemoryStore>(MemoryStoreOptions{.max_entries = 8}));
    }};
    const auto original = text("hi");
    CHECK(service.outcome(original) == WebhookOutcome::handled);
    for (std::size_t length = 0; length < 20; ++length) {
        auto fields = text_fields("hi");
        fields[4] = {"Bo", "dyhi"};
        fields[5] = {"NumMedia" + std::string(length % 2, '0'), length % 2 == 0 ? "0" : ""};
        static_cast<void>(service.outcome(signed_like(original, fields)));
    }
    CHECK(service.outcome(original) == WebhookOutcome::duplicate);
    CHECK(service.runs == 1);
}

TEST_CASE("one without any SID runs once, unless its true second is wanted") {
    Counted once;
    const auto request = Service::request({{"Hello", "World"}});
    CHECK(once.outcome(request) == WebhookOutcome::handled);
    CHECK(once.outcome(request) == WebhookOutcome::duplicate);
    CHECK(once.runs == 1);

    Counted each{[](WebhookOptions& options) { options.unknown_may_repeat = true; }};
    CHECK(each.outcome(request) == WebhookOutcome::handled);
    CHECK(each.outcome(request) == WebhookOutcome::handled);
    CHECK(each.runs == 2);
    // Messages and statuses are what they were, and a signature is still of one event.
    CHECK(each.outcome(text("hi")) == WebhookOutcome::handled);
    CHECK(each.outcome(text("hi")) == WebhookOutcome::duplicate);
    auto other = text_fields("hi");
    other[4] = {"Bod", "yhi"};
    other[5] = {"NumMedi", "a0"};
    CHECK(each.outcome(signed_like(text("hi"), other)) == WebhookOutcome::recut);
}

TEST_CASE("an event is remembered for a day on the handler's own clock") {
    Counted service;
    CHECK(service.outcome(text("hi")) == WebhookOutcome::handled);
    service.clock->advance(24h - 1s);
    CHECK(service.outcome(text("hi")) == WebhookOutcome::duplicate);
    service.clock->advance(2s);
    CHECK(service.outcome(text("hi")) == WebhookOutcome::handled);
    CHECK(service.runs == 2);
}

TEST_CASE("who claims without a handler is protected alike") {
    const DedupStore dedup{std::make_shared<MemoryStore>()};
    const auto claim = [&](const WebhookRequest& request) {
        const auto key = event_key(parse_webhook(request).value(),
                                   find_header(request.headers, "X-Twilio-Signature"));
        return dedup.claim(key.value()).value();
    };
    const auto original = text("hi");
    const auto first = claim(original);
    CHECK(first.outcome == ClaimOutcome::claimed);
    CHECK(claim(original).outcome == ClaimOutcome::running);
    auto other = text_fields("hi");
    other[4] = {"Bod", "yhi"};
    other[5] = {"NumMedi", "a0"};
    CHECK(claim(signed_like(original, other)).outcome == ClaimOutcome::recut);
    CHECK(dedup.finish(first).value());
    CHECK(claim(original).outcome == ClaimOutcome::done);

    auto odd = text_fields("hi");
    odd[0].second.pop_back();
    const auto request = Service::request(odd);
    CHECK(event_key(parse_webhook(request).value(), "x").error().field() == "MessageSid");
}

TEST_CASE("only the method of the options is taken, in any case of its letters") {
    Counted service;
    auto post = text("hi");
    post.method = "post";
    CHECK(service.outcome(post) == WebhookOutcome::handled);
    WebhookRequest get;
    get.method = "GET";
    get.target = "/hook?" + text("ho").body;
    get = Service::sign(get);
    const auto refused = service.handler.handle(get);
    CHECK(refused.status == 405);
    CHECK(find_header(refused.headers, "Allow") == "POST");

    Counted by_get{[](WebhookOptions& options) { options.method = WebhookMethod::get; }};
    CHECK(by_get.outcome(get) == WebhookOutcome::handled);
    CHECK(by_get.outcome(text("hi")) == WebhookOutcome::bad_method);
    CHECK(find_header(by_get.handler.handle(text("hi")).headers, "Allow") == "GET");
}

TEST_CASE("a handler that runs holds its event until it returns, over the default memory") {
    Service service;
    int runs = 0;
    std::vector<int> met;
    service.handler.on_message([&](const InboundMessage&) {
        if (++runs > 1) return;
        for (const auto passed : {14s, 60s, 3600s}) {
            service.clock->advance(passed);
            met.push_back(service.handler.handle(text("hi")).status);
        }
    });
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(met == std::vector<int>{503, 503, 503});
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(runs == 1);
}

namespace {

/// Two processes that share a store and, for the test's sake, a clock.
struct Shared {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<SteppedStore> store =
        std::make_shared<SteppedStore>(MemoryStoreOptions{.clock = clock});
    std::shared_ptr<LeaseKeeper> keeper =
        std::make_shared<LeaseKeeper>(LeaseKeeperOptions{.own_thread = false, .clock = clock});
    Service first = process();
    Service second = process();

    Service process() const {
        return Service{[this](WebhookOptions& options) {
            options.clock = clock;
            options.dedup = std::make_shared<DedupStore>(store, DedupOptions{.keeper = keeper});
        }};
    }
};

}  // namespace

TEST_CASE("a handler of 14 seconds runs once, though its lease is of five") {
    Shared shared;
    int runs = 0;
    const auto slow = [&](const InboundMessage&, const HandlerContext& context) {
        ++runs;
        for (int i = 0; i < 14; ++i) {
            shared.clock->advance(1s);
            shared.keeper->renew_due();
            if (i % 5 == 0) {
                // The keeper's timer does not go while this thread waits.
                CHECK(shared.store->inner.size() == 2);
            }
        }
        CHECK_FALSE(context.lease_lost.is_cancelled());
    };
    shared.first.handler.on_message(slow);
    shared.second.handler.on_message(slow);
    CHECK(shared.first.handler.handle(text("hi")).status == 200);
    CHECK(shared.second.handler.handle(text("hi")).status == 200);
    CHECK(runs == 1);
    CHECK(shared.second.heard->entries.back().outcome == WebhookOutcome::duplicate);
}

TEST_CASE("a repetition waits for the lease of a dead process, and takes over") {
    Shared shared;
    int runs = 0;
    shared.second.handler.on_message([&](const InboundMessage&) { ++runs; });
    const auto key = event_key(parse_webhook(text("hi")).value(),
                               find_header(text("hi").headers, "X-Twilio-Signature"));
    // It took the event, and died.
    CHECK(shared.first.options.dedup->claim(key.value())->outcome == ClaimOutcome::claimed);
    const auto began = shared.clock->monotonic_now();
    CHECK(shared.second.handler.handle(text("hi")).status == 200);
    CHECK(runs == 1);
    CHECK(shared.clock->monotonic_now() - began <= 6s);
}

TEST_CASE("a repetition that waits is answered when the first is done") {
    Shared shared;
    shared.second.handler.on_message([](const InboundMessage&) { FAIL("it was handled"); });
    const auto key = event_key(parse_webhook(text("hi")).value(), {}).value();
    const auto claim = shared.first.options.dedup->claim(key).value();
    // Done when the one who waits looks the second time.
    shared.store->before_read = [&] {
        shared.store->before_read = [&] {
            CHECK(shared.first.options.dedup->finish(claim).value());
        };
    };
    const auto began = shared.clock->monotonic_now();
    CHECK(shared.second.handler.handle(text("hi")).status == 200);
    CHECK(shared.second.heard->entries.back().outcome == WebhookOutcome::duplicate);
    CHECK(shared.clock->monotonic_now() - began <= 1s);
}

TEST_CASE("a repetition waits eight seconds at most, and only one of them") {
    auto clock = std::make_shared<ManualClock>();
    Service service{[&](WebhookOptions& options) { options.clock = clock; }};
    std::vector<int> met;
    std::chrono::nanoseconds waited{0};
    service.handler.on_message([&](const InboundMessage&) {
        const auto began = clock->monotonic_now();
        met.push_back(service.handler.handle(text("hi")).status);
        waited = clock->monotonic_now() - began;
    });
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(met == std::vector<int>{503});
    CHECK(waited == 8s);

    /// While one waits another comes.
    struct Visited final : Clock {
        std::shared_ptr<ManualClock> inner = std::make_shared<ManualClock>();
        std::function<void()> visit = {};
        TimePoint now() const override { return inner->now(); }
        MonotonicTime monotonic_now() const override { return inner->monotonic_now(); }
        void sleep_until(MonotonicTime until, const CancelToken& cancel) override {
            if (const auto once = std::exchange(visit, nullptr)) once();
            inner->sleep_until(until, cancel);
        }
    };
    const auto visited = std::make_shared<Visited>();
    Service crowded{[&](WebhookOptions& options) { options.clock = visited; }};
    crowded.handler.on_message([&](const InboundMessage&) {
        visited->visit = [&] {
            const auto began = visited->monotonic_now();
            CHECK(crowded.handler.handle(text("hi")).status == 503);
            CHECK(visited->monotonic_now() == began);
            waited = 0s;
        };
        waited = 1s;
        CHECK(crowded.handler.handle(text("hi")).status == 503);
        CHECK(waited == 0s);
    });
    CHECK(crowded.handler.handle(text("hi")).status == 200);
}

TEST_CASE("a lost lease is told to the handler and the observer, and its reply is dropped") {
    Shared shared;
    int runs = 0;
    bool told = false;
    shared.first.handler.on_message([&](const InboundMessage&, const HandlerContext& context) {
        ++runs;
        shared.clock->advance(10s);  // the process stands still
        CHECK(shared.second.handler.handle(text("hi")).status == 200);
        shared.keeper->renew_due();
        told = context.lease_lost.is_cancelled();
        return MessagingResponse{"from the first"};
    });
    shared.second.handler.on_message([&](const InboundMessage&) {
        ++runs;
        return MessagingResponse{"from the second"};
    });
    const auto answer = shared.first.handler.handle(text("hi"));
    CHECK(told);
    CHECK(answer.status == 200);
    CHECK(answer.body == nothing);
    CHECK(runs == 2);
    CHECK(shared.first.heard->entries.back().outcome == WebhookOutcome::lease_lost);
    CHECK(shared.first.handler.handle(text("hi")).body == nothing);
    CHECK(runs == 2);
}

TEST_CASE("a handler that throws because its lease was lost is told as that") {
    Shared shared;
    shared.first.handler.on_message([&](const InboundMessage&, const HandlerContext& context) {
        shared.clock->advance(10s);  // the process stands still
        CHECK(shared.second.handler.handle(text("hi")).status == 200);
        shared.keeper->renew_due();
        // As of a send whose CallOptions::cancel it is.
        if (context.lease_lost.is_cancelled()) Error{{.kind = ErrorKind::cancelled}}.raise();
    });
    shared.second.handler.on_message(
        [](const InboundMessage&) { return MessagingResponse{"from the second"}; });
    const auto answer = shared.first.handler.handle(text("hi"));
    CHECK(answer.status == 200);
    CHECK(answer.body == nothing);
    REQUIRE(shared.first.heard->entries.size() == 1);
    const auto& heard = shared.first.heard->entries.back();
    CHECK(to_string(heard.outcome) == to_string(WebhookOutcome::lease_lost));
    CHECK(heard.reason == containing("failed"));
}

TEST_CASE("waiting is for no longer than Twilio does") {
    CHECK_THROWS_AS(Counted([](WebhookOptions& options) { options.wait_for_running = 16s; }),
                    InvalidRequestError);
}

}  // namespace webhook_once_test
