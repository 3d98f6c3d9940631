#include <twiliowa/state/opt_outs.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "state/entries.hpp"
#include "state/guarded_store.hpp"
#include "text/ascii.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// What is known: of each kind of news the latest, so that the order in which they come makes no
/// difference. What is stopped is here as long as nothing newer ended it.
struct OptOutRecord {
    using Since = std::optional<TimePoint>;
    Since returned = {};
    Since out = {};      ///< Everything is stopped: the customer said so.
    Since refused = {};  ///< Everything is stopped: Twilio's error said so.
    Since blocked = {};
    Since marketing = {};
    Since wrote = {};  ///< The message that ended a block.

    friend bool operator==(const OptOutRecord&, const OptOutRecord&) = default;

    OptOutState state() const noexcept {
        return {out || refused, blocked.has_value(), marketing.has_value()};
    }
    /// Of the same time the last word counts.
    bool stop(Since OptOutRecord::*what, TimePoint at) {
        auto& since = this->*what;
        const bool ended = (returned && *returned > at) ||
                           (what == &OptOutRecord::blocked && wrote && *wrote > at);
        if (ended || (since && *since >= at)) return false;
        since = at;
        return true;
    }
    bool come_back(TimePoint at) {
        const auto before = *this;
        if (!returned || *returned < at) returned = at;
        for (auto* const since : {&out, &refused, &blocked, &marketing}) {
            if (*since && **since <= at) since->reset();
        }
        return *this != before;
    }
    /// Any message ends a block.
    void write(TimePoint at) {
        if (!blocked || *blocked > at) return;
        blocked.reset();
        wrote = at;
    }
};

struct OptOutWord {
    std::string_view word;
    OptOutRecord::Since OptOutRecord::*since;
};

constexpr OptOutWord opt_out_words[] = {
    {"in", &OptOutRecord::returned},          {"out", &OptOutRecord::out},
    {"unsubscribed", &OptOutRecord::refused}, {"blocked", &OptOutRecord::blocked},
    {"marketing", &OptOutRecord::marketing},  {"wrote", &OptOutRecord::wrote},
};
/// Version 0.1.0's word for any of the three errors. Read as a block: it ends when the customer
/// writes, and what Twilio still refuses then is learnt anew.
constexpr OptOutWord opt_out_word_before = {"refused", &OptOutRecord::blocked};

/// `out 1767225600000000000 marketing 1767225600000000000`
std::string opt_out_text(const OptOutRecord& record) {
    std::string text;
    for (const auto& [word, since] : opt_out_words) {
        if (!(record.*since)) continue;
        if (!text.empty()) text += ' ';
        text.append(word).append(1, ' ').append(nanoseconds_text(*(record.*since)));
    }
    return text;
}

std::string_view take_word(std::string_view& text) noexcept {
    const auto space = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    return word;
}

std::optional<OptOutRecord> parse_opt_out(std::string_view text) {
    OptOutRecord record;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        const auto word = take_word(text);
        const auto at = parse_nanoseconds(take_word(text));
        const auto* known = std::find_if(std::begin(opt_out_words), std::end(opt_out_words),
                                         [word](const OptOutWord& w) { return w.word == word; });
        if (known == std::end(opt_out_words)) known = &opt_out_word_before;
        if (!at || known->word != word) return std::nullopt;
        record.*known->since = at;
    }
    return record;
}

Result<std::string> opt_out_key(std::string_view scope, const Sender& sender,
                                const Address& recipient) {
    return conversation_key("optout", scope, sender, recipient);
}

bool is_one_of(const std::vector<std::string>& words, std::string_view body) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
        return !word.empty() && equals_ignoring_case(word, body);
    });
}

OptOutNews news_of_words(const OptOutOptions& options, std::string_view body) {
    const auto word = trim(body, " \t\r\n\f\v");
    if (is_one_of(options.stop_words, word)) return OptOutNews::opted_out;
    if (is_one_of(options.start_words, word)) return OptOutNews::opted_in;
    return OptOutNews::nothing;
}

}  // namespace
}  // namespace detail

OptOuts::OptOuts(std::shared_ptr<Store> store, OptOutOptions options)
    : store_(detail::guarded_store(std::move(store))), options_(std::move(options)) {
    detail::require_duration("opt_in_kept", options_.opt_in_kept);
    if (!options_.clock) options_.clock = system_clock();
}

