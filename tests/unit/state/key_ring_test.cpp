#include <twiliowa/state/key_ring.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "support/show.hpp"

namespace key_ring_test {

using namespace twiliowa;
using twiliowa::test::containing;
using Strings = std::vector<std::string>;

namespace {

// What no error may hold.
constexpr std::string_view canary = "Q0FOQVJZLWNhbmFyeS1DQU5BUlktY2FuYXJ5LUNBTkE=";
constexpr std::string_view first = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr std::string_view second = "////////////////////////////////////////////";
const std::string second_whole = "//////////////////////////////////////////8=";  // 32 times ff

std::string text_of(const KeyRing& ring) {
    return std::string(ring.to_text().reveal());
}

Error refused(std::string_view text) {
    const auto ring = KeyRing::try_parse(text);
    REQUIRE_FALSE(ring.has_value());
    CHECK(ring.error().kind() == ErrorKind::invalid_request);
    CHECK(ring.error().effect() == Effect::none);
    return ring.error();
}

/// A file that goes with the test.
struct KeyFile {
    explicit KeyFile(std::string_view text, mode_t mode = 0600)
        : path(std::filesystem::temp_directory_path() /
               ("key_ring_test." + std::to_string(getpid()))) {
        std::ofstream{path, std::ios::binary} << text;
        ::chmod(path.c_str(), mode);
    }
    ~KeyFile() { std::filesystem::remove(path); }
    Result<KeyRing> read() const { return KeyRing::try_from_file(path.string()); }
    std::filesystem::path path;
};

/// A variable that goes with the test.
struct Variable {
    explicit Variable(const std::string& value) { setenv("KEY_RING_TEST", value.c_str(), 1); }
    ~Variable() { unsetenv("KEY_RING_TEST"); }
};

template <class T>
concept Streamed = requires(std::ostream& out, const T& value) {
    out << value;
};
static_assert(Streamed<std::string> && !Streamed<KeyRing>);

}  // namespace

TEST_CASE("a ring is read line by line, and the first key is the newest") {
    const auto ring = KeyRing::parse("# comment: no key\r\n\r\n  new : " + std::string(first) +
                                     "  \r\n\told_1-A:" + second_whole);
    CHECK(ring.ids() == Strings{"new", "old_1-A"});
    CHECK(ring.newest_id() == "new");
    CHECK(text_of(ring) == "new:" + std::string(first) + "\nold_1-A:" + second_whole + "\n");
}

TEST_CASE("a key is standard base64 or that for URLs, padded or not") {
    for (const std::string key : {"//////////////////////////////////////////8=",
                                  "//////////////////////////////////////////8",
                                  "__________________________________________8=",
                                  "__________________________________________8"}) {
        CAPTURE(key);
        CHECK(text_of(KeyRing::parse("k:" + key)) == "k:" + second_whole + "\n");
    }
}

TEST_CASE("a ring's text is read as the same ring") {
    const auto text = "b:" + std::string(first) + "\na:" + second_whole + "\n";
    CHECK(text_of(KeyRing::parse(text)) == text);
    CHECK(text_of(KeyRing::parse("\xef\xbb\xbf" + text)) == text);
}

TEST_CASE("an error names the line and what is wrong with it, and nothing that stands there") {
    const std::string good = "a:" + std::string(first) + "\n";
    const std::string secret{canary};
    struct Case {
        std::string line;
        std::string problem;
    };
    for (const auto& each : std::vector<Case>{
             {secret, "is no key"},
             {secret + ":b", "has an id that is not 1 to 16"},
             {":" + secret, "has an id that is not 1 to 16"},
             {"CANARY-canary-CAN:" + secret, "has an id that is not 1 to 16"},
             {"CANARY canary:" + secret, "has an id that is not 1 to 16"},
             {"CANARY.canary:" + secret, "has an id that is not 1 to 16"},
             {"CANARY\xc3\xa9:" + secret, "has an id that is not 1 to 16"},
             {"CANARY:", "no base64"},
             {"CANARY:\"" + secret + "\"", "no base64"},
             {"CANARY:" + secret + "=", "no base64"},
             {"CANARY:" + secret.substr(0, 10) + " " + secret.substr(10), "no base64"},
             {"CANARY:" + secret.substr(0, 42) + "B=", "no base64"},  // bits are left over
             {"CANARY:" + secret.substr(0, 40), "not of 32 bytes"},
             {"CANARY:" + secret.substr(0, 40) + secret, "not of 32 bytes"},
             {"CANARY:" + std::string(1000, 'A'), "no base64 of 32 bytes"},
             {"a:" + secret, "has the id of line 1"},
             {"CANARY:" + std::string(first), "has the key of line 1 under another id"},
         }) {
        CAPTURE(each.line);
        const auto error = refused(good + "\n" + each.line + "\n" + "z:" + second_whole);
        CHECK(error.field() == "line 3");
        CHECK(error.what() == containing(each.problem));
        CHECK_FALSE(error.hint().empty());
        for (const auto part : {"CANARY", "canary", "Q0FO", "AAEC"}) {
            CHECK_FALSE(error.what() == containing(part));
        }
    }
    CHECK(refused("a:" + std::string(second)).what() == containing("not of 32 bytes"));
}

TEST_CASE("a ring is never empty") {
    for (const auto text : {"", "\n\n", "# a:b\n", "\xef\xbb\xbf"}) {
        CHECK(refused(text).what() == containing("keys: are none"));
    }
}

TEST_CASE("a text of more than 64 KiB is no ring") {
    auto text = "a:" + std::string(first) + "\n";
    text.append((std::size_t{64} << 10U) - text.size(), '#');
    CHECK(KeyRing::try_parse(text).has_value());
    CHECK(refused(text + "#").what() == containing("64 KiB"));
}

TEST_CASE("a variable has its keys in one line, or in several") {
    for (const std::string between : {";", ",", "\n", " ; ", ",\n"}) {
        CAPTURE(between);
        const Variable variable{"new:" + std::string(first) + between + "old:" + second_whole};
        CHECK(KeyRing::from_environment("KEY_RING_TEST").ids() == Strings{"new", "old"});
    }
}

TEST_CASE("what is wrong with a variable is told by its name") {
    const auto unset = KeyRing::try_from_environment("KEY_RING_TEST");
    REQUIRE_FALSE(unset.has_value());
    CHECK(unset.error().field() == "KEY_RING_TEST");
    CHECK(unset.error().what() == containing("is not set"));
    {
        const Variable variable{"new:" + std::string(first) + ";old:" + std::string(canary) + "x"};
        const auto wrong = KeyRing::try_from_environment("KEY_RING_TEST");
        REQUIRE_FALSE(wrong.has_value());
        CHECK(wrong.error().field() == "KEY_RING_TEST");
        CHECK(wrong.error().what() ==
              containing("KEY_RING_TEST: key 2 has a key that is no base64"));
        CHECK_FALSE(wrong.error().what() == containing(canary));
    }
    const Variable variable{" ; "};
    CHECK(KeyRing::try_from_environment("KEY_RING_TEST").error().what() ==
          containing("KEY_RING_TEST: keys are none"));
}

TEST_CASE("the variable is TWILIOWA_KEYS unless another is named") {
    unsetenv("TWILIOWA_KEYS");
    const auto ring = KeyRing::try_from_environment();
    REQUIRE_FALSE(ring.has_value());
    CHECK(ring.error().field() == "TWILIOWA_KEYS");
}

TEST_CASE("a file is read if it is its owner's alone") {
    const auto text = "a:" + std::string(first) + "\n";
    for (const mode_t mode : {0600U, 0400U}) {
        CHECK(text_of(KeyFile{text, mode}.read().value()) == text);
    }
    for (const mode_t mode : {0640U, 0620U, 0610U, 0604U, 0602U, 0601U, 0644U, 0666U}) {
        CAPTURE(mode);
        const auto refusal = KeyFile{text, mode}.read();
        REQUIRE_FALSE(refusal.has_value());
        CHECK(refusal.error().field() == "path");
        CHECK(refusal.error().what() == containing("others than its owner"));
        CHECK(refusal.error().hint() == containing("chmod 600"));
    }
}

TEST_CASE("a file is refused that is too large, no file, or not there") {
    auto text = "a:" + std::string(first) + "\n";
    text.append((std::size_t{64} << 10U) - text.size(), '#');
    CHECK(KeyFile{text}.read().has_value());
    CHECK(KeyFile{text + "#"}.read().error().what() ==
          containing("path: is a file of more than 64 KiB"));
    const auto missing = KeyRing::try_from_file("/nonexistent/canary");
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().field() == "path");
    CHECK_FALSE(missing.error().what() == containing("canary"));
    const auto directory =
        std::filesystem::temp_directory_path() / ("key_ring_test.d." + std::to_string(getpid()));
    std::filesystem::create_directory(directory);
    ::chmod(directory.c_str(), 0700);
    CHECK(KeyRing::try_from_file(directory.string()).error().what() ==
          containing("is not a file that can be read"));
    std::filesystem::remove(directory);
}

TEST_CASE("a new key is a line of a ring, and no two are alike") {
    const auto one = KeyRing::new_key("2026-11");
    const auto other = KeyRing::new_key("2026-12");
    CHECK(one.reveal().find('\n') == std::string_view::npos);
    const auto ring =
        KeyRing::parse(std::string(other.reveal()) + "\n" + std::string(one.reveal()));
    CHECK(ring.ids() == Strings{"2026-12", "2026-11"});
    CHECK(text_of(ring) == std::string(other.reveal()) + "\n" + std::string(one.reveal()) + "\n");
    for (const auto id : {"", "a.b", "a:b", "seventeen-letters"}) {
        CHECK(KeyRing::try_new_key(id).error().field() == "id");
    }
}

TEST_CASE("a ring that is copied, assigned or moved from still has its keys") {
    auto ring = KeyRing::parse("a:" + std::string(first));
    auto moved = std::move(ring);
    CHECK(ring.newest_id() == "a");  // NOLINT(bugprone-use-after-move)
    ring = KeyRing::parse("b:" + second_whole);
    CHECK(moved.newest_id() == "a");
    CHECK(ring.newest_id() == "b");
}

}  // namespace key_ring_test
