#include "state/sightings.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "state/entries.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view absent_word = "-";

std::string_view link_word(std::string_view text) noexcept {
    return text.empty() ? absent_word : text;
}

std::string_view take_link_word(std::string_view& text) noexcept {
    const auto space = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    return word;
}

/// Whether whatever `part` names, `whole` names too.
bool is_within(const Sighting& part, const Sighting& whole) {
    const auto fits = [](const std::string& a, const std::string& b) {
        return a.empty() || a == b;
    };
    return fits(part.number, whole.number) && fits(part.id, whole.id) &&
           fits(part.parent, whole.parent);
}

bool is_older(const Sighting& a, const Sighting& b) {
    return std::tie(a.first, a.number, a.id, a.parent) <
           std::tie(b.first, b.number, b.id, b.parent);
}

/// The user ids of one customer each. What a webhook named together is the same customer's. Where a
/// number goes from an id to one of the other kind, its holder has stayed and the portfolio has
/// been linked, unless what was named together says otherwise.
class IdClasses {
public:
    struct Holder {
        std::size_t of = 0;  ///< The class.
        TimePoint first = {};
    };

    explicit IdClasses(const LinkRecord& record) : record_(record) {
        for (const auto& sighting : record.sightings) {
            if (!sighting.id.empty() && !sighting.parent.empty()) {
                unite(index_of(sighting.id), index_of(sighting.parent));
            } else if (const auto& only = sighting.id.empty() ? sighting.parent : sighting.id;
                       !only.empty()) {
                index_of(only);
            }
        }
        std::vector<std::string_view> numbers;
        for (const auto& sighting : record.sightings) {
            if (!sighting.number.empty()) numbers.push_back(sighting.number);
        }
        std::sort(numbers.begin(), numbers.end());
        numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
        for (const auto number : numbers) {
            while (unite_complements(number)) {
            }
        }
        numbers_.assign(numbers.begin(), numbers.end());
    }

    const std::vector<std::string>& numbers() const noexcept { return numbers_; }

    std::optional<std::size_t> of(std::string_view id) const {
        const auto found = std::find(ids_.begin(), ids_.end(), id);
        if (found == ids_.end()) return std::nullopt;
        return classes_[static_cast<std::size_t>(found - ids_.begin())];
    }

    /// The ids of a class; regular ones first.
    std::vector<std::string> ids(std::size_t of) const {
        std::vector<std::string> in;
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            if (classes_[i] == of) in.push_back(ids_[i]);
        }
        std::sort(in.begin(), in.end(), [](const std::string& a, const std::string& b) {
            return std::pair{is_parent_id(a), std::string_view{a}} <
                   std::pair{is_parent_id(b), std::string_view{b}};
        });
        return in;
    }

    /// Who had the number, one after the other.
    std::vector<Holder> holders(std::string_view number) const {
        std::vector<Holder> all;
        for (const auto& sighting : record_.sightings) {
            if (sighting.number != number) continue;
            const auto holder = of(sighting.id.empty() ? sighting.parent : sighting.id);
            if (!holder) continue;
            const auto known = std::find_if(all.begin(), all.end(),
                                            [&](const Holder& h) { return h.of == *holder; });
            if (known == all.end()) all.push_back({*holder, sighting.first});
        }
        return all;  // the sightings are in order
    }

private:
    std::size_t index_of(const std::string& id) {
        const auto found = std::find(ids_.begin(), ids_.end(), id);
        if (found != ids_.end()) return static_cast<std::size_t>(found - ids_.begin());
        ids_.push_back(id);
        classes_.push_back(ids_.size() - 1);
        return ids_.size() - 1;
    }
    void unite(std::size_t a, std::size_t b) {
        const auto from = classes_[b];
        std::replace(classes_.begin(), classes_.end(), from, classes_[a]);
    }
    bool has_kind(std::size_t of, bool parent) const {
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            if (classes_[i] == of && is_parent_id(ids_[i]) == parent) return true;
        }
        return false;
    }
    bool complement(std::size_t a, std::size_t b) const {
        return has_kind(a, false) != has_kind(b, false) && has_kind(a, true) != has_kind(b, true);
    }
    bool unite_complements(std::string_view number) {
        const auto all = holders(number);
        for (std::size_t i = 1; i < all.size(); ++i) {
            if (!complement(all[i - 1].of, all[i].of)) continue;
            std::replace(classes_.begin(), classes_.end(), all[i].of, all[i - 1].of);
            return true;
        }
        return false;
    }

    const LinkRecord& record_;
    std::vector<std::string> ids_;
    std::vector<std::size_t> classes_;  ///< Of each id.
    std::vector<std::string> numbers_;
};

/// In which time the holder of that place had the number.
Tenure tenure_of(const LinkRecord& record, const std::vector<IdClasses::Holder>& holders,
                 std::size_t place, std::string identity) {
    Tenure tenure{std::move(identity), record.floor, std::nullopt};
    if (place > 0) tenure.from = holders[place].first;
    if (place + 1 < holders.size()) tenure.until = holders[place + 1].first;
    return tenure;
}

