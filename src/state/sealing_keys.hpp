/// @file
/// What a Sealer works with: the keys that are derived from those of a ring.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/result.hpp>

#include "state/aes_gcm.hpp"
#include "types/hmac.hpp"

namespace twiliowa::detail {

inline constexpr std::string_view sealed_version = "tws1";
inline constexpr std::string_view index_version = "twi1";

/// One key of a ring, which itself neither seals nor indexes: for each there is one derived from
/// it.
class SealingKey {
public:
    SealingKey(std::string_view id, std::string_view secret, AesGcm::Cipher cipher);

    const std::string& id() const noexcept { return id_; }
    Result<std::string> seal(std::string_view plain, std::string_view associated) const;
    /// @param sealed  what stands behind version and id.
    Result<std::string> open(std::string_view sealed, std::string_view associated) const;
    std::string blind_index(std::string_view value, std::string_view purpose) const;

private:
    std::string id_;
    /// Version and id, as a sealed text begins: part of what the tag is made of.
    std::string sealed_head_;
    AesGcm cipher_;
    HmacKey index_key_;
};

/// All of a ring, newest first; never empty.
using SealingKeys = std::vector<SealingKey>;

/// Null if there is none of that id.
const SealingKey* find_key(const SealingKeys& keys, std::string_view id) noexcept;

/// A sealed text, or a blind index, by its form: `version.id.data`.
struct SealedForm {
    std::string_view version = {};
    std::string_view id = {};
    std::string_view data = {};  ///< Not decoded.
};
/// What stands where; empty if it has another form, and an id that is none is empty, too.
SealedForm form_of_sealed(std::string_view text) noexcept;

/// A text that will never open.
Error sealed_error(std::string_view problem, std::string_view hint = {});

}  // namespace twiliowa::detail
