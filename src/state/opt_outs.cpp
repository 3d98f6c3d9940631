#include <twiliowa/state/opt_outs.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/entries.hpp"
#include "state/guarded_store.hpp"
#include "text/ascii.hpp"
#include "text/dates.hpp"
#include "text/json_text.hpp"
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
    Since wrote =
        {};  ///< The message that ended a block; where addresses are linked, the last one.
    /// Where addresses are linked: words of a return that end only what an error has told.
    Since started = {};

    friend bool operator==(const OptOutRecord&, const OptOutRecord&) = default;

    OptOutState state() const noexcept {
        return {out || refused, blocked.has_value(), marketing.has_value()};
    }
    bool stops() const noexcept { return state() != OptOutState{}; }
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

    // Where addresses are linked, what ends an opt-out may come under one address and the opt-out
    // under another. So all of it is kept, even where there is nothing to end yet.

    void write_linked(TimePoint at) {
        if (!wrote || *wrote < at) wrote = at;
        if (blocked && *blocked <= at) blocked.reset();
    }
    /// Says whether it ended something.
    bool start_linked(TimePoint at) {
        if (!started || *started < at) started = at;
        bool ended = false;
        for (auto* const since : {&refused, &marketing}) {
            if (!*since || **since > at) continue;
            since->reset();
            ended = true;
        }
        return ended;
    }
    bool stop_linked(Since OptOutRecord::*what, TimePoint at) {
        const bool told = what == &OptOutRecord::out;
        return (told || !started || *started <= at) && stop(what, at);
    }
};
constexpr OptOutRecord::Since OptOutRecord::*opt_out_stops[] = {
    &OptOutRecord::out, &OptOutRecord::refused, &OptOutRecord::blocked, &OptOutRecord::marketing};

struct OptOutWord {
    std::string_view word;
    OptOutRecord::Since OptOutRecord::*since;
};

