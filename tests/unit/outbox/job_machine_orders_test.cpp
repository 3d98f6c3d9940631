/// Every order of events over two attempts and two workers, beside a Twilio that is modelled: what
/// exists there is never called unsent, no message goes twice without being told, and what nobody
/// may send again is never ready.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "outbox/job_machine.hpp"

namespace job_machine_orders_test {

using namespace std::chrono_literals;
using twiliowa::AttemptNonce;
using twiliowa::AttemptState;
using twiliowa::DeadReason;
using twiliowa::Evidence;
using twiliowa::JobState;
using twiliowa::LeaseTime;
using twiliowa::OnUnknown;
using twiliowa::StoredJob;
using twiliowa::TimePoint;
using twiliowa::detail::JobMachine;
using twiliowa::detail::JobMoment;
using twiliowa::detail::JobRules;
using twiliowa::detail::LookResult;

namespace {

/// What an attempt has done at Twilio.
enum class Real { not_begun, on_its_way, exists, never };

struct Worker {
    std::int64_t fence = -1;  ///< What it believes to hold.
    int attempt = 0;          ///< What it is sending.
};

struct World {
    StoredJob job = {};
    TimePoint now{1'000h};
    std::int64_t boot_time = 0;
    std::array<Real, 3> real{Real::not_begun, Real::not_begun, Real::not_begun};  ///< 1 and 2.
    std::array<bool, 3> proven{};
    std::array<Worker, 2> workers = {};
    bool may_double = false;

    std::string key() const {
        std::string text;
        const auto add = [&](std::int64_t number) {
            text.append(reinterpret_cast<const char*>(&number), sizeof number);
        };
        add(static_cast<int>(job.state) | static_cast<int>(job.reason) << 8 |
            job.cancel_requested << 16 | static_cast<int>(job.evidence) << 20 | job.looks << 24);
        add(job.fence);
        add(job.not_before.time_since_epoch().count());
        add(job.next_look ? job.next_look->time_since_epoch().count() : 0);
        add(job.unknown_since ? job.unknown_since->time_since_epoch().count() : 0);
        add(job.suspect_since.has_value());
        add(job.lease_until.microseconds);
        text += job.worker + '/' + job.sid + '/' + job.status + '/';
        for (const auto& attempt : job.attempts) {
            add(static_cast<int>(attempt.state) | attempt.may_duplicate << 4);
            text += attempt.sid;
        }
        add(static_cast<std::int64_t>(job.doubles.size()));
        add(now.time_since_epoch().count());
        for (int i = 1; i < 3; ++i)
            add(static_cast<int>(real[static_cast<std::size_t>(i)]) |
                proven[static_cast<std::size_t>(i)] << 4);
        for (const auto& worker : workers) {
            add(worker.fence);
            add(worker.attempt);
        }
        return text;
    }
};

AttemptNonce walk_nonce(int attempt) {
    AttemptNonce nonce{};
    nonce[0] = static_cast<unsigned char>(attempt);
    return nonce;
}

std::string sid_of(int attempt) {
    return "SM" + std::to_string(attempt);
}

constexpr std::array<const char*, 2> worker_names{"w1", "w2"};

/// Everything that can happen next. Each event takes the world along, or says that it cannot
/// happen.
class Walk {
public:
    Walk(OnUnknown policy, JobRules rules) : rules_(rules) { start_.job.on_unknown = policy; }

    void run(int depth) {
        visit(start_, depth);
        World world = start_;
        begin_first_attempt(world);
        visit(world, depth);
    }
    std::size_t worlds() const { return seen_.size(); }
    std::size_t accepted = 0;
    std::size_t doubled = 0;
    std::size_t held = 0;

private:
    JobMoment moment(const World& world) const {
        return {.now = world.now, .lease_now = {"boot", world.boot_time}};
    }
    static LeaseTime lease(const World& world) { return {"boot", world.boot_time + 60}; }

    template <class Event>
    auto apply(World& world, Event event) -> decltype(event(std::declval<JobMachine&>())) {
        const auto at = moment(world);
        JobMachine machine{world.job, rules_, at};
        return event(machine);
    }

