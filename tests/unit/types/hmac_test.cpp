#include "types/hmac.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace hmac_test {

using namespace std::string_literals;
using namespace twiliowa::detail;

namespace {

std::string sha1(const std::string& key, const std::string& data) {
    return hex_of(HmacKey{key, HmacHash::sha1}.sign({data}));
}

std::string sha256(const std::string& key, const std::string& data) {
    return hex_of(HmacKey{key, HmacHash::sha256}.sign({data}));
}

/// 01 02 ... 19
std::string counted_key() {
    std::string key;
    for (char c = 1; c <= 25; ++c) key += c;
    return key;
}

}  // namespace

TEST_CASE("HMAC-SHA-1 is that of RFC 2202") {
    CHECK(sha1(std::string(20, '\x0b'), "Hi There") == "b617318655057264e28bc0b6fb378c8ef146be00");
    CHECK(sha1("Jefe", "what do ya want for nothing?") ==
          "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    CHECK(sha1(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
          "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
    CHECK(sha1(counted_key(), std::string(50, '\xcd')) ==
          "4c9007f4026250c6bc8414f9bf50c86c2d7235da");
    CHECK(sha1(std::string(20, '\x0c'), "Test With Truncation") ==
          "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04");
    CHECK(sha1(std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
          "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    CHECK(sha1(std::string(80, '\xaa'),
               "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data") ==
          "e8e99d0f45237d786d6bbaa7965c7808bbff1a91");
}

TEST_CASE("HMAC-SHA-256 is that of RFC 4231") {
    CHECK(sha256(std::string(20, '\x0b'), "Hi There") ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(sha256("Jefe", "what do ya want for nothing?") ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(sha256(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    CHECK(sha256(counted_key(), std::string(50, '\xcd')) ==
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    CHECK(sha256(std::string(20, '\x0c'), "Test With Truncation")
              .starts_with("a3b6167473100ee06e0c796c2955552b"));
    CHECK(sha256(std::string(131, '\xaa'),
                 "Test Using Larger Than Block-Size Key - Hash Key First") ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK(sha256(std::string(131, '\xaa'),
                 "This is a test using a larger than block-size key and a larger than block-size "
                 "data. The key needs to be hashed before being used by the HMAC algorithm.") ==
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("a key of exactly one block is used as it is, one of a byte more by its hash") {
    // Both by `printf abc | openssl dgst -sha1 -hmac "$(printf 'k%.0s' {1..64})"`, and 65.
    CHECK(sha1(std::string(64, 'k'), "abc") == "7c44f6972fe89fcc6df413921b6e3616adffa964");
    CHECK(sha1(std::string(65, 'k'), "abc") == "5a862526949f6b70acd6243269508b526c52d2a0");
    CHECK(sha1("k", "abc") == sha1("k\0\0"s, "abc"));  // shorter ones are filled with zeros
}

TEST_CASE("a key derived without salt is that of RFC 5869") {
    CHECK(hex_of(hkdf_sha256(std::string(22, '\x0b'), {})) ==  // A.3, its first 32 bytes
          "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:secret -kdfopt info:use HKDF
    CHECK(hex_of(hkdf_sha256("secret", "use")) ==
          "5dd2e95bba315c0205825f2b1cb6784c94b09153adbcfdc9e573ce1b57f6dd60");
}

TEST_CASE("pieces are signed as if they were one text, and a key can sign again") {
    for (const auto hash : {HmacHash::sha1, HmacHash::sha256}) {
        const HmacKey key{"key", hash};
        CHECK(key.hash() == hash);
        const auto whole = hex_of(key.sign({"https://example.com/aBodyhello"}));
        CHECK(hex_of(key.sign({"https://example.com", "/a", "", "Bodyhello"})) == whole);
        const HmacKey copy = key;
        CHECK(hex_of(copy.sign({"https://example.com/aBodyhello"})) == whole);
        CHECK(whole.size() == 2 * hmac_size(hash));
    }
}

TEST_CASE("digests are equal in all of their bytes and their size") {
    const auto digest = HmacKey{"key", HmacHash::sha1}.sign({"text"});
    CHECK(equal_in_constant_time(digest, digest));
    for (std::size_t i = 0; i < digest.size; ++i) {
        auto other = digest;
        other.bytes[i] ^= 1;
        CHECK_FALSE(equal_in_constant_time(digest, other));
    }
    auto longer = digest;
    longer.size = 32;
    CHECK_FALSE(equal_in_constant_time(digest, longer));
    CHECK_FALSE(equal_in_constant_time(longer, digest));
}

TEST_CASE("a digest goes to base64 and back; text of another length is none") {
    for (const auto hash : {HmacHash::sha1, HmacHash::sha256}) {
        const auto digest = HmacKey{"key", hash}.sign({"text"});
        const auto text = encode_hmac(digest);
        const auto decoded = decode_hmac(text);
        REQUIRE(decoded.has_value());
        CHECK(equal_in_constant_time(*decoded, digest));
        CHECK_FALSE(decode_hmac(text.substr(0, text.size() - 4)).has_value());
        CHECK_FALSE(decode_hmac(text + "AAAA").has_value());
        CHECK_FALSE(decode_hmac(text.substr(0, text.size() - 1)).has_value());
    }
    CHECK_FALSE(decode_hmac("").has_value());
    CHECK_FALSE(decode_hmac(std::string(1000, 'A')).has_value());
}

TEST_CASE("the hash of a body is SHA-256 in lower-case hex") {
    const auto text = [](std::string_view bytes) {
        const auto digits = sha256_hex(bytes);
        return std::string(digits.data(), digits.size());
    };
    CHECK(text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace hmac_test
