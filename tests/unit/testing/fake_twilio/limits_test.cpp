#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace limits_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace fake_test;

TEST_CASE("FakeTwilio refuses the next requests when told to, and says for how long") {
    const Twilio twilio;
    twilio.fake->throttle_next(account, 2, 3s);
    for (int i = 0; i < 2; ++i) {
        const auto response = twilio.create(text_form());
        check_refused(response, 429, 20429);
        CHECK(response.header("Retry-After") == "3");
    }
    CHECK(twilio.create(text_form()).status == 201);
    CHECK(twilio.fake->request_count() == 3);
    CHECK(twilio.fake->messages().size() == 1);
}

TEST_CASE("FakeTwilio refuses requests beyond those an account may have under way") {
    const Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 2);
    std::vector<int> statuses;
    const auto start = [&] {
        twilio.fake->async_send(twilio.request(HttpMethod::get, messages_path), {},
                                [&](Result<HttpResponse> r) { statuses.push_back(r->status); });
    };
    start();
    start();
    start();
    twilio.fake->run_until_idle();
    CHECK(statuses == std::vector{200, 200, 429});
    start();
    twilio.fake->run_until_idle();
    CHECK(statuses.back() == 200);
    CHECK(twilio.get(messages_path).status == 200);
}

TEST_CASE("FakeTwilio forgets a request under way that was cancelled") {
    const Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 1);
    CancelSource source;
    CallContext context;
    context.cancel = source.token();
    twilio.fake->async_send(
        twilio.request(HttpMethod::get, messages_path), context,
        [](Result<HttpResponse> r) { CHECK(r.error().kind() == ErrorKind::cancelled); });
    source.cancel();
    twilio.fake->run_until_idle();
    CHECK(twilio.get(messages_path).status == 200);
}

TEST_CASE("FakeTwilio counts a request as under way while its answer is kept") {
    Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 1);
    {
        const auto kept = twilio.fake->answer(twilio.request(HttpMethod::get, messages_path));
        CHECK(kept.response.status == 200);
        CHECK(twilio.get(messages_path).status == 429);
    }
    CHECK(twilio.get(messages_path).status == 200);
}

TEST_CASE("FakeTwilio counts an asynchronous request as under way until it is completed") {
    Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 1);
    std::vector<int> statuses;
    twilio.fake->next_fault(testing::Fault::slow);
    twilio.fake->async_send(twilio.request(HttpMethod::get, messages_path), {},
                            [&](Result<HttpResponse> r) {
                                statuses.push_back(r->status);
                                statuses.push_back(twilio.get(messages_path).status);
                            });
    twilio.fake->call_at(twilio.clock().monotonic_now() + 1s,
                         [&] { statuses.push_back(twilio.get(messages_path).status); });
    twilio.fake->run_until_idle();
    CHECK(statuses == std::vector{429, 200, 200});
}

}  // namespace limits_test
