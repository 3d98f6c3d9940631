#include <twiliowa/state/sealer.hpp>

#include <doctest/doctest.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "support/show.hpp"

namespace sealer_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using namespace std::string_literals;
using twiliowa::test::containing;
using twiliowa::testing::ManualClock;
using Strings = std::vector<std::string>;

namespace {

// Bytes 0 to 31; 31 zeros and ff; 32 times ff.
const std::string key_2026 = "2026:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const std::string key_abc = "a_b-C:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8=\n";
const std::string key_2027 = "2027://////////////////////////////////////////8=\n";

Sealer sealer_of(const std::string& keys) {
    return Sealer{KeyRing::parse(keys)};
}

// What the Python package `cryptography` makes of these keys, with the nonce d e f g h i j k l m n
// o:
//
//   def b64(b): return base64.urlsafe_b64encode(b).rstrip(b"=").decode()
//   def derived(key, use): return HKDF(SHA256(), 32, None, use).derive(key)
//   def seal(id, key, plain, associated):
//       head, nonce = b"tws1." + id + b".", b"defghijklmno"
//       return head.decode() + b64(nonce + AESGCM(derived(key, b"twiliowa tws1 seal"))
//                                  .encrypt(nonce, plain, head + associated))
//   def index(id, key, value, purpose):
//       h = HMAC(derived(key, b"twiliowa twi1 index"), SHA256())
//       for text in (purpose, value): h.update(struct.pack(">Q", len(text)) + text)
//       return "twi1." + id.decode() + "." + b64(h.finalize())
const std::string sealed_hello = "tws1.2026.ZGVmZ2hpamtsbW5vhucLdOZGAoMWCWJ9YtRmu08O1BE5o7D2eETp";
const std::string sealed_nothing = "tws1.2026.ZGVmZ2hpamtsbW5vgbIxfrewYOGYPwU2z3maqQ";
const std::string sealed_every_byte =
    "tws1.a_b-C."
    "ZGVmZ2hpamtsbW5vz1aL8SVTwJ8-CmIU462rTAJb62pVcUfXub8CiRgW67o2IJ25HGiK_Ri-7ijIvU_SEgl8IO0oDsi0"
    "PnJfVzKbWNfBj4vDdye-9mnKnRjpNUhHJotFuCeLRIyJTV3TiFH569EA7ZU2METMpvrDWgeuEDRQrsz8c3WZcY6XrQlR"
    "jJjrV_NVqDjl_m2wSZ6cFrCmuHEJPYTMW1XL-V0GXWPdMX8HChJXSzRJaxHfmld9qOKE-4_LetJI3acRDV5SiY6YUQ4W"
    "omN8MrPNhG2nMIOKxrFqKdKy6QFn47Odzrzc2XsquAuCtmJpNyge733cjV_pAvZd4geJ-dTRxn1azN93bXWvEzVfAeSc"
    "_vJEMcqlX7Q";

constexpr std::string_view row = "outbox/payload/17";

std::string every_byte() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

/// Tells why it does not open; nothing of what was sealed may be in it.
Error refused(const Sealer& sealer, std::string_view sealed, std::string_view associated = row) {
    const auto plain = sealer.open(sealed, associated);
    REQUIRE_FALSE(plain.has_value());
    CHECK(plain.error().effect() == Effect::none);
    CHECK_FALSE(plain.error().what() == containing("Ann"));
    CHECK_FALSE(plain.error().what() == containing("AAEC"));
    return plain.error();
}

/// A provider that tells what is set, and counts.
struct Vault {
    std::string keys = key_2026;
    std::optional<Error> failure = {};
    int asked = 0;

    KeyRingProvider provider() {
        return [this]() -> Result<KeyRing> {
            ++asked;
            if (failure) return *failure;
            return KeyRing::try_parse(keys);
        };
    }
};

}  // namespace

TEST_CASE("what another program has sealed opens") {
    const auto sealer = sealer_of(key_2026 + key_abc);
    CHECK(sealer.open(sealed_hello, row).value() == "Hello, Ann!");
    CHECK(sealer.open(sealed_nothing, "").value() == "");
    CHECK(sealer.open(sealed_every_byte, "\0x"s).value() == every_byte());
}