void add_numbers_of(std::vector<Tenure>& theirs, const LinkRecord& record, const IdClasses& classes,
                    std::size_t of) {
    std::vector<Tenure> numbers;
    for (const auto& number : classes.numbers()) {
        if (number == theirs.front().identity) continue;
        const auto holders = classes.holders(number);
        for (std::size_t i = 0; i < holders.size(); ++i) {
            if (holders[i].of == of) numbers.push_back(tenure_of(record, holders, i, number));
        }
    }
    // What is theirs still goes first: there may be more than are read.
    std::stable_partition(numbers.begin(), numbers.end(),
                          [](const Tenure& tenure) { return !tenure.until; });
    std::move(numbers.begin(), numbers.end(), std::back_inserter(theirs));
}

}  // namespace

bool is_parent_id(std::string_view identity) noexcept {
    return identity.size() > 2 && identity.substr(2).starts_with(".ENT.");
}

std::string link_text(const LinkRecord& record) {
    auto text = nanoseconds_text(record.written);
    text.append(1, ' ').append(record.floor ? nanoseconds_text(*record.floor)
                                            : std::string(absent_word));
    text.append(record.pinned ? " pinned" : " -");
    for (const auto& sighting : record.sightings) {
        text.append(1, ' ').append(nanoseconds_text(sighting.first));
        for (const auto* const part : {&sighting.number, &sighting.id, &sighting.parent}) {
            text.append(1, ' ').append(link_word(*part));
        }
    }
    return text;
}

std::optional<LinkRecord> parse_links(std::string_view text) {
    LinkRecord record;
    const auto written = parse_nanoseconds(take_link_word(text));
    if (!written) return std::nullopt;
    record.written = *written;
    if (const auto word = take_link_word(text); word != absent_word) {
        record.floor = parse_nanoseconds(word);
        if (!record.floor) return std::nullopt;
    }
    record.pinned = take_link_word(text) == "pinned";
    while (!text.empty()) {
        Sighting sighting;
        const auto first = parse_nanoseconds(take_link_word(text));
        if (!first) return std::nullopt;
        sighting.first = *first;
        for (auto* const part : {&sighting.number, &sighting.id, &sighting.parent}) {
            const auto word = take_link_word(text);
            if (word.empty()) return std::nullopt;
            if (word != absent_word) *part = word;
        }
        record.sightings.push_back(std::move(sighting));
    }
    return record;
}

bool is_known(const LinkRecord& record, const Sighting& sighting) {
    if (record.floor && sighting.first < *record.floor) return true;
    return std::any_of(record.sightings.begin(), record.sightings.end(), [&](const Sighting& s) {
        return s.first <= sighting.first && is_within(sighting, s);
    });
}

void add_sighting(LinkRecord& record, const Sighting& sighting) {
    if (is_known(record, sighting)) return;
    auto& all = record.sightings;
    std::erase_if(all, [&](const Sighting& s) {
        return sighting.first <= s.first && is_within(s, sighting);
    });
    all.insert(std::upper_bound(all.begin(), all.end(), sighting, is_older), sighting);
    if (all.size() <= most_linked_addresses) return;
    all.erase(all.begin());
    record.floor = all.front().first;
}

LinkedIdentities linked_identities(const LinkRecord& record, std::string_view identity) {
    LinkedIdentities linked;
    const IdClasses classes{record};
    linked.theirs.push_back({std::string(identity), std::nullopt, std::nullopt});
    std::optional<std::size_t> customer;
    if (identity.starts_with('+')) {
        const auto holders = classes.holders(identity);
        if (holders.empty()) return linked;
        for (std::size_t i = 0; i + 1 < holders.size(); ++i) {
            linked.former.push_back(
                tenure_of(record, holders, i, classes.ids(holders[i].of).front()));
        }
        linked.theirs.front() =
            tenure_of(record, holders, holders.size() - 1, std::string(identity));
        customer = holders.back().of;
    } else {
        customer = classes.of(identity);
    }
    if (!customer) return linked;
    for (auto& id : classes.ids(*customer)) {
        if (id != identity) linked.theirs.push_back({std::move(id), std::nullopt, std::nullopt});
    }
    add_numbers_of(linked.theirs, record, classes, *customer);
    return linked;
}

std::size_t hands_changed(const LinkRecord& record, std::string_view number) {
    const auto holders = IdClasses{record}.holders(number).size();
    return holders == 0 ? 0 : holders - 1;
}

std::vector<Sighting> sightings_about(const LinkRecord& all, std::string_view identity) {
    const auto linked = linked_identities(all, identity);
    std::vector<Sighting> about;
    for (const auto& sighting : all.sightings) {
        const bool is_about =
            std::any_of(linked.theirs.begin(), linked.theirs.end(),
                        [&](const Tenure& tenure) { return sighting.mentions(tenure.identity); });
        if (is_about) about.push_back(sighting);
    }
    return about;
}

}  // namespace twiliowa::detail
