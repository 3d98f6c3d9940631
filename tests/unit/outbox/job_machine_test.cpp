#include "outbox/job_machine.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

namespace job_machine_test {

using namespace std::chrono_literals;
using twiliowa::AttemptNonce;
using twiliowa::AttemptState;
using twiliowa::DeadReason;
using twiliowa::Evidence;
using twiliowa::JobState;
using twiliowa::LeaseTime;
using twiliowa::OnUnknown;
using twiliowa::Outcome;
using twiliowa::StoredJob;
using twiliowa::TimePoint;
using twiliowa::detail::JobMachine;
using twiliowa::detail::JobMoment;
using twiliowa::detail::JobRules;
using twiliowa::detail::LookResult;
using twiliowa::detail::NotSentProof;
using twiliowa::detail::SentProof;

namespace {

AttemptNonce nonce_of(int number) {
    AttemptNonce nonce{};
    nonce[5] = static_cast<unsigned char>(number);
    return nonce;
}

/// A job, the rules, and a time that the test moves.
struct Bench {
    StoredJob job = {};
    JobRules rules = {};
    JobMoment at{.now = TimePoint{1'000h}, .lease_now = {"boot", 1'000}};
    std::vector<Outcome> told = {};

    template <class Event>
    auto apply(Event event) {
        JobMachine machine{job, rules, at};
        auto changed = event(machine);
        for (const auto each : machine.outcomes()) told.push_back(each);
        return changed;
    }
    LeaseTime lease() const { return {at.lease_now.boot, at.lease_now.microseconds + 60'000'000}; }
    void advance(std::chrono::milliseconds by) {
        at.now += by;
        at.lease_now.microseconds += std::chrono::microseconds{by}.count();
    }

