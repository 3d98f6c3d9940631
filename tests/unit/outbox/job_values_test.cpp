#include "outbox/job_values.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/inbox_storage.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>

#include "support/identifiers.hpp"

namespace job_values_test {

using namespace twiliowa;
using detail::read_counted;
using detail::write_counted;
using Counted = std::vector<CountedAttempt>;

namespace {

TimePoint second(std::int64_t since_1970) {
    return TimePoint{std::chrono::seconds{since_1970}};
}

}  // namespace

TEST_CASE("where an attempt was counted is one text, with the name and amount of a budget") {
    const Counted own{{1, true, {{60, second(1'764'543'600)}, {0, second(1'764'547'200)}}},
                      {2, false, {}}};
    CHECK(write_counted(own) == "1+60@1764543600,0@1764547200;2-;");
    const Counted budget{{1, true, {{86'400, second(1'764'543'600)}}, "spend", 78'900}};
    CHECK(write_counted(budget) == "1+5:spend78900=86400@1764543600;");
    CHECK(write_counted({}).empty());
}

TEST_CASE("where attempts were counted comes back, whatever a budget is called") {
    std::string every_byte;
    for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    for (const auto& name :
         {std::string{"spend"}, std::string{"="}, std::string{";"}, std::string{":"},
          std::string{"5:spend1=60@1;2+"}, std::string{"78900"}, std::string{"\0", 1},
          std::string{"-"}, every_byte, std::string(100'000, ';')}) {
        const Counted counted{{1, true, {{60, second(1)}, {0, second(2)}}, name, most},
                              {1, true, {{60, second(1)}}},
                              {1, false, {}, name, -most},
                              {2, false, {{0, second(-1)}}, name, 0}};
        CHECK(read_counted(write_counted(counted)) == counted);
    }
}

TEST_CASE("what earlier versions wrote of counts is read") {
    CHECK(read_counted("").empty());
    CHECK(read_counted("1+60@1764543600,0@1764547200;") ==
          Counted{{1, true, {{60, second(1'764'543'600)}, {0, second(1'764'547'200)}}}});
    CHECK(read_counted("1-;2+0@5;") == Counted{{1, false, {}}, {2, true, {{0, second(5)}}}});
}

TEST_CASE("what cannot be read of counts ends them, and what came before is kept") {
    const Counted first{{1, true, {{60, second(5)}}, "a", 7}};
    const std::string whole = "1+1:a7=60@5;";
    REQUIRE(read_counted(whole) == first);
    for (const std::string_view rest :
         {"x", ";", "2", "2+6", "2+60@", "2+60@x", "2+60x5;", "2+5:", "2+5:spend", "2+5:spend;",
          "2+5:spendx=", "2+5:spend7", "2+5:spend7;", "2+9:a7=60@5;", "2+-1:a7=60@5;",
          "2+99999999999999999999:a7=", "2+9223372036854775807:a7=",
          "2+-9223372036854775808:a7="}) {
        CAPTURE(rest);
        CHECK(read_counted(whole + std::string{rest}) == first);
    }
    // No beginning of a text gives more than the text.
    const Counted both{{1, true, {{60, second(5)}, {0, second(6)}}, "name", 7}, {2, false, {}}};
    const auto text = write_counted(both);
    for (std::size_t size = 0; size < text.size(); ++size) {
        CHECK(read_counted(std::string_view{text}.substr(0, size)).size() <= 2);
    }
}

TEST_CASE("a time of a count that no clock here can tell is the first or last that it can") {
    const auto read = read_counted("1+60@9223372036854775807,60@-9223372036854775807;");
    REQUIRE(read.size() == 1);
    REQUIRE(read[0].time_slots.size() == 2);
    CHECK(read[0].time_slots[0].begin > second(1'764'543'600));
    CHECK(read[0].time_slots[1].begin < second(0));
    CHECK(read_counted(write_counted(read)) == read);
}

TEST_CASE("what an outbox's enumerators are called is an identifier") {
    check_identifiers(JobState::cancelled);
    check_identifiers(DeadReason::quiet);
    check_identifiers(Evidence::answer);
    check_identifiers(AttemptState::not_sent);
    check_identifiers(Lane::bulk);
    check_identifiers(FallbackWhen::window_closed);
    check_identifiers(Outcome::doubled);
    check_identifiers(InboxState::dropped);
    check_identifiers(CampaignState::cancelled);
}

}  // namespace job_values_test
