#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <twiliowa/state/quota_storage.hpp>
#include <twiliowa/state/store.hpp>

#include "state/quota_book.hpp"

namespace twiliowa {

struct MemoryQuotas::State : detail::QuotaDesk {
    struct Quota {
        std::map<detail::QuotaPlace, detail::QuotaTally> tallies = {};
        std::unordered_map<std::string, detail::QuotaSend> sends = {};
        std::set<std::pair<detail::QuotaMicros, std::string>> lapsing = {};  ///< Those open.
    };
    using Quotas = std::unordered_map<std::string, Quota>;

    explicit State(MemoryQuotasOptions chosen) : options(std::move(chosen)) {}

    Result<detail::QuotaPage> load(std::string_view quota, std::string_view send,
                                   const std::vector<detail::QuotaPlace>& places) override {
        detail::QuotaPage page{.now = detail::quota_micros(options.clock->now())};
        const auto found = quotas.find(std::string{quota});
        if (found == quotas.end()) return page;
        auto& kept = found->second;
        lapse(found->first, kept, page.now);
        auto wanted = places;
        if (const auto known = kept.sends.find(std::string{send}); known != kept.sends.end()) {
            page.send = known->second;
            wanted.insert(wanted.end(), known->second.places.begin(), known->second.places.end());
        }
        for (const auto& place : wanted) {
            const auto tally = kept.tallies.find(place);
            if (tally != kept.tallies.end()) page.tallies.push_back(tally->second);
        }
        return page;
    }

    Result<void> store(std::string_view quota, std::string_view send,
                       const detail::QuotaChange& change) override {
        forget(detail::quota_micros(options.clock->now()));
        const std::string name{quota};
        const std::string key{send};
        auto& kept = quotas[name];
        const bool is_new = change.send && kept.sends.find(key) == kept.sends.end();
        if (is_new && send_count >= options.max_sends) {
            return store_error("is full", "raise max_sends, or remember sends for less time");
        }
        for (const auto& tally : change.tallies) kept.tallies[tally.place] = tally;
        if (change.send || change.erase_send) erase(name, kept, key);
        if (change.send) insert(name, kept, key, *change.send);
        return {};
    }

    void insert(const std::string& name, Quota& kept, const std::string& key,
                const detail::QuotaSend& send) {
        kept.sends[key] = send;
        ++send_count;
        if (send.state == detail::QuotaSendState::open) {
            kept.lapsing.emplace(send.lapses_at, key);
        } else {
            forgotten_at.emplace(send.forget_at, name, key);
        }
    }

    void erase(const std::string& name, Quota& kept, const std::string& key) {
        const auto found = kept.sends.find(key);
        if (found == kept.sends.end()) return;
        kept.lapsing.erase({found->second.lapses_at, key});
        forgotten_at.erase({found->second.forget_at, name, key});
        kept.sends.erase(found);
        --send_count;
    }

    void lapse(const std::string& name, Quota& kept, detail::QuotaMicros now) {
        while (!kept.lapsing.empty() && kept.lapsing.begin()->first <= now) {
            const auto key = kept.lapsing.begin()->second;
            auto send = kept.sends[key];
            for (const auto& place : send.places) {
                const auto tally = kept.tallies.find(place);
                if (tally != kept.tallies.end()) give_back_lapsed(tally->second, send.cost);
            }
            send.state = detail::QuotaSendState::lapsed;
            erase(name, kept, key);
            insert(name, kept, key, send);
        }
    }

    /// Sends whose time has passed, of any quota; and what is then left of theirs.
    void forget(detail::QuotaMicros now) {
        while (!forgotten_at.empty() && std::get<0>(*forgotten_at.begin()) <= now) {
            const auto [at, name, key] = *forgotten_at.begin();
            const auto found = quotas.find(name);
            erase(name, found->second, key);
            std::erase_if(found->second.tallies,
                          [&](const auto& entry) { return entry.second.keep_until <= now; });
            if (found->second.tallies.empty() && found->second.sends.empty()) quotas.erase(found);
        }
    }

    const MemoryQuotasOptions options;
    std::mutex mutex = {};
    Quotas quotas = {};
    std::size_t send_count = 0;
    std::set<std::tuple<detail::QuotaMicros, std::string, std::string>> forgotten_at = {};
};

MemoryQuotas::MemoryQuotas(MemoryQuotasOptions options) {
    if (options.max_sends == 0) Error::invalid_request("max_sends", "is 0").raise();
    if (!options.clock) options.clock = system_clock();
    state_ = std::make_unique<State>(std::move(options));
}

MemoryQuotas::~MemoryQuotas() = default;

Result<QuotaReply> MemoryQuotas::reserve(const QuotaRequest& request) {
    if (auto checked = detail::check_quota_request(request); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    return detail::reserve_quota(*state_, request);
}

Result<QuotaSettlement> MemoryQuotas::settle(std::string_view quota, std::string_view send,
                                             std::int64_t actual,
                                             std::chrono::milliseconds remembered) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    if (auto checked = detail::check_quota_actual(actual); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    return detail::settle_quota(*state_, quota, send, actual, remembered);
}

Result<QuotaEnd> MemoryQuotas::release(std::string_view quota, std::string_view send) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    return detail::release_quota(*state_, quota, send);
}

Result<QuotaReply> MemoryQuotas::read(std::string_view quota,
                                      const std::vector<QuotaSlot>& time_slots) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    if (auto checked = detail::check_quota_slots(time_slots); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    return detail::read_quota(*state_, quota, time_slots);
}

Result<std::vector<QuotaCount>> MemoryQuotas::history(std::string_view quota, std::int64_t period,
                                                      TimePoint from, TimePoint to) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    const std::lock_guard lock(state_->mutex);
    if (auto loaded = state_->load(quota, {}, {}); !loaded) return loaded.error();
    std::vector<QuotaCount> counts;
    const auto found = state_->quotas.find(std::string{quota});
    if (found == state_->quotas.end()) return counts;
    const auto& tallies = found->second.tallies;
    const auto end = tallies.lower_bound({period, detail::quota_micros(to)});
    for (auto at = tallies.lower_bound({period, detail::quota_micros(from)});
         at != tallies.end() && at != end &&
         std::cmp_less(counts.size(), detail::most_quota_history);
         ++at) {
        const auto& tally = at->second;
        counts.push_back({period, detail::quota_time(tally.place.begin), tally.used, tally.open,
                          tally.peak, tally.peak});
    }
    return counts;
}

}  // namespace twiliowa