TEST_CASE("a blind index is that of another program") {
    const auto sealer = sealer_of(key_2026);
    CHECK(sealer.blind_index("+447700900123", "outbox/recipient").value() ==
          "twi1.2026.uiwEy4xZr2xoqnurEQUGfyZ5TJFN02ER6Gqj7GqMCkI");
    CHECK(sealer.blind_index("", "").value() ==
          "twi1.2026.--mKl1I0iOoGkedKrJxOZnV1HeKPF8XPnyOssHjUMK4");
    CHECK(sealer.blind_index(std::string(70'000, 'x'), std::string(300, 'y')).value() ==
          "twi1.2026.D3D-r_9xzO7aA2w9M6fnj85UkhzG0W865RcR34h9vyE");
}

TEST_CASE("what is sealed opens, at every length and with every byte") {
    const auto sealer = sealer_of(key_2026);
    const auto bytes = every_byte();
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        const auto plain = bytes.substr(bytes.size() - length);
        const auto sealed = sealer.seal(plain, row).value();
        CHECK(sealed.starts_with("tws1.2026."));
        CHECK(sealed.size() == 10 + ((12 + length + 16) * 4 + 2) / 3);
        CHECK(sealer.open(sealed, row).value() == plain);
    }
    CHECK(sealer.open(sealer.seal("x", bytes).value(), bytes).value() == "x");
}

TEST_CASE("one text is sealed as another each time") {
    const auto sealer = sealer_of(key_2026);
    std::set<std::string> all;
    for (int i = 0; i < 100; ++i) all.insert(sealer.seal("Hello, Ann!", row).value());
    CHECK(all.size() == 100);
}

TEST_CASE("a sealed text of which a bit has changed does not open") {
    const auto sealer = sealer_of(key_2026);
    int of_unknown_keys = 0;
    for (std::size_t i = 0; i < sealed_hello.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto altered = sealed_hello;
            altered[i] = static_cast<char>(static_cast<unsigned char>(altered[i]) ^ (1U << bit));
            CAPTURE(altered);
            const auto error = refused(sealer, altered);
            if (error.field() == "keys") {
                ++of_unknown_keys;
            } else {
                CHECK(error.field() == "sealed");
                CHECK(error.kind() == ErrorKind::invalid_request);
            }
        }
    }
    CHECK(of_unknown_keys > 0);
}

TEST_CASE("a sealed text that is cut or goes on does not open") {
    const auto sealer = sealer_of(key_2026);
    for (std::size_t size = 0; size < sealed_hello.size(); ++size) {
        CAPTURE(size);
        CHECK(refused(sealer, sealed_hello.substr(0, size)).field() == "sealed");
        if (size > 0) CHECK(refused(sealer, sealed_hello.substr(size)).field() == "sealed");
    }
    for (const auto more : {"A", "AA", "AAAA", "=", "==", "\n", "."}) {
        CHECK(refused(sealer, sealed_hello + more).field() == "sealed");
    }
    CHECK(refused(sealer, sealed_hello + '\0').field() == "sealed");
    CHECK(refused(sealer, " " + sealed_hello).field() == "sealed");
}

TEST_CASE("a text that was moved to another row does not open there") {
    const auto sealer = sealer_of(key_2026);
    const auto here = sealer.seal("Hello, Ann!", "outbox/payload/17").value();
    for (const auto there : {"", "outbox/payload/1", "outbox/payload/18", "outbox/payload/177",
                             "outbox/recipient/17", "2026.outbox/payload/17"}) {
        const auto error = refused(sealer, here, there);
        CHECK(error.field() == "sealed");
        CHECK(error.what() == containing("sealed for another place"));
    }
}

TEST_CASE(
    "neither version nor key id can be altered, even where the bytes of the keys are the same") {
    const auto sealed = sealer_of(key_2026).seal("Hello, Ann!", row).value();
    const auto same_key = sealer_of("other:" + key_2026.substr(5));
    CHECK(refused(same_key, "tws1.other." + sealed.substr(10)).field() == "sealed");
    // What is associated cannot make up for another id.
    const auto shorter = sealer_of("202:" + key_2026.substr(5));
    CHECK(refused(shorter, "tws1.202." + sealed.substr(10), "6.outbox/payload/17").field() ==
          "sealed");
}

