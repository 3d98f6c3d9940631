#include <twiliowa/types/observer.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/show.hpp"

namespace observer_test {

using namespace twiliowa;

namespace {

/// Writes its letter and that of the event to a log it shares.
struct Letters final : Observer {
    Letters(std::string n, std::string& l) : name(std::move(n)), log(l) {}
    void on_call(const CallEvent&) noexcept override { log += name + "c "; }
    void on_attempt(const AttemptEvent&) noexcept override { log += name + "a "; }
    void on_retry(const RetryEvent&) noexcept override { log += name + "r "; }
    void on_result(const ResultEvent&) noexcept override { log += name + "e "; }
    void on_webhook(const WebhookResultEvent&) noexcept override { log += name + "w "; }
    void on_number_changed_hands(const NumberChangedHandsEvent&) noexcept override {
        log += name + "n ";
    }
    void on_inbox(const InboxResultEvent&) noexcept override { log += name + "i "; }
    void on_limiter(const LimiterEvent&) noexcept override { log += name + "l "; }
    std::string name;
    std::string& log;
};

}  // namespace

TEST_CASE("a composite tells all of its observers of every event, in their order") {
    std::string log;
    CompositeObserver both{
        {std::make_shared<Letters>("1", log), std::make_shared<Letters>("2", log)}};
    const CallInfo call;
    both.on_call({.call = call});
    both.on_attempt({.call = call});
    both.on_retry({.call = call});
    both.on_result({.call = call});
    both.on_webhook({});
    both.on_number_changed_hands({});
    both.on_inbox({});
    both.on_limiter({});
    CHECK(log == "1c 2c 1a 2a 1r 2r 1e 2e 1w 2w 1n 2n 1i 2i 1l 2l ");
}

TEST_CASE("a composite of none is silent, and one with a null is refused by name") {
    const CallInfo call;
    CompositeObserver{{}}.on_call({.call = call});
    try {
        CompositeObserver{{nullptr}};
        FAIL("was taken");
    } catch (const InvalidRequestError& error) {
        CHECK(error.error().field() == "observers");
    }
}

}  // namespace observer_test
