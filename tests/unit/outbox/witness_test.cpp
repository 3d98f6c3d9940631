#include "outbox/witness.hpp"

#include <doctest/doctest.h>

#include <string>

#include "unit/outbox/outbox_service.hpp"

namespace witness_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::Service;
using twiliowa::JobState;
using twiliowa::Message;
using twiliowa::MessageSid;
using twiliowa::OutboxTransaction;
using twiliowa::Result;
using twiliowa::detail::JobCodec;
using twiliowa::testing::Fault;

namespace {

/// A service that has sent one message, and what Twilio lists ten minutes later.
struct Listed : Service {
    Listed() {
        sent = enqueue("sent");
        outbox->run_until_idle();
        newest.sid = MessageSid{"SM" + std::string(32, '7')};
        newest.to = std::string{"whatsapp:"} + customer;
        newest.date_created = clock->now() + 10min;
    }
    bool tells() const {
        const JobCodec codec{twiliowa::OnUnknown::hold(), std::nullopt};
        bool later = false;
        storage
            ->transact([&](OutboxTransaction& transaction) -> Result<void> {
                later = twiliowa::detail::tells_of_later_state(transaction, codec, {newest}, 90s)
                            .value();
                return {};
            })
            .value();
        return later;
    }

    twiliowa::EnqueuedJob sent;
    Message newest = {};
};

}  // namespace

TEST_CASE("a message that no job can have sent, after all that is known, tells of a later state") {
    Listed service;
    CHECK(service.tells());
    SUBCASE("unless it may be older than what is known") {
        service.newest.date_created = service.clock->now() + 90s;
    }
    SUBCASE("unless nobody says when it was created") {
        service.newest.date_created.reset();
    }
    SUBCASE("unless it is a job's") {
        service.newest.sid = service.job(service.sent).sid;
    }
    SUBCASE("unless a job for its customer may have sent it") {
        service.enqueue("unknown");
        service.fake->next_fault(Fault::close_after);
        service.outbox->run_until_idle();
        service.newest.date_created = service.clock->now() + 10min;
    }
    SUBCASE("unless a person has yet to say whether one has") {
        const auto held = service.enqueue("held");
        service.fake->next_fault(Fault::close_before);
        for (int i = 0; i < 12; ++i) {
            service.outbox->run_until_idle();
            service.advance(12h);
        }
        REQUIRE(service.state(held) == JobState::held);
        service.newest.date_created = service.clock->now() + 10min;
    }
    CHECK_FALSE(service.tells());
}

TEST_CASE("a storage that has sent nothing yet has no later state to tell of") {
    Listed service;
    service.storage = std::make_shared<twiliowa::testing::MemoryOutbox>(service.clock);
    service.restart();
    service.enqueue("waits");
    CHECK_FALSE(service.tells());
}

}  // namespace witness_test