    bool claim(std::string_view worker = "w1") {
        return apply([&](auto& m) { return m.claim(worker, lease()); });
    }
    bool go(std::string_view worker = "w1") {
        const auto nonce = nonce_of(static_cast<int>(job.attempts.size()) + 1);
        return apply([&](auto& m) {
            return m.go(job.fence, worker, lease(), nonce, "AC1", true) != nullptr;
        });
    }
    bool sent(int attempt, std::string sid, Evidence evidence = Evidence::answer,
              std::string status = {}) {
        return apply([&](auto& m) {
            return m.sent(nonce_of(attempt), {.sid = sid, .status = status, .evidence = evidence});
        });
    }
    bool not_sent(int attempt, NotSentProof proof) {
        return apply([&](auto& m) { return m.not_sent(nonce_of(attempt), proof); });
    }
    bool unknown(int attempt) {
        return apply([&](auto& m) { return m.outcome_unknown(attempt, 500, 20500, "failed"); });
    }
    bool looked(LookResult result) {
        return apply([&](auto& m) { return m.looked(result); });
    }
    bool nothing_found() { return looked({.kind = LookResult::Kind::nothing}); }
    bool tick() {
        return apply([](auto& m) { return m.tick(); });
    }
    bool cancel() {
        return apply([](auto& m) { return m.cancel(); });
    }
    /// On its way for the first time.
    static Bench sending(OnUnknown policy = OnUnknown::hold()) {
        Bench bench;
        bench.job.on_unknown = policy;
        REQUIRE(bench.claim());
        REQUIRE(bench.go());
        return bench;
    }
    /// Lets every look that is due happen and find nothing, until none is.
    void look_until_the_end() {
        while (job.state == JobState::unknown && job.next_look) {
            at.now = *job.next_look;
            REQUIRE(nothing_found());
        }
    }
};

}  // namespace

TEST_CASE("a job is claimed when it is due, by one worker") {
    Bench bench;
    bench.job.not_before = bench.at.now + 1s;
    CHECK_FALSE(bench.claim());
    bench.advance(1s);
    CHECK(bench.claim("w1"));
    CHECK(bench.job.state == JobState::claimed);
    CHECK_FALSE(bench.claim("w2"));
    CHECK(bench.job.worker == "w1");
}

TEST_CASE("an expired, a cancelled and a suspect job are not claimed") {
    Bench expired;
    expired.job.expires_at = expired.at.now;
    CHECK_FALSE(expired.claim());
    Bench cancelled;
    cancelled.job.cancel_requested = true;
    CHECK_FALSE(cancelled.claim());
    Bench suspect;
    CHECK(suspect.apply([](auto& m) { return m.suspect("restored"); }));
    CHECK_FALSE(suspect.claim());
}

TEST_CASE("what the gate refuses is dead, and what it puts off is ready later") {
    Bench refused;
    refused.claim();
    CHECK_FALSE(refused.apply(
        [](auto& m) { return m.refuse(7, DeadReason::opted_out, 21610, "opted out"); }));
    CHECK(refused.apply([&](auto& m) {
        return m.refuse(refused.job.fence, DeadReason::opted_out, 21610, "opted out");
    }));
    CHECK(refused.job.state == JobState::dead);
    CHECK(refused.job.reason == DeadReason::opted_out);
    CHECK(refused.told == std::vector{Outcome::dead});
    Bench later;
    later.claim();
    const auto until = later.at.now + 1h;
    CHECK(later.apply([&](auto& m) { return m.postpone(later.job.fence, until, "quiet"); }));
    CHECK(later.job.state == JobState::ready);
    CHECK(later.job.not_before == until);
}

TEST_CASE("why a job is held or put off has nothing to do with the code of an earlier attempt") {
    Bench bench;
    bench.job.error_code = 20429;
    bench.claim();
    SUBCASE("held") {
        bench.apply([&](auto& m) { return m.hold(bench.job.fence, "there is no such account"); });
        CHECK(bench.job.problem == "there is no such account");
    }
    SUBCASE("put off") {
        bench.apply([&](auto& m) { return m.postpone(bench.job.fence, bench.at.now, "no keys"); });
        CHECK(bench.job.problem == "no keys");
    }
    CHECK(bench.job.error_code == 0);
}

TEST_CASE("a claim whose lease ends is ready again, and its holder may not go") {
    Bench bench;
    bench.claim();
    const auto fence = bench.job.fence;
    CHECK_FALSE(bench.apply([](auto& m) { return m.lease_ended(); }));
    bench.advance(61s);
    auto copy = bench;
    CHECK_FALSE(copy.go());
    CHECK(bench.apply([](auto& m) { return m.lease_ended(); }));
    CHECK(bench.job.state == JobState::ready);
    bench.claim("w2");
    CHECK(bench.apply([&](auto& m) {
        return m.go(fence, "w1", bench.lease(), nonce_of(1), "AC1", true) == nullptr;
    }));
}

TEST_CASE("going needs the fence, and raises it") {
    Bench bench;
    bench.claim();
    const auto fence = bench.job.fence;
    CHECK(bench.apply([&](auto& m) {
        return m.go(fence - 1, "w1", bench.lease(), nonce_of(1), "AC1", true) == nullptr;
    }));
    CHECK(bench.go());
    CHECK(bench.job.state == JobState::sending);
    CHECK(bench.job.fence == fence + 1);
    CHECK(bench.job.attempts.size() == 1);
    CHECK_FALSE(bench.go());
}

TEST_CASE("a job may go at once, without a claim") {
    Bench bench;
    CHECK(bench.go());
    CHECK(bench.job.state == JobState::sending);
}

TEST_CASE("an answer with a SID is the end of doubt, in any state and without a fence") {
    auto bench = Bench::sending();
    SUBCASE("while it is sending") {}
    SUBCASE("when its worker was given up") {
        bench.advance(61s);
        bench.apply([](auto& m) { return m.lease_ended(); });
        REQUIRE(bench.job.state == JobState::unknown);
    }
    SUBCASE("when a person has it") {
        bench.unknown(1);
        bench.look_until_the_end();
        REQUIRE(bench.job.state == JobState::held);
    }
    CHECK(bench.sent(1, "SM1"));
    CHECK(bench.job.state == JobState::accepted);
    CHECK(bench.job.sid == "SM1");
    CHECK_FALSE(bench.job.in_doubt());
    CHECK_FALSE(bench.sent(1, "SM1"));
}

TEST_CASE("what certainly did nothing is tried again, with growing pauses, until it is exhausted") {
    auto bench = Bench::sending();
    bench.rules.max_tries = 3;
    CHECK(bench.not_sent(1, {.may_retry = true}));
    CHECK(bench.job.state == JobState::ready);
    CHECK(bench.job.not_before == bench.at.now + 750ms);
    bench.advance(1s);
    REQUIRE(bench.go());
    bench.not_sent(2, {.may_retry = true, .retry_after = 20s});
    CHECK(bench.job.not_before == bench.at.now + 20s);
    bench.advance(20s);
    REQUIRE(bench.go());
    bench.not_sent(3, {.may_retry = true});
    CHECK(bench.job.state == JobState::dead);
    CHECK(bench.job.reason == DeadReason::exhausted);
}

TEST_CASE("a refusal for good is dead with its code") {
    auto bench = Bench::sending();
    CHECK(bench.not_sent(1, {.error_code = 21211, .problem = "not a number"}));
    CHECK(bench.job.state == JobState::dead);
    CHECK(bench.job.reason == DeadReason::refused);
    CHECK(bench.job.error_code == 21211);
    CHECK_FALSE(bench.not_sent(1, {.may_retry = true}));
}

TEST_CASE("an unknown outcome is looked for on its schedule, then held for a person") {
    auto bench = Bench::sending();
    CHECK(bench.unknown(1));
    CHECK(bench.job.state == JobState::unknown);
    CHECK(bench.job.next_look == bench.at.now + 5s);
    const auto begun = bench.at.now;
    bench.look_until_the_end();
    CHECK(bench.job.state == JobState::held);
    CHECK(bench.job.looks == 8);
    CHECK(bench.at.now - begun == 5s + 30s + 2min + 10min + 30min + 1h + 4h + 10h);
    CHECK(bench.told == std::vector{Outcome::held});
}

TEST_CASE("a worker that vanished while sending leaves an unknown outcome, never a ready job") {
    auto bench = Bench::sending();
    bench.at.lease_now = {"another boot", 1};
    CHECK(bench.apply([](auto& m) { return m.lease_ended(); }));
    CHECK(bench.job.state == JobState::unknown);
}

TEST_CASE("a look that finds it accepts it, and a marker corrects that") {
    auto bench = Bench::sending();
    bench.unknown(1);
    CHECK(bench.looked({.kind = LookResult::Kind::found, .sids = {"SM9"}}));
    CHECK(bench.job.state == JobState::accepted);
    CHECK(bench.job.evidence == Evidence::list);
    SUBCASE("its own marker, with another SID, is no double") {
        CHECK(bench.sent(1, "SM1", Evidence::callback));
        CHECK(bench.job.sid == "SM1");
        CHECK(bench.job.doubles.empty());
    }
    SUBCASE("the marker of another job frees it") {
        CHECK_FALSE(bench.apply([](auto& m) { return m.not_the_one("SM8"); }));
        CHECK(bench.apply([](auto& m) { return m.not_the_one("SM9"); }));
        CHECK(bench.job.state == JobState::unknown);
        CHECK(bench.job.sid.empty());
        CHECK(bench.job.next_look);
    }
    SUBCASE("nothing of the kind happens to what an answer shows") {
        bench.sent(1, "SM1", Evidence::answer);
        CHECK_FALSE(bench.apply([](auto& m) { return m.not_the_one("SM1"); }));
    }
}

TEST_CASE("several that it may be are a person's to tell apart") {
    auto bench = Bench::sending();
    bench.unknown(1);
    CHECK(bench.looked({.kind = LookResult::Kind::several, .sids = {"SM1", "SM2"}}));
    CHECK(bench.job.state == JobState::held);
    CHECK(bench.job.candidates == std::vector<std::string>{"SM1", "SM2"});
}

TEST_CASE("resend_after sends again only after its time, enough looks, and one after that time") {
    auto bench = Bench::sending(OnUnknown::resend_after(1h, 4));
    bench.unknown(1);
    const auto begun = bench.at.now;
    while (bench.job.state == JobState::unknown) {
        REQUIRE(bench.job.next_look);
        bench.at.now = *bench.job.next_look;
        bench.nothing_found();
    }
    CHECK(bench.job.state == JobState::ready);
    CHECK(bench.at.now - begun == 1h);
    CHECK(bench.job.in_doubt());
    REQUIRE(bench.go());
    CHECK(bench.job.attempts.back().may_duplicate);
    CHECK(bench.sent(2, "SM2"));
    CHECK(bench.sent(1, "SM1", Evidence::callback));
    CHECK(bench.job.sid == "SM2");
    CHECK(bench.job.doubles == std::vector<std::string>{"SM1"});
    CHECK(bench.told.back() == Outcome::doubled);
}

TEST_CASE("looks that Twilio did not answer let nothing be sent again") {
    auto bench = Bench::sending(OnUnknown::resend_after(1min, 2));
    bench.unknown(1);
    while (bench.job.state == JobState::unknown) {
        REQUIRE(bench.job.next_look);
        bench.at.now = *bench.job.next_look;
        bench.looked({.kind = LookResult::Kind::failed});
    }
    CHECK(bench.job.state == JobState::held);
}

TEST_CASE("resend_now sends again at once, as often as it was told") {
    auto bench = Bench::sending(OnUnknown::resend_now_may_duplicate(2));
    bench.unknown(1);
    CHECK(bench.job.state == JobState::ready);
    REQUIRE(bench.go());
    bench.unknown(2);
    CHECK(bench.job.state == JobState::unknown);
}

TEST_CASE("drop gives up after its time, and evidence still counts then") {
    auto bench = Bench::sending(OnUnknown::drop(10min));
    bench.unknown(1);
    const auto begun = bench.at.now;
    bench.look_until_the_end();
    CHECK(bench.job.state == JobState::dead);
    CHECK(bench.job.reason == DeadReason::unknown);
    CHECK(bench.at.now - begun == 10min);
    CHECK(bench.sent(1, "SM1", Evidence::callback, "delivered"));
    CHECK(bench.job.state == JobState::delivered);
    CHECK(bench.told == std::vector{Outcome::dead, Outcome::accepted, Outcome::delivered});
}

TEST_CASE("an expiry ends attempts, and leaves open what became of one") {
    Bench waiting;
    waiting.job.expires_at = waiting.at.now + 1min;
    waiting.advance(1min);
    CHECK(waiting.tick());
    CHECK(waiting.job.reason == DeadReason::expired);

    auto held = Bench::sending();
    held.job.expires_at = held.at.now + 1min;
    held.unknown(1);
    held.advance(1min);
    held.look_until_the_end();
    CHECK(held.job.state == JobState::held);

    auto again = Bench::sending(OnUnknown::resend_after(1h));
    again.job.expires_at = again.at.now + 1min;
    again.unknown(1);
    again.look_until_the_end();
    CHECK(again.job.state == JobState::dead);
    CHECK(again.job.reason == DeadReason::unknown);

    auto pause = Bench::sending();
    pause.job.expires_at = pause.at.now + 1min;
    pause.advance(2min);
    pause.not_sent(1, {.may_retry = true});
    CHECK(pause.job.reason == DeadReason::expired);
}

TEST_CASE("a cancelled job does not come back to be sent") {
    Bench ready;
    CHECK(ready.cancel());
    CHECK(ready.job.state == JobState::cancelled);
    CHECK_FALSE(ready.cancel());

    auto sending = Bench::sending(OnUnknown::resend_after(1min, 1));
    CHECK(sending.cancel());
    CHECK(sending.job.state == JobState::sending);
    SUBCASE("what certainly did nothing is cancelled then") {
        sending.not_sent(1, {.may_retry = true});
        CHECK(sending.job.state == JobState::cancelled);
    }
    SUBCASE("what may have been sent is looked for, and never sent again") {
        sending.unknown(1);
        sending.look_until_the_end();
        CHECK(sending.job.state == JobState::held);
    }
    SUBCASE("what was sent was sent") {
        sending.sent(1, "SM1");
        CHECK(sending.job.state == JobState::accepted);
    }
}

TEST_CASE("a job in doubt is never told to be unsent") {
    auto bench = Bench::sending(OnUnknown::resend_now_may_duplicate(2));
    bench.unknown(1);
    REQUIRE(bench.go());
    SUBCASE("by a refusal of its second attempt") {
        bench.not_sent(2, {.error_code = 21211});
    }
    SUBCASE("by a pause of its second attempt") {
        bench.not_sent(2, {.may_retry = true});
    }
    SUBCASE("by the gate") {
        bench.not_sent(2, {.may_retry = true});
        bench.apply(
            [&](auto& m) { return m.refuse(bench.job.fence, DeadReason::opted_out, 21610, ""); });
    }
    SUBCASE("by a cancellation") {
        bench.cancel();
        bench.not_sent(2, {.may_retry = true});
    }
    CHECK(bench.job.in_doubt());
    CHECK(bench.job.state == JobState::unknown);
    CHECK(bench.not_sent(1, {.error_code = 21211}));
    CHECK(bench.job.state != JobState::unknown);
}

TEST_CASE("a person ends what is held") {
    auto bench = Bench::sending();
    bench.unknown(1);
    bench.look_until_the_end();
    SUBCASE("it was sent") {
        CHECK(bench.apply([](auto& m) { return m.person_sent("SM1"); }));
        CHECK(bench.job.state == JobState::accepted);
        CHECK(bench.job.evidence == Evidence::person);
        SUBCASE("and proof of another SID corrects that") {
            CHECK(bench.sent(1, "SM2", Evidence::callback));
            CHECK(bench.job.sid == "SM2");
            CHECK(bench.job.doubles.empty());
        }
    }
    SUBCASE("it was not") {
        CHECK(bench.apply([](auto& m) { return m.person_not_sent(); }));
        CHECK(bench.job.state == JobState::ready);
        CHECK_FALSE(bench.job.in_doubt());
        SUBCASE("and when it was after all, that is told") {
            REQUIRE(bench.go());
            bench.sent(2, "SM2");
            CHECK(bench.sent(1, "SM1", Evidence::callback));
            CHECK(bench.job.doubles == std::vector<std::string>{"SM1"});
        }
    }
    SUBCASE("nobody cares") {
        CHECK(bench.apply([](auto& m) { return m.person_gave_up(); }));
        CHECK(bench.job.reason == DeadReason::unknown);
    }
}

TEST_CASE("statuses only move forward, and the last word is an arrival") {
    auto bench = Bench::sending();
    bench.sent(1, "SM1", Evidence::answer, "queued");
    const auto status = [&](const char* word, int code = 0) {
        return bench.apply([&](auto& m) { return m.status_changed("SM1", word, code); });
    };
    CHECK(status("sent"));
    CHECK_FALSE(status("queued"));
    CHECK(status("undelivered", 63024));
    CHECK(bench.job.state == JobState::undelivered);
    CHECK(bench.job.error_code == 63024);
    CHECK(status("delivered"));
    CHECK(bench.job.state == JobState::delivered);
    CHECK(status("read"));
    CHECK(bench.told ==
          std::vector{Outcome::accepted, Outcome::undelivered, Outcome::delivered, Outcome::read});
    CHECK_FALSE(bench.apply([](auto& m) { return m.status_changed("SM2", "read", 0); }));
}

TEST_CASE("a callback before the answer counts, and the answer then takes nothing back") {
    auto bench = Bench::sending();
    CHECK(bench.sent(1, "SM1", Evidence::callback, "delivered"));
    CHECK(bench.job.state == JobState::delivered);
    CHECK(bench.sent(1, "SM1", Evidence::answer, "queued"));
    CHECK(bench.job.status == "delivered");
    CHECK_FALSE(bench.not_sent(1, {.may_retry = true}));
    CHECK_FALSE(bench.unknown(1));
    CHECK(bench.job.state == JobState::delivered);
}

TEST_CASE("a message that went to somebody else is held with its SID, and never sent over") {
    auto bench = Bench::sending();
    bench.unknown(1);
    bench.apply([](auto& m) {
        return m.sent(nonce_of(1),
                      {.sid = "SM1", .evidence = Evidence::callback, .wrong_customer = true});
    });
    CHECK(bench.job.state == JobState::held);
    CHECK(bench.job.sid == "SM1");
    CHECK_FALSE(bench.apply([](auto& m) { return m.person_not_sent(); }));
}

TEST_CASE("proof of an attempt that nobody knows is taken in") {
    Bench bench;
    CHECK(bench.sent(7, "SM7", Evidence::callback, "sent"));
    CHECK(bench.job.state == JobState::accepted);
    CHECK(bench.job.attempts.size() == 1);
    CHECK_FALSE(bench.claim());
}

TEST_CASE("a suspect is looked for before it goes") {
    Bench bench;
    bench.apply([](auto& m) { return m.suspect("restored"); });
    CHECK(bench.job.next_look == bench.at.now);
    CHECK_FALSE(bench.go());
    SUBCASE("found: it was sent") {
        CHECK(bench.looked({.kind = LookResult::Kind::found, .sids = {"SM1"}}));
        CHECK(bench.job.state == JobState::accepted);
        CHECK_FALSE(bench.job.suspect_since);
    }
    SUBCASE("nothing shows it: held, as one of its group") {
        CHECK(bench.nothing_found());
        CHECK(bench.job.state == JobState::held);
        CHECK(bench.job.suspect_since);
    }
    SUBCASE("or sent after the wait, if callbacks would have told") {
        bench.rules.send_suspects = true;
        CHECK(bench.looked({.kind = LookResult::Kind::nothing, .callbacks_tell = true}));
        while (bench.job.suspect_since) {
            REQUIRE(bench.job.state == JobState::ready);
            bench.at.now = *bench.job.next_look;
            bench.looked({.kind = LookResult::Kind::nothing, .callbacks_tell = true});
        }
        CHECK(bench.at.now == TimePoint{1'000h} + 30min);
        CHECK(bench.go());
    }
    SUBCASE("but not where no callback would have told") {
        bench.rules.send_suspects = true;
        CHECK(bench.nothing_found());
        CHECK(bench.job.state == JobState::held);
    }
    SUBCASE("a person's word frees it") {
        bench.nothing_found();
        CHECK(bench.apply([](auto& m) { return m.person_not_sent(); }));
        CHECK(bench.job.state == JobState::ready);
        CHECK(bench.go());
    }
}

TEST_CASE("what is dead and was not sent may be tried again; what is in doubt may not") {
    auto refused = Bench::sending();
    refused.not_sent(1, {.error_code = 63041});
    CHECK(refused.apply([](auto& m) { return m.retry(); }));
    CHECK(refused.job.state == JobState::ready);
    auto dropped = Bench::sending(OnUnknown::drop(1min));
    dropped.unknown(1);
    dropped.look_until_the_end();
    REQUIRE(dropped.job.state == JobState::dead);
    CHECK_FALSE(dropped.apply([](auto& m) { return m.retry(); }));
}

TEST_CASE("proof without a SID proves nothing, and a person gives one") {
    auto bench = Bench::sending();
    bench.unknown(1);
    CHECK_FALSE(bench.sent(1, "", Evidence::callback, "delivered"));
    CHECK(bench.job.in_doubt());
    CHECK(bench.job.state == JobState::unknown);
    CHECK_FALSE(bench.apply([](auto& m) { return m.person_sent(""); }));
    CHECK_FALSE(bench.looked({.kind = LookResult::Kind::found, .sids = {}}));
    CHECK(bench.job.state == JobState::unknown);
}

TEST_CASE("attempts that certainly did nothing do not use up those that a policy may repeat") {
    auto bench = Bench::sending(OnUnknown::resend_after(1min, 1));
    for (int attempt = 1; attempt <= 4; ++attempt) {
        bench.not_sent(attempt, {.may_retry = true, .counts = false});
        bench.advance(1min);
        REQUIRE(bench.go());
    }
    bench.unknown(5);
    bench.look_until_the_end();
    CHECK(bench.job.state == JobState::ready);
}

TEST_CASE("a policy's time may be longer than the looks go on") {
    auto again = Bench::sending(OnUnknown::resend_after(48h, 4));
    again.unknown(1);
    const auto begun = again.at.now;
    again.look_until_the_end();
    CHECK(again.job.state == JobState::ready);
    CHECK(again.at.now - begun == 48h);
    auto dropped = Bench::sending(OnUnknown::drop(48h));
    dropped.unknown(1);
    dropped.look_until_the_end();
    CHECK(dropped.job.state == JobState::dead);
    CHECK(dropped.at.now - begun == 48h);
}

TEST_CASE("a pause that Twilio asks for is not longer than a day") {
    auto bench = Bench::sending();
    bench.not_sent(1, {.may_retry = true, .retry_after = 24h * 365});
    CHECK(bench.job.not_before == bench.at.now + 24h);
}

TEST_CASE("what is ready goes at once only when it is due, not expired and not cancelled") {
    Bench later;
    later.job.not_before = later.at.now + 1s;
    CHECK_FALSE(later.go());
    Bench expired;
    expired.job.expires_at = expired.at.now;
    CHECK_FALSE(expired.go());
    Bench cancelled;
    cancelled.job.cancel_requested = true;
    CHECK_FALSE(cancelled.go());
    CHECK(cancelled.job.attempts.empty());
}

TEST_CASE("an older attempt's answer says nothing of the one that is under way") {
    auto bench = Bench::sending(OnUnknown::resend_now_may_duplicate(2));
    bench.unknown(1);
    REQUIRE(bench.go());
    CHECK_FALSE(bench.unknown(1));
    CHECK(bench.job.state == JobState::sending);
    CHECK(bench.not_sent(1, {.error_code = 21211}));
    CHECK(bench.job.state == JobState::sending);
    CHECK(bench.sent(2, "SM2"));
    CHECK(bench.job.state == JobState::accepted);
}

TEST_CASE("what waits to be sent again and expires is still in doubt") {
    auto bench = Bench::sending(OnUnknown::resend_after(1min, 1));
    bench.unknown(1);
    bench.look_until_the_end();
    REQUIRE(bench.job.state == JobState::ready);
    bench.job.expires_at = bench.at.now;
    CHECK(bench.tick());
    CHECK(bench.job.state == JobState::unknown);
}

TEST_CASE("what waits to be sent again and is cancelled is still in doubt") {
    auto bench = Bench::sending(OnUnknown::resend_after(1min, 1));
    bench.unknown(1);
    bench.look_until_the_end();
    REQUIRE(bench.job.state == JobState::ready);
    CHECK(bench.cancel());
    CHECK(bench.job.state == JobState::unknown);
    CHECK(bench.job.cancel_requested);
}

TEST_CASE("a cancelled suspect is looked for all the same, and not sent") {
    Bench bench;
    bench.rules.send_suspects = true;
    bench.apply([](auto& m) { return m.suspect("restored"); });
    CHECK(bench.cancel());
    CHECK_FALSE(bench.cancel());
    CHECK(bench.job.state == JobState::ready);
    bench.advance(30min);
    bench.looked({.kind = LookResult::Kind::nothing, .callbacks_tell = true});
    CHECK(bench.job.state == JobState::cancelled);
}

TEST_CASE("who had claimed a job that became suspect has it no more") {
    Bench bench;
    bench.claim();
    const auto fence = bench.job.fence;
    bench.apply([](auto& m) { return m.suspect("restored"); });
    CHECK_FALSE(
        bench.apply([&](auto& m) { return m.refuse(fence, DeadReason::opted_out, 21610, ""); }));
    CHECK_FALSE(bench.apply([&](auto& m) { return m.hold(fence, "no account"); }));
}

TEST_CASE("a second SID is told once, and a held job's status does not move it") {
    auto bench = Bench::sending();
    bench.sent(1, "SM1");
    bench.sent(2, "SM2", Evidence::callback);
    bench.sent(2, "SM2", Evidence::callback);
    CHECK(bench.job.doubles == std::vector<std::string>{"SM2"});
    CHECK(bench.told == std::vector{Outcome::accepted, Outcome::doubled});
    auto held = Bench::sending();
    held.apply([](auto& m) {
        return m.sent(nonce_of(1),
                      {.sid = "SM1", .evidence = Evidence::callback, .wrong_customer = true});
    });
    CHECK_FALSE(held.apply([](auto& m) { return m.status_changed("SM1", "delivered", 0); }));
    CHECK(held.job.state == JobState::held);
    CHECK_FALSE(held.looked({.kind = LookResult::Kind::found, .sids = {"SM9"}}));
    CHECK_FALSE(held.apply([](auto& m) { return m.person_sent("SM9"); }));
    CHECK(held.job.sid == "SM1");
    CHECK(held.apply([](auto& m) { return m.person_sent("SM1"); }));
    CHECK(held.job.evidence == Evidence::callback);
}

TEST_CASE("what may have been sent and is refused since is in doubt, and not sent again") {
    auto bench = Bench::sending(OnUnknown::resend_after(1min, 1));
    bench.unknown(1);
    bench.look_until_the_end();
    REQUIRE(bench.job.state == JobState::ready);
    CHECK(bench.apply(
        [&](auto& m) { return m.refuse(bench.job.fence, DeadReason::opted_out, 21610, ""); }));
    CHECK(bench.job.state == JobState::unknown);
    CHECK(bench.job.cancel_requested);
}

TEST_CASE("looks before a policy's time, or too few of them, send nothing again") {
    auto early = Bench::sending(OnUnknown::resend_after(1min, 2));
    early.unknown(1);
    early.advance(5s);
    early.nothing_found();
    early.advance(30s);
    early.nothing_found();
    early.advance(1h);
    early.tick();
    CHECK(early.job.state == JobState::unknown);
    early.nothing_found();
    CHECK(early.job.state == JobState::ready);
    auto few = Bench::sending(OnUnknown::resend_after(1min, 4));
    few.unknown(1);
    few.advance(1h);
    for (int looks = 1; looks < 4; ++looks) {
        few.nothing_found();
        CHECK(few.job.state == JobState::unknown);
    }
    few.nothing_found();
    CHECK(few.job.state == JobState::ready);
}

TEST_CASE("a suspect that was given up is not tried again: it may have been sent") {
    Bench bench;
    bench.apply([](auto& m) { return m.suspect("restored"); });
    bench.nothing_found();
    CHECK(bench.apply([](auto& m) { return m.person_gave_up(); }));
    CHECK_FALSE(bench.job.in_doubt());
    CHECK_FALSE(bench.apply([](auto& m) { return m.retry(); }));
}

}  // namespace job_machine_test
