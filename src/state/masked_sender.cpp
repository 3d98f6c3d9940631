#include "state/masked_sender.hpp"

#include <utility>

#include "state/keyed_hash.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::string_view masked_sender_purpose = "twiliowa limiter sender";

}  // namespace

Result<std::optional<std::string>> blind_index_of(const Sealer& sealer, std::string_view text,
                                                  std::string_view purpose,
                                                  std::string_view key_id) {
    auto indexes = sealer.blind_indexes(text, purpose);
    if (!indexes) return indexes.error();
    for (auto& index : *indexes) {
        if (Sealer::key_id_of(index) == key_id) return std::optional<std::string>{std::move(index)};
    }
    return std::optional<std::string>{};
}

Result<std::string> masked_sender(std::string_view sender, const std::optional<Sealer>& sealer,
                                  std::string_view key_id) {
    if (!sealer) return keyed_hash(masked_sender_purpose, sender);
    auto index = blind_index_of(*sealer, sender, masked_sender_purpose, key_id);
    if (!index) return index.error();
    if (*index) return std::move(**index);
    return Error{{.kind = ErrorKind::transport,
                  .effect = Effect::none,
                  .summary = "the key ring has no key of that id",
                  .field = "keys"}};
}

}  // namespace twiliowa::detail
