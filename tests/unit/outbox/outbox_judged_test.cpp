/// What the client of a job's account knows of the window and of templates is asked again when the
/// job goes.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <twiliowa/content_client.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/templates.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace outbox_judged_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::Service;
using twiliowa::ContentClient;
using twiliowa::ConversationWindow;
using twiliowa::DeadReason;
using twiliowa::JobState;
using twiliowa::MemoryStore;
using twiliowa::MessagesClient;
using twiliowa::Templates;
using twiliowa::testing::FakeTwilio;

namespace {

/// The service's client, with what it is to know besides.
void give(Service& service, const std::shared_ptr<ConversationWindow>& window,
          const std::shared_ptr<Templates>& templates) {
    auto options = service.fake->client_options();
    options.retry.max_attempts = 1;
    options.window = window;
    options.templates = templates;
    service.client = std::make_unique<MessagesClient>(service.fake->credentials(), options);
    service.restart();
}

/// That it did not go, for a reason that names the code.
void check_refused(Service& service, const twiliowa::EnqueuedJob& enqueued, int code) {
    const auto job = service.job(enqueued);
    CHECK(service.at_twilio() == 0);
    CHECK(job.state == JobState::dead);
    CHECK(job.reason == DeadReason::refused);
    CHECK(job.error_code == code);
}

}  // namespace

TEST_CASE("whose window has closed since is not written to") {
    Service service;
    const auto window = std::make_shared<ConversationWindow>(
        std::make_shared<MemoryStore>(twiliowa::MemoryStoreOptions{.clock = service.clock}),
        twiliowa::ConversationWindowOptions{.clock = service.clock});
    give(service, window, nullptr);
    REQUIRE(window->record_inbound(FakeTwilio::demo_sender, customer));
    const auto job = service.enqueue("Hi", {.not_before = service.clock->now() + 23h + 30min});
    SUBCASE("before it goes") {
        service.advance(24h);
        service.outbox->run_until_idle();
        check_refused(service, job, 63016);
    }
    SUBCASE("and it goes while it is open") {
        service.advance(23h + 45min);
        service.outbox->run_until_idle();
        CHECK(service.state(job) == JobState::accepted);
    }
}

TEST_CASE("a template that was paused since does not go") {
    Service service;
    const auto templates = std::make_shared<Templates>(
        ContentClient{service.fake->credentials(), service.fake->client_options()},
        twiliowa::TemplatesOptions{.clock = service.clock});
    give(service, nullptr, templates);
    const std::string sid{FakeTwilio::demo_content_sid};
    const auto job = service.outbox->enqueue(twiliowa::OutboundTemplate{
        .to = customer, .content_sid = sid, .variables = {{"1", "Lee"}, {"2", "4711"}}});
    SUBCASE("and is not sent") {
        service.fake->set_approval(sid, "paused");
        service.outbox->run_until_idle();
        check_refused(service, job, 63041);
    }
    SUBCASE("and one that was not goes") {
        service.outbox->run_until_idle();
        CHECK(service.state(job) == JobState::accepted);
    }
}

}  // namespace outbox_judged_test