TEST_CASE("each thing that can be wrong with a text is told by name") {
    const auto sealer = sealer_of(key_2026);
    CHECK(refused(sealer, "").what() == containing("is no sealed text"));
    CHECK(refused(sealer, "+447700900123").what() == containing("is no sealed text"));
    CHECK(refused(sealer, "tws1").what() == containing("is no sealed text"));
    CHECK(refused(sealer, "tws1.2026").what() == containing("is no sealed text"));
    CHECK(refused(sealer, "tws1.20 6.AAAA").what() == containing("is no sealed text"));
    CHECK(refused(sealer, "tws1..AAAA").what() == containing("is no sealed text"));
    CHECK(refused(sealer, "twsx.2026.AAAA").what() == containing("is no sealed text"));
    CHECK(refused(sealer, "TWS1" + sealed_hello.substr(4)).what() ==
          containing("is no sealed text"));
    CHECK(refused(sealer, "tws2" + sealed_hello.substr(4)).what() ==
          containing("is of a version that is not known here"));
    CHECK(refused(sealer, "tws11" + sealed_hello.substr(4)).what() == containing("of a version"));
    CHECK(refused(sealer, sealer.blind_index("x", "y").value()).what() ==
          containing("is a blind index"));
    CHECK(refused(sealer, "tws1.2026.").what() == containing("is cut or altered"));
    CHECK(refused(sealer, "tws1.2026.AAAA").what() == containing("is cut or altered"));
    CHECK(refused(sealer, "tws1.2026." + std::string(23 << 20, 'A')).what() ==
          containing("is longer than any sealed text"));
}

TEST_CASE("an unknown key is named, with the way out, and may come yet") {
    const auto error = refused(sealer_of(key_2027), sealed_hello);
    CHECK(error.kind() == ErrorKind::transport);
    CHECK(error.field() == "keys");
    CHECK(error.what() == containing("have none of the id 2026"));
    CHECK(error.hint() == containing("give the ring that key"));
}

TEST_CASE("another key of the same id does not open") {
    const auto other = sealer_of("2026:" + key_2027.substr(5));
    const auto error = refused(other, sealed_hello);
    CHECK(error.field() == "sealed");
    CHECK(error.what() == containing("another key of this id"));
}

TEST_CASE("after a rotation the old key opens and the newest seals") {
    const auto old_text = sealer_of(key_2026).seal("old", row).value();
    const auto rotated = sealer_of(key_2027 + key_2026);
    CHECK(rotated.open(old_text, row).value() == "old");
    CHECK_FALSE(rotated.made_with_newest(old_text).value());
    const auto new_text = rotated.seal("new", row).value();
    CHECK(Sealer::key_id_of(new_text) == "2027");
    CHECK(rotated.made_with_newest(new_text).value());
    CHECK(rotated.open(new_text, row).value() == "new");
    CHECK(refused(sealer_of(key_2026), new_text).field() == "keys");
}

TEST_CASE("a text tells whether it is sealed, and with which key") {
    const auto index = sealer_of(key_abc).blind_index("x", "y").value();
    CHECK(Sealer::is_sealed(sealed_hello));
    CHECK(Sealer::is_sealed(sealed_nothing));
    CHECK_FALSE(Sealer::is_sealed(index));
    CHECK(Sealer::key_id_of(sealed_hello) == "2026");
    CHECK(Sealer::key_id_of(index) == "a_b-C");
    CHECK(sealer_of(key_abc).made_with_newest(index).value());
    for (const auto& text :
         {""s, "Hello"s, "tws1."s, "tws1.2026."s, "tws1.2026.AAAA"s,
          sealed_nothing.substr(0, sealed_nothing.size() - 1), sealed_hello + "=",
          sealed_hello + ".", " " + sealed_hello, "tws2" + sealed_hello.substr(4),
          "tws1.." + sealed_hello.substr(10), "tws1.seventeen-letters" + sealed_hello.substr(9)}) {
        CAPTURE(text);
        CHECK_FALSE(Sealer::is_sealed(text));
        CHECK_FALSE(Sealer::key_id_of(text).has_value());
        CHECK_FALSE(sealer_of(key_2026).made_with_newest(text).value());
    }
    CHECK_FALSE(Sealer::key_id_of(index + "A").has_value());
    CHECK_FALSE(Sealer::key_id_of(index.substr(0, index.size() - 1)).has_value());
}

TEST_CASE("a blind index is equal for equal values of one purpose, and for nothing else") {
    const auto sealer = sealer_of(key_2026);
    const auto index = sealer.blind_index("+447700900123", "outbox/recipient").value();
    CHECK(sealer.blind_index("+447700900123", "outbox/recipient").value() == index);
    CHECK(sealer_of(key_2026).blind_index("+447700900123", "outbox/recipient").value() == index);
    CHECK(sealer.blind_index("+447700900124", "outbox/recipient").value() != index);
    CHECK(sealer.blind_index("+447700900123", "outbox/sender").value() != index);
    // The same bytes in a row, parted elsewhere.
    CHECK(sealer.blind_index("bc", "a").value() != sealer.blind_index("c", "ab").value());
    CHECK(sealer.blind_index("", "abc").value() != sealer.blind_index("abc", "").value());
    // Under another key that is called the same, and under the same that is called another.
    const auto of = [](const std::string& keys) {
        return sealer_of(keys).blind_index("+447700900123", "outbox/recipient").value();
    };
    CHECK(of("2026:" + key_2027.substr(5)) != index);
    CHECK(of("other:" + key_2026.substr(5)) != index);
}

