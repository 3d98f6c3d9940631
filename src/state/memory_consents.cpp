#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include <twiliowa/state/consent_storage.hpp>
#include <twiliowa/types/error.hpp>

#include "state/consent_checks.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::size_t longest_consent_person = 512;
constexpr std::size_t longest_consent_purpose = 64;
constexpr std::size_t longest_kept_source = 1024;

auto consent_order(const ConsentRecord& record) {
    return std::make_tuple(std::string_view{record.person}, std::string_view{record.purpose},
                           static_cast<int>(record.change), consent_micros(record.at));
}

Result<void> check_consent_purpose(std::string_view purpose) {
    if (purpose.size() > longest_consent_purpose) {
        return Error::invalid_request("purpose", "is longer than 64 bytes");
    }
    return {};
}

}  // namespace

Result<void> check_consent_person(std::string_view person) {
    if (person.empty()) return Error::invalid_request("person", "is empty");
    if (person.size() > longest_consent_person) {
        return Error::invalid_request("person", "is longer than 512 bytes");
    }
    return {};
}

Result<void> check_consent_records(std::span<const ConsentRecord> records) {
    for (const auto& record : records) {
        if (auto checked = check_consent_person(record.person); !checked) return checked;
        if (auto checked = check_consent_purpose(record.purpose); !checked) return checked;
        if (record.purpose.empty() && record.change == ConsentChange::granted) {
            return Error::invalid_request("purpose", "is empty");
        }
        if (record.source.size() > longest_kept_source) {
            return Error::invalid_request("source", "is longer than 1024 bytes");
        }
    }
    return {};
}

Result<void> check_consent_questions(std::span<const ConsentQuestion> questions) {
    for (const auto& question : questions) {
        if (auto checked = check_consent_person(question.person); !checked) return checked;
        if (auto checked = check_consent_purpose(question.purpose); !checked) return checked;
    }
    return {};
}

std::vector<ConsentRecord> consents_in_order(std::span<const ConsentRecord> records) {
    std::vector<ConsentRecord> all(records.begin(), records.end());
    std::stable_sort(all.begin(), all.end(), [](const ConsentRecord& a, const ConsentRecord& b) {
        return consent_order(a) < consent_order(b);
    });
    // The first of a key counts: its source is kept.
    all.erase(std::unique(all.begin(), all.end(),
                          [](const ConsentRecord& a, const ConsentRecord& b) {
                              return consent_order(a) == consent_order(b);
                          }),
              all.end());
    return all;
}

}  // namespace detail

struct MemoryConsents::State {
    using Key = std::tuple<std::string, int, detail::ConsentMicros>;  // purpose, change, time
    using Person = std::map<Key, std::string>;                        // its source

    std::mutex mutex = {};
    std::map<std::string, Person, std::less<>> persons = {};
};

MemoryConsents::MemoryConsents() : state_(std::make_unique<State>()) {}
MemoryConsents::~MemoryConsents() = default;

Result<std::size_t> MemoryConsents::add(std::span<const ConsentRecord> records) {
    if (auto checked = detail::check_consent_records(records); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    std::size_t added = 0;
    for (const auto& record : records) {
        added += state_->persons[record.person]
                         .try_emplace({record.purpose, static_cast<int>(record.change),
                                       detail::consent_micros(record.at)},
                                      record.source)
                         .second
                     ? 1U
                     : 0U;
    }
    return added;
}

Result<std::vector<ConsentAnswer>> MemoryConsents::latest(
    std::span<const ConsentQuestion> questions) {
    if (auto checked = detail::check_consent_questions(questions); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    std::vector<ConsentAnswer> answers(questions.size());
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const auto& question = questions[i];
        const auto person = state_->persons.find(question.person);
        if (person == state_->persons.end()) continue;
        for (const auto& [key, source] : person->second) {
            const auto& [purpose, change, at] = key;
            const bool grants = change == static_cast<int>(ConsentChange::granted);
            if (purpose != question.purpose && (grants || !purpose.empty())) continue;
            const auto since = grants ? question.granted_since : question.withdrawn_since;
            if (at < detail::consent_micros(since) || at >= detail::consent_micros(question.before))
                continue;
            auto& latest = grants ? answers[i].granted : answers[i].withdrawn;
            const auto time = detail::consent_time(at);
            if (!latest || *latest < time) latest = time;
        }
    }
    return answers;
}

Result<std::vector<ConsentRecord>> MemoryConsents::history(std::string_view person) {
    if (auto checked = detail::check_consent_person(person); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    std::vector<ConsentRecord> all;
    const auto found = state_->persons.find(person);
    if (found == state_->persons.end()) return all;
    for (const auto& [key, source] : found->second) {
        const auto& [purpose, change, at] = key;
        all.push_back({std::string(person), purpose, static_cast<ConsentChange>(change),
                       detail::consent_time(at), source});
    }
    std::sort(all.begin(), all.end(), [](const ConsentRecord& a, const ConsentRecord& b) {
        return std::tie(a.at, a.change, a.purpose) < std::tie(b.at, b.change, b.purpose);
    });
    return all;
}

Result<ForgottenConsents> MemoryConsents::forget(std::string_view person, TimePoint since,
                                                 TimePoint before) {
    if (auto checked = detail::check_consent_person(person); !checked) return checked.error();
    const auto begin = detail::consent_micros(since);
    const auto end = detail::consent_micros(before);
    const std::lock_guard lock(state_->mutex);
    ForgottenConsents forgotten;
    const auto found = state_->persons.find(person);
    if (found == state_->persons.end()) return forgotten;
    auto& records = found->second;
    const auto is_of_then = [&](detail::ConsentMicros at) { return at >= begin && at < end; };
    std::map<std::string, detail::ConsentMicros> last;
    for (const auto& [key, source] : records) {
        const auto& [purpose, change, at] = key;
        if (!is_of_then(at)) continue;
        const auto entry = last.try_emplace(purpose, at).first;
        entry->second = std::max(entry->second, at);
    }
    for (auto record = records.begin(); record != records.end();) {
        const auto& [purpose, change, at] = record->first;
        if (!is_of_then(at)) {
            ++record;
        } else if (change == static_cast<int>(ConsentChange::withdrawn) && at == last[purpose]) {
            record->second.clear();
            ++forgotten.kept;
            ++record;
        } else {
            record = records.erase(record);
            ++forgotten.erased;
        }
    }
    if (records.empty()) state_->persons.erase(found);
    return forgotten;
}

}  // namespace twiliowa
