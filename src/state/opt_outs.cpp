#include <twiliowa/state/opt_outs.hpp>

#include <algorithm>
#include <utility>

#include "state/entries.hpp"
#include "text/ascii.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

struct OptOutRecord {
    bool out = false;
    bool refused = false;  ///< Out, as Twilio's error said; not as the customer did.
    TimePoint since = {};
};

std::string opt_out_text(const OptOutRecord& record) {
    const auto* word = record.refused ? "refused " : record.out ? "out " : "in ";
    return word + nanoseconds_text(record.since);
}

std::optional<OptOutRecord> parse_opt_out(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto word = text.substr(0, space);
    const auto since = parse_nanoseconds(text.substr(space + 1));
    const bool refused = word == "refused";
    if (!since || (!refused && word != "out" && word != "in")) return std::nullopt;
    return OptOutRecord{refused || word == "out", refused, *since};
}

Result<std::string> opt_out_key(std::string_view scope, std::string_view sender,
                                std::string_view recipient) {
    auto ours = sender_on_the_wire(sender);
    if (!ours) return ours.error();
    auto theirs = customer_on_the_wire(recipient);
    if (!theirs) return theirs.error();
    return state_key("optout", {scope, *ours, *theirs});
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

/// Says whether it is news.
Result<bool> OptOuts::record(std::string_view sender, std::string_view recipient, News what,
                             std::optional<TimePoint> at) const {
    const auto key = detail::opt_out_key(options_.scope, sender, recipient);
    if (!key) return key.error();
    const detail::OptOutRecord news{what == News::out || what == News::refused,
                                    what == News::refused,
                                    detail::no_later_than_now(*options_.clock, at)};
    const auto merge = [&](const std::string* value) -> Result<std::optional<detail::StoreWrite>> {
        const std::optional<detail::StoreWrite> nothing;
        auto entry = news;
        if (value == nullptr && what == News::in_if_refused) return nothing;
        if (value != nullptr) {
            const auto known = detail::parse_opt_out(*value);
            if (!known) return detail::foreign_entry();
            const bool repeated = known->out == news.out && known->since == news.since;
            if (repeated || known->since > news.since) return nothing;
            if (what == News::in_if_refused && !known->refused) return nothing;
            // What the customer said stays what the customer said.
            if (known->out && !known->refused) entry.refused = false;
        }
        return std::optional<detail::StoreWrite>{{detail::opt_out_text(entry),
                                                  news.out ? Store::forever : options_.opt_in_kept,
                                                  news.out ? Keep::pinned : Keep::evictable}};
    };
    return detail::change_entry(*store_, *key, merge);
}

Result<void> OptOuts::opt_out(std::string_view sender, std::string_view recipient,
                              std::optional<TimePoint> at) const {
    const auto recorded = record(sender, recipient, News::out, at);
    if (!recorded) return recorded.error();
    return {};
}

Result<void> OptOuts::opt_in(std::string_view sender, std::string_view recipient,
                             std::optional<TimePoint> at) const {
    const auto recorded = record(sender, recipient, News::in, at);
    if (!recorded) return recorded.error();
    return {};
}

Result<bool> OptOuts::is_opted_out(std::string_view sender, std::string_view recipient) const {
    const auto key = detail::opt_out_key(options_.scope, sender, recipient);
    if (!key) return key.error();
    const auto entry = store_->get(*key);
    if (!entry) return entry.error();
    if (!*entry) return false;
    const auto known = detail::parse_opt_out((*entry)->value);
    if (!known) return detail::foreign_entry();
    return known->out;
}

Result<OptOutNews> OptOuts::learn_inbound(std::string_view sender, std::string_view customer,
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
    if (meant == OptOutNews::nothing) return meant;
    if (!told && meant == OptOutNews::opted_out) return OptOutNews::nothing;
    const auto in = told ? News::in : News::in_if_refused;
    const auto recorded =
        record(sender, customer, meant == OptOutNews::opted_out ? News::out : in, at);
    if (!recorded) return recorded.error();
    return told || *recorded ? meant : OptOutNews::nothing;
}

Result<OptOutNews> OptOuts::learn_error(std::string_view sender, std::string_view recipient,
                                        int code, std::optional<TimePoint> at) const {
    const auto& codes = options_.codes;
    if (std::find(codes.begin(), codes.end(), code) == codes.end()) return OptOutNews::nothing;
    const auto recorded = record(sender, recipient, News::refused, at);
    if (!recorded) return recorded.error();
    return OptOutNews::opted_out;
}

}  // namespace twiliowa