constexpr OptOutWord opt_out_words[] = {
    {"in", &OptOutRecord::returned},          {"out", &OptOutRecord::out},
    {"unsubscribed", &OptOutRecord::refused}, {"blocked", &OptOutRecord::blocked},
    {"marketing", &OptOutRecord::marketing},  {"wrote", &OptOutRecord::wrote},
    {"started", &OptOutRecord::started},
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

/// Of an address whose opt-out has outlived everything else: a hash.
std::string forgotten_key(std::string_view scope, const Sender& sender, std::string_view hash) {
    return state_key("optout-forgotten", {scope, sender.wire(), hash});
}

/// What several addresses of one customer say together.
class JoinedOptOuts {
public:
    /// What `linked` has a share in. An opt-out under a number that is theirs holds, whoever had
    /// the number then.
    void add(const OptOutRecord& record, const LinkedAddress& linked) {
        const auto later = [](Since& known, const Since& since) {
            if (since && (!known || *known < *since)) known = since;
        };
        for (auto OptOutRecord::*const ended :
             {&OptOutRecord::returned, &OptOutRecord::started, &OptOutRecord::wrote}) {
            const auto& since = record.*ended;
            if (since && linked.held(*since)) later(joined_.*ended, since);
        }
        for (auto OptOutRecord::*const stopped : opt_out_stops) {
            const auto& since = record.*stopped;
            if (since && (!linked.until || linked.held(*since))) later(joined_.*stopped, since);
        }
    }

    /// What is stopped still. What came at the same time under two addresses stops.
    OptOutRecord active() const {
        auto record = joined_;
        const auto end = [&](Since& since, std::initializer_list<Since> endings) {
            for (const auto& ending : endings) {
                if (since && ending && *since < *ending) since.reset();
            }
        };
        end(record.out, {record.returned});
        end(record.refused, {record.returned, record.started});
        end(record.marketing, {record.returned, record.started});
        end(record.blocked, {record.returned, record.wrote});
        return record;
    }

private:
    using Since = OptOutRecord::Since;
    OptOutRecord joined_;
};

/// The keys of what is known of a customer, and which address each is of.
struct OptOutKeys {
    std::vector<std::string> keys = {};
    std::vector<const LinkedAddress*> of = {};
    std::size_t plain = 0;  ///< So many are of records; the others of forgotten ones.
};

Result<OptOutKeys> opt_out_keys(const OptOutOptions& options, const Sender& sender,
                                const LinkedCustomer& customer) {
    OptOutKeys all;
    for (const auto& linked : customer.addresses) {
        auto key = opt_out_key(options.scope, sender, linked.address);
        if (!key) return key.error();
        all.keys.push_back(std::move(*key));
        all.of.push_back(&linked);
    }
    all.plain = all.keys.size();
    if (!options.customers) return all;
    for (const auto& linked : customer.addresses) {
        const auto hash = options.customers->key(linked.address);
        if (!hash) return hash.error();
        auto key = forgotten_key(options.scope, sender, *hash);
        if (std::find(all.keys.begin(), all.keys.end(), key) != all.keys.end()) continue;
        all.keys.push_back(std::move(key));
        all.of.push_back(&linked);
    }
    return all;
}

/// What is kept of an address; empty where nothing is.
Result<OptOutRecord> opt_outs_in(const std::optional<StoredValue>& entry) {
    if (!entry) return OptOutRecord{};
    const auto record = parse_opt_out(entry->value);
    if (!record) return foreign_entry();
    return *record;
}

Result<JoinedOptOuts> joined_opt_outs(Store& store, const OptOutKeys& keys) {
    const auto entries = store.get_each(keys.keys);
    if (!entries) return entries.error();
    JoinedOptOuts joined;
    for (std::size_t i = 0; i < keys.keys.size(); ++i) {
        const auto record = opt_outs_in((*entries)[i]);
        if (!record) return record.error();
        joined.add(*record, *keys.of[i]);
    }
    return joined;
}

/// What opt-outs keep, found and erased for its customers.
class OptOutPersonalData final : public PersonalData {
public:
    /// `options` without customers: they hold this.
    OptOutPersonalData(std::shared_ptr<Store> store, OptOutOptions options,
                       const Customers& customers)
        : store_(std::move(store)), options_(std::move(options)), customers_(customers) {
        options_.customers = nullptr;
        options_.consents = nullptr;
    }

    std::string_view name() const noexcept override { return "opt_outs"; }

    Result<Forgotten> forget(std::span<const CustomerConversation> of) const override {
        Forgotten forgotten;
        for (const auto& conversation : of) {
            const auto keys = opt_out_keys(options_, conversation.sender, conversation.customer);
            if (!keys) return keys.error();
            const auto joined = joined_opt_outs(*store_, *keys);
            if (!joined) return joined.error();
            const auto active = joined->active();
            for (std::size_t i = 0; i < keys->keys.size(); ++i) {
                const auto& linked = *keys->of[i];
                if (active.stops() && !linked.until) {
                    const auto kept = keep_hash(conversation.sender, linked.address, active);
                    if (!kept) return kept.error();
                    forgotten.kept = true;
                }
                const auto erased = erase_entry(
                    *store_, keys->keys[i],
                    [&](const std::string& value) { return is_all_theirs(value, linked); });
                if (!erased) return erased.error();
            }
        }
        return forgotten;
    }

    Result<std::string> export_of(std::span<const CustomerConversation> of) const override {
        std::string json = "[";
        for (const auto& [sender, customer] : of) {
            for (const auto& linked : customer.addresses) {
                const auto key = opt_out_key(options_.scope, sender, linked.address);
                if (!key) return key.error();
                const auto entry = store_->get(*key);
                if (!entry) return entry.error();
                if (!*entry) continue;
                const auto record = parse_opt_out((*entry)->value);
                if (!record) return foreign_entry();
                json += json.size() > 1 ? ",{" : "{";
                append_json_string(json.append(R"("sender":)"), sender.wire());
                append_json_string(json.append(R"(,"address":)"), linked.address.wire());
                for (const auto& [word, since] : opt_out_words) {
                    if (!((*record).*since) || !linked.held(*((*record).*since))) continue;
                    append_json_string(json.append(1, ','), word);
                    append_json_string(json.append(1, ':'),
                                       format_iso8601_utc(*((*record).*since)));
                }
                json += '}';
            }
        }
        return json + ']';
    }

    Result<bool> needs_links(const CustomerConversation& of) const override {
        const auto keys = opt_out_keys(options_, of.sender, of.customer);
        if (!keys) return keys.error();
        const auto entries = store_->get_each(keys->keys);
        if (!entries) return entries.error();
        for (const auto& entry : *entries) {
            const auto record = opt_outs_in(entry);
            if (!record) return record.error();
            if (record->stops()) return true;
        }
        return false;
    }

private:
    static Result<bool> is_all_theirs(const std::string& value, const LinkedAddress& linked) {
        const auto record = parse_opt_out(value);
        if (!record) return foreign_entry();
        if (!linked.until) return true;
        return std::all_of(std::begin(opt_out_words), std::end(opt_out_words),
                           [&](const OptOutWord& word) {
                               const auto& since = (*record).*word.since;
                               return !since || linked.held(*since);
                           });
    }

    Result<bool> keep_hash(const Sender& sender, const Address& address,
                           const OptOutRecord& active) const {
        const auto hash = customers_.key(address);
        if (!hash) return hash.error();
        return change_entry(*store_, forgotten_key(options_.scope, sender, *hash),
                            [&](const std::string* value) -> Result<std::optional<EntryChange>> {
                                std::optional<OptOutRecord> kept = OptOutRecord{};
                                if (value != nullptr) kept = parse_opt_out(*value);
                                if (!kept) return foreign_entry();
                                bool news = false;
                                for (auto OptOutRecord::*const what : opt_out_stops) {
                                    const auto& since = active.*what;
                                    if (since) news = kept->stop(what, *since) || news;
                                }
                                if (!news) return std::optional<EntryChange>{};
                                return std::optional<EntryChange>{
                                    {opt_out_text(*kept), Store::forever, Keep::pinned}};
                            });
    }

    std::shared_ptr<Store> store_;
    OptOutOptions options_;
    const Customers& customers_;  ///< Asks this, so it is there.
};

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
    if (!options_.customers) return;
    detail::require_same_scope(*options_.customers, options_.scope);
    personal_data_ =
        std::make_shared<detail::OptOutPersonalData>(store_, options_, *options_.customers);
    options_.customers->add_part(personal_data_);
}

