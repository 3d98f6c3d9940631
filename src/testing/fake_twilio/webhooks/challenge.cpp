#include "testing/fake_twilio/webhooks/challenge.hpp"

#include <openssl/evp.h>

#include <array>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "text/ascii.hpp"
#include "text/base64.hpp"
#include "text/hex.hpp"

namespace twiliowa::testing::fake {

namespace {

struct FakeChallenge {
    std::string scheme = {};
    std::map<std::string, std::string, std::less<>> parameters = {};

    std::string_view get(std::string_view name) const {
        const auto found = parameters.find(name);
        return found == parameters.end() ? std::string_view{} : std::string_view{found->second};
    }
};

std::string lower_challenge_word(std::string_view text) {
    std::string lower{text};
    for (char& c : lower) c = detail::ascii_lower(c);
    return lower;
}

/// The parts between commas that are not in quotes.
std::vector<std::string_view> split_challenges(std::string_view text) {
    std::vector<std::string_view> parts;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && quoted) {
            ++at;
        } else if (text[at] == '"') {
            quoted = !quoted;
        } else if (text[at] == ',' && !quoted) {
            parts.push_back(detail::trim(text.substr(begin, at - begin), detail::blanks));
            begin = at + 1;
        }
    }
    parts.push_back(detail::trim(text.substr(begin), detail::blanks));
    return parts;
}

std::string unquote_challenge(std::string_view text) {
    if (!text.starts_with('"')) return std::string{text};
    std::string plain;
    for (std::size_t at = 1; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        plain += text[at];
    }
    return plain;
}

void read_challenges(std::string_view header, std::vector<FakeChallenge>& challenges) {
    for (auto part : split_challenges(header)) {
        // `Digest realm="x"` begins a challenge, as does a lone `Negotiate`; `nonce="y"` goes on.
        const auto space = part.find(' ');
        const auto equals = part.find('=');
        if (equals == std::string_view::npos || space < equals) {
            challenges.push_back({lower_challenge_word(part.substr(0, space)), {}});
            part = space == std::string_view::npos
                       ? std::string_view{}
                       : detail::trim(part.substr(space), detail::blanks);
        }
        const auto sign = part.find('=');
        if (sign == std::string_view::npos || challenges.empty()) continue;
        challenges.back().parameters.emplace(
            lower_challenge_word(detail::trim(part.substr(0, sign), detail::blanks)),
            unquote_challenge(detail::trim(part.substr(sign + 1), detail::blanks)));
    }
}

std::string hex_digest_of(const EVP_MD* algorithm, const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr) != 1) {
        return {};
    }
    return detail::bytes_in_hex(std::span(digest).first(size));
}

std::string quote_challenge(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

bool offers_plain_auth(std::string_view qop) {
    for (const auto word : split_challenges(qop)) {
        if (detail::equals_ignoring_case(word, "auth")) return true;
    }
    return false;
}

std::string answer_digest(const FakeChallenge& challenge, const FakeChallenged& challenged) {
    const auto named = challenge.get("algorithm");
    const bool sha256 = detail::equals_ignoring_case(named, "SHA-256");
    if (!named.empty() && !sha256 && !detail::equals_ignoring_case(named, "MD5")) return {};
    const auto qop = challenge.get("qop");
    if (!qop.empty() && !offers_plain_auth(qop)) return {};

    const auto hash = [&](const std::string& text) {
        return hex_digest_of(sha256 ? EVP_sha256() : EVP_md5(), text);
    };
    const std::string user{challenged.user};
    const std::string realm{challenge.get("realm")};
    const std::string nonce{challenge.get("nonce")};
    const std::string own_nonce{challenged.nonce};
    const auto who = hash(user + ":" + realm + ":" + std::string{challenged.password});
    const auto what = hash(std::string{challenged.method} + ":" + std::string{challenged.target});
    const auto counted = qop.empty() ? std::string{} : ":00000001:" + own_nonce + ":auth";
    const auto response = hash(who + ":" + nonce + counted + ":" + what);
    if (who.empty() || response.empty()) return {};  // This OpenSSL has no MD5.

    std::string answer = "Digest username=" + quote_challenge(user) +
                         ", realm=" + quote_challenge(realm) + ", nonce=" + quote_challenge(nonce) +
                         ", uri=" + quote_challenge(challenged.target) + ", response=\"" +
                         response + "\"";
    if (!named.empty()) answer += ", algorithm=" + std::string{named};
    if (!qop.empty()) answer += ", qop=auth, nc=00000001, cnonce=" + quote_challenge(own_nonce);
    if (const auto opaque = challenge.get("opaque"); !opaque.empty()) {
        answer += ", opaque=" + quote_challenge(opaque);
    }
    return answer;
}

std::string answer_basic(const FakeChallenged& challenged) {
    std::string answer = "Basic ";
    detail::append_base64(answer,
                          std::string{challenged.user} + ":" + std::string{challenged.password});
    return answer;
}

}  // namespace

std::string answer_challenge(const HttpHeaders& headers, const FakeChallenged& challenged) {
    std::vector<FakeChallenge> challenges;
    for (const auto& [name, value] : headers) {
        if (detail::equals_ignoring_case(name, "WWW-Authenticate"))
            read_challenges(value, challenges);
    }
    for (const auto& challenge : challenges) {
        if (challenge.scheme != "digest") continue;
        if (auto answer = answer_digest(challenge, challenged); !answer.empty()) return answer;
    }
    for (const auto& challenge : challenges) {
        if (challenge.scheme == "basic") return answer_basic(challenged);
    }
    return {};
}

}  // namespace twiliowa::testing::fake
