// A template as the Content API, a file or a colleague hands it over: whatever is read is checked
// without a crash, and written and read again it is the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/content/definition.hpp>

#include "text/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto require = [](bool good) {
        if (!good) std::abort();
    };

    const auto definition = ContentDefinition::from_json(text);
    if (!definition) return 0;
    for (const auto use : {ContentUse::any, ContentUse::session, ContentUse::whatsapp}) {
        bool warned = false;
        for (const auto& finding : definition->check(use)) {
            require(!finding.path.empty() && !finding.problem.empty());
            require(detail::is_ascii(finding.text()));  // nothing of the text is in it
            require(finding.level == FindingLevel::warn || !warned);
            warned = finding.level == FindingLevel::warn;
        }
    }
    const auto json = definition->to_json();
    require(detail::is_valid_utf8(json));
    const auto again = ContentDefinition::from_json(json);
    require(again && *again == *definition && again->to_json() == json);
    require(again->same_content(*definition));
    const auto indented = ContentDefinition::from_json(definition->to_json(2));
    require(indented && *indented == *definition);
    return 0;
}