TEST_CASE("a lookup knows the indexes of all keys, newest first") {
    const auto old_index = sealer_of(key_2026).blind_index("value", "purpose").value();
    const auto rotated = sealer_of(key_2027 + key_2026);
    const auto indexes = rotated.blind_indexes("value", "purpose").value();
    CHECK(indexes == Strings{rotated.blind_index("value", "purpose").value(), old_index});
    CHECK(indexes.front().starts_with("twi1.2027."));
    CHECK_FALSE(rotated.made_with_newest(old_index).value());
}

TEST_CASE("sealing and indexing have bounds, which are told by name") {
    const auto sealer = sealer_of(key_2026);
    std::string large(std::size_t{16} << 20U, 'x');
    const auto sealed = sealer.seal(large, "").value();
    CHECK(Sealer::is_sealed(sealed));
    CHECK(sealer.open(sealed, "").value() == large);
    large += 'x';
    CHECK(sealer.seal(large, "").error().field() == "plain");
    CHECK(sealer.blind_index(large, "").error().field() == "value");
    CHECK(sealer.blind_indexes(large, "").error().field() == "value");
    std::string name(std::size_t{64} << 10U, 'x');
    const auto bound = sealer.seal("Hello", name).value();
    CHECK(sealer.open(bound, name).value() == "Hello");
    CHECK(sealer.blind_index("Hello", name).has_value());
    name += 'x';
    CHECK(sealer.seal("Hello", name).error().field() == "associated");
    CHECK(sealer.open(bound, name).error().field() == "associated");
    CHECK(sealer.blind_index("Hello", name).error().field() == "purpose");
    CHECK(sealer.blind_indexes("Hello", name).error().field() == "purpose");
    CHECK(sealer.seal("Hello", name).error().what() == containing("64 KiB"));
}

TEST_CASE("a text that does not open leaves OpenSSL's notes of the thread as they were") {
    const auto sealer = sealer_of(key_2026);
    ERR_clear_error();
    refused(sealer, sealed_hello, "another row");
    CHECK(ERR_peek_error() == 0);
    ERR_raise(ERR_LIB_USER, 1);
    refused(sealer, sealed_hello, "another row");
    CHECK(ERR_GET_REASON(ERR_get_error()) == 1);
    CHECK(ERR_get_error() == 0);
}

TEST_CASE("an OpenSSL without AES-256-GCM is an error, and leaves no note either") {
    REQUIRE(EVP_set_default_properties(nullptr, "provider=none") == 1);
    const auto sealer = sealer_of(key_2026);
    const auto sealed = sealer.seal("x", row);
    const auto error = refused(sealer, sealed_hello);
    REQUIRE(EVP_set_default_properties(nullptr, "") == 1);
    CHECK(sealed.error().field() == "keys");
    CHECK(error.kind() == ErrorKind::transport);
    CHECK(error.field() == "keys");
    CHECK(error.what() == containing("OpenSSL refused AES-256-GCM"));
    CHECK(ERR_get_error() == 0);
}

TEST_CASE("a provider is asked at the first use, and then no more") {
    Vault vault;
    const auto clock = std::make_shared<ManualClock>();
    const Sealer sealer{vault.provider(), {.clock = clock}};
    CHECK(vault.asked == 0);
    for (int i = 0; i < 3; ++i) {
        CHECK(sealer.open(sealer.seal("Hello", row).value(), row).value() == "Hello");
        CHECK(sealer.blind_index("Hello", "x").has_value());
        clock->advance(1h);
    }
    CHECK(sealer.made_with_newest(sealed_hello).value());
    CHECK(vault.asked == 1);
}

