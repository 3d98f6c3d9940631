/// @file
/// Lists in pages: what a request asks for, and the URIs around the answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "testing/fake_twilio/api/json.hpp"
#include "testing/fake_twilio/world/messages.hpp"
#include "testing/fake_twilio/world/parameters.hpp"
#include "testing/fake_twilio/world/problem.hpp"

namespace twiliowa::testing::fake {

/// The paging part of a list's query.
struct FakePageRequest {
    std::size_t page_size = 50;
    std::uint64_t page = 0;
    FakePosition position = {};
    std::string token = {};
};

FakeRefusal read_page_request(const FakeParameters& query, const FakeMessageStore& store,
                              FakePageRequest& request);

/// How the tokens begin of the page after, and before, a SID.
inline constexpr std::string_view older_token = "PA";
inline constexpr std::string_view newer_token = "PB";

/// What lies beyond a page: the SID to go on from, empty when there is nothing.
struct FakePageNeighbours {
    std::string older_from = {};
    std::string newer_from = {};
};

/// The page's envelope. `filters` is the query without paging, encoded.
FakePageFrame frame_page(std::string_view path, const std::string& filters,
                         const FakePageRequest& request, const FakePageNeighbours& neighbours);

/// The query's filters, in the order they came, without Page, PageSize and PageToken.
std::string filters_of(const FakeParameters& query);

/// A filter by date, for `DateSent`, `DateSent<` and `DateSent>` and the like.
class FakeDateFilter {
public:
    /// Reads the three parameters of that name; a day, or a time in ISO 8601.
    static FakeRefusal read(const FakeParameters& query, const std::string& name,
                            FakeDateFilter& filter);
    bool accepts(TimePoint when) const noexcept { return from_ <= when && when < until_; }

private:
    TimePoint from_ = TimePoint::min();
    TimePoint until_ = TimePoint::max();
};

}  // namespace twiliowa::testing::fake