    void begin_first_attempt(World& world) {
        REQUIRE(apply(world, [&](auto& m) { return m.claim(worker_names[0], lease(world)); }));
        REQUIRE(apply(world, [&](auto& m) {
            return m.go(world.job.fence, worker_names[0], lease(world), walk_nonce(1), "AC",
                        true) != nullptr;
        }));
        world.workers[0] = {world.job.fence, 1};
        world.real[1] = Real::on_its_way;
    }

    void visit(const World& world, int depth) {
        if (depth == 0 || !seen_.insert(world.key() + static_cast<char>(depth)).second) return;
        const auto next = [&](auto change) {
            World copy = world;
            if (!change(copy)) return;
            check(world, copy);
            visit(copy, depth - 1);
        };
        for (std::size_t w = 0; w < 2; ++w) {
            next([&](World& to) {
                if (!apply(to, [&](auto& m) { return m.claim(worker_names[w], lease(to)); })) {
                    return false;
                }
                to.workers[w] = {to.job.fence, 0};
                return true;
            });
            next([&](World& to) {
                auto& worker = to.workers[w];
                const auto attempt = static_cast<int>(to.job.attempts.size()) + 1;
                if (worker.fence < 0 || worker.attempt != 0 || attempt > 2) return false;
                const auto* const gone = apply(to, [&](auto& m) {
                    return m.go(worker.fence, worker_names[w], lease(to), walk_nonce(attempt), "AC",
                                true);
                });
                if (gone == nullptr) return false;
                to.may_double = to.may_double || gone->may_duplicate;
                to.real[static_cast<std::size_t>(attempt)] = Real::on_its_way;
                worker = {to.job.fence, attempt};
                return true;
            });
        }
        for (int attempt = 1; attempt <= 2; ++attempt) visit_attempt(next, attempt);
        // The lease ends, as it does when the machine starts anew.
        next([&](World& to) {
            to.boot_time += 100;
            return apply(to, [](auto& m) { return m.lease_ended(); });
        });
        next([&](World& to) {
            to.now += 2h;
            return apply(to, [](auto& m) { return m.tick(); }) || to.job.state == JobState::unknown;
        });
        next([&](World& to) { return look(to, LookResult::Kind::nothing, {}); });
        std::vector<std::string> listed;
        for (int attempt = 1; attempt <= 2; ++attempt) {
            if (world.real[static_cast<std::size_t>(attempt)] == Real::exists) {
                listed.push_back(sid_of(attempt));
            }
        }
        if (!listed.empty()) {
            next([&](World& to) {
                return look(to,
                            listed.size() > 1 ? LookResult::Kind::several : LookResult::Kind::found,
                            listed);
            });
        }
        next([&](World& to) { return apply(to, [](auto& m) { return m.cancel(); }); });
        next([&](World& to) {
            if (to.job.expires_at) return false;
            to.job.expires_at = to.now;
            apply(to, [](auto& m) { return m.tick(); });
            return true;
        });
        visit_person(next, world, listed);
    }

    bool look(World& to, LookResult::Kind kind, std::vector<std::string> sids) {
        return apply(to, [&](auto& m) {
            return m.looked({.kind = kind, .sids = std::move(sids), .callbacks_tell = true});
        });
    }

    template <class Next>
    void visit_attempt(Next& next, int attempt) {
        const auto index = static_cast<std::size_t>(attempt);
        // Twilio makes the message.
        next([&](World& to) {
            if (to.real[index] != Real::on_its_way) return false;
            to.real[index] = Real::exists;
            return true;
        });
        for (const auto evidence : {Evidence::answer, Evidence::callback}) {
            next([&](World& to) {
                if (to.real[index] != Real::exists) return false;
                to.proven[index] = true;
                return apply(to, [&](auto& m) {
                    return m.sent(walk_nonce(attempt),
                                  {.sid = sid_of(attempt), .status = "sent", .evidence = evidence});
                });
            });
        }
        next([&](World& to) {
            if (to.real[index] != Real::exists && to.real[index] != Real::on_its_way) return false;
            return apply(to, [&](auto& m) { return m.outcome_unknown(attempt, 500, 0, ""); });
        });
        for (const bool may_retry : {true, false}) {
            next([&](World& to) {
                if (to.real[index] != Real::on_its_way) return false;
                to.real[index] = Real::never;
                return apply(to, [&](auto& m) {
                    return m.not_sent(walk_nonce(attempt), {.may_retry = may_retry});
                });
            });
        }
    }

