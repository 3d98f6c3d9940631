#include <twiliowa/types/split_text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace split_text_test {

using twiliowa::split_text;
using Pieces = std::vector<std::string>;

TEST_CASE("a text is cut where a reader would") {
    CHECK(split_text("One two.\n\nThree.", 12) == Pieces{"One two.", "Three."});
    CHECK(split_text("One line\nand two", 12) == Pieces{"One line", "and two"});
    CHECK(split_text("Yes, it is! Or is it?", 12) == Pieces{"Yes, it is!", "Or is it?"});
    CHECK(split_text("a few words only", 9) == Pieces{"a few", "words", "only"});
    CHECK(split_text("exactly ten", 7) == Pieces{"exactly", "ten"});
    CHECK(split_text("in.\n\na long second paragraph", 12) ==
          Pieces{"in.\n\na long", "second", "paragraph"});  // half a piece at least
    CHECK(split_text("DonaudampfschifffahrtAG", 10) == Pieces{"Donaudampf", "schifffahr", "tAG"});
    CHECK(split_text("a\r\n\r\n\r\n b", 3) == Pieces{"a", "b"});
}

TEST_CASE("what fits is one piece, and nothing is none") {
    CHECK(split_text("Hello") == Pieces{"Hello"});
    CHECK(split_text(std::string(1600, 'x')).size() == 1);
    CHECK(split_text(std::string(1601, 'x')).size() == 2);
    CHECK(split_text("").empty());
    CHECK(split_text(" \r\n\t").empty());
    CHECK(split_text("ab", 0) == Pieces{"a", "b"});
}

TEST_CASE("characters are counted, and never cut") {
    std::string smiles;
    for (int i = 0; i < 5; ++i) smiles += "\U0001F600";
    CHECK(split_text(smiles, 2) ==
          Pieces{"\U0001F600\U0001F600", "\U0001F600\U0001F600", "\U0001F600"});
    CHECK(split_text("\xff\xfe\xfd", 2) == Pieces{"\xff\xfe", "\xfd"});
    CHECK(split_text("\xf0\x9f\x98", 1).size() == 3);  // cut short already
}

TEST_CASE("whatever the text, each piece fits and no word is lost") {
    std::string text;
    for (unsigned i = 0; i < 3000; ++i) {
        const unsigned n = i * 2654435761U >> 24;
        text += n < 40 ? " " : n < 50 ? "\n" : n < 55 ? "\n\n" : n < 60 ? ". " : "é";
    }
    const auto squeezed = [](std::string s) {
        std::erase_if(s, [](char c) { return c == ' ' || c == '\n'; });
        return s;
    };
    for (const std::size_t most : {1U, 2U, 3U, 7U, 50U, 1600U}) {
        CAPTURE(most);
        std::string joined;
        for (const auto& piece : split_text(text, most)) {
            REQUIRE_FALSE(piece.empty());
            std::size_t characters = 0;
            for (const char c : piece)
                characters += (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
            CHECK(characters <= most);
            joined += piece;
        }
        CHECK(squeezed(joined) == squeezed(text));
    }
}

TEST_CASE("texts without spaces are cut after their sentences, and else after their commas") {
    CHECK(split_text("あいうえ。おかき", 7) == Pieces{"あいうえ。", "おかき"});
    CHECK(split_text("你好吗？我很好！谢谢", 6) == Pieces{"你好吗？", "我很好！谢谢"});
    CHECK(split_text("「行く。」と言った", 6) == Pieces{"「行く。」", "と言った"});
    CHECK(split_text("一二三，四五六七", 6) == Pieces{"一二三，", "四五六七"});
    CHECK(split_text("一二三四五六七", 4) == Pieces{"一二三四", "五六七"});
    CHECK(split_text("一二三。四五六", 4) == Pieces{"一二三。", "四五六"});
    CHECK(split_text("क्या हाल। ठीक है", 10) == Pieces{"क्या हाल।", "ठीक है"});
}

}  // namespace split_text_test
