/// @file
/// Which resource a URL names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace twiliowa::testing::fake {

enum class FakeResource {
    account,
    balance,
    messages,
    message,
    feedback,
    media_list,
    media,
    media_file,
    contents,
    contents_and_approvals,
    legacy_contents,
    searched_contents,
    searched_contents_and_approvals,
    content,
    approvals,
    approval_request,
    typing,
    senders,
    sender,
};

/// A resource and the identifiers in its path; those it does not have are empty.
struct FakeRoute {
    FakeResource resource = FakeResource::messages;
    std::string account = {};
    std::string message = {};
    std::string media = {};
    std::string content = {};
    std::string sender = {};
};

/// A URL without scheme and host: they play no part. No fragment.
struct FakeTarget {
    std::string path = {};
    std::string query = {};
};

/// Splits an absolute URL, or one that begins with the path.
FakeTarget split_url(std::string_view url);

/// The resource of a path, escapes and all; nullopt when there is none.
std::optional<FakeRoute> match_route(std::string_view path);

/// The host whose resource it is.
std::string_view domain_of(FakeResource resource) noexcept;

}  // namespace twiliowa::testing::fake