Result<bool> OptOuts::record(const Sender& sender, const Address& recipient, News what,
                             std::optional<TimePoint> when) const {
    auto recorded = record_here(sender, recipient, what, when);
    if (!recorded || !options_.consents) return recorded;
    Result<bool> withdrawn = false;
    if (what == News::out) {
        withdrawn = options_.consents->withdraw(sender, recipient, {}, when, "opt-out");
    } else if (what == News::refused) {
        withdrawn = options_.consents->withdraw(sender, recipient, {}, when, "refused by Twilio");
    } else if (what == News::marketing) {
        withdrawn = options_.consents->withdraw(sender, recipient, consent_purpose::marketing, when,
                                                "refused by Twilio");
    }
    if (!withdrawn) return withdrawn.error();
    return recorded;
}

Result<bool> OptOuts::record_here(const Sender& sender, const Address& recipient, News what,
                                  std::optional<TimePoint> when) const {
    using Record = detail::OptOutRecord;
    const auto key = detail::opt_out_key(options_.scope, sender, recipient);
    if (!key) return key.error();
    const auto at = detail::no_later_than_now(*options_.clock, when);
    if (options_.customers) return record_linked(sender, recipient, what, at);
    bool news = false;
    const auto merge = [&](const std::string* value) -> Result<std::optional<detail::EntryChange>> {
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
        if (record == *known) return std::optional<detail::EntryChange>{};
        const bool stopped = record.state() != OptOutState{};
        return std::optional<detail::EntryChange>{{detail::opt_out_text(record),
                                                   stopped ? Store::forever : options_.opt_in_kept,
                                                   stopped ? Keep::pinned : Keep::evictable}};
    };
    const auto written = detail::change_entry(*store_, *key, merge);
    if (!written) return written.error();
    return *written && news;
}

/// What became of one entry.
struct OptOuts::Change {
    bool written = false;
    bool news = false;
    bool stops = false;  ///< As it is now.
};

Result<OptOuts::Change> OptOuts::change(const std::string& key, News what, TimePoint at) const {
    using Record = detail::OptOutRecord;
    Change made;
    const auto merge = [&](const std::string* value) -> Result<std::optional<detail::EntryChange>> {
        std::optional<Record> known = Record{};
        if (value != nullptr) known = detail::parse_opt_out(*value);
        if (!known) return detail::foreign_entry();
        auto record = *known;
        switch (what) {
            case News::in_if_refused:
                made.news = record.start_linked(at) && !record.out;
                record.write_linked(at);
                break;
            case News::wrote:
                record.write_linked(at);
                break;
            case News::in:
                made.news = record.come_back(at);
                break;
            case News::out:
                made.news = record.stop_linked(&Record::out, at);
                break;
            case News::refused:
                made.news = record.stop_linked(&Record::refused, at);
                break;
            case News::blocked:
                made.news = record.stop_linked(&Record::blocked, at);
                break;
            case News::marketing:
                made.news = record.stop_linked(&Record::marketing, at);
                break;
        }
        made.stops = record.stops();
        if (record == *known) return std::optional<detail::EntryChange>{};
        const bool lasts = made.stops || record.returned || record.started;
        return std::optional<detail::EntryChange>{{detail::opt_out_text(record),
                                                   lasts ? Store::forever : options_.opt_in_kept,
                                                   made.stops ? Keep::pinned : Keep::evictable}};
    };
    const auto written = detail::change_entry(*store_, key, merge);
    if (!written) return written.error();
    made.written = *written;
    return made;
}

