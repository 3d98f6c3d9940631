/// @file
/// Finding the key and the spelling of the URL that make a signature, and what went wrong where
/// none does.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <twiliowa/request_validator.hpp>

#include "net/url.hpp"
#include "types/hmac.hpp"

namespace twiliowa::detail {

/// A key, and where it was in the list that it came from.
struct SignatureKey {
    HmacKey key;
    std::size_t index = 0;
};
using SignatureKeys = std::vector<SignatureKey>;

/// Without the empty ones.
SignatureKeys prepare_keys(const std::vector<SigningKey>& keys);

/// Tries keys and spellings. `keys` and `signature` must outlive it.
class SignatureMatcher {
public:
    SignatureMatcher(const SignatureKeys& keys, const HmacDigest& signature) noexcept
        : keys_(keys), signature_(signature) {}

    bool has_key() const noexcept;
    /// The index of the key that signed exactly this.
    std::optional<std::size_t> match_exactly(std::string_view origin, std::string_view port,
                                             std::string_view rest,
                                             std::string_view text) const noexcept;
    /// The same with any port that Twilio may have put there.
    std::optional<std::size_t> match_ports(const UrlParts& url, std::string_view rest,
                                           std::string_view text) const noexcept;
    /// And with any spelling of apostrophes.
    std::optional<std::size_t> match(const UrlParts& url, std::string_view text) const;

private:
    bool fits(const SignatureKey& key) const noexcept {
        return hmac_size(key.key.hash()) == signature_.size;
    }

    const SignatureKeys& keys_;
    const HmacDigest& signature_;
};

/// What to say of a signature that nothing fitted: tries what goes wrong most, and names it. None
/// of it makes a request pass. Of a `text` far longer than Twilio's forms only what always holds is
/// said: whoever forges a request does not get to choose how much work it makes.
std::string_view mismatch_hint(const SignatureMatcher& matcher, const UrlParts& url,
                               std::string_view text);

/// Longest text of a form for which causes are guessed: the longest message of Twilio's, 1600
/// characters of four bytes, with all that goes along has less than half of it.
inline constexpr std::size_t longest_guessed_text = std::size_t{32} * 1024;

}  // namespace twiliowa::detail
