#include <twiliowa/outbox/storage.hpp>

#include <twiliowa/state/store.hpp>

namespace twiliowa {

namespace detail {
namespace {

Error keeps_no_quotas() {
    return store_error("keeps no quotas", "bring its tables up to date, or count them elsewhere");
}

}  // namespace
}  // namespace detail

Result<std::optional<std::vector<QuotaCount>>> OutboxTransaction::take_quota(
    std::string_view, std::span<const CountedSlot>) {
    return detail::keeps_no_quotas();
}

Result<void> OutboxTransaction::count_quota(const QuotaUse&) {
    return detail::keeps_no_quotas();
}

Result<std::vector<QuotaCount>> OutboxTransaction::quota_history(std::string_view, std::int64_t,
                                                                 TimePoint, TimePoint) {
    return detail::keeps_no_quotas();
}

}  // namespace twiliowa
