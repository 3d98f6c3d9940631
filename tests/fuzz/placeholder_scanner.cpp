// A template's text: the scanner comes to an end, stays inside, and the pieces that it cuts put
// together are the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/types/placeholders.hpp>

#include "content/variable_text.hpp"
#include "text/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto require = [](bool good) {
        if (!good) std::abort();
    };

    std::string joined;
    std::string in_one_spelling;
    std::size_t done = 0;
    std::size_t variables = 0;
    while (const auto found = find_placeholder(text, done)) {
        require(found->begin >= done && found->end >= found->begin + 2);
        require(found->end <= text.size() && text.substr(found->begin, 2) == "{{");
        const auto piece = text.substr(found->begin, found->end - found->begin);
        joined += text.substr(done, found->begin - done);
        in_one_spelling += text.substr(done, found->begin - done);
        if (found->name.empty()) {
            in_one_spelling += piece;
        } else {
            require(is_variable_name(found->name) && piece.ends_with("}}"));
            require(found->name.data() >= piece.data() && piece.find(found->name) >= 2);
            in_one_spelling += "{{" + std::string(found->name) + "}}";
            ++variables;
        }
        joined += piece;
        done = found->end;
    }
    joined += text.substr(done);
    in_one_spelling += text.substr(done);
    require(joined == text && text.find("{{", done) == std::string_view::npos);

    // Filled in with their own placeholders, the variables are those that they were.
    std::string own;
    const auto same = detail::with_values(text, [&own](std::string_view name) {
        own = "{{" + std::string(name) + "}}";
        return std::string_view(own);
    });
    require(same == in_one_spelling);
    require(detail::has_variable(text) == (variables > 0));
    if (detail::is_valid_utf8(text)) {
        require(detail::shortest_length(text) <= detail::count_code_points(text));
    }
    require(variables > 1 || !detail::has_neighbouring_variables(text));
    require(variables > 0 ||
            !(detail::begins_with_variable(text) || detail::ends_with_variable(text)));
    require(detail::count_words(text) <= text.size());
    require(detail::count_emojis(text) <= text.size());
    static_cast<void>(detail::has_wa_me_link(text));
    static_cast<void>(detail::has_run_of_blank_lines(text));
    return 0;
}
