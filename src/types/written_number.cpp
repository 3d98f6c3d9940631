#include "types/written_number.hpp"

#include <algorithm>
#include <array>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

// Numbers have no more digits than these: a prefix of 4, a zero in brackets, 15 of E.164.
constexpr std::size_t most_written_digits = 20;
// What stands behind a number and has no more digits is an extension.
constexpr std::size_t longest_phone_extension = 6;
constexpr std::size_t shortest_number = 6;

/// What a character does in a phone number.
enum class WrittenMark {
    digit,
    plus,
    filler,     ///< A blank, hyphen or dot, which says nothing.
    unseen,     ///< Nobody sees it.
    slash,      ///< As a hyphen, or between two numbers.
    open,       ///< A bracket.
    close,      ///< A bracket.
    separator,  ///< Between two things.
    word,       ///< A letter, or anything else.
};

struct WrittenPoints {
    char32_t first;
    char32_t last;
};

template <std::size_t size>
constexpr bool are_among(const std::array<WrittenPoints, size>& ranges, char32_t point) noexcept {
    for (const auto& range : ranges) {
        if (point >= range.first && point <= range.last) return true;
    }
    return false;
}

constexpr auto unseen_points = std::to_array<WrittenPoints>({
    {0x00ad, 0x00ad},  // soft hyphen
    {0x034f, 0x034f},
    {0x061c, 0x061c},  // Arabic letter mark
    {0x180e, 0x180e},
    {0x200b, 0x200f},  // zero width; marks of direction
    {0x202a, 0x202e},  // embedding and override of direction
    {0x2060, 0x2069},  // word joiner, isolates
    {0xfe00, 0xfe0f},  // variation selectors
    {0xfeff, 0xfeff},
});

constexpr auto filler_points = std::to_array<WrittenPoints>({
    {U'\t', U'\t'},   {U' ', U' '},     {U'-', U'.'},
    {U'~', U'~'},     {0x00a0, 0x00a0},  // no-break space
    {0x00b7, 0x00b7},                    // middle dot
    {0x1680, 0x1680}, {0x2000, 0x200a},  // spaces of all widths
    {0x2010, 0x2015},                    // hyphens and dashes
    {0x2022, 0x2022},                    // bullet
    {0x2024, 0x2024}, {0x2027, 0x2027}, {0x202f, 0x202f},
    {0x2043, 0x2043}, {0x205f, 0x205f}, {0x2212, 0x2212},  // minus
    {0x3000, 0x3000},                                      // ideographic space
    {0x301c, 0x301c}, {0x30fb, 0x30fc},  // of Katakana, used as a dot and as a hyphen
    {0xfe58, 0xfe58}, {0xfe63, 0xfe63}, {0xff0d, 0xff0e},  // full-width
    {0xff5e, 0xff5e},
});

/// The zeros of the scripts in which people write phone numbers.
constexpr auto zeros = std::to_array<char32_t>({
    U'0',   0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6,
    0x0c66, 0x0ce6, 0x0d66, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xff10,
});

/// The digit that it is, in whatever script; or 0.
constexpr char digit_of(char32_t point) noexcept {
    for (const auto zero : zeros) {
        if (point >= zero && point <= zero + 9) return static_cast<char>('0' + (point - zero));
    }
    return 0;
}

WrittenMark mark_of(char32_t point) noexcept {
    if (digit_of(point) != 0) return WrittenMark::digit;
    if (are_among(filler_points, point)) return WrittenMark::filler;
    if (are_among(unseen_points, point)) return WrittenMark::unseen;
    switch (point) {
        case U'+':
        case 0xfe62:
        case 0xff0b:
            return WrittenMark::plus;
        case U'/':
        case 0xff0f:
            return WrittenMark::slash;
        case U'(':
        case U'[':
        case 0xff08:
            return WrittenMark::open;
        case U')':
        case U']':
        case 0xff09:
            return WrittenMark::close;
        case U',':
        case U';':
        case U'|':
        case U'&':
        case U'\n':
        case U'\r':
            return WrittenMark::separator;
        default:
            return WrittenMark::word;
    }
}

