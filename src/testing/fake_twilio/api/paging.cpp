#include "testing/fake_twilio/api/paging.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "text/ascii.hpp"
#include "text/dates.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::size_t max_page_size = 1'000;
constexpr std::uint64_t max_page = 1'000'000'000;

FakeProblem bad_query(const std::string& name) {
    return {400, 20422, "The value of " + name + " cannot be used"};
}

std::string page_uri(std::string_view path, const std::string& filters,
                     const FakePageRequest& request, std::uint64_t page, std::string_view token) {
    std::string query = filters;
    append_query(query, "PageSize", std::to_string(request.page_size));
    append_query(query, "Page", std::to_string(page));
    if (!token.empty()) append_query(query, "PageToken", token);
    return std::string{path} + "?" + query;
}

FakeRefusal read_token(std::string_view token, const FakeMessageStore& store,
                       FakePosition& position) {
    const auto place = token.size() > 2 ? store.place_of(token.substr(2)) : std::nullopt;
    const bool older = token.starts_with(older_token);
    if (!place || (!older && !token.starts_with(newer_token))) {
        return bad_query("PageToken");
    }
    position.kind = older ? FakePosition::Kind::older_than : FakePosition::Kind::newer_than;
    position.value = *place;
    return std::nullopt;
}

/// A stretch of time: a whole day, or the second a time names.
struct FakePeriod {
    TimePoint begin;
    TimePoint end;
};

std::optional<FakePeriod> read_period(const std::string& text) {
    const bool day = text.size() == 10;
    const auto begin = detail::parse_iso8601(day ? text + "T00:00:00Z" : text);
    if (!begin) return std::nullopt;
    // Where the type ends, so does the period.
    const TimePoint::duration length = day ? std::chrono::hours{24} : std::chrono::seconds{1};
    return FakePeriod{*begin, *begin + std::min(length, TimePoint::max() - *begin)};
}

}  // namespace

FakeRefusal read_page_request(const FakeParameters& query, const FakeMessageStore& store,
                              FakePageRequest& request) {
    if (const auto text = query.get("PageSize"); !text.empty()) {
        const auto size = detail::parse_number<std::uint64_t>(text);
        if (!size || *size == 0) return bad_query("PageSize");
        if (*size > max_page_size) {
            return FakeProblem{400, 20007, "PageSize is more than 1000", {}};
        }
        request.page_size = static_cast<std::size_t>(*size);
    }
    if (const auto text = query.get("Page"); !text.empty()) {
        const auto page = detail::parse_number<std::uint64_t>(text);
        if (!page || *page > max_page) return bad_query("Page");
        request.page = *page;
    }
    request.token = query.get("PageToken");
    if (!request.token.empty()) return read_token(request.token, store, request.position);
    request.position = {FakePosition::Kind::skip, request.page * request.page_size};
    return std::nullopt;
}

FakePageFrame frame_page(std::string_view path, const std::string& filters,
                         const FakePageRequest& request, const FakePageNeighbours& neighbours) {
    const auto uri = [&](std::uint64_t page, std::string_view token) {
        return page_uri(path, filters, request, page, token);
    };
    FakePageFrame frame;
    frame.page = request.page;
    frame.page_size = request.page_size;
    frame.uri = uri(request.page, request.token);
    frame.first_page_uri = uri(0, {});
    if (!neighbours.older_from.empty()) {
        frame.next_page_uri =
            uri(request.page + 1, std::string{older_token} + neighbours.older_from);
    }
    if (!neighbours.newer_from.empty()) {
        frame.previous_page_uri = uri(request.page == 0 ? 0 : request.page - 1,
                                      std::string{newer_token} + neighbours.newer_from);
    }
    return frame;
}

std::string filters_of(const FakeParameters& query) {
    std::string filters;
    for (const auto& [name, value] : query.entries()) {
        if (name == "Page" || name == "PageSize" || name == "PageToken") continue;
        append_query(filters, name, value);
    }
    return filters;
}

FakeRefusal FakeDateFilter::read(const FakeParameters& query, const std::string& name,
                                 FakeDateFilter& filter) {
    for (const auto& comparison : {std::string{}, std::string{"<"}, std::string{">"}}) {
        const std::string text{query.get(name + comparison)};
        if (text.empty()) continue;
        const auto period = read_period(text);
        if (!period) return bad_query(name + comparison);
        if (comparison != "<") filter.from_ = std::max(filter.from_, period->begin);
        if (comparison != ">") filter.until_ = std::min(filter.until_, period->end);
    }
    return std::nullopt;
}

}  // namespace twiliowa::testing::fake