Result<bool> OptOuts::record(const Sender& sender, const Address& recipient, News what,
                             std::optional<TimePoint> when) const {
    using Record = detail::OptOutRecord;
    const auto key = detail::opt_out_key(options_.scope, sender, recipient);
    if (!key) return key.error();
    const auto at = detail::no_later_than_now(*options_.clock, when);
    bool news = false;
    const auto merge = [&](const std::string* value) -> Result<std::optional<detail::StoreWrite>> {
        std::optional<Record> known = Record{};
        if (value != nullptr) known = detail::parse_opt_out(*value);
        if (!known) return detail::foreign_entry();
        auto record = *known;
        switch (what) {
            case News::in_if_refused:
                news = !record.out && (record.refused || record.marketing);
                news = news && record.come_back(at);
                record.write(at);
                break;
            case News::wrote:
                record.write(at);
                break;
            case News::in:
                news = record.come_back(at);
                break;
            case News::out:
                news = record.stop(&Record::out, at);
                break;
            case News::refused:
                news = record.stop(&Record::refused, at);
                break;
            case News::blocked:
                news = record.stop(&Record::blocked, at);
                break;
            case News::marketing:
                news = record.stop(&Record::marketing, at);
                break;
        }
        if (record == *known) return std::optional<detail::StoreWrite>{};
        const bool stopped = record.state() != OptOutState{};
        return std::optional<detail::StoreWrite>{{detail::opt_out_text(record),
                                                  stopped ? Store::forever : options_.opt_in_kept,
                                                  stopped ? Keep::pinned : Keep::evictable}};
    };
    const auto written = detail::change_entry(*store_, *key, merge);
    if (!written) return written.error();
    return *written && news;
}

Result<void> OptOuts::opt_out(const Sender& sender, const Address& recipient,
                              std::optional<TimePoint> at) const {
    const auto recorded = record(sender, recipient, News::out, at);
    if (!recorded) return recorded.error();
    return {};
}
Result<void> OptOuts::opt_out(std::string_view sender, std::string_view recipient,
                              std::optional<TimePoint> at) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return opt_out(ours, theirs, at);
    });
}

Result<void> OptOuts::opt_in(const Sender& sender, const Address& recipient,
                             std::optional<TimePoint> at) const {
    const auto recorded = record(sender, recipient, News::in, at);
    if (!recorded) return recorded.error();
    return {};
}
Result<void> OptOuts::opt_in(std::string_view sender, std::string_view recipient,
                             std::optional<TimePoint> at) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return opt_in(ours, theirs, at);
    });
}

Result<OptOutState> OptOuts::state(const Sender& sender, const Address& recipient) const {
    const auto key = detail::opt_out_key(options_.scope, sender, recipient);
    if (!key) return key.error();
    const auto entry = store_->get(*key);
    if (!entry) return entry.error();
    if (!*entry) return OptOutState{};
    const auto known = detail::parse_opt_out((*entry)->value);
    if (!known) return detail::foreign_entry();
    return known->state();
}

Result<OptOutState> OptOuts::state(std::string_view sender, std::string_view recipient) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return state(ours, theirs);
    });
}

Result<bool> OptOuts::is_opted_out(const Sender& sender, const Address& recipient) const {
    const auto stopped = state(sender, recipient);
    if (!stopped) return stopped.error();
    return stopped->everything || stopped->blocked;
}
Result<bool> OptOuts::is_opted_out(std::string_view sender, std::string_view recipient) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return is_opted_out(ours, theirs);
    });
}

Result<OptOutNews> OptOuts::learn_inbound(const Sender& sender, const Address& customer,
                                          std::string_view opt_out_type, std::string_view body,
                                          std::optional<TimePoint> at) const {
    auto meant = OptOutNews::nothing;
    bool told = true;  // by Twilio, or by words that are to be read
    if (detail::equals_ignoring_case(opt_out_type, "STOP")) {
        meant = OptOutNews::opted_out;
    } else if (detail::equals_ignoring_case(opt_out_type, "START")) {
        meant = OptOutNews::opted_in;
    } else if (opt_out_type.empty()) {
        meant = detail::news_of_words(options_, body);
        told = options_.read_words;
    }
    if (!told && meant == OptOutNews::opted_out) meant = OptOutNews::nothing;
    auto news = News::wrote;
    if (meant == OptOutNews::opted_out) news = News::out;
    if (meant == OptOutNews::opted_in) news = told ? News::in : News::in_if_refused;
    const auto recorded = record(sender, customer, news, at);
    if (!recorded) return recorded.error();
    return told || *recorded ? meant : OptOutNews::nothing;
}
Result<OptOutNews> OptOuts::learn_inbound(std::string_view sender, std::string_view customer,
                                          std::string_view opt_out_type, std::string_view body,
                                          std::optional<TimePoint> at) const {
    return detail::with_parties(sender, customer, [&](const Sender& ours, const Address& theirs) {
        return learn_inbound(ours, theirs, opt_out_type, body, at);
    });
}

Result<OptOutNews> OptOuts::learn_error(const Sender& sender, const Address& recipient, int code,
                                        std::optional<TimePoint> at) const {
    const auto is_in = [code](const std::vector<int>& codes) {
        return std::find(codes.begin(), codes.end(), code) != codes.end();
    };
    auto news = News::refused;
    if (!is_in(options_.codes)) {
        if (is_in(options_.blocked_codes)) {
            news = News::blocked;
        } else if (is_in(options_.marketing_codes)) {
            news = News::marketing;
        } else {
            return OptOutNews::nothing;
        }
    }
    const auto recorded = record(sender, recipient, news, at);
    if (!recorded) return recorded.error();
    return OptOutNews::opted_out;
}
Result<OptOutNews> OptOuts::learn_error(std::string_view sender, std::string_view recipient,
                                        int code, std::optional<TimePoint> at) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return learn_error(ours, theirs, code, at);
    });
}

}  // namespace twiliowa
