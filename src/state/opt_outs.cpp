#include <twiliowa/state/opt_outs.hpp>

#include <algorithm>
#include <utility>

#include "detail/ascii.hpp"
#include "detail/state_support.hpp"

namespace twiliowa {

namespace detail {
namespace {

struct OptOutRecord {
    bool out = false;
    TimePoint since = {};
};

std::string opt_out_text(const OptOutRecord& record) {
    return (record.out ? "out " : "in ") + nanoseconds_text(record.since);
}

std::optional<OptOutRecord> parse_opt_out(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto word = text.substr(0, space);
    const auto since = parse_nanoseconds(text.substr(space + 1));
    if (!since || (word != "out" && word != "in")) return std::nullopt;
    return OptOutRecord{word == "out", *since};
}

Result<std::string> opt_out_key(std::string_view scope, std::string_view sender,
                                std::string_view recipient) {
    auto ours = sender_on_the_wire(sender);
    if (!ours) return ours.error();
    auto theirs = customer_on_the_wire(recipient);
    if (!theirs) return theirs.error();
    return state_key("optout", {scope, *ours, *theirs});
}

std::string_view trimmed_body(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r\n\f\v";
    const auto first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

bool is_one_of(const std::vector<std::string>& words, std::string_view body) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
        return !word.empty() && equals_ignoring_case(word, body);
    });
}

OptOutNews news_of(const OptOutOptions& options, std::string_view opt_out_type,
                   std::string_view body) {
    if (equals_ignoring_case(opt_out_type, "STOP")) return OptOutNews::opted_out;
    if (equals_ignoring_case(opt_out_type, "START")) return OptOutNews::opted_in;
    if (!opt_out_type.empty() || !options.read_words) return OptOutNews::nothing;
    const auto word = trimmed_body(body);
    if (is_one_of(options.stop_words, word)) return OptOutNews::opted_out;
    if (is_one_of(options.start_words, word)) return OptOutNews::opted_in;
    return OptOutNews::nothing;
}

}  // namespace
}  // namespace detail

OptOuts::OptOuts(std::shared_ptr<Store> store, OptOutOptions options)
    : store_(std::move(store)), options_(std::move(options)) {
    detail::require_store(store_);
    detail::require_duration("opt_in_kept", options_.opt_in_kept);
    if (!options_.clock) options_.clock = system_clock();
}

Result<void> OptOuts::record(std::string_view sender, std::string_view recipient, bool out,
                             std::optional<TimePoint> at) const {
    const auto key = detail::opt_out_key(options_.scope, sender, recipient);
    if (!key) return key.error();
    const detail::OptOutRecord news{out, detail::no_later_than_now(*options_.clock, at)};
    const auto merge = [&](const std::string* value) -> Result<std::optional<detail::StoreWrite>> {
        if (value != nullptr) {
            const auto known = detail::parse_opt_out(*value);
            if (!known) return detail::foreign_entry();
            const bool repeated = known->out == news.out && known->since == news.since;
            if (repeated || known->since > news.since) return std::optional<detail::StoreWrite>{};
        }
        return std::optional<detail::StoreWrite>{{detail::opt_out_text(news),
                                                  news.out ? Store::forever : options_.opt_in_kept,
                                                  news.out ? Keep::pinned : Keep::evictable}};
    };
    const auto written = detail::change_entry(*store_, *key, merge);
    if (!written) return written.error();
    return {};
}

Result<void> OptOuts::opt_out(std::string_view sender, std::string_view recipient,
                              std::optional<TimePoint> at) const {
    return record(sender, recipient, true, at);
}

Result<void> OptOuts::opt_in(std::string_view sender, std::string_view recipient,
                             std::optional<TimePoint> at) const {
    return record(sender, recipient, false, at);
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
    const auto news = detail::news_of(options_, opt_out_type, body);
    if (news == OptOutNews::nothing) return news;
    const auto recorded = record(sender, customer, news == OptOutNews::opted_out, at);
    if (!recorded) return recorded.error();
    return news;
}

Result<OptOutNews> OptOuts::learn_error(std::string_view sender, std::string_view recipient,
                                        int code, std::optional<TimePoint> at) const {
    const auto& codes = options_.codes;
    if (std::find(codes.begin(), codes.end(), code) == codes.end()) return OptOutNews::nothing;
    const auto recorded = record(sender, recipient, true, at);
    if (!recorded) return recorded.error();
    return OptOutNews::opted_out;
}

}  // namespace twiliowa
