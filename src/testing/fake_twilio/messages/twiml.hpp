/// @file
/// TwiML, read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twiliowa::testing::fake {

/// One verb of a messaging response.
struct FakeVerb {
    enum class Kind { message, redirect };
    Kind kind = Kind::message;
    std::string body = {};                ///< A redirect's URL, too.
    std::vector<std::string> media = {};  ///< URLs.
    std::string to = {};
    std::string from = {};
    std::string method = {};           ///< A redirect's.
    std::string status_callback = {};  ///< `action`, or the older `statusCallback`.
};

/// The verbs of a `<Response>`, those it does not know left out; nullopt when the text is not
/// well-formed XML with such a root. No document type is read, and no entity but the five.
std::optional<std::vector<FakeVerb>> parse_twiml(std::string_view text);

}  // namespace twiliowa::testing::fake