/// Signs of quotation, and what spreadsheets are told a text by: `'0770` and `="0770"`.
bool is_wrapping(char32_t point) noexcept {
    return point == U'\'' || point == U'"' || point == U'=' || point == U'`' || point == U'\n' ||
           point == U'\r' || (point >= 0x2018 && point <= 0x201f);
}

/// Without blanks, line breaks, quotes and unseen marks at its front.
std::string_view without_wrapping(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto length = utf8_sequence_length(text);
        if (length == 0) return text;
        const auto point = utf8_code_point(text, length);
        const bool is_blank = mark_of(point) == WrittenMark::filler && point != U'-';
        if (!is_blank && mark_of(point) != WrittenMark::unseen && !is_wrapping(point)) return text;
        text.remove_prefix(length);
    }
    return text;
}

std::string_view without_wrapping_behind(std::string_view text) noexcept {
    for (auto end = text.size(); end > 0;) {
        --end;
        if ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) continue;
        const auto last = text.substr(end);
        if (!without_wrapping(last).empty()) return text;
        text = text.substr(0, end);
    }
    return text;
}

bool take_beginning(std::string_view& text, std::string_view beginning) noexcept {
    if (!equals_ignoring_case(text.substr(0, beginning.size()), beginning)) return false;
    text.remove_prefix(beginning.size());
    return true;
}

/// Takes off what people and programs write before a number. Returns whether it says that the
/// country code follows.
bool take_label(std::string_view& text) noexcept {
    for (const std::string_view link : {"https://wa.me/", "http://wa.me/", "wa.me/"}) {
        if (take_beginning(text, link)) return true;
    }
    if (take_beginning(text, "whatsapp:")) return true;
    for (const std::string_view label :
         {"tel", "sms", "callto", "phone", "mobile", "mob", "cell"}) {
        auto rest = text;
        if (!take_beginning(rest, label) || (!rest.empty() && is_letter_or_digit(rest.front()))) {
            continue;
        }
        text = trim_front(rest, ".: ");
        break;
    }
    return false;
}

/// What a spreadsheet makes of a long number: 4.47701E+11.
bool is_rounded(std::string_view text) noexcept {
    const auto exponent = text.find_first_of("eE");
    if (exponent == std::string_view::npos || exponent == 0) return false;
    const auto power = text.substr(exponent + 1);
    const auto digits = power.starts_with('+') ? power.substr(1) : power;
    const auto is_part = [](char c) { return is_digit(c) || c == '.' || c == ','; };
    return !digits.empty() && digits.size() <= 2 &&
           std::all_of(digits.begin(), digits.end(), is_digit) && is_digit(text.front()) &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(exponent), is_part);
}

/// Takes `.0` off, which stands behind a number that was taken for an amount.
bool take_decimals(std::string_view& text) noexcept {
    constexpr std::string_view decimals = ".0";
    if (!text.ends_with(decimals)) return false;
    auto digits = text.substr(0, text.size() - decimals.size());
    const auto number = digits;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.size() < shortest_number || !std::all_of(digits.begin(), digits.end(), is_digit)) {
        return false;
    }
    text = number;
    return true;
}

/// Goes through the characters, and knows in the end what they come to.
class NumberScan {
public:
    void take(char32_t point) noexcept {
        const auto mark = mark_of(point);
        switch (mark) {
            case WrittenMark::digit:
                take_digit(digit_of(point));
                break;
            case WrittenMark::plus:
                take_plus();
                break;
            case WrittenMark::open:
                bracket_ = count_;
                break;
            case WrittenMark::close:
                if (count_ == bracket_ + 1 && written_.digits.view().ends_with('0')) {
                    written_.bracketed_zero = bracket_;
                }
                break;
            case WrittenMark::slash:
                last_slash_ = count_;
                break;
            case WrittenMark::separator:
                if (first_separator_ == WrittenNumber::nowhere && count_ > 0) {
                    first_separator_ = count_;
                }
                break;
            case WrittenMark::word:
                take_word(point);
                break;
            case WrittenMark::filler:
            case WrittenMark::unseen:
                break;
        }
        if (mark != WrittenMark::unseen) follows_digit_ = mark == WrittenMark::digit;
    }

    WrittenNumber finish() noexcept {
        look_for_words();
        look_for_neighbours();
        if (count_ == 0) refuse("has no digits", "leave out who has no number");
        // A plus behind it is one that stood before it where text runs from right to left.
        written_.names_country = plus_behind_ != WrittenNumber::nowhere;
        return written_;
    }

