#include "text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include <twiliowa/types/error.hpp>

namespace support {

std::string hex(std::span<const unsigned char> bytes) {
    std::string text;
    for (const unsigned byte : bytes) {
        for (const auto digit : {byte >> 4U, byte & 15U}) text += "0123456789abcdef"[digit];
    }
    return text;
}

std::string sha256(std::string_view text) {
    unsigned char digest[32]{};
    EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha256(), nullptr);
    return hex(digest);
}

bool is_plain_name(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '_' || c == '-';
           });
}

std::string contents_of(const std::string& path, const char* name) {
    std::ifstream file{path, std::ios::binary};
    if (!file) twiliowa::Error::invalid_request(name, "is no file").raise();
    return std::string{std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace support
