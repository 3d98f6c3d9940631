#include "testing/fake_twilio/messages/xml.hpp"

#include <charconv>
#include <cstdint>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr int xml_depth = 32;

bool is_xml_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_xml_name(char c) noexcept {
    return detail::is_letter_or_digit(c) || c == '_' || c == ':' || c == '-' || c == '.' ||
           (static_cast<unsigned char>(c) & 0x80);
}

void append_utf8(std::string& out, std::uint32_t c) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | (c >> 6));
        put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        put(0xe0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3f));
        put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3f));
        put(0x80 | ((c >> 6) & 0x3f));
        put(0x80 | (c & 0x3f));
    }
}

/// Takes the text apart from its front. Every function returns false when it is malformed.
class FakeXmlReader {
public:
    explicit FakeXmlReader(std::string_view text) noexcept : rest_(text) {}

    bool read_document(FakeXmlElement& root) {
        if (!skip_misc() || !read_element(root, 0) || !skip_misc()) return false;
        return rest_.empty();
    }

private:
    bool take(std::string_view token) noexcept {
        if (!rest_.starts_with(token)) return false;
        rest_.remove_prefix(token.size());
        return true;
    }
    bool skip_past(std::string_view token) noexcept {
        const auto at = rest_.find(token);
        if (at == std::string_view::npos) return false;
        rest_.remove_prefix(at + token.size());
        return true;
    }
    void skip_space() noexcept {
        while (!rest_.empty() && is_xml_space(rest_.front())) rest_.remove_prefix(1);
    }
    /// White space, comments and processing instructions.
    bool skip_misc() {
        for (;;) {
            skip_space();
            if (take("<!--")) {
                if (!skip_past("-->")) return false;
            } else if (take("<?")) {
                if (!skip_past("?>")) return false;
            } else {
                return true;
            }
        }
    }
    bool read_name(std::string& name) {
        std::size_t length = 0;
        while (length < rest_.size() && is_xml_name(rest_[length])) ++length;
        name = rest_.substr(0, length);
        rest_.remove_prefix(length);
        const char first = name.empty() ? '-' : name.front();
        return first != '-' && first != '.' && !(first >= '0' && first <= '9');
    }
    /// After the `&`.
    bool read_entity(std::string& out) {
        const auto end = rest_.substr(0, 12).find(';');
        if (end == std::string_view::npos) return false;
        auto name = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        if (name == "amp") return out += '&', true;
        if (name == "lt") return out += '<', true;
        if (name == "gt") return out += '>', true;
        if (name == "quot") return out += '"', true;
        if (name == "apos") return out += '\'', true;
        if (!name.starts_with('#')) return false;
        name.remove_prefix(1);
        const int base = name.starts_with('x') ? 16 : 10;
        if (base == 16) name.remove_prefix(1);
        std::uint32_t code = 0;
        const auto [stop, error] =
            std::from_chars(name.data(), name.data() + name.size(), code, base);
        if (name.empty() || error != std::errc{} || stop != name.data() + name.size()) return false;
        const bool control = code < 0x20 && code != '\t' && code != '\n' && code != '\r';
        if (control || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return false;
        append_utf8(out, code);
        return true;
    }
    bool read_character(std::string& out) {
        const char c = rest_.front();
        if (static_cast<unsigned char>(c) < 0x20 && !is_xml_space(c)) return false;
        rest_.remove_prefix(1);
        if (c == '&') return read_entity(out);
        out += c;
        return true;
    }
    bool read_attribute(FakeXmlElement& element) {
        std::string name;
        if (!read_name(name)) return false;
        skip_space();
        if (!take("=")) return false;
        skip_space();
        if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return false;
        const char quote = rest_.front();
        rest_.remove_prefix(1);
        std::string value;
        while (!rest_.empty() && rest_.front() != quote) {
            if (rest_.front() == '<' || !read_character(value)) return false;
        }
        if (rest_.empty() || !element.attribute(name).empty()) return false;
        rest_.remove_prefix(1);
        element.attributes.emplace_back(std::move(name), std::move(value));
        return true;
    }
    bool read_element(FakeXmlElement& element, int depth) {
        if (depth > xml_depth || !take("<") || !read_name(element.name)) return false;
        for (;;) {
            const bool spaced = !rest_.empty() && is_xml_space(rest_.front());
            skip_space();
            if (take("/>")) return true;
            if (take(">")) return read_content(element, depth);
            if (!spaced || !read_attribute(element)) return false;
        }
    }
    bool read_content(FakeXmlElement& element, int depth) {
        while (!rest_.empty()) {
            if (take("</")) {
                std::string name;
                if (!read_name(name) || name != element.name) return false;
                skip_space();
                return take(">");
            }
            if (take("<!--")) {
                if (!skip_past("-->")) return false;
            } else if (take("<![CDATA[")) {
                const auto end = rest_.find("]]>");
                if (end == std::string_view::npos) return false;
                element.text += rest_.substr(0, end);
                rest_.remove_prefix(end + 3);
            } else if (take("<?")) {
                if (!skip_past("?>")) return false;
            } else if (rest_.front() == '<') {
                if (!read_element(element.children.emplace_back(), depth + 1)) return false;
            } else if (!read_character(element.text)) {
                return false;
            }
        }
        return false;
    }

    std::string_view rest_;
};

}  // namespace

std::string_view FakeXmlElement::attribute(std::string_view wanted) const noexcept {
    for (const auto& [key, value] : attributes) {
        if (key == wanted) return value;
    }
    return {};
}

std::optional<FakeXmlElement> parse_xml(std::string_view text) {
    if (!detail::is_valid_utf8(text)) return std::nullopt;
    FakeXmlElement root;
    FakeXmlReader reader{text};
    if (!reader.read_document(root)) return std::nullopt;
    return root;
}

}  // namespace twiliowa::testing::fake
