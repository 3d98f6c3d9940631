#include <twiliowa/testing/check_inbox_storage.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa::testing {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;
using InboxStorageFactory = std::function<std::shared_ptr<OutboxStorage>()>;
using Sequences = std::vector<std::int64_t>;

/// The beginning of a year, near enough.
TimePoint inbox_year(int year) {
    return TimePoint{} + hours{24} * 365 * (year - 1970);
}

/// Every byte there is, and what it is for.
std::string every_byte(std::string_view what) {
    std::string bytes{what};
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

/// The first member of two events that differs, but for `revision`; empty: none.
std::string_view different_event_member(const StoredEvent& a, const StoredEvent& b) {
    const std::pair<bool, std::string_view> members[] = {
        {a.sequence == b.sequence, "sequence"},
        {a.key == b.key, "key"},
        {a.account_sid == b.account_sid, "account_sid"},
        {a.kind == b.kind, "kind"},
        {a.message_sid == b.message_sid, "message_sid"},
        {a.line == b.line, "line"},
        {a.customer == b.customer, "customer"},
        {a.payload == b.payload, "payload"},
        {a.caught_up == b.caught_up, "caught_up"},
        {a.arrived_at == b.arrived_at, "arrived_at"},
        {a.state == b.state, "state"},
        {a.not_before == b.not_before, "not_before"},
        {a.tries == b.tries, "tries"},
        {a.fence == b.fence, "fence"},
        {a.worker == b.worker, "worker"},
        {a.lease_until == b.lease_until, "lease_until"},
        {a.out_of_order == b.out_of_order, "out_of_order"},
        {a.problem == b.problem, "problem"},
        {a.updated_at == b.updated_at, "updated_at"}};
    for (const auto& [same, name] : members) {
        if (!same) return name;
    }
    return {};
}

Sequences sequences_of(const std::vector<StoredEvent>& events) {
    Sequences sequences;
    sequences.reserve(events.size());
    for (const auto& event : events) sequences.push_back(event.sequence);
    return sequences;
}

struct InboxCheckException : std::runtime_error {
    InboxCheckException() : std::runtime_error("thrown by the check") {}
};

class InboxStorageCheck {
public:
    InboxStorageCheck(const InboxStorageFactory& open, const CheckInboxStorageOptions& options)
        : open_(open), options_(options), storage_(open()), other_(open()) {
        if (!storage_ || !other_) Error::invalid_request("open", "gives no storage").raise();
    }

    std::vector<std::string> run() {
        if (!keeps_an_inbox()) return std::move(faults_);
        an_empty_one_says_so();
        taken_comes_back();
        long_texts_are_kept();
        keys_are_unique();
        signatures_are_bound();
        duplicates_bind_signatures();
        saved_comes_back();
        several_are_loaded();
        revisions_are_compared();
        failures_undo();
        ready_gives_what_is_due();
        accounts_with_events_are_told();
        accounts_are_told_whatever_others_have();
        what_waits_of_an_account_is_counted();
        lines_are_kept();
        what_is_over_lets_its_line_go();
        what_is_revived_is_the_first_again();
        events_without_a_line_wait_for_nobody();
        out_of_order_is_obeyed();
        leases_end();
        next_due_is_the_first();
        lists_filter();
        events_are_counted();
        arrivals_are_told();
        texts_are_erased();
        what_arrived_is_rewritten();
        lines_are_rewritten();
        events_are_purged();
        keys_and_signatures_are_purged();
        claims_are_disjoint();
        works_do_not_mix();
        return std::move(faults_);
    }

private:
    using Inbox = InboxTransaction;

    // ---- The checks

    bool keeps_an_inbox() {
        bool keeps = false;
        const auto result = transact(*storage_, "inbox", [&](OutboxTransaction& t) -> Result<void> {
            keeps = t.inbox() != nullptr;
            return {};
        });
        expect(result && *result && keeps, "inbox is null: the storage keeps no events");
        return keeps;
    }

    void an_empty_one_says_so() {
        work("an empty inbox", [&](Inbox& t) {
            const auto far = inbox_year(2100);
            expect(ready_of(t, far, 10).empty() && t.list({}).value().empty(),
                   "an empty inbox has events");
            expect(t.counts().value().empty(), "an empty inbox counts events");
            expect(
                !t.next_due().value() && !t.newest_arrival().value() && !t.oldest_waiting().value(),
                "an empty inbox tells times of events");
        });
    }

    void taken_comes_back() {
        auto event = new_event();
        event.key = every_byte("key");
        event.account_sid = every_byte("account");
        event.kind = every_byte("kind");
        event.message_sid = every_byte("sid");
        event.line = every_byte("line");
        event.customer = every_byte("customer");
        event.payload = every_byte("payload");
        event.caught_up = true;
        event.arrived_at = inbox_year(2001) + microseconds{1};
        event.not_before = inbox_year(2002) + microseconds{2};
        event.updated_at = inbox_year(2003) + microseconds{3};
        auto expected = event;
        // What is no part of an event that arrives.
        event.state = InboxState::dead;
        event.tries = 3;
        event.fence = 4;
        event.worker = "worker";
        event.lease_until = {"boot", 5};
        event.out_of_order = true;
        event.problem = "problem";
        const auto taken = take(event);
        expected.sequence = taken.sequence;
        expect(taken.sequence > 0 && taken.revision > 0, "a new event has no sequence or revision");
        expect_same(expected, "an event that was taken in");
        finish(taken.sequence);
    }

    void long_texts_are_kept() {
        auto event = new_event();
        event.payload = std::string(1'000'000, 'p');
        event.key = std::string(500, 'k');
        event.line.clear();
        event.customer.clear();
        auto taken = take(event);
        event.sequence = taken.sequence;
        expect_same(event, "an event with empty and long texts");
        finish(taken.sequence);
    }

    void keys_are_unique() {
        const auto first = take(new_event());
        auto same = new_event();
        same.key = first.key;
        auto longer = new_event();
        longer.key = first.key + std::string("\0a", 2);
        work("take", [&](Inbox& t) {
            expect(t.take(same, {}).value() == TakenIn::duplicate,
                   "take took a key that an event has");
            expect(t.list({.message_sid = same.message_sid}).value().empty(),
                   "take wrote a duplicate");
            expect(t.look(first.key, {}).value() == TakenIn::duplicate &&
                       t.look(longer.key, {}).value() == TakenIn::taken,
                   "look did not say of a key what take would");
            expect(t.take(longer, {}).value() == TakenIn::taken,
                   "take refused a key that differs from another after a NUL");
        });
        expect_same(first, "an event that came again");
        const auto second = find(longer);
        expect(second && second->sequence > first.sequence,
               "sequence does not grow with each event");
        auto over = first;
        over.state = InboxState::done;
        save(over);
        work("take", [&](Inbox& t) {
            expect(t.take(same, {}).value() == TakenIn::duplicate,
                   "take took the key of an event that is done");
        });
        finish(first.sequence);
        if (second) finish(second->sequence);
    }

    void signatures_are_bound() {
        const auto signature = every_byte("signature-" + std::to_string(next()));
        const auto first = take(new_event(), signature);
        const auto others = new_event();
        const auto known = take(new_event());
        work("take", [&](Inbox& t) {
            expect(t.take(others, signature).value() == TakenIn::recut,
                   "take took an event with the signature of another");
            expect(t.take(known, signature).value() == TakenIn::recut,
                   "take called an event a duplicate that came with the signature of another");
            expect(t.take(first, signature).value() == TakenIn::duplicate,
                   "take refused an event that came again with its signature");
            expect(t.look(others.key, signature).value() == TakenIn::recut &&
                       t.look(known.key, signature).value() == TakenIn::recut &&
                       t.look(first.key, signature).value() == TakenIn::duplicate,
                   "look did not say of a signature what take would");
            expect(t.look(others.key, signature + "x").value() == TakenIn::taken &&
                       t.look(known.key, signature + "y").value() == TakenIn::duplicate,
                   "look did not say of a signature that is nobody's what take would");
        });
        // In another transaction, and after the storage was opened anew.
        const auto again = open_();
        for (auto* const storage : {storage_.get(), other_.get(), again.get()}) {
            inbox(*storage, "take", [&](Inbox& t) {
                expect(t.take(others, signature).value() == TakenIn::recut,
                       "take forgot whose a signature is");
            });
        }
        work("take", [&](Inbox& t) {
            expect(t.take(others, signature + "x").value() == TakenIn::taken,
                   "an event that was refused for its signature left its key, or look bound one");
            expect(t.take(new_event(), signature + "y").value() == TakenIn::taken,
                   "look bound a signature");
            // No signature is nobody's.
            auto without = new_event();
            expect(t.take(without, {}).value() == TakenIn::taken &&
                       t.take(new_event(), {}).value() == TakenIn::taken,
                   "take bound an empty signature");
        });
        finish_all();
    }

    void duplicates_bind_signatures() {
        const auto first_signature = "first-" + std::to_string(next());
        const auto second_signature = "second-" + std::to_string(next());
        const auto event = take(new_event(), first_signature);
        work("take", [&](Inbox& t) {
            expect(t.take(event, second_signature).value() == TakenIn::duplicate,
                   "take refused a duplicate with a signature of its own");
        });
        work("take", [&](Inbox& t) {
            for (const auto& signature : {first_signature, second_signature}) {
                expect(t.take(new_event(), signature).value() == TakenIn::recut,
                       "take did not bind the signature of a duplicate");
                expect(t.take(event, signature).value() == TakenIn::duplicate,
                       "take refused a duplicate with one of its signatures");
            }
        });
        finish(event.sequence);
    }

    void saved_comes_back() {
        auto event = take(new_event());
        event.state = InboxState::running;
        event.not_before = inbox_year(2004) + microseconds{4};
        event.tries = 7;
        event.fence = 1'000'000'000'000;
        event.worker = every_byte("worker");
        event.lease_until = {every_byte("boot"), 1'000'000'000'001};
        event.out_of_order = true;
        event.problem = every_byte("problem");
        event.updated_at = inbox_year(2005) + microseconds{5};
        auto changed = event;
        changed.key = "another";
        changed.account_sid = "another";
        changed.kind = "another";
        changed.message_sid = "another";
        changed.line = "another";
        changed.customer = "another";
        changed.payload = "another";
        changed.caught_up = true;
        changed.arrived_at = inbox_year(1999);
        save(changed);
        event.revision = changed.revision;
        expect_same(event, "an event of which all was saved");
        event.worker.clear();
        event.lease_until = {};
        event.problem.clear();
        event.out_of_order = false;
        event.state = InboxState::waiting;
        save(event);
        expect_same(event, "an event that was saved again");
        event.payload.clear();
        save(event);
        expect_same(event, "an event whose payload was erased by save");
        event.customer.clear();
        save(event);
        expect_same(event, "an event whose customer was erased by save");
        finish(event.sequence);
    }

    void several_are_loaded() {
        const auto first = take(new_event());
        const auto second = take(new_event());
        const Sequences asked{second.sequence, 1'000'000'000'000, first.sequence};
        work("load", [&](Inbox& t) {
            expect(
                sequences_of(t.load(asked).value()) == Sequences{second.sequence, first.sequence},
                "load did not give two known events of three, in the order in which they were "
                "asked for");
            expect(t.load({}).value().empty(), "load of nothing gave events");
        });
        finish(first.sequence);
        finish(second.sequence);
    }

    void revisions_are_compared() {
        const auto taken = take(new_event());
        for (auto* const through : {storage_.get(), other_.get()}) {
            auto mine = load(taken.sequence);
            auto theirs = mine;
            mine.problem = "mine";
            const auto before = mine.revision;
            save(mine);
            expect(mine.revision > before, "save did not raise the event's revision");
            theirs.problem = "theirs";
            theirs.state = InboxState::done;
            bool refused = false;
            const auto result =
                transact(*through, "save", [&](OutboxTransaction& t) -> Result<void> {
                    auto saved = t.inbox()->save(theirs);
                    refused = !saved;
                    return saved;
                });
            expect(refused, "save wrote over what was changed since it was read");
            expect(result && !*result && is_store_error(result->error()),
                   "save of what was changed since is no store_error of transact");
            const auto kept = load(taken.sequence);
            expect(kept.problem == "mine" && kept.state == InboxState::waiting,
                   "a save that was refused changed the event");
        }
        auto twice = load(taken.sequence);
        work("save", [&](Inbox& t) {
            auto copy = twice;
            copy.problem = "one";
            t.save(copy).value();
            copy.problem = "two";
            t.save(copy).value();
        });
        expect(load(taken.sequence).problem == "two", "an event was not saved twice in one work");
        auto gone = new_event();
        gone.sequence = 1'000'000'000'000;
        gone.revision = 1;
        const auto result = transact(*storage_, "save",
                                     [&](OutboxTransaction& t) { return t.inbox()->save(gone); });
        expect(result && !*result, "save of an event that is not there succeeded");
        finish(taken.sequence);
    }

    /// Everything that a work can do, with jobs of the outbox, and does not, if it fails.
    void failures_undo() {
        const auto known = take(new_event());
        const auto closed_signature = next_name("bound");
        auto closed = take(new_event(), closed_signature);
        closed.state = InboxState::done;
        closed.updated_at = inbox_year(1980);
        save(closed);
        const auto fresh = new_event();
        const auto signature = "undone-" + std::to_string(next());
        const auto job = new_job();
        const auto before = counts();
        const auto do_all = [&](OutboxTransaction& t) {
            auto& events = *t.inbox();
            events.take(fresh, signature).value();
            events.take(known, signature + "'s duplicate").value();
            auto changed = known;
            changed.state = InboxState::dropped;
            events.save(changed).value();
            changed.key = "undone";
            events.rewrite(changed).value();
            events.redact(inbox_year(1981), 10).value();
            events.purge(inbox_year(1981), t.now() + hours{1}, 10).value();
            t.insert(job).value();
        };
        for (const std::string by : {"an error", "an exception"}) {
            try {
                const auto result = storage_->transact([&](OutboxTransaction& t) -> Result<void> {
                    do_all(t);
                    if (by == "an exception") throw InboxCheckException{};
                    return Error::invalid_request("check", "fails");
                });
                expect(!result && by == "an error" &&
                           result.error().what().find("check") != std::string::npos,
                       "transact did not answer the error of its work");
            } catch (const InboxCheckException&) {
                expect(by == "an exception", "transact threw another's exception");
            } catch (const std::exception& exception) {
                fault("a work of events and jobs threw: " + std::string{exception.what()});
            }
            expect_same(known, "an event whose save was undone by " + by);
            expect_same(closed, "an event whose purge was undone by " + by);
            expect(counts() == before, by + " did not undo what is counted");
            work("take", [&](Inbox& t) {
                expect(t.list({.message_sid = fresh.message_sid}).value().empty(),
                       by + " did not undo take");
                expect(t.take(closed, {}).value() == TakenIn::duplicate &&
                           t.take(new_event(), closed_signature).value() == TakenIn::recut,
                       by + " did not undo that a key or a signature was forgotten");
            });
            const auto result =
                transact(*storage_, "find_key", [&](OutboxTransaction& t) -> Result<void> {
                    expect(!t.find_key(job.tenant, job.key).value(),
                           by + " did not undo the insert of a job");
                    return {};
                });
            static_cast<void>(result);
        }
        work("take", [&](Inbox& t) {
            auto another = new_event();
            expect(t.take(another, signature).value() == TakenIn::taken &&
                       t.take(fresh, signature + "'s duplicate").value() == TakenIn::taken,
                   "a work that failed left a key or a signature");
        });
        // And all of it, if the work succeeds.
        auto done = known;
        const auto result =
            transact(*other_, "transact", [&](OutboxTransaction& t) -> Result<void> {
                done = known;
                done.state = InboxState::done;
                t.inbox()->save(done).value();
                t.insert(job).value();
                return {};
            });
        expect(result && *result, "a work of an event and a job failed");
        expect_same(done, "an event that was saved with a job");
        const auto found =
            transact(*storage_, "find_key", [&](OutboxTransaction& t) -> Result<void> {
                expect(t.find_key(job.tenant, job.key).value().has_value(),
                       "a job that was inserted with an event is not there");
                return {};
            });
        static_cast<void>(found);
        finish(closed.sequence);
        finish_all();
    }

    void ready_gives_what_is_due() {
        const auto now = inbox_year(2010);
        const auto later = take(due_at(now + microseconds{1}));
        const auto second = take(due_at(now));
        const auto third = take(due_at(now));
        const auto first = take(due_at(now - seconds{1}));
        work("ready", [&](Inbox& t) {
            expect(sequences_of(ready_of(t, now, 10)) ==
                       Sequences{first.sequence, second.sequence, third.sequence},
                   "ready did not give what is due, by not_before, then by sequence");
            expect(sequences_of(ready_of(t, now, 2)) == Sequences{first.sequence, second.sequence},
                   "ready did not keep to its limit");
            expect(ready_of(t, now, 0).empty(), "ready of none gave events");
            expect(ready_of(t, now + microseconds{1}, 10).size() == 4,
                   "ready did not give what has become due");
            const auto given = ready_of(t, now, 1);
            expect(!given.empty() && different_event_member(given.front(), first).empty(),
                   "ready gave another event than load");
        });
        for (const auto state :
             {InboxState::running, InboxState::done, InboxState::dead, InboxState::dropped}) {
            auto event = load(first.sequence);
            event.state = state;
            save(event);
            expect(ready(now) == Sequences{second.sequence, third.sequence},
                   "ready gave what is " + std::string{to_string(state)});
        }
        finish_all();
        static_cast<void>(later);
    }

    void accounts_with_events_are_told() {
        const auto now = inbox_year(2010);
        const auto of_account = [&](const std::string& account, const std::string& kind,
                                    TimePoint time) {
            auto event = due_at(time);
            event.account_sid = account;
            event.kind = kind;
            return take(event);
        };
        using Accounts = std::vector<std::string>;
        const std::string odd{"AC\x01\xff", 4};
        of_account("AC-b", "message", now);
        of_account("AC-b", "message", now - seconds{1});
        of_account("AC-a", "message", now);
        of_account("AC-later", "message", now + microseconds{1});
        auto of_none = of_account("", "unknown", now);
        of_account(odd, "status", now - seconds{1});
        of_account(odd, "message", now);
        of_account("AC-b", "status", now);
        const auto accounts = [&](const std::optional<std::string>& after, std::size_t limit,
                                  bool without_messages = false) {
            Accounts found;
            work("ready_accounts", [&](Inbox& t) {
                found = t.ready_accounts({.now = now,
                                          .after = after,
                                          .without_messages = without_messages,
                                          .limit = limit})
                            .value();
            });
            return found;
        };
        expect(accounts({}, 10) == Accounts{"", odd, "AC-a", "AC-b"},
               "ready_accounts did not give each account that has something due once, in order");
        expect(accounts({}, 2) == Accounts{"", odd}, "ready_accounts did not keep its limit");
        expect(accounts({}, 0).empty(), "ready_accounts of none gave accounts");
        expect(accounts("", 10) == Accounts{odd, "AC-a", "AC-b"},
               "ready_accounts did not begin behind those that name no account");
        expect(
            accounts("AC-a", 10) == Accounts{"AC-b"} && accounts("AC-aa", 10) == Accounts{"AC-b"},
            "ready_accounts did not begin behind an account");
        expect(accounts("AC-b", 10).empty(), "ready_accounts gave an account that is not due");
        expect(accounts({}, 10, true) == Accounts{"", odd},
               "ready_accounts did not leave out accounts whose first is a message");
        work("ready", [&](Inbox& t) {
            const auto of_b = t.ready({.account_sid = "AC-b", .now = now, .limit = 10}).value();
            expect(of_b.size() == 3 && of_b[0].not_before == now - seconds{1} &&
                       of_b[0].account_sid == "AC-b",
                   "ready did not give an account's events, and no others, in their order");
            expect(t.ready({.now = now, .limit = 10}).value().size() == 1,
                   "ready did not give the events that name no account");
            expect(t.ready({.account_sid = "AC", .now = now, .limit = 10}).value().empty(),
                   "ready gave an account the events of others");
        });
        run(of_none);
        expect(accounts({}, 10) == Accounts{odd, "AC-a", "AC-b"},
               "ready_accounts gave an account of which nothing waits");
        finish_all();
        expect(accounts({}, 10).empty(), "ready_accounts gave accounts whose events are done");
    }

    /// However many wait of one, also behind others of their line.
    void accounts_are_told_whatever_others_have() {
        const auto now = inbox_year(2010);
        work("take", [&](Inbox& t) {
            for (int i = 0; i < 300; ++i) {
                auto event = in_line("crowd-" + std::to_string(i % 3), now - seconds{1});
                event.account_sid = "AC-crowd";
                t.take(event, {}).value();
            }
            auto event = due_at(now);
            event.account_sid = "AC-one";
            t.take(event, {}).value();
        });
        std::vector<std::string> turns;
        std::string last;
        for (int i = 0; i < 4; ++i) {
            work("ready_accounts", [&](Inbox& t) {
                auto next = t.ready_accounts({.now = now, .after = last, .limit = 1}).value();
                if (next.empty()) next = t.ready_accounts({.now = now, .limit = 1}).value();
                if (next.empty()) return;
                last = next.front();
                turns.push_back(last);
                auto event = t.ready({.account_sid = last, .now = now, .limit = 1}).value().at(0);
                event.state = InboxState::running;
                event.lease_until = {"boot", 1};
                t.save(event).value();
            });
        }
        expect(turns.size() == 4 && turns[0] == "AC-crowd" && turns[1] == "AC-one" &&
                   turns[2] == "AC-crowd" && turns[3] == "AC-crowd",
               "an account with many events delayed another's by more than one");
        finish_all();
    }

    void what_waits_of_an_account_is_counted() {
        const auto waiting = [&](std::string_view account, std::int64_t at_most = 100) {
            std::int64_t counted = -1;
            work("waiting", [&](Inbox& t) { counted = t.waiting(account, at_most).value(); });
            return counted;
        };
        auto first = take(in_line("counted", inbox_year(2010)));
        const auto second = take(in_line("counted", inbox_year(2010)));
        const auto later = take(due_at(inbox_year(2100)));
        auto other = due_at(inbox_year(2010));
        other.account_sid = "AC-other";
        take(other);
        expect(waiting("AC") == 3 && waiting("AC-other") == 1 && waiting("AC-none") == 0,
               "waiting did not count what waits of an account");
        expect(waiting("AC", 2) == 2 && waiting("AC", 0) == 0,
               "waiting counted more than it was asked for");
        run(first);
        expect(waiting("AC") == 2, "waiting counted what is running");
        close(first, InboxState::dead);
        finish(second.sequence);
        expect(waiting("AC") == 1, "waiting counted what is dead or done");
        finish(later.sequence);
        finish_all();
        expect(waiting("AC") == 0 && waiting("AC-other") == 0, "waiting counted what is over");
    }

    void lines_are_kept() {
        const auto now = inbox_year(2010);
        const auto line = next_name("line");
        const auto other = take(in_line(next_name("line"), now));
        auto first = take(in_line(line, now));
        auto second = take(in_line(line, now));
        const auto third = take(in_line(line, now));
        expect(ready(now) == Sequences{other.sequence, first.sequence},
               "ready did not give the first of each line");
        run(first);
        expect(ready(now) == Sequences{other.sequence}, "ready gave one whose line is running");
        // It is tried again later: those after it wait.
        first.state = InboxState::waiting;
        first.not_before = now + hours{1};
        save(first);
        expect(ready(now) == Sequences{other.sequence},
               "ready gave one before an earlier one of its line that waits for its next try");
        expect(ready(now + hours{1}) == Sequences{other.sequence, first.sequence},
               "ready did not give the first of a line when it was due again");
        close(first, InboxState::done);
        expect(ready(now) == Sequences{other.sequence, second.sequence},
               "ready did not go on with a line whose first is done");
        run(second);
        close(second, InboxState::done);
        expect(ready(now) == Sequences{other.sequence, third.sequence},
               "ready did not go on with a line whose second is done");
        // One that comes to a line of which nothing is left.
        finish(third.sequence);
        const auto fourth = take(in_line(line, now));
        expect(ready(now) == Sequences{other.sequence, fourth.sequence},
               "ready did not give what came to a line of which all is done");
        finish_all();
    }

    void what_is_over_lets_its_line_go() {
        const auto now = inbox_year(2010);
        for (const auto state : {InboxState::done, InboxState::dead, InboxState::dropped}) {
            const auto line = next_name("line");
            auto first = take(in_line(line, now));
            auto second = take(in_line(line, now));
            const auto third = take(in_line(line, now));
            // One in the middle, too.
            close(second, state);
            expect(ready(now) == Sequences{first.sequence},
                   "ready gave one before the first of its line");
            close(first, state);
            expect(ready(now) == Sequences{third.sequence},
                   "what is " + std::string{to_string(state)} + " stops its line");
            finish_all();
        }
    }

    void what_is_revived_is_the_first_again() {
        const auto now = inbox_year(2010);
        const auto line = next_name("line");
        auto first = take(in_line(line, now));
        auto second = take(in_line(line, now));
        const auto third = take(in_line(line, now));
        close(first, InboxState::dead);
        run(second);
        first.state = InboxState::waiting;
        save(first);
        expect(ready(now).empty(), "ready gave an event that waits again while its line runs");
        second.state = InboxState::waiting;
        save(second);
        expect(ready(now) == Sequences{first.sequence},
               "ready did not give the first of a line that waits again, and it alone");
        close(first, InboxState::done);
        expect(ready(now) == Sequences{second.sequence},
               "ready did not go on after the first of a line that waited again");
        close(second, InboxState::done);
        expect(ready(now) == Sequences{third.sequence},
               "ready did not go on to the end of a line whose first waited again");
        // One in the middle that waits again.
        auto fourth = take(in_line(line, now));
        auto fifth = take(in_line(line, now));
        close(fourth, InboxState::dead);
        fourth.state = InboxState::waiting;
        save(fourth);
        expect(ready(now) == Sequences{third.sequence},
               "ready gave one that waits again before the first of its line");
        finish(third.sequence);
        expect(ready(now) == Sequences{fourth.sequence},
               "ready did not give one that waits again when it was the first of its line");
        close(fourth, InboxState::done);
        expect(ready(now) == Sequences{fifth.sequence},
               "ready did not give the last of a line of which one waited again");
        finish_all();
    }

    void events_without_a_line_wait_for_nobody() {
        const auto now = inbox_year(2010);
        auto first = take(in_line("", now));
        const auto second = take(in_line("", now));
        expect(ready(now) == Sequences{first.sequence, second.sequence},
               "ready did not give all events that have no line");
        run(first);
        expect(ready(now) == Sequences{second.sequence},
               "an event without a line waits for another that runs");
        finish_all();
    }

    void out_of_order_is_obeyed() {
        const auto now = inbox_year(2010);
        const auto line = next_name("line");
        auto first = take(in_line(line, now));
        auto second = take(in_line(line, now));
        auto third = take(in_line(line, now));
        close(third, InboxState::dead);
        const auto fourth = take(in_line(line, now));
        third.state = InboxState::waiting;
        third.out_of_order = true;
        save(third);
        expect(ready(now) == Sequences{first.sequence, third.sequence},
               "ready did not give what is out of order");
        run(first);
        expect(ready(now) == Sequences{third.sequence},
               "what is out of order waits for its line, which runs");
        third.not_before = now + hours{1};
        save(third);
        expect(ready(now).empty(), "ready gave what is out of order before it was due");
        run(third);
        close(first, InboxState::done);
        expect(ready(now) == Sequences{second.sequence},
               "a line waits for what is out of order and runs");
        // The first of its line: the others go on without it.
        second.out_of_order = true;
        second.not_before = now + hours{1};
        save(second);
        expect(ready(now) == Sequences{fourth.sequence},
               "a line waits for its first, which is out of order");
        second.out_of_order = false;
        save(second);
        expect(ready(now).empty(), "a line does not wait for what is in order again");
        close(second, InboxState::done);
        expect(ready(now) == Sequences{fourth.sequence},
               "a line did not go on after what was in order again");
        finish_all();
    }

    void leases_end() {
        auto ended = take(new_event());
        auto of_another_boot = take(new_event());
        auto holds = take(new_event());
        auto waits = take(new_event());
        auto over = take(new_event());
        const auto lease = [&](StoredEvent& event, InboxState state, LeaseTime until) {
            event.state = state;
            event.worker = "worker";
            event.lease_until = std::move(until);
            save(event);
        };
        lease(ended, InboxState::running, {"boot", 1'000});
        lease(of_another_boot, InboxState::running, {"another", 5'000});
        lease(holds, InboxState::running, {"boot", 1'001});
        lease(waits, InboxState::waiting, {"boot", 1'000});
        lease(over, InboxState::done, {"boot", 1'000});
        work("abandoned", [&](Inbox& t) {
            auto found = sequences_of(t.abandoned({"boot", 1'000}, 10).value());
            std::sort(found.begin(), found.end());
            expect(found == Sequences{ended.sequence, of_another_boot.sequence},
                   "abandoned did not give what runs and whose lease has ended, by its time or "
                   "its boot");
            expect(t.abandoned({"boot", 1'000}, 1).value().size() == 1,
                   "abandoned did not keep to its limit");
            expect(sequences_of(t.abandoned({"boot", 999}, 10).value()) ==
                       Sequences{of_another_boot.sequence},
                   "abandoned gave what has its lease");
            expect(sequences_of(t.abandoned({"another", 4'999}, 10).value()) ==
                       Sequences{ended.sequence, holds.sequence},
                   "abandoned of another boot did not give all leases of the one before");
        });
        finish_all();
    }

    void next_due_is_the_first() {
        const auto now = inbox_year(2010);
        const auto line = next_name("line");
        const auto next = [&] {
            std::optional<TimePoint> due;
            work("next_due", [&](Inbox& t) { due = t.next_due().value(); });
            return due;
        };
        auto late = take(due_at(now + hours{2}));
        auto first = take(in_line(line, now + hours{1}));
        auto second = take(in_line(line, now));
        expect(next() == now + hours{1}, "next_due is not that of the first event that is free");
        run(first);
        expect(next() == now + hours{2}, "next_due is that of an event whose line runs");
        close(first, InboxState::done);
        expect(next() == now, "next_due is not that of what has become the first of its line");
        run(second);
        run(late);
        expect(!next(), "next_due is there when nothing waits for its time");
        late.state = InboxState::waiting;
        late.out_of_order = true;
        late.not_before = now - hours{1};
        save(late);
        expect(next() == now - hours{1}, "next_due is not that of what is out of order");
        finish_all();
    }

    void lists_filter() {
        const auto sid = next_name("sid");
        const auto kind = next_name("kind");
        const auto customer = next_name("customer");
        const auto another = next_name("customer");
        std::vector<StoredEvent> events;
        for (int i = 0; i < 6; ++i) {
            auto event = new_event();
            if (i % 2 == 0) event.kind = kind;
            if (i < 3) event.message_sid = sid;
            if (i > 3) event.customer = customer;
            if (i == 1) event.customer = another;
            events.push_back(take(event));
        }
        const auto begin = events.front().sequence - 1;
        close(events[0], InboxState::done);
        close(events[1], InboxState::dead);
        close(events[2], InboxState::dropped);
        run(events[3]);
        const auto of = [&](std::initializer_list<std::size_t> indices) {
            Sequences sequences;
            for (const auto index : indices) sequences.push_back(events[index].sequence);
            return sequences;
        };
        const auto expect_list = [&](InboxFilter filter, const Sequences& expected,
                                     const std::string& by) {
            if (filter.after == 0) filter.after = begin;
            work("list", [&](Inbox& t) {
                expect(sequences_of(t.list(filter).value()) == expected, "list is wrong " + by);
            });
        };
        expect_list({}, of({0, 1, 2, 3, 4, 5}), "without a filter, or in its order");
        expect_list({.state = InboxState::waiting}, of({4, 5}), "of those that wait");
        expect_list({.state = InboxState::running}, of({3}), "of those that run");
        expect_list({.state = InboxState::done}, of({0}), "of those that are done");
        expect_list({.state = InboxState::dead}, of({1}), "of those that are dead");
        expect_list({.state = InboxState::dropped}, of({2}), "of those that are dropped");
        expect_list({.kind = kind}, of({0, 2, 4}), "by kind");
        expect_list({.message_sid = sid}, of({0, 1, 2}), "by message_sid");
        expect_list({.customers = {customer}}, of({4, 5}), "by a customer");
        expect_list({.customers = {another, "nobody", customer}}, of({1, 4, 5}),
                    "by several customers");
        expect_list({.customers = {"nobody"}}, {}, "by a customer who has none");
        expect_list({.state = InboxState::waiting, .kind = kind, .customers = {customer}}, of({4}),
                    "by all filters");
        expect_list({.state = InboxState::dropped, .message_sid = sid}, of({2}),
                    "by state and message_sid");
        expect_list({.after = events[2].sequence}, of({3, 4, 5}), "after a sequence");
        expect_list({.limit = 2}, of({0, 1}), "with a limit");
        expect_list({.kind = kind, .after = events[0].sequence, .limit = 1}, of({2}),
                    "of a page of a filter");
        // Erased is no customer.
        events[4].customer.clear();
        save(events[4]);
        expect_list({.customers = {customer}}, of({5}), "by a customer who was erased of an event");
        finish_all();
    }

    void events_are_counted() {
        const auto before = counts();
        std::vector<StoredEvent> events;
        events.reserve(6);
        for (int i = 0; i < 6; ++i) events.push_back(take(new_event()));
        run(events[0]);
        close(events[1], InboxState::done);
        close(events[2], InboxState::dead);
        close(events[3], InboxState::dropped);
        const auto more = [&](InboxState state) {
            const auto now = counts();
            const auto count = [state](const std::map<InboxState, std::int64_t>& counted) {
                const auto found = counted.find(state);
                return found == counted.end() ? 0 : found->second;
            };
            return count(now) - count(before);
        };
        expect(more(InboxState::waiting) == 2 && more(InboxState::running) == 1 &&
                   more(InboxState::done) == 1 && more(InboxState::dead) == 1 &&
                   more(InboxState::dropped) == 1,
               "counts does not count the events of each state");
        close(events[0], InboxState::done);
        events[2].state = InboxState::waiting;
        save(events[2]);
        expect(more(InboxState::waiting) == 3 && more(InboxState::running) == 0 &&
                   more(InboxState::done) == 2 && more(InboxState::dead) == 0,
               "counts does not follow events from state to state");
        expect(counts().count(InboxState::running) == 0, "counts tells of a state without events");
        // In the work that changes them.
        work("counts", [&](Inbox& t) {
            auto event = t.load({&events[2].sequence, 1}).value().at(0);
            event.state = InboxState::dropped;
            const auto dropped = t.counts().value()[InboxState::dropped];
            t.save(event).value();
            expect(t.counts().value()[InboxState::dropped] == dropped + 1,
                   "counts does not count what its own work has done");
        });
        finish_all();
    }

    void arrivals_are_told() {
        const auto told = [&] {
            std::pair<std::optional<TimePoint>, std::optional<TimePoint>> times;
            work("arrivals", [&](Inbox& t) {
                times = {t.newest_arrival().value(), t.oldest_waiting().value()};
            });
            return times;
        };
        auto first = new_event();
        first.arrived_at = inbox_year(2006);
        first = take(first);
        auto second = new_event();
        second.arrived_at = inbox_year(2007);
        second = take(second);
        expect(
            told() == std::pair{std::optional{inbox_year(2007)}, std::optional{inbox_year(2006)}},
            "newest_arrival or oldest_waiting is wrong");
        run(first);
        expect(told().second == inbox_year(2006), "oldest_waiting left out what runs");
        for (const auto state : {InboxState::dead, InboxState::dropped, InboxState::done}) {
            close(first, state);
            expect(told().second == inbox_year(2007),
                   "oldest_waiting told of what is " + std::string{to_string(state)});
        }
        close(second, InboxState::done);
        expect(told().first == inbox_year(2007) && !told().second,
               "newest_arrival left out what is done, or oldest_waiting did not");
        finish_all();
    }

    void texts_are_erased() {
        const auto before = inbox_year(1990);
        const auto changed_at = [&](InboxState state, TimePoint at) {
            auto event = take(new_event());
            event.state = state;
            event.updated_at = at;
            save(event);
            return event;
        };
        const auto last = before - microseconds{1};
        auto done = changed_at(InboxState::done, last);
        auto dropped = changed_at(InboxState::dropped, last);
        const auto late = changed_at(InboxState::done, before);
        const auto dead = changed_at(InboxState::dead, last);
        const auto waiting = changed_at(InboxState::waiting, last);
        const auto running = changed_at(InboxState::running, last);
        // Of one the payload has gone before, of one the customer.
        auto without_payload = changed_at(InboxState::done, last);
        without_payload.payload.clear();
        save(without_payload);
        auto without_customer = changed_at(InboxState::done, last);
        without_customer.customer.clear();
        save(without_customer);
        auto stale = done;
        work("redact", [&](Inbox& t) {
            expect(t.redact(before, 3).value() == 3, "redact did not keep to its limit");
            expect(t.redact(before, 100).value() == 1, "redact did not count what it erased");
            expect(t.redact(before, 100).value() == 0, "redact erased what was erased");
        });
        for (auto* const event : {&done, &dropped, &without_payload, &without_customer}) {
            event->payload.clear();
            event->customer.clear();
            expect_same(*event, "an event that was redacted");
        }
        for (const auto& event : {late, dead, waiting, running}) {
            expect_same(event, "an event that is not to be redacted");
        }
        work("save", [&](Inbox& t) {
            expect(!t.save(stale), "redact did not raise the event's revision");
        });
        finish_all();
    }

    void what_arrived_is_rewritten() {
        const auto signature = next_name("signature");
        auto event = take(new_event(), signature);
        const auto taken = take(new_event());
        const auto old_key = event.key;
        const auto old_line = event.line;
        event.key = every_byte("rewritten");
        event.line = every_byte("line");
        event.customer = every_byte("customer");
        event.payload = every_byte("payload");
        event.problem = "saved, too";
        work("rewrite", [&](Inbox& t) { t.rewrite(event).value(); });
        expect_same(event, "an event that was rewritten");
        work("take", [&](Inbox& t) {
            auto same = new_event();
            same.key = event.key;
            expect(t.take(same, {}).value() == TakenIn::duplicate,
                   "rewrite did not change the key");
            expect(t.take(same, signature).value() == TakenIn::duplicate,
                   "rewrite lost the signature of its event");
            expect(t.take(new_event(), signature).value() == TakenIn::recut,
                   "rewrite let a signature go");
            auto another = new_event();
            another.key = old_key;
            expect(t.take(another, {}).value() == TakenIn::taken, "rewrite left the old key");
        });
        event.payload.clear();
        event.customer.clear();
        work("rewrite", [&](Inbox& t) { t.rewrite(event).value(); });
        expect_same(event, "an event whose texts were erased by rewrite");
        auto stale = event;
        --stale.revision;
        auto clash = event;
        clash.key = taken.key;
        bool refused = false;
        const auto result = transact(*storage_, "rewrite", [&](OutboxTransaction& t) {
            refused = !t.inbox()->rewrite(stale) && !t.inbox()->rewrite(clash);
            return Result<void>{};
        });
        static_cast<void>(result);
        expect(refused, "rewrite took an event that another had changed, or another's key");
        expect_same(event, "an event whose rewrite was refused");
        expect_same(taken, "an event whose key was not taken by rewrite");
        finish_all();
    }

    void lines_are_rewritten() {
        const auto now = inbox_year(2010);
        const auto old_line = next_name("line");
        const auto new_line = next_name("line");
        std::vector<StoredEvent> events;
        events.reserve(3);
        for (int i = 0; i < 3; ++i) events.push_back(take(in_line(old_line, now)));
        const auto rewrite = [&](std::size_t which) {
            work("rewrite", [&](Inbox& t) {
                auto event = events[which];
                event.line = new_line;
                t.rewrite(event).value();
                events[which] = event;
            });
        };
        rewrite(0);
        expect(ready(now) == Sequences{events[0].sequence, events[1].sequence},
               "ready did not give the first of a line whose first had gone to another");
        rewrite(1);
        rewrite(2);
        expect(ready(now) == Sequences{events[0].sequence},
               "ready gave one before an earlier one when all had another line");
        close(events[0], InboxState::done);
        expect(ready(now) == Sequences{events[1].sequence},
               "ready did not go on with a line that was rewritten");
        finish_all();
        // The second goes before the first of another line, which came later.
        const auto first = take(in_line(old_line, now));
        events = {take(in_line(old_line, now))};
        const auto last = take(in_line(new_line, now));
        rewrite(0);
        expect(ready(now) == Sequences{first.sequence, events[0].sequence},
               "ready did not obey the order of a line that an earlier one has come to");
        close(events[0], InboxState::done);
        expect(ready(now) == Sequences{first.sequence, last.sequence},
               "ready did not go on with a line that an earlier one had come to");
        finish_all();
    }

    void events_are_purged() {
        const auto before = inbox_year(1990);
        finish_all();
        work("purge",
             [&](Inbox& t) { t.purge(inbox_year(2100), std::nullopt, 1'000'000).value(); });
        const auto changed_at = [&](InboxState state, TimePoint at) {
            auto event = take(new_event());
            event.state = state;
            event.updated_at = at;
            save(event);
            return event;
        };
        const auto last = before - microseconds{1};
        const auto done = changed_at(InboxState::done, last);
        const auto dropped = changed_at(InboxState::dropped, last);
        const std::vector<StoredEvent> others{
            changed_at(InboxState::done, before), changed_at(InboxState::dead, last),
            changed_at(InboxState::waiting, last), changed_at(InboxState::running, last)};
        const auto counted = counts();
        work("purge", [&](Inbox& t) {
            expect(t.purge(before, std::nullopt, 1).value() == 1,
                   "purge did not keep to its limit");
            expect(t.purge(before, std::nullopt, 100).value() == 1,
                   "purge did not count what it removed");
            expect(t.purge(before, std::nullopt, 100).value() == 0, "purge removed what was gone");
            const Sequences gone{done.sequence, dropped.sequence};
            expect(t.load(gone).value().empty(), "purge left what is done or dropped");
        });
        for (const auto& event : others) expect_same(event, "an event that is not to be purged");
        auto left = counts();
        ++left[InboxState::done];
        ++left[InboxState::dropped];
        expect(left == counted, "counts counts what was purged");
        finish_all();
    }

    void keys_and_signatures_are_purged() {
        const auto before = inbox_year(1995);
        const auto gone_signature = next_name("signature");
        const auto kept_signature = next_name("signature");
        const auto late_signature = next_name("signature");
        auto gone = take(new_event(), gone_signature);
        auto stays = take(new_event(), kept_signature);
        gone.state = stays.state = InboxState::done;
        gone.updated_at = before - seconds{1};
        stays.updated_at = before;
        save(gone);
        save(stays);
        const auto forget = [&](std::optional<hours> keys_after_now) {
            const auto result =
                transact(*storage_, "purge", [&](OutboxTransaction& t) -> Result<void> {
                    std::optional<TimePoint> keys_before;
                    if (keys_after_now) keys_before = t.now() + *keys_after_now;
                    t.inbox()->purge(before, keys_before, 100).value();
                    return {};
                });
            expect(result && *result, "purge answered an error");
        };
        for (const auto keys : {std::optional<hours>{}, std::optional{hours{-1}}}) {
            forget(keys);
            work("take", [&](Inbox& t) {
                expect(t.load({&gone.sequence, 1}).value().empty(), "purge left what is done");
                expect(t.take(gone, {}).value() == TakenIn::duplicate,
                       "purge removed a key that is still kept");
                expect(t.take(new_event(), gone_signature).value() == TakenIn::recut,
                       "purge removed a signature that is still kept");
                expect(t.take(gone, gone_signature).value() == TakenIn::duplicate,
                       "a signature is not its event's when that was removed");
                expect(t.take(gone, late_signature).value() == TakenIn::duplicate &&
                           t.take(new_event(), late_signature).value() == TakenIn::recut,
                       "a duplicate of what was removed did not bind its signature");
            });
        }
        forget(hours{1});
        work("take", [&](Inbox& t) {
            expect(t.take(stays, {}).value() == TakenIn::duplicate &&
                       t.take(new_event(), kept_signature).value() == TakenIn::recut,
                   "purge with keys_before removed what is known of an event that is there");
            expect(t.take(new_event(), gone_signature).value() == TakenIn::taken &&
                       t.take(new_event(), late_signature).value() == TakenIn::taken,
                   "purge with keys_before left the signature of an event removed before");
            expect(t.take(gone, {}).value() == TakenIn::taken,
                   "purge with keys_before left the key of an event removed before");
        });
        // The new one is another than the old one was.
        const auto again = find(gone);
        expect(again && again->sequence > gone.sequence, "a sequence was given twice");
        finish_all();
    }

    /// Each event is taken up by one thread, and each line by one at a time.
    void claims_are_disjoint() {
        const auto now = inbox_year(2010);
        constexpr int lines = 7;
        const int events = options_.threads * options_.works_per_thread;
        work("take", [&](Inbox& t) {
            for (int i = 0; i < events; ++i) {
                t.take(in_line("claims-" + std::to_string(i % lines), now), {}).value();
            }
        });
        std::mutex mutex;
        std::map<std::int64_t, int> claimed;
        std::set<std::string> running;
        const auto claim = [&](OutboxStorage& storage, std::size_t limit) {
            std::vector<StoredEvent> mine;
            inbox(storage, "ready", [&](Inbox& t) {
                mine = ready_of(t, now, limit);
                for (auto& event : mine) {
                    event.state = InboxState::running;
                    event.lease_until = {"boot", 1};
                    t.save(event).value();
                }
            });
            const std::lock_guard lock(mutex);
            for (const auto& event : mine) {
                ++claimed[event.sequence];
                if (!running.insert(event.line).second) {
                    fault("two events of one line were taken up at once");
                }
            }
            return mine;
        };
        const auto give_back = [&](OutboxStorage& storage, std::vector<StoredEvent>& mine) {
            {
                const std::lock_guard lock(mutex);
                for (const auto& event : mine) running.erase(event.line);
            }
            inbox(storage, "save", [&](Inbox& t) {
                for (auto event : mine) {
                    event.state = InboxState::done;
                    t.save(event).value();
                }
            });
        };
        std::vector<std::shared_ptr<OutboxStorage>> storages;
        storages.reserve(static_cast<std::size_t>(options_.threads));
        for (int i = 0; i < options_.threads; ++i) storages.push_back(open_());
        std::vector<std::thread> threads;
        threads.reserve(storages.size());
        for (int i = 0; i < options_.threads; ++i) {
            threads.emplace_back([&, i] {
                auto& storage = *storages[static_cast<std::size_t>(i)];
                for (int n = 0; n < options_.works_per_thread; ++n) {
                    auto mine = claim(storage, 2);
                    give_back(storage, mine);
                }
            });
        }
        for (auto& thread : threads) thread.join();
        // What was left, because all lines were taken when somebody looked.
        for (int n = 0; n <= events; ++n) {
            auto mine = claim(*storage_, 100);
            if (mine.empty()) break;
            give_back(*storage_, mine);
        }
        expect(claimed.size() == static_cast<std::size_t>(events),
               "ready did not give every event of several lines to one of several threads");
        expect(std::all_of(claimed.begin(), claimed.end(),
                           [](const auto& each) { return each.second == 1; }),
               "ready gave an event to two threads");
        finish_all();
    }

    void works_do_not_mix() {
        const auto kind = next_name("kind");
        const auto tenant = next_name("tenant");
        std::vector<std::shared_ptr<OutboxStorage>> storages;
        storages.reserve(static_cast<std::size_t>(options_.threads));
        for (int i = 0; i < options_.threads; ++i) storages.push_back(open_());
        std::vector<std::thread> threads;
        threads.reserve(storages.size());
        int expected = 0;
        for (int i = 0; i < options_.threads; ++i) {
            for (int n = 0; n < options_.works_per_thread; ++n) expected += (i + n) % 3 != 0;
            threads.emplace_back([&, i] {
                auto& storage = *storages[static_cast<std::size_t>(i)];
                for (int n = 0; n < options_.works_per_thread; ++n) {
                    auto event = new_event();
                    event.kind = kind;
                    auto job = new_job();
                    job.tenant = tenant;
                    // Every third fails after it has written.
                    const bool fails = (i + n) % 3 == 0;
                    const auto result =
                        transact(storage, "work", [&](OutboxTransaction& t) -> Result<void> {
                            t.inbox()->take(event, event.key).value();
                            t.insert(job).value();
                            if (fails) return Error::invalid_request("check", "fails");
                            return {};
                        });
                    expect(result && result->has_value() != fails,
                           "a work of several threads got another's answer");
                }
            });
        }
        for (auto& thread : threads) thread.join();
        const auto result = transact(*storage_, "list", [&](OutboxTransaction& t) -> Result<void> {
            const auto events = t.inbox()->list({.kind = kind, .limit = 1'000'000}).value().size();
            expect(events == static_cast<std::size_t>(expected) &&
                       t.waiting(tenant).value() == expected,
                   "works of several threads left another number of events or jobs than "
                   "succeeded");
            return {};
        });
        static_cast<void>(result);
        finish_all();
    }

    // ---- Tools

    StoredEvent new_event() {
        StoredEvent event;
        event.key = next_name("key");
        event.account_sid = "AC";
        event.kind = "message";
        event.message_sid = next_name("SM");
        event.line = next_name("line");
        event.customer = next_name("customer");
        event.payload = "payload";
        event.arrived_at = inbox_year(2001);
        event.not_before = inbox_year(2050);
        event.updated_at = inbox_year(2001);
        return event;
    }
    StoredEvent due_at(TimePoint time) {
        auto event = new_event();
        event.not_before = time;
        return event;
    }
    StoredEvent in_line(const std::string& line, TimePoint time) {
        auto event = due_at(time);
        event.line = line;
        return event;
    }
    StoredJob new_job() {
        StoredJob job;
        JobId::Bytes bytes{};
        auto bits = next();
        for (auto& byte : bytes) {
            byte = static_cast<unsigned char>(bits & 0xff);
            bits >>= 8;
        }
        bytes.back() = 0xfe;
        job.id = JobId{bytes};
        job.key = next_name("job");
        job.content_hash = "hash";
        job.payload = "payload";
        job.not_before = inbox_year(2050);
        return job;
    }
    std::string next_name(std::string_view what) {
        return std::string{what} + '-' + std::to_string(next());
    }
    std::uint64_t next() {
        const std::lock_guard lock(mutex_);
        return ++numbers_;
    }

    /// As it is in the storage.
    StoredEvent take(const StoredEvent& event, const std::string& signature = {}) {
        work("take", [&](Inbox& t) {
            if (t.take(event, signature).value() != TakenIn::taken) {
                fault("take did not take a new event in");
            }
        });
        return find(event).value_or(event);
    }
    std::optional<StoredEvent> find(const StoredEvent& taken) {
        std::optional<StoredEvent> found;
        work("list", [&](Inbox& t) {
            for (auto& event : t.list({.message_sid = taken.message_sid}).value()) {
                if (event.key == taken.key) found = std::move(event);
            }
        });
        if (!found) fault("list did not give an event that was taken in");
        return found;
    }
    StoredEvent load(std::int64_t sequence) {
        StoredEvent event;
        work("load", [&](Inbox& t) {
            auto events = t.load({&sequence, 1}).value();
            if (events.size() != 1) return fault("load did not give an event that was taken in");
            event = std::move(events.front());
        });
        return event;
    }
    void save(StoredEvent& event) {
        auto changed = event;
        work("save", [&](Inbox& t) {
            changed = event;
            t.save(changed).value();
        });
        event = std::move(changed);
    }
    void run(StoredEvent& event) {
        event.state = InboxState::running;
        event.lease_until = {"boot", 1};
        save(event);
    }
    void close(StoredEvent& event, InboxState state) {
        event.state = state;
        event.lease_until = {};
        save(event);
    }
    /// Of the account that events have here.
    static std::vector<StoredEvent> ready_of(Inbox& t, TimePoint now, std::size_t limit) {
        return t.ready({.account_sid = "AC", .now = now, .limit = limit}).value();
    }
    Sequences ready(TimePoint now) {
        Sequences sequences;
        work("ready", [&](Inbox& t) { sequences = sequences_of(ready_of(t, now, 100)); });
        return sequences;
    }
    std::map<InboxState, std::int64_t> counts() {
        std::map<InboxState, std::int64_t> counted;
        work("counts", [&](Inbox& t) { counted = t.counts().value(); });
        return counted;
    }
    /// Out of the way of the checks that follow.
    void finish(std::int64_t sequence) {
        auto event = load(sequence);
        event.state = InboxState::done;
        event.updated_at = inbox_year(2020);
        save(event);
    }
    void finish_all() {
        work("save", [&](Inbox& t) {
            for (const auto state : {InboxState::waiting, InboxState::running, InboxState::dead}) {
                for (auto& event : t.list({.state = state, .limit = 1'000'000}).value()) {
                    event.state = InboxState::done;
                    event.updated_at = inbox_year(2020);
                    t.save(event).value();
                }
            }
        });
    }

    /// What both handles read of it.
    void expect_same(const StoredEvent& event, const std::string& what) {
        for (auto* const storage : {storage_.get(), other_.get()}) {
            inbox(*storage, "load", [&](Inbox& t) {
                const auto events = t.load({&event.sequence, 1}).value();
                if (events.size() != 1) return fault(what + ": load did not give it");
                const auto member = different_event_member(event, events.front());
                if (!member.empty()) {
                    fault(std::string{what}.append(": came back with another ").append(member));
                }
            });
        }
    }

    template <class Work>
    void work(const std::string& what, const Work& do_it) {
        inbox(*storage_, what, do_it);
    }
    /// Errors and exceptions of it are faults.
    template <class Work>
    void inbox(OutboxStorage& storage, const std::string& what, const Work& do_it) {
        const auto result = transact(storage, what, [&](OutboxTransaction& t) -> Result<void> {
            do_it(*t.inbox());
            return {};
        });
        if (result && !*result) fault(what + " answered an error: " + result->error().what());
    }
    /// Nullopt: it threw, which has been told.
    template <class Work>
    std::optional<Result<void>> transact(OutboxStorage& storage, const std::string& what,
                                         const Work& do_it) {
        try {
            return storage.transact(do_it);
        } catch (const std::exception& exception) {
            fault(what + " threw an exception: " + exception.what());
        } catch (...) {
            fault(what + " threw an exception");
        }
        return std::nullopt;
    }

    void expect(bool holds, const std::string& otherwise) {
        if (!holds) fault(otherwise);
    }
    /// Each once: some are found many times.
    void fault(const std::string& text) {
        const std::lock_guard lock(mutex_);
        if (std::find(faults_.begin(), faults_.end(), text) == faults_.end()) {
            faults_.push_back(text);
        }
    }

    const InboxStorageFactory& open_;
    const CheckInboxStorageOptions& options_;
    std::shared_ptr<OutboxStorage> storage_;
    std::shared_ptr<OutboxStorage> other_;
    std::mutex mutex_;
    std::uint64_t numbers_ = 0;
    std::vector<std::string> faults_ = {};
};

}  // namespace

std::vector<std::string> check_inbox_storage(const InboxStorageFactory& open,
                                             const CheckInboxStorageOptions& options) {
    if (!open) Error::invalid_request("open", "is null").raise();
    if (options.threads < 1) Error::invalid_request("threads", "is less than 1").raise();
    if (options.works_per_thread < 1) {
        Error::invalid_request("works_per_thread", "is less than 1").raise();
    }
    return InboxStorageCheck{open, options}.run();
}

}  // namespace twiliowa::testing
