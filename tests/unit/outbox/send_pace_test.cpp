#include "outbox/send_pace.hpp"

#include <doctest/doctest.h>

namespace send_pace_test {

using twiliowa::detail::SendPace;

namespace {

/// Sends what there is room for; says how many those were.
int fill(SendPace& pace) {
    int went = 0;
    for (; pace.room() > 0; ++went) pace.went();
    return went;
}

}  // namespace

TEST_CASE("as many go at once as there may, until Twilio says that they are too many") {
    SendPace pace{8};
    CHECK(fill(pace) == 8);
    pace.answered();
    CHECK(pace.room() == 1);
}

TEST_CASE("what went before the halving does not halve again") {
    SendPace pace{8};
    fill(pace);
    for (int i = 0; i < 8; ++i) pace.refused();
    CHECK(fill(pace) == 4);
    pace.refused();
    CHECK(pace.room() == 0);
    for (int i = 0; i < 3; ++i) pace.answered();
    CHECK(fill(pace) == 2);
}

TEST_CASE("few that are refused are halved, not what might have gone") {
    SendPace pace{100};
    for (int i = 0; i < 4; ++i) pace.went();
    for (int i = 0; i < 4; ++i) pace.refused();
    CHECK(pace.room() == 2);
}

TEST_CASE("one always may go, and each round that is answered lets one more go") {
    SendPace pace{3};
    for (int i = 0; i < 5; ++i) {
        const int went = fill(pace);
        for (int j = 0; j < went; ++j) pace.refused();
    }
    CHECK(pace.room() == 1);
    for (int most = 1; most < 3; ++most) {
        CHECK(fill(pace) == most);
        for (int i = 0; i < most; ++i) pace.answered();
    }
    CHECK(fill(pace) == 3);
    for (int i = 0; i < 3; ++i) pace.answered();
    CHECK(fill(pace) == 3);
}

}  // namespace send_pace_test