    /// Somebody who tells the truth, having seen Twilio's log.
    template <class Next>
    void visit_person(Next& next, const World& world, const std::vector<std::string>& listed) {
        next([&](World& to) { return apply(to, [](auto& m) { return m.person_gave_up(); }); });
        if (!listed.empty()) {
            next([&](World& to) {
                return apply(to, [&](auto& m) { return m.person_sent(listed.front()); });
            });
        }
        for (const auto real : world.real) {
            if (real == Real::on_its_way || real == Real::exists) return;
        }
        next([&](World& to) { return apply(to, [](auto& m) { return m.person_not_sent(); }); });
        next([&](World& to) { return apply(to, [](auto& m) { return m.retry(); }); });
    }

    void check(const World& from, const World& to) {
        const auto& job = to.job;
        int may_exist = 0;
        int proven = 0;
        for (std::size_t i = 1; i < 3; ++i) {
            if (to.real[i] == Real::exists || to.real[i] == Real::on_its_way) ++may_exist;
            if (to.proven[i]) ++proven;
            // What exists is never called unsent.
            if (to.real[i] == Real::exists || to.real[i] == Real::on_its_way) {
                REQUIRE(job.attempts[i - 1].state != AttemptState::not_sent);
            }
        }
        const bool called_unsent =
            job.state == JobState::cancelled ||
            (job.state == JobState::dead && job.reason != DeadReason::unknown);
        if (called_unsent) REQUIRE(may_exist == 0);
        // Nobody may send again what may exist, unless its policy says so.
        if (!job.on_unknown.may_resend()) {
            REQUIRE(may_exist <= 1);
            if (job.state == JobState::ready || job.state == JobState::claimed) {
                REQUIRE(may_exist == 0);
            }
        }
        if (may_exist == 2) REQUIRE(to.may_double);
        // Two that are proven are told.
        if (proven == 2) REQUIRE(job.doubles.size() == 1);
        if (proven < 2) REQUIRE(job.doubles.empty());
        if (proven > 0) {
            REQUIRE((job.state == JobState::accepted || job.state == JobState::delivered ||
                     job.state == JobState::undelivered));
        }
        if (job.state == JobState::accepted) {
            REQUIRE_FALSE(job.sid.empty());
            ++accepted;
        }
        if (job.state == JobState::held) ++held;
        if (!job.doubles.empty()) ++doubled;
        // Once it is known to exist, it stays so.
        if (from.job.state == JobState::accepted) REQUIRE(job.state >= JobState::accepted);
    }

    World start_ = {};
    JobRules rules_;
    std::unordered_set<std::string> seen_ = {};
};

void walk_all(OnUnknown policy, int depth, bool doubles) {
    Walk walk{policy, {}};
    walk.run(depth);
    INFO(walk.worlds());
    CHECK(walk.worlds() > 1'000);
    CHECK(walk.accepted > 0);
    CHECK((walk.doubled > 0) == doubles);
}

}  // namespace

TEST_CASE("in every order of events what exists at Twilio is never called unsent") {
    SUBCASE("hold") {
        walk_all(OnUnknown::hold(), 10, false);
    }
    SUBCASE("drop") {
        walk_all(OnUnknown::drop(1h), 10, false);
    }
    SUBCASE("resend_after") {
        walk_all(OnUnknown::resend_after(1h, 1), 10, true);
    }
    SUBCASE("resend_now") {
        walk_all(OnUnknown::resend_now_may_duplicate(2), 10, true);
    }
}

}  // namespace job_machine_orders_test
