/// @file
/// As much XML as TwiML takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace twiliowa::testing::fake {

struct FakeXmlElement {
    std::string name = {};
    std::vector<std::pair<std::string, std::string>> attributes = {};
    std::string text = {};  ///< Its own, without that of its children.
    std::vector<FakeXmlElement> children = {};

    std::string_view attribute(std::string_view wanted) const noexcept;
};

/// The root element, or nullopt when the text is not well-formed. Comments, processing instructions
/// and CDATA are understood; a document type is refused; nesting beyond 32 too.
std::optional<FakeXmlElement> parse_xml(std::string_view text);

}  // namespace twiliowa::testing::fake
