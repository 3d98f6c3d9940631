#include "sqlite/row_values.hpp"

#include <limits>

namespace twiliowa::detail {

std::int64_t row_limit(std::size_t limit) noexcept {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return limit > static_cast<std::size_t>(most) ? most : static_cast<std::int64_t>(limit);
}

}  // namespace twiliowa::detail
