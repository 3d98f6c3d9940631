/// @file
/// What stores that write several entries at once have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// Refuses an entry of more than `most` bytes, key and value together.
inline Result<void> check_entry_size(std::string_view key, std::string_view value,
                                     std::size_t most) {
    if (key.size() <= most && value.size() <= most - key.size()) return {};
    return store_error("refuses an entry of that size", "raise max_entry_bytes");
}

/// compare_and_set, of a store that writes one as it writes several.
inline Result<std::uint64_t> write_alone(Store& store, const StoreWrite& write) {
    const auto versions = store.compare_and_set_each({&write, 1});
    if (!versions) return versions.error();
    return versions->front();
}

}  // namespace twiliowa::detail