TEST_CASE("a provider is asked again for a key that is not known, at most once a second") {
    Vault vault;
    vault.keys = key_2027;
    const auto clock = std::make_shared<ManualClock>();
    const Sealer sealer{vault.provider(), {.clock = clock}};
    CHECK(refused(sealer, sealed_hello).field() == "keys");
    CHECK(vault.asked == 1);
    clock->advance(999ms);
    CHECK(refused(sealer, sealed_hello).what() == containing("have none of the id 2026"));
    CHECK(vault.asked == 1);
    clock->advance(1ms);
    CHECK(refused(sealer, sealed_hello).what() == containing("have none of the id 2026"));
    CHECK(refused(sealer, sealed_hello).field() == "keys");
    CHECK(vault.asked == 2);

    vault.keys = key_2027 + key_2026;
    clock->advance(1s);
    CHECK(sealer.open(sealed_hello, row).value() == "Hello, Ann!");
    CHECK(vault.asked == 3);
    CHECK(Sealer::key_id_of(sealer.seal("x", row).value()) == "2027");
    clock->advance(1h);
    CHECK(sealer.open(sealed_hello, row).has_value());
    CHECK(vault.asked == 3);
}

TEST_CASE("what is no sealed text asks no provider") {
    Vault vault;
    const Sealer sealer{vault.provider()};
    refused(sealer, "Hello");
    refused(sealer, "tws2.2025.AAAA");
    CHECK(vault.asked == 0);
}

TEST_CASE("a refresh rotates at once, for all copies") {
    Vault vault;
    const auto clock = std::make_shared<ManualClock>();
    const Sealer sealer{vault.provider(), {.clock = clock}};
    const Sealer copy = sealer;
    CHECK(Sealer::key_id_of(copy.seal("x", row).value()) == "2026");
    vault.keys = key_2027 + key_2026;
    CHECK(sealer.refresh().has_value());
    CHECK(Sealer::key_id_of(copy.seal("x", row).value()) == "2027");
    CHECK(vault.asked == 2);
    vault.keys = key_2027;  // and the old one goes
    CHECK(copy.refresh().has_value());
    CHECK(refused(sealer, sealed_hello).field() == "keys");
    CHECK(sealer_of(key_2026).refresh().has_value());
}

TEST_CASE("what a provider fails with is the error, and the keys of before stay") {
    Vault vault;
    const auto clock = std::make_shared<ManualClock>();
    const Sealer sealer{vault.provider(), {.clock = clock}};
    vault.failure = store_error("vault is sealed");
    CHECK(sealer.seal("x", row).error().what() == containing("vault is sealed"));
    CHECK(sealer.seal("x", row).error().what() == containing("vault is sealed"));
    CHECK(sealer.blind_index("x", row).error().field() == "store");
    CHECK(refused(sealer, sealed_hello).field() == "store");
    CHECK(vault.asked == 1);  // once a second
    vault.failure.reset();
    clock->advance(1s);
    CHECK(sealer.seal("x", row).has_value());
    CHECK(vault.asked == 2);

    vault.failure = store_error("vault is away");
    clock->advance(1s);
    CHECK(sealer.refresh().error().what() == containing("vault is away"));
    CHECK(sealer.open(sealed_hello, row).has_value());
    CHECK(sealer.seal("x", row).has_value());
    // For a key that is not known it would be asked, and so its failure is what is wrong.
    const auto unknown = sealer_of(key_2027).seal("x", row).value();
    CHECK(refused(sealer, unknown).what() == containing("vault is away"));
    CHECK(vault.asked == 3);
    vault.failure.reset();
    CHECK(sealer.refresh().has_value());
    CHECK(refused(sealer, unknown).what() == containing("have none of the id 2027"));
}

TEST_CASE("an exception of a provider is an error without its text") {
    const Sealer throwing{[]() -> Result<KeyRing> { throw std::runtime_error("canary"); }};
    const auto error = throwing.seal("x", row).error();
    CHECK(error.kind() == ErrorKind::transport);
    CHECK(error.field() == "keys");
    CHECK(error.what() == containing("threw an exception"));
    CHECK_FALSE(error.what() == containing("canary"));
    const Sealer throwing_an_int{[]() -> Result<KeyRing> { throw 1; }};
    CHECK(throwing_an_int.refresh().error().field() == "keys");
    CHECK_THROWS_AS(Sealer{KeyRingProvider{}}, InvalidRequestError);
}

TEST_CASE("a sealer that was moved from still seals") {
    auto sealer = sealer_of(key_2026);
    const auto moved = std::move(sealer);
    CHECK(sealer.seal("x", row).has_value());  // NOLINT(bugprone-use-after-move)
    CHECK(moved.seal("x", row).has_value());
}

}  // namespace sealer_test
