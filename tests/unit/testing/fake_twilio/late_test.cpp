#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "fixture.hpp"

namespace late_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using fake_test::Conversation;
using twiliowa::testing::FakeTwilio;

namespace {

std::size_t listed_by(const MessagesClient& client) {
    return client.list_page().items.size();
}

Message scheduled_by(const Conversation& talk) {
    return talk.client.send_template(
        {.to = "+447700900123",
         .content_sid = std::string{FakeTwilio::demo_content_sid},
         .messaging_service_sid = std::string{FakeTwilio::demo_messaging_service_sid},
         .send_at = talk.fake->clock()->now() + 2h});
}

std::string price_of(const Conversation& talk, const Message& message) {
    return talk.client.fetch(message.sid).price;
}

}  // namespace

TEST_CASE("FakeTwilio: lists have a message only after the lag, and its SID finds it at once") {
    Conversation talk;
    talk.fake->set_list_lag(10s);
    const auto message = talk.client.send_template(
        {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}});
    CHECK(listed_by(talk.client) == 0);
    CHECK(talk.client.fetch(message.sid).sid == message.sid);
    talk.fake->advance(9s);
    CHECK(listed_by(talk.client) == 0);
    talk.fake->advance(1s);
    CHECK(listed_by(talk.client) == 1);
    talk.fake->set_list_lag(1min);
    CHECK(listed_by(talk.client) == 0);
    talk.fake->set_list_lag(0ms);
    CHECK(listed_by(talk.client) == 1);
    CHECK_THROWS_AS(talk.fake->set_list_lag(-1ms), InvalidRequestError);
    CHECK_THROWS_AS(talk.fake->set_list_lag(std::chrono::milliseconds::max()), InvalidRequestError);
}

TEST_CASE("FakeTwilio: a list that lags loses no message over its pages") {
    Conversation talk;
    const auto send = [&] {
        talk.client.send_template(
            {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}});
    };
    for (int i = 0; i < 3; ++i) send();
    talk.fake->advance(1min);
    talk.fake->set_list_lag(30s);
    send();
    auto page = talk.client.list_page({.page_size = 2});
    CHECK(page.items.size() == 2);
    page = talk.client.next_page(page);
    CHECK(page.items.size() == 1);
    CHECK(page.next.empty());
}

TEST_CASE("FakeTwilio: scheduled messages are in lists, unless it is told otherwise") {
    Conversation talk;
    const auto message = scheduled_by(talk);
    CHECK(listed_by(talk.client) == 1);
    CHECK(talk.fake->scheduled_in_lists());
    talk.fake->set_scheduled_in_lists(false);
    CHECK(listed_by(talk.client) == 0);
    CHECK(talk.client.fetch(message.sid).status == MessageStatus::scheduled);
    talk.fake->advance(2h + 10s);
    CHECK(listed_by(talk.client) == 1);
}

TEST_CASE("FakeTwilio: a price comes later where it is told so, and once") {
    Conversation talk;
    talk.fake->set_prices({.delay = 1h});
    const auto message = talk.client.send_template(
        {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}});
    talk.fake->advance(30min);
    CHECK(talk.status_of(message) == MessageStatus::delivered);
    CHECK(price_of(talk, message).empty());
    talk.fake->set_prices({});
    talk.lee().reads();
    CHECK(price_of(talk, message).empty());
    talk.fake->advance(31min);
    CHECK(price_of(talk, message) == "-0.00500");
    CHECK(talk.fake->run_until_idle() == 0);
}

TEST_CASE("FakeTwilio: some messages never get a price, as many as it is told") {
    Conversation talk;
    talk.fake->set_prices({.never = 1.0});
    const auto without = talk.send_template();
    talk.fake->set_prices({});
    const auto with = talk.send_template();
    talk.lee().reads();
    talk.fake->run_until_idle();
    CHECK(price_of(talk, without).empty());
    CHECK(price_of(talk, with) == "-0.00500");
    CHECK_THROWS_AS(talk.fake->set_prices({.never = 1.5}), InvalidRequestError);
    CHECK_THROWS_AS(talk.fake->set_prices({.delay = -1ms}), InvalidRequestError);

    talk.fake->set_prices({.never = 0.5});
    int priced = 0;
    for (int i = 0; i < 100; ++i) priced += price_of(talk, talk.send_template()).empty() ? 0 : 1;
    CHECK(priced > 25);
    CHECK(priced < 75);
}

TEST_CASE("FakeTwilio: what it shows late is kept with its state") {
    std::string state;
    Message message;
    {
        Conversation before;
        before.fake->set_list_lag(2h);
        before.fake->set_scheduled_in_lists(false);
        before.fake->set_prices({.delay = 1h});
        message = before.client.send_template(
            {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}});
        before.fake->advance(10s);
        before.fake->set_prices({.delay = 5min, .never = 0.5});
        state = before.fake->save();
    }
    Conversation after;
    after.fake->load(state);
    CHECK(after.fake->save() == state);
    CHECK(after.fake->list_lag() == 2h);
    CHECK_FALSE(after.fake->scheduled_in_lists());
    CHECK(after.fake->prices().delay == 5min);
    CHECK(after.fake->prices().never == 0.5);
    CHECK(listed_by(after.client) == 0);
    CHECK(price_of(after, message).empty());
    after.fake->advance(1h);
    CHECK(price_of(after, message) == "-0.00500");
    after.fake->load(Conversation{}.fake->save());
    CHECK(after.fake->list_lag() == 0ms);
}

}  // namespace late_test
