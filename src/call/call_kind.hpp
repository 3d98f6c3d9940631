/// @file
/// What kind of call one is: what its verb is known by, and where it goes.
#pragma once

#include <string_view>

#include <twiliowa/http/http_transport.hpp>

#include "call/api_host.hpp"

namespace twiliowa::detail {

/// Literals, all of them.
struct CallKind {
    std::string_view name = {};  ///< For observers: "messages.create".
    HttpMethod method = HttpMethod::get;
    /// For observers, too: names in braces stand in place of its values.
    std::string_view path = {};
    ApiProduct product = ApiProduct::api;
};

}  // namespace twiliowa::detail