    void refuse(std::string_view problem, std::string_view hint) noexcept {
        if (!written_.problem.empty()) return;
        written_.problem = problem;
        written_.hint = hint;
    }

private:
    void take_digit(char digit) noexcept {
        ++count_;
        written_.digits.append({&digit, 1});
    }

    void take_word(char32_t point) noexcept {
        if (first_word_ == WrittenNumber::nowhere) {
            first_word_ = count_;
            // An O for a zero is no sign of an extension.
            is_apart_ = !follows_digit_ || point == U'x' || point == U'X' || point == U'#';
        }
        last_word_ = count_;
    }

    void take_plus() noexcept {
        if (count_ == 0) {
            if (written_.has_plus) refuse("has + twice", "write one");
            written_.has_plus = true;
        } else if (plus_behind_ == WrittenNumber::nowhere && !written_.has_plus) {
            plus_behind_ = count_;
        } else {
            refuse_two();
        }
    }

    void refuse_two() noexcept {
        refuse("has more than one number", "put each number into a field of its own");
    }

    void look_for_words() noexcept {
        if (first_word_ == WrittenNumber::nowhere) return;
        const auto behind = count_ - last_word_;
        if (first_word_ >= shortest_number && behind > longest_phone_extension) return refuse_two();
        if (first_word_ >= shortest_number && behind > 0 && is_apart_) return refuse_extension();
        refuse("has letters or other characters that are no part of a number",
               "write the number in digits");
    }

    void refuse_extension() noexcept {
        refuse("has an extension", "messages reach a number, not an extension of it: leave it out");
    }

    void look_for_neighbours() noexcept {
        if (plus_behind_ != WrittenNumber::nowhere && plus_behind_ != count_) refuse_two();
        if (first_separator_ != WrittenNumber::nowhere && first_separator_ != count_) {
            const auto behind = count_ - first_separator_;
            if (first_separator_ < shortest_number) {
                refuse("has a comma or another separator within it", "write the digits together");
            } else if (behind <= longest_phone_extension) {
                refuse_extension();
            } else {
                refuse_two();
            }
        }
        constexpr std::size_t longest_area = 8;  // with its country code
        constexpr std::size_t shortest_rest = 5;
        if (last_slash_ != WrittenNumber::nowhere &&
            (last_slash_ > longest_area || count_ - last_slash_ < shortest_rest)) {
            refuse_two();
        }
        if (count_ > most_written_digits) {
            refuse("has more digits than a number has", "put each number into a field of its own");
        }
    }

    WrittenNumber written_;
    std::size_t count_ = 0;  // of the digits, also of those that do not fit
    std::size_t bracket_ = WrittenNumber::nowhere - 1;
    std::size_t last_slash_ = WrittenNumber::nowhere;
    std::size_t first_separator_ = WrittenNumber::nowhere;
    std::size_t first_word_ = WrittenNumber::nowhere;
    std::size_t last_word_ = WrittenNumber::nowhere;
    bool is_apart_ = false;  // the first word, from the digits before it
    bool follows_digit_ = false;
    std::size_t plus_behind_ = WrittenNumber::nowhere;
};

}  // namespace

WrittenNumber read_written_number(std::string_view text) noexcept {
    text = without_wrapping_behind(without_wrapping(text));
    const bool names_country = take_label(text);
    text = without_wrapping(text);
    NumberScan scan;
    if (is_rounded(text)) {
        scan.refuse("was rounded by a spreadsheet, which has lost its last digits",
                    "have its column formatted as text, and export it again");
        return scan.finish();
    }
    const bool had_decimals = take_decimals(text);
    while (!text.empty()) {
        const auto length = utf8_sequence_length(text);
        if (length == 0) {
            scan.refuse("is not UTF-8", "save the file as UTF-8");
            break;
        }
        scan.take(utf8_code_point(text, length));
        text.remove_prefix(length);
    }
    auto written = scan.finish();
    written.names_country = (written.names_country || names_country) && !written.has_plus;
    written.had_decimals = had_decimals;
    return written;
}

}  // namespace twiliowa::detail
