#include "messages_client/reconcile_batch.hpp"

#include <algorithm>
#include <set>

#include "content/compiled_template.hpp"

namespace twiliowa::detail {

namespace {

constexpr int bulk_page_size = 1000;

/// What is looked for of an item: its own words go before those for all.
ReconcileOptions search_of(const ReconcileItem& item, const ReconcileOptions& where) {
    return {.first_attempted_at =
                item.first_attempted_at ? item.first_attempted_at : where.first_attempted_at,
            .expected_text = item.expected_text.empty() ? where.expected_text : item.expected_text,
            .clock_skew = where.clock_skew,
            .window = where.window};
}

}  // namespace

ReconcileOptions with_expected_text(const OutboundMessage& message, ReconcileOptions where,
                                    const KnownTemplate& known) {
    if (!where.expected_text.empty() || known == nullptr || names_extra(message, "ContentSid") ||
        names_extra(message, "ContentVariables")) {
        return where;
    }
    if (!known->is_authentication) {
        where.expected_text = render(known->content.definition, message.content_variables).body;
    }
    return where;
}

std::vector<std::string> templates_of(std::span<const ReconcileItem> items,
                                      const ReconcileOptions& where) {
    std::set<std::string> sids;
    if (!where.expected_text.empty()) return {};
    for (const auto& item : items) {
        if (!item.expected_text.empty() || item.message.content_sid.empty()) continue;
        sids.insert(item.message.content_sid);
    }
    return {sids.begin(), sids.end()};
}

ReconcileBatch::ReconcileBatch(std::span<const ReconcileItem> items,
                               const OutboundDefaults& defaults, const ReconcileOptions& where,
                               const LookUp& look_up) {
    const auto others = other_messages(where.known);
    places_.reserve(items.size());
    for (const auto& item : items) {
        const auto known =
            item.message.content_sid.empty() ? nullptr : look_up(item.message.content_sid);
        auto search = ReconcileSearch::create(
            item.message, defaults, item.attempted_at,
            with_expected_text(item.message, search_of(item, where), known));
        if (search) {
            add(std::move(*search), others);
        } else {
            places_.emplace_back(search.error());
        }
    }
    for (auto& walk : walks_) narrow(walk);
}

void ReconcileBatch::add(ReconcileSearch search, const OtherMessages& others) {
    auto filter = search.filter();
    filter.page_size = bulk_page_size;
    if (!filter.from.empty()) filter.to = {};
    const auto [entry, is_new] = by_list_.try_emplace({filter.from, filter.to}, walks_.size());
    if (is_new) walks_.emplace_back(std::move(filter), others);
    const auto walk = entry->second;
    places_.emplace_back(Place{walk, walks_[walk].add(std::move(search))});
}

/// To one recipient only that recipient's messages have to be listed.
void ReconcileBatch::narrow(ReconcileWalk& walk) const {
    const auto& searches = walk.searches();
    const std::string& first = searches.front().filter().to;
    const bool one_recipient = std::all_of(
        searches.begin(), searches.end(),
        [&first](const ReconcileSearch& search) { return search.filter().to == first; });
    if (one_recipient) walk.filter().to = first;
}

std::vector<Error> ReconcileBatch::refusals() const {
    std::vector<Error> errors;
    for (const auto& place : places_) {
        if (!place) errors.push_back(place.error());
    }
    return errors;
}

std::vector<Result<Reconciliation>> ReconcileBatch::conclusions() const {
    // Of a walk that did not come to its end, too: what it has seen may be that item's all the
    // same.
    std::unordered_map<std::string, int> claims;
    for (const auto& walk : walks_) {
        for (const auto& search : walk.searches()) {
            for (const auto& sid : search.same()) ++claims[sid.str()];
        }
    }
    std::vector<Result<Reconciliation>> all;
    all.reserve(places_.size());
    for (const auto& place : places_) {
        if (!place) {
            all.emplace_back(place.error());
            continue;
        }
        auto conclusion = walks_[place->walk].conclusion(place->number);
        if (conclusion && conclusion->outcome == Reconciliation::Outcome::found &&
            claims[conclusion->sids.front().str()] > 1) {
            conclusion->outcome = Reconciliation::Outcome::several;
        }
        all.push_back(std::move(conclusion));
    }
    return all;
}

}  // namespace twiliowa::detail
