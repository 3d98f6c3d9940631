#include "outbox/dialogue_record.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace dialogue_record_test {

using twiliowa::TimePoint;
using twiliowa::detail::dialogue_text;
using twiliowa::detail::DialogueRecord;
using twiliowa::detail::parse_dialogue;

namespace {

DialogueRecord whole_record() {
    return {.state = {7, "team", {{"age", "12"}, {"name", std::string{"L\xff\0: 3:abc", 11}}}},
            .written = TimePoint{std::chrono::seconds{1'800'000'000}},
            .handled = {"SM2", "SM1"},
            .fence = 4,
            .before = twiliowa::DialogueState{6, "age", {{"name", "Lee"}, {"gone", ""}}}};
}

}  // namespace

TEST_CASE("a dialogue's record is read as it was written, whatever bytes it holds") {
    CHECK(parse_dialogue(dialogue_text({})) == DialogueRecord{});
    auto record = whole_record();
    CHECK(parse_dialogue(dialogue_text(record)) == record);
    record.before.reset();
    CHECK(parse_dialogue(dialogue_text(record)) == record);
}

TEST_CASE("what a turn did not change is stored once") {
    auto record = whole_record();
    record.state.values["long"] = std::string(2'000, 'x');
    record.before->values["long"] = std::string(2'000, 'x');
    CHECK(dialogue_text(record).size() < 2'300);
    CHECK(parse_dialogue(dialogue_text(record)) == record);
}

TEST_CASE("a record that is cut, or anything else, is none") {
    const auto text = dialogue_text(whole_record());
    for (std::size_t size = 0; size < text.size(); ++size) {
        CHECK_FALSE(parse_dialogue(text.substr(0, size)));
    }
    CHECK_FALSE(parse_dialogue(text + "0:"));
    CHECK_FALSE(parse_dialogue("dialogue2" + text.substr(9)));
    CHECK_FALSE(parse_dialogue("dialogue199999999999999999999:"));
    CHECK_FALSE(parse_dialogue("dialogue118446744073709551615:1"));
}

}  // namespace dialogue_record_test
