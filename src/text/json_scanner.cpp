#include "text/json_scanner.hpp"

#include <algorithm>
#include <charconv>
#include <forward_list>
#include <optional>
#include <string>
#include <system_error>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

void append_code_point(std::string& out, std::uint32_t point) {
    const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
        add(point);
    } else if (point < 0x800) {
        add(0xC0 | (point >> 6));
        add(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        add(0xE0 | (point >> 12));
        add(0x80 | ((point >> 6) & 0x3F));
        add(0x80 | (point & 0x3F));
    } else {
        add(0xF0 | (point >> 18));
        add(0x80 | ((point >> 12) & 0x3F));
        add(0x80 | ((point >> 6) & 0x3F));
        add(0x80 | (point & 0x3F));
    }
}

/// ASCII that stands in a string for itself.
constexpr ByteTable plain_in_json = [] {
    ByteTable plain{};
    for (unsigned c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
    return plain;
}();

class JsonScanner {
public:
    JsonScanner(std::string_view json, JsonEvents& events)
        : at_(json.data()), end_(json.data() + json.size()), events_(events) {}

    bool scan() {
        if (std::string_view(at_, left()).starts_with("\xEF\xBB\xBF")) at_ += 3;
        for (bool more = true; more;) {
            const auto opened = value();
            if (!opened) return false;
            if (*opened) continue;  // a container was entered: its first value follows
            const auto next = after_value();
            if (!next) return false;
            more = *next;
        }
        return true;
    }

private:
    std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    /// The next byte that is not white space, or 0 at the end.
    char peek() noexcept {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
        return at_ == end_ ? '\0' : *at_;
    }
    bool take(char c) noexcept {
        if (peek() != c || at_ == end_) return false;
        ++at_;
        return true;
    }

    /// Reads a value, or enters a container that is not empty (true). Nullopt: a fault.
    std::optional<bool> value() {
        switch (peek()) {
            case '{':
                ++at_;
                events_.start_object();
                if (take('}')) return events_.end_object(), false;
                open_.push_back('{');
                return name() ? std::optional(true) : std::nullopt;
            case '[':
                ++at_;
                events_.start_array();
                if (take(']')) return events_.end_array(), false;
                open_.push_back('[');
                return true;
            case '"': {
                const auto text = quoted(scratch_);
                if (!text) return std::nullopt;
                events_.string(*text);
                return false;
            }
            case 't':
                return word("true", [this] { events_.boolean(true); });
            case 'f':
                return word("false", [this] { events_.boolean(false); });
            case 'n':
                return word("null", [this] { events_.other(); });
            default:
                return number();
        }
    }

    /// Leaves the containers that end here. True: another value follows; false: the document ends.
    std::optional<bool> after_value() {
        while (!open_.empty()) {
            const bool in_object = open_.back() == '{';
            if (take(',')) return !in_object || name() ? std::optional(true) : std::nullopt;
            if (!take(in_object ? '}' : ']')) return std::nullopt;
            open_.pop_back();
            in_object ? events_.end_object() : events_.end_array();
        }
        peek();
        return at_ == end_ ? std::optional(false) : std::nullopt;
    }

    bool name() {
        if (peek() != '"') return false;
        std::string unescaped;
        const auto text = quoted(unescaped);
        if (!text) return false;
        if (unescaped.empty()) {
            events_.key(*text);
        } else {
            events_.key(names_.emplace_front(std::move(unescaped)));
        }
        return take(':');
    }

    template <class Report>
    std::optional<bool> word(std::string_view expected, Report report) {
        if (!std::string_view(at_, left()).starts_with(expected)) return std::nullopt;
        at_ += expected.size();
        report();
        return false;
    }

    bool digits() noexcept {
        const char* const first = at_;
        while (at_ != end_ && is_digit(*at_)) ++at_;
        return at_ != first;
    }

    std::optional<bool> number() {
        const char* const first = at_;
        if (at_ != end_ && *at_ == '-') ++at_;
        if (at_ != end_ && *at_ == '0') {
            ++at_;
        } else if (!digits()) {
            return std::nullopt;
        }
        bool whole = true;
        if (at_ != end_ && *at_ == '.') {
            whole = false;
            ++at_;
            if (!digits()) return std::nullopt;
        }
        if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
            whole = false;
            ++at_;
            if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
            if (!digits()) return std::nullopt;
        }
        std::int64_t integer = 0;
        if (whole && std::from_chars(first, at_, integer).ec == std::errc{}) {
            events_.integer(integer);
        } else {
            events_.other();
        }
        return false;
    }

    /// A string: a view of the document or, if it has escapes, of `unescaped`.
    std::optional<std::string_view> quoted(std::string& unescaped) {
        unescaped.clear();
        const char* piece = ++at_;
        bool is_all_ascii = true;
        for (;; ++at_) {
            while (at_ != end_ && plain_in_json[static_cast<unsigned char>(*at_)]) ++at_;
            if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x20) return std::nullopt;
            if (*at_ == '"') break;
            if (*at_ == '\\') {
                unescaped.append(piece, at_);
                if (!escape(unescaped)) return std::nullopt;
                piece = at_ + 1;
            } else {
                is_all_ascii = false;
            }
        }
        std::string_view text(piece, static_cast<std::size_t>(at_ - piece));
        ++at_;
        if (!unescaped.empty()) text = unescaped.append(text);
        if (!is_all_ascii && !is_valid_utf8(text)) return std::nullopt;
        return text;
    }

    /// From the backslash to the last character of the escape.
    bool escape(std::string& out) {
        if (++at_ == end_) return false;
        switch (*at_) {
            case '"':
            case '\\':
            case '/':
                out.push_back(*at_);
                return true;
            case 'b':
                out.push_back('\b');
                return true;
            case 'f':
                out.push_back('\f');
                return true;
            case 'n':
                out.push_back('\n');
                return true;
            case 'r':
                out.push_back('\r');
                return true;
            case 't':
                out.push_back('\t');
                return true;
            case 'u':
                break;
            default:
                return false;
        }
        auto point = hex();
        if (!point || (*point >= 0xDC00 && *point <= 0xDFFF)) return false;
        if (*point >= 0xD800 && *point <= 0xDBFF) {  // the first half of a pair
            if (left() < 3 || at_[1] != '\\' || at_[2] != 'u') return false;
            at_ += 2;
            const auto low = hex();
            if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
            point = 0x10000 + ((*point - 0xD800) << 10) + (*low - 0xDC00);
        }
        append_code_point(out, *point);
        return true;
    }

    /// The four digits after the `u` at which we stand; ends at the last of them.
    std::optional<std::uint32_t> hex() noexcept {
        if (left() < 5) return std::nullopt;
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(at_ + 1, at_ + 5, number, 16);
        if (error != std::errc{} || end != at_ + 5) return std::nullopt;
        at_ += 4;
        return number;
    }

    const char* at_;
    const char* end_;
    JsonEvents& events_;
    std::string open_;     // the containers we are in
    std::string scratch_;  // a string with escapes
    std::forward_list<std::string> names_;
};

}  // namespace

bool scan_json(std::string_view json, JsonEvents& events) {
    return JsonScanner(json, events).scan();
}

}  // namespace twiliowa::detail
