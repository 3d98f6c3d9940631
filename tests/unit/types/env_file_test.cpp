#include <twiliowa/types/env_file.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "support/show.hpp"

namespace env_file_test {

using namespace twiliowa;
using twiliowa::test::containing;

namespace {

/// A file that goes with the test, and so do the variables ENV_TEST_A to ENV_TEST_Z.
struct File {
    explicit File(const std::string& text)
        : path(std::filesystem::temp_directory_path() /
               ("env_file_test." + std::to_string(getpid()))) {
        clear();
        std::ofstream{path, std::ios::binary} << text;
    }
    ~File() {
        std::filesystem::remove(path);
        clear();
    }
    static void clear() {
        for (char c = 'A'; c <= 'Z'; ++c) unsetenv(name(c).c_str());
    }
    static std::string name(char c) { return std::string{"ENV_TEST_"} + c; }
    Result<std::size_t> load() const { return try_load_env_file(path.string()); }
    std::filesystem::path path;
};

std::string value(char c) {
    const char* found = std::getenv(File::name(c).c_str());
    return found == nullptr ? "(not set)" : found;
}

}  // namespace

TEST_CASE("an env file sets what its lines say, in each way of writing it") {
    const File file{
        "\xef\xbb\xbf# comment\n"
        "ENV_TEST_A=plain\r\n"
        "  export ENV_TEST_B = spaced out   # and a comment\n"
        "\n"
        "ENV_TEST_C='single # \\n $HOME'  # comment\n"
        "ENV_TEST_D=\"double \\\"quoted\\\" \\\\ \\n\\t\\$HOME # $HOME\"\n"
        "ENV_TEST_E=\n"
        "ENV_TEST_F=#nothing\n"
        "ENV_TEST_G=a#b=c\n"
        "export\tENV_TEST_H=\"\"\n"
        "ENV_TEST_I=last"};
    CHECK(file.load().value() == 9);
    CHECK(value('A') == "plain");
    CHECK(value('B') == "spaced out");
    CHECK(value('C') == "single # \\n $HOME");
    CHECK(value('D') == "double \"quoted\" \\ \n\t$HOME # $HOME");
    CHECK(value('E') == "");
    CHECK(value('F') == "");
    CHECK(value('G') == "a#b=c");
    CHECK(value('H') == "");
    CHECK(value('I') == "last");
}

TEST_CASE("what is set already wins, and of two lines the first") {
    const File file{"ENV_TEST_A=file\nENV_TEST_B=first\nENV_TEST_B=second\n"};
    setenv("ENV_TEST_A", "environment", 1);
    CHECK(file.load().value() == 1);
    CHECK(value('A') == "environment");
    CHECK(value('B') == "first");
}

TEST_CASE(
    "a line that is no variable is refused by its number, tells nothing, and nothing is set") {
    const std::string lines[] = {
        "canary",
        "=canary",
        "1X=canary",
        "EN V=canary",
        "export =canary",
        "ENV_TEST_B=\"canary",
        "ENV_TEST_B='canary",
        "ENV_TEST_B=\"a\"canary",
        "ENV_TEST_B='a'#canary",
        "ENV_TEST_B=\"canary\\\"",
        std::string{"ENV_TEST_B=canary\0", 18},
        "caf\xc3\xa9=canary",
    };
    for (const auto& line : lines) {
        const File file{"ENV_TEST_A=1\n\n" + line + "\nENV_TEST_C=3\n"};
        INFO(line);
        const auto loaded = file.load();
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().field() == "line 3");
        CHECK(loaded.error().what() != containing("canary"));
        CHECK(value('A') == "(not set)");
    }
}

TEST_CASE("a file that is missing, a directory or too large is refused as the path") {
    CHECK(try_load_env_file("/nowhere/.env").error().field() == "path");
    CHECK(try_load_env_file("/").error().field() == "path");
    const File large{std::string((1u << 20) + 1, '#')};
    CHECK(large.load().error().field() == "path");
    const File empty{""};
    CHECK(empty.load().value() == 0);
    CHECK_THROWS_AS(load_env_file("/nowhere/.env"), InvalidRequestError);
}

}  // namespace env_file_test
