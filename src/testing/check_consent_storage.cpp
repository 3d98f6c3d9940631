#include <twiliowa/testing/check_consent_storage.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace twiliowa::testing {

namespace {

using ConsentStorageFactory = std::function<std::shared_ptr<ConsentStorage>()>;

/// A time by a number, in the order of the numbers; apart by microseconds.
TimePoint consent_check_time(int number) {
    return TimePoint{std::chrono::hours{24 * 20'000}} + std::chrono::microseconds{number};
}

class ConsentStorageCheck {
public:
    ConsentStorageCheck(const ConsentStorageFactory& open,
                        const CheckConsentStorageOptions& options)
        : open_(open), options_(options), storage_(open()), other_(open()) {
        if (!storage_ || !other_) Error::invalid_request("open", "gives no storage").raise();
        std::random_device random;
        for (int i = 0; i < 4; ++i) prefix_ += std::to_string(random()) + '/';
    }

    std::vector<std::string> run() {
        a_record_is_kept_once();
        the_latest_of_each_counts();
        limits_are_kept();
        many_are_answered_in_order();
        all_or_none_are_added();
        bytes_are_bytes();
        history_is_in_order();
        what_is_withdrawn_outlives_forgetting();
        a_part_of_the_time_is_forgotten();
        nonsense_is_refused();
        random_operations_agree();
        threads_add_each_record_once();
        return std::move(faults_);
    }

private:
    static constexpr auto granted = ConsentChange::granted;
    static constexpr auto withdrawn = ConsentChange::withdrawn;

    // ---- The checks

    void a_record_is_kept_once() {
        const auto person = next_person();
        const ConsentRecord record{person, "marketing", granted, consent_check_time(1), "form"};
        auto again = record;
        again.source = "another form";
        expect_added({record}, 1, "a new record");
        expect_added({again}, 0, "a record that is known");
        expect_added({again, again}, 0, "a record that is known, twice");
        const auto known = checked("history", [&] { return other_->history(person); });
        if (known && *known != std::vector<ConsentRecord>{record}) {
            fault("history did not give the one record, with its first source");
        }
        auto second = record;
        second.at = consent_check_time(2);
        expect_added({second, second}, 1, "a new record, twice in one call");
    }

    void the_latest_of_each_counts() {
        const auto person = next_person();
        expect_latest({person, "marketing"}, {}, "who is not known");
        add(person, "marketing", granted, 5);
        add(person, "marketing", granted, 3);
        expect_latest({person, "marketing"}, {time(5), {}}, "two grants, the later one first");
        add(person, "utility", withdrawn, 9);
        expect_latest({person, "marketing"}, {time(5), {}}, "a withdrawal for another purpose");
        add(person, "", withdrawn, 7);
        expect_latest({person, "marketing"}, {time(5), time(7)}, "a withdrawal for all purposes");
        expect_latest({person, "new"}, {{}, time(7)}, "a purpose that came later");
        add(person, "marketing", withdrawn, 6);
        expect_latest({person, "marketing"}, {time(5), time(7)}, "an older withdrawal");
        expect_latest({next_person(), "marketing"}, {}, "somebody else");
    }

    void limits_are_kept() {
        const auto person = next_person();
        add(person, "marketing", granted, 2);
        add(person, "marketing", granted, 8);
        add(person, "marketing", withdrawn, 4);
        add(person, "", withdrawn, 6);
        ConsentQuestion question{person, "marketing"};
        question.before = *time(8);
        expect_latest(question, {time(2), time(6)}, "before a time");
        question.before = *time(6);
        expect_latest(question, {time(2), time(4)}, "before an earlier time");
        question.granted_since = *time(2);
        question.withdrawn_since = *time(5);
        expect_latest(question, {time(2), {}}, "withdrawals since a time");
        question.granted_since = *time(3);
        expect_latest(question, {}, "grants since a time");
    }

    void many_are_answered_in_order() {
        const auto person = next_person();
        for (const int count : {2, 9, 101, 1'000, 1'001, 2'100}) {
            std::vector<ConsentRecord> records;
            std::vector<ConsentQuestion> questions;
            for (int i = 0; i < count; ++i) {
                const auto one = person + std::to_string(i);
                if (i % 3 != 0) records.push_back({one, "p", granted, *time(i), ""});
                if (i % 5 == 0) records.push_back({one, "p", withdrawn, *time(i + 1), ""});
                questions.push_back({one, "p"});
            }
            checked("add", [&] { return storage_->add(records); });
            const auto answers = checked("latest", [&] { return other_->latest(questions); });
            if (!answers) continue;
            if (answers->size() != questions.size()) {
                fault("latest gave " + std::to_string(answers->size()) + " answers to " +
                      std::to_string(questions.size()) + " questions");
                continue;
            }
            for (int i = 0; i < count; ++i) {
                ConsentAnswer expected;
                if (i % 3 != 0) expected.granted = time(i);
                if (i % 5 == 0) expected.withdrawn = time(i + 1);
                if ((*answers)[static_cast<std::size_t>(i)] == expected) continue;
                fault("latest answered question " + std::to_string(i) + " of " +
                      std::to_string(count) + " with another's answer");
                break;
            }
        }
        const auto none =
            checked("latest", [&] { return storage_->latest(std::span<const ConsentQuestion>{}); });
        if (none && !none->empty()) fault("latest gave answers to no question");
        expect_added({}, 0, "no record");
    }

    void all_or_none_are_added() {
        const auto person = next_person();
        const std::vector<ConsentRecord> records{
            {person, "p", granted, *time(1), ""},
            {person, "p", granted, *time(2), std::string(1025, 'x')}};
        refuse("add of a source of 1025 bytes", [&] { return storage_->add(records); });
        expect_latest({person, "p"}, {}, "records one of which was refused");
    }

    void bytes_are_bytes() {
        const auto base = next_person();
        std::string every;
        for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
        const ConsentRecord record{base + every, "p", granted, *time(1), every + every};
        expect_added({record}, 1, "a record of all bytes");
        expect_latest({base + every, "p"}, {time(1), {}}, "a person of all bytes");
        expect_latest({base + every.substr(0, 255), "p"}, {}, "a person that begins alike");
        expect_latest({base, "p"}, {}, "a person that ends at the NUL");
        const auto known = checked("history", [&] { return storage_->history(record.person); });
        if (known && *known != std::vector<ConsentRecord>{record}) {
            fault("history changed bytes of the source");
        }
        const std::string longest = base + std::string(512 - base.size(), '\xff');
        expect_added({{longest, std::string(64, 'p'), granted, *time(1), std::string(1024, 's')}},
                     1, "the longest record");
    }

    void history_is_in_order() {
        const auto person = next_person();
        add(person, "p", withdrawn, 3);
        add(person, "p", granted, 3);
        add(person, "q", granted, 1);
        add(person, "", withdrawn, 2);
        const std::vector<ConsentRecord> expected{{person, "q", granted, *time(1), "source"},
                                                  {person, "", withdrawn, *time(2), "source"},
                                                  {person, "p", granted, *time(3), "source"},
                                                  {person, "p", withdrawn, *time(3), "source"}};
        const auto known = checked("history", [&] { return storage_->history(person); });
        if (known && *known != expected) fault("history is not oldest first, withdrawals last");
    }

    void what_is_withdrawn_outlives_forgetting() {
        const auto person = next_person();
        add(person, "marketing", granted, 1);
        add(person, "marketing", withdrawn, 2);
        add(person, "marketing", withdrawn, 3);
        add(person, "utility", withdrawn, 1);
        add(person, "utility", granted, 2);
        add(person, "both", granted, 4);
        add(person, "both", withdrawn, 4);
        const auto other = next_person();
        add(other, "marketing", granted, 1);
        for (int i = 0; i < 2; ++i) {
            const auto forgotten = checked("forget", [&] {
                return storage_->forget(person, TimePoint::min(), TimePoint::max());
            });
            const std::size_t erased = i == 0 ? 5 : 0;
            if (forgotten && (forgotten->erased != erased || forgotten->kept != 2)) {
                fault("forget said that it erased " + std::to_string(forgotten->erased) +
                      " and kept " + std::to_string(forgotten->kept) + ", not " +
                      std::to_string(erased) + " and 2");
            }
        }
        const std::vector<ConsentRecord> expected{{person, "marketing", withdrawn, *time(3), ""},
                                                  {person, "both", withdrawn, *time(4), ""}};
        const auto known = checked("history", [&] { return other_->history(person); });
        if (known && *known != expected) {
            fault("forget did not leave the last withdrawals alone, without their sources");
        }
        expect_latest({other, "marketing"}, {time(1), {}}, "one who was not to be forgotten");
    }

    void a_part_of_the_time_is_forgotten() {
        const auto person = next_person();
        for (int i = 1; i <= 5; ++i) add(person, "p", granted, i);
        add(person, "p", withdrawn, 5);
        const auto forgotten =
            checked("forget", [&] { return storage_->forget(person, *time(2), *time(4)); });
        if (forgotten && (forgotten->erased != 2 || forgotten->kept != 0)) {
            fault("forget of a part of the time erased another part");
        }
        const auto known = checked("history", [&] { return storage_->history(person); });
        if (known && known->size() != 4) fault("forget of a part of the time left another part");
        if (known && !known->empty() && known->front().source != "source") {
            fault("forget of a part of the time took the source of another part");
        }
    }

    void nonsense_is_refused() {
        const auto person = next_person();
        const auto add_one = [&](const ConsentRecord& record) {
            return [this, record] { return storage_->add({&record, 1}); };
        };
        refuse("add of nobody", add_one({"", "p", granted, *time(1), ""}));
        refuse("add of a person of 513 bytes",
               add_one({std::string(513, 'x'), "p", granted, *time(1), ""}));
        refuse("add of a grant for all purposes", add_one({person, "", granted, *time(1), ""}));
        refuse("add of a purpose of 65 bytes",
               add_one({person, std::string(65, 'p'), granted, *time(1), ""}));
        refuse("history of nobody", [&] { return storage_->history(""); });
        refuse("forget of nobody",
               [&] { return storage_->forget("", TimePoint::min(), TimePoint::max()); });
        const ConsentQuestion nobody{"", "p"};
        refuse("latest of nobody", [&] { return storage_->latest({&nobody, 1}); });
    }

    void random_operations_agree() {
        MemoryConsents model;
        const auto base = next_person();
        std::mt19937 random{17};
        const auto below = [&](int limit) {
            return std::uniform_int_distribution<int>{0, limit - 1}(random);
        };
        const auto person = [&] { return base + std::to_string(below(3)); };
        const auto purpose = [&](bool all) {
            return std::string(below(3) == 0 && all ? "" : below(2) == 0 ? "marketing" : "utility");
        };
        for (int i = 0; i < options_.operations && faults_.empty(); ++i) {
            const auto who = person();
            const auto what = "random operation " + std::to_string(i);
            if (below(40) == 0) {
                const auto since = *time(below(20));
                const auto before = *time(below(40));
                const auto here =
                    checked("forget", [&] { return storage_->forget(who, since, before); });
                const auto there = model.forget(who, since, before).value();
                if (here && (here->erased != there.erased || here->kept != there.kept)) {
                    fault(what + ": forget counted otherwise");
                }
            } else if (below(2) == 0) {
                const auto change = below(2) == 0 ? granted : withdrawn;
                const ConsentRecord record{who, purpose(change == withdrawn), change,
                                           *time(below(30)), std::to_string(i)};
                const auto here = checked("add", [&] { return storage_->add({&record, 1}); });
                if (here && *here != model.add({&record, 1}).value()) {
                    fault(what + ": add counted otherwise");
                }
            } else {
                ConsentQuestion question{who, purpose(false)};
                if (below(2) == 0) question.granted_since = *time(below(20));
                if (below(2) == 0) question.withdrawn_since = *time(below(20));
                if (below(2) == 0) question.before = *time(below(40));
                expect_latest(question, model.latest({&question, 1}).value().front(), what);
            }
            const auto known = checked("history", [&] { return storage_->history(who); });
            if (known && *known != model.history(who).value()) {
                fault(what + ": history differs from what was done");
            }
        }
    }

    void threads_add_each_record_once() {
        const auto base = next_person();
        std::mutex mutex;
        std::size_t added = 0;
        std::vector<std::thread> threads;
        threads.reserve(static_cast<std::size_t>(options_.threads));
        for (int thread = 0; thread < options_.threads; ++thread) {
            threads.emplace_back([&, thread] {
                const auto storage = checked_open();
                if (!storage) return;
                for (int round = 0; round < 5; ++round) {
                    std::vector<ConsentRecord> records;
                    for (int i = 0; i < 20; ++i) {
                        // Each begins elsewhere: no two add in one order.
                        const int n = (i * (thread + 1) + thread * 7) % 20;
                        records.push_back({base + std::to_string(n), "p", granted, *time(round),
                                           std::to_string(thread)});
                    }
                    const auto some = checked("add", [&] { return storage->add(records); });
                    const std::lock_guard lock(mutex);
                    added += some.value_or(0);
                }
            });
        }
        for (auto& thread : threads) thread.join();
        std::size_t kept = 0;
        for (int i = 0; i < 20; ++i) {
            const auto known =
                checked("history", [&] { return storage_->history(base + std::to_string(i)); });
            if (known) kept += known->size();
        }
        if (added != kept) {
            fault("threads that added at once were told of " + std::to_string(added) +
                  " new records, and there are " + std::to_string(kept));
        }
    }

    // ---- How they ask

    template <class Call>
    auto checked(std::string_view name, const Call& call)
        -> std::optional<typename std::invoke_result_t<Call>::value_type> {
        try {
            auto answer = call();
            if (answer) return std::move(answer).value();
            fault(std::string{name} + " answered an error: " + answer.error().what());
        } catch (const std::exception& thrown) {
            fault(std::string{name} + " threw: " + thrown.what());
        }
        return std::nullopt;
    }
    template <class Call>
    void refuse(std::string_view what, const Call& call) {
        try {
            if (call()) fault("no error for " + std::string{what});
        } catch (const std::exception& thrown) {
            fault(std::string{what} + " threw: " + thrown.what());
        }
    }
    void add(const std::string& person, const std::string& purpose, ConsentChange change, int at) {
        expect_added({{person, purpose, change, *time(at), "source"}}, 1, "a new record");
    }
    void expect_added(const std::vector<ConsentRecord>& records, std::size_t expected,
                      std::string_view what) {
        const auto added = checked("add", [&] { return storage_->add(records); });
        if (!added || *added == expected) return;
        fault("add said that " + std::to_string(*added) + " are new, not " +
              std::to_string(expected) + ", of " + std::string{what});
    }
    void expect_latest(const ConsentQuestion& question, const ConsentAnswer& expected,
                       std::string_view what) {
        const auto answers = checked("latest", [&] { return other_->latest({&question, 1}); });
        if (!answers) return;
        if (answers->size() != 1 || answers->front() != expected) {
            fault("latest answered otherwise than was expected of " + std::string{what});
        }
    }

    static std::optional<TimePoint> time(int number) { return consent_check_time(number); }
    std::string next_person() {
        return "twiliowa-check-consent/" + prefix_ + std::to_string(++persons_) + '/';
    }
    std::shared_ptr<ConsentStorage> checked_open() {
        try {
            return open_();
        } catch (const std::exception& thrown) {
            fault(std::string{"it could not be opened once more: "} + thrown.what());
            return nullptr;
        }
    }
    void fault(std::string text) {
        const std::lock_guard lock(mutex_);
        faults_.push_back(std::move(text));
    }

    const ConsentStorageFactory& open_;
    const CheckConsentStorageOptions& options_;
    const std::shared_ptr<ConsentStorage> storage_;
    const std::shared_ptr<ConsentStorage> other_;
    std::string prefix_ = {};
    int persons_ = 0;
    std::mutex mutex_ = {};
    std::vector<std::string> faults_ = {};
};

}  // namespace

std::vector<std::string> check_consent_storage(
    const std::function<std::shared_ptr<ConsentStorage>()>& open,
    const CheckConsentStorageOptions& options) {
    return ConsentStorageCheck{open, options}.run();
}

}  // namespace twiliowa::testing