/// What the former holders of a number said under it becomes theirs before the present one changes
/// it.
Result<void> OptOuts::leave_to_former(const Sender& sender, const Address& number,
                                      const LinkedCustomer& customer) const {
    if (customer.former.empty()) return {};
    const auto key = detail::opt_out_key(options_.scope, sender, number);
    if (!key) return key.error();
    const auto entry = store_->get(*key);
    if (!entry) return entry.error();
    const auto record = detail::opt_outs_in(*entry);
    if (!record) return record.error();
    constexpr News news[] = {News::out, News::refused, News::blocked, News::marketing};
    for (std::size_t i = 0; i < std::size(news); ++i) {
        const auto& since = (*record).*detail::opt_out_stops[i];
        if (!since) continue;
        for (const auto& former : customer.former) {
            if (!former.held(*since)) continue;
            if (auto noted = options_.customers->note(sender, former.address, Store::forever);
                !noted) {
                return noted;
            }
            const auto theirs = detail::opt_out_key(options_.scope, sender, former.address);
            if (!theirs) return theirs.error();
            const auto left = change(*theirs, news[i], *since);
            if (!left) return left.error();
        }
    }
    return {};
}

/// A return ends what is stopped under the customer's other addresses, too, so that it need not be
/// remembered as long as they are.
Result<bool> OptOuts::end_elsewhere(const Sender& sender, const LinkedCustomer& customer, News what,
                                    TimePoint at) const {
    const auto keys = detail::opt_out_keys(options_, sender, customer);
    if (!keys) return keys.error();
    const auto entries = store_->get_each(keys->keys);
    if (!entries) return entries.error();
    bool news = false;
    for (std::size_t i = 1; i < keys->keys.size(); ++i) {  // the first is the address itself
        const auto record = detail::opt_outs_in((*entries)[i]);
        if (!record) return record.error();
        const bool ends = what == News::wrote ? record->blocked.has_value() : record->stops();
        const auto& linked = *keys->of[i];
        if (!ends || !linked.held(at)) continue;
        if (linked.from) {  // others may have had it before
            const auto number = options_.customers->linked(sender, linked.address);
            if (!number) return number.error();
            auto left = leave_to_former(sender, linked.address, *number);
            if (!left) return left.error();
        }
        const auto ended = change(keys->keys[i], what, at);
        if (!ended) return ended.error();
        news = news || ended->news;
        if (i < keys->plain || ended->stops) continue;
        // Of who was forgotten nothing is kept but what is stopped.
        const auto erased = detail::erase_entry(*store_, keys->keys[i],
                                                [](const std::string& value) -> Result<bool> {
                                                    const auto left = detail::parse_opt_out(value);
                                                    if (!left) return detail::foreign_entry();
                                                    return !left->stops();
                                                });
        if (!erased) return erased.error();
    }
    return news;
}

Result<bool> OptOuts::record_linked(const Sender& sender, const Address& recipient, News what,
                                    TimePoint at) const {
    const auto& customers = *options_.customers;
    const bool ends = what == News::wrote || what == News::in || what == News::in_if_refused;
    const auto kept = what == News::wrote ? options_.opt_in_kept : Store::forever;
    if (auto noted = customers.note(sender, recipient, kept); !noted) return noted.error();
    const auto customer = customers.linked(sender, recipient);
    if (!customer) return customer.error();
    if (auto left = leave_to_former(sender, recipient, *customer); !left) return left.error();
    const auto key = detail::opt_out_key(options_.scope, sender, recipient);
    if (!key) return key.error();
    const auto changed = change(*key, what, at);
    if (!changed) return changed.error();
    bool news = changed->written && changed->news;
    if (ends) {
        const auto ended = end_elsewhere(sender, *customer, what, at);
        if (!ended) return ended.error();
        news = news || *ended;
        if (news && what == News::in_if_refused) {
            const auto left = state(sender, *customer);
            if (!left) return left.error();
            news = !left->everything;
        }
    } else if (changed->stops) {
        if (auto pinned = customers.pin(sender, recipient); !pinned) return pinned.error();
    }
    return news;
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
    if (options_.customers) {
        const auto linked = options_.customers->linked(sender, recipient);
        if (!linked) return linked.error();
        return state(sender, *linked);
    }
    const auto entry = store_->get(*key);
    if (!entry) return entry.error();
    const auto known = detail::opt_outs_in(*entry);
    if (!known) return known.error();
    return known->state();
}

Result<OptOutState> OptOuts::state(const Sender& sender, const LinkedCustomer& recipient) const {
    const auto keys = detail::opt_out_keys(options_, sender, recipient);
    if (!keys) return keys.error();
    const auto joined = detail::joined_opt_outs(*store_, *keys);
    if (!joined) return joined.error();
    return joined->active().state();
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
