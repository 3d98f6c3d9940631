/// @file
/// Data at rest that tells nothing to who steals the file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/key_ring.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of Sealer.
struct SealerOptions {
    /// Default: the machine's. Only how long ago the provider was asked goes by it.
    std::shared_ptr<Clock> clock = {};
};

/// Seals texts with the newest key of a KeyRing, and opens what any of its keys has sealed:
/// AES-256-GCM with a random nonce. Thread-safe; cheap to copy, and copies share the keys.
///
/// A sealed text is `tws1.ID.DATA`, with the key's id and, in base64 for URLs without padding, the
/// nonce, the ciphertext and the tag: a third longer than what it holds, and 45 to 60 characters. A
/// blind index is `twi1.ID.DATA`. Both are interfaces: docs/keys.md says how other programs make
/// and read them. What is sealed keeps its length from nobody, and a blind index that two values
/// are equal.
///
/// Keys come from a ring, or from a provider. The provider is asked at the first use, at `refresh`,
/// and when a text names a key that is not known, but then at most once a second. As long as it
/// fails, the keys are those of before.
///
/// Errors of all methods, effect none:
/// - InvalidRequestError, field "sealed": the text does not open, and never will. It is no sealed
///   text, of another version, cut, altered, or sealed for another place.
/// - TransportError, field "keys": the text names a key that the ring does not have, or the
///   provider threw an exception, or OpenSSL failed. May pass.
/// - InvalidRequestError, field "plain" or "associated", "value" or "purpose": too long.
/// - What the provider answered.
///
/// None holds anything of a key or of what was sealed. Only std::bad_alloc is thrown.
class TWILIOWA_EXPORT Sealer {
public:
    explicit Sealer(const KeyRing& keys);
    /// @throws InvalidRequestError if there is no provider.
    explicit Sealer(KeyRingProvider keys, SealerOptions options = {});
    // Moved from it would be without keys: it is copied.
    Sealer(const Sealer&) = default;
    Sealer& operator=(const Sealer&) = default;
    ~Sealer() = default;

    /// Seals up to 16 MiB. Each time another text comes out.
    /// @param associated  what the text is bound to, up to 64 KiB: whoever opens it must say the
    ///     same. Name table, column and row, in a way that no two places share, so that a text
    ///     moved to another row does not open. It is not kept in what comes out.
    Result<std::string> seal(std::string_view plain, std::string_view associated) const;
    /// What was sealed, if not a bit of it has changed.
    Result<std::string> open(std::string_view sealed, std::string_view associated) const;

    /// A text by which a sealed value can be found: always the same for one value and purpose under
    /// one key, from which nobody without the key can tell the value. By the newest key.
    /// @param value    up to 16 MiB. Equal is what has equal bytes: normalize it first.
    /// @param purpose  where it is used, up to 64 KiB, such as table and column: indexes of one
    ///     value for two purposes have nothing in common.
    Result<std::string> blind_index(std::string_view value, std::string_view purpose) const;
    /// One for each key of the ring, newest first: what to look for as long as rows are left that
    /// were indexed with an older key.
    Result<std::vector<std::string>> blind_indexes(std::string_view value,
                                                   std::string_view purpose) const;

    /// Asks the provider again, however short ago that was. Nothing to do for a ring.
    Result<void> refresh() const;

    /// Whether a sealed text or a blind index is of the newest key; otherwise make it anew. False
    /// for any other text.
    Result<bool> made_with_newest(std::string_view text) const;
    /// The id of the key that a sealed text or a blind index was made with; nullopt for any other
    /// text. Not verified.
    static std::optional<std::string> key_id_of(std::string_view text);
    /// Whether it has the form of a sealed text. Whether it opens, only `open` can tell.
    static bool is_sealed(std::string_view text) noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace twiliowa
