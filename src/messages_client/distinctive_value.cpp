#include "messages_client/distinctive_value.hpp"

#include <algorithm>
#include <cstddef>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// What stands beside the digits of dates, times, amounts and measures.
constexpr std::string_view words_beside_numbers =
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun "
    "st nd rd th am pm h hr hrs m min mins s sec t z utc gmt uhr "
    "usd eur gbp inr idr brl mxn cop ars clp pen jpy cny krw vnd thb php myr sgd hkd aud nzd cad "
    "chf sek nok dkk pln czk huf ron try zar ngn kes ghs egp aed sar ils pkr bdt rub uah "
    "xof xaf tzs ugx rwf etb zmw mad dzd tnd qar kwd omr bhd jod iqd lbp lkr npr mmk khr twd kzt "
    "gel amd azn uzs byn mdl rsd bgn isk all bob pyg uyu gtq hnl nio crc pab dop jmd ves "
    "ksh tsh ush sh shs lei ft din pts points cal kcal kj mah mb gb tb kb kwh "
    "r rs rp rm kr km kg g l ml cm mm ";

/// Alone at a word's beginning a letter is no unit, unless a currency: `T-1042`, but `R1200`.
bool stands_beside_numbers(std::string_view letters, bool begins_word) noexcept {
    if (begins_word && letters.size() == 1) return equals_ignoring_case(letters, "r");
    for (auto list = words_beside_numbers; !list.empty();) {
        const auto end = list.find(' ');
        if (equals_ignoring_case(letters, list.substr(0, end))) return true;
        list.remove_prefix(end + 1);
    }
    return false;
}

bool is_between(std::string_view digits, int least, int most) noexcept {
    const auto number = parse_number<int>(digits);
    return number && *number >= least && *number <= most;
}

bool is_year(std::string_view digits) noexcept {
    return digits.size() == 4 && is_between(digits, 1900, 2099);
}

/// `20260512`, `12052026`, `05122026`, and a time behind it or not: `20260512104530`.
bool is_date_in_digits(std::string_view digits) noexcept {
    if (digits.size() < 8 || digits.size() > 14 || digits.size() % 2 != 0) return false;
    const auto are_month_and_day = [digits](std::size_t month, std::size_t day) {
        return is_between(digits.substr(month, 2), 1, 12) &&
               is_between(digits.substr(day, 2), 1, 31);
    };
    return (is_year(digits.substr(0, 4)) && are_month_and_day(4, 6)) ||
           (is_year(digits.substr(4, 4)) && (are_month_and_day(0, 2) || are_month_and_day(2, 0)));
}

/// Whether digits between these are part of an amount: at a decimal point, or a currency's sign.
bool is_in_amount(std::string_view before, std::string_view after) noexcept {
    const auto is_sign = [](char c) { return c == '$' || static_cast<unsigned char>(c) > 0x7f; };
    const auto is_point = [](char c) { return c == '.' || c == ','; };
    if (!before.empty() && is_sign(before.back())) return true;
    if (!after.empty() && is_sign(after.front())) return true;
    return (before.size() > 1 && is_point(before.back()) && is_digit(before[before.size() - 2])) ||
           (after.size() > 1 && is_point(after.front()) && is_digit(after[1]));
}

/// `wa.me/447700900123`, without a scheme: a name that ends in two letters or more stands before
/// the path.
bool is_web_address(std::string_view word) noexcept {
    const auto slash = word.find('/');
    if (slash == std::string_view::npos) return false;
    const auto host = word.substr(0, slash);
    const auto dot = host.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || host.size() - dot < 3) return false;
    return std::all_of(host.begin() + static_cast<std::ptrdiff_t>(dot) + 1, host.end(), is_letter);
}

/// `+447700900123`, in whatever stands around it: `tel:+44...`, `(+44)...`.
bool names_telephone(std::string_view word) noexcept {
    const auto plus = word.find('+');
    return plus != std::string_view::npos && plus + 1 < word.size() && is_digit(word[plus + 1]);
}

/// Mail, web and telephone are the same in every message.
bool is_where_to_reach(std::string_view word) noexcept {
    return word.find('@') != std::string_view::npos || word.find("://") != std::string_view::npos ||
           word.starts_with("www.") || is_web_address(word) || names_telephone(word);
}

/// What a word is made of. A year counts for nothing, nor do letters that are not Latin: they are
/// those of a currency, or of a date (the sign of the dong, the character for month).
struct WordShape {
    std::size_t length = 0;   ///< Of letters and digits.
    std::size_t changes = 0;  ///< From letters to digits, and back.
    std::size_t digits = 0;   ///< The most in a row that are of no date and no amount.
    bool is_round = false;    ///< Those end in 000, as an amount does.
    bool has_letters = false;
    bool has_name = false;  ///< Some of the letters are no unit.
    bool has_capitals = false;
    bool has_small = false;
};

void add_letters(WordShape& shape, std::string_view letters) noexcept {
    shape.has_letters = true;
    if (!stands_beside_numbers(letters, shape.length == 0)) shape.has_name = true;
    for (const char c : letters)
        (c == ascii_lower(c) ? shape.has_small : shape.has_capitals) = true;
}

void add_digits(WordShape& shape, std::string_view digits) noexcept {
    if (digits.size() <= shape.digits || is_date_in_digits(digits)) return;
    shape.digits = digits.size();
    shape.is_round = digits.ends_with("000");
}

WordShape shape_of(std::string_view word) noexcept {
    WordShape shape;
    bool after_digits = false;
    for (std::size_t at = 0, end = 0; at < word.size(); at = end) {
        const bool is_number = is_digit(word[at]);
        const auto belongs = is_number ? +is_digit : +is_letter;
        while (end < word.size() && belongs(word[end])) ++end;
        const auto part = word.substr(at, end - at);
        if (part.empty()) ++end;
        if (part.empty() || (is_number && is_year(part))) continue;
        if (!is_number) add_letters(shape, part);
        if (is_number && !is_in_amount(word.substr(0, at), word.substr(end))) {
            add_digits(shape, part);
        }
        if (shape.length > 0 && is_number != after_digits) ++shape.changes;
        shape.length += part.size();
        after_digits = is_number;
    }
    return shape;
}

bool is_distinctive_word(std::string_view word) noexcept {
    if (is_where_to_reach(word)) return false;
    const auto shape = shape_of(word);
    if (!shape.has_letters) return shape.digits >= 8 && !shape.is_round;
    if (!shape.has_name) return false;
    const bool is_order_number = shape.digits >= 4 && word.size() >= 6 && !shape.is_round;
    const bool is_code =
        shape.length >= 8 && shape.changes >= 3 && !(shape.has_capitals && shape.has_small);
    return is_order_number || is_code;
}

}  // namespace

bool is_distinctive(std::string_view value) noexcept {
    for (;;) {
        const auto space = value.find(' ');
        if (is_distinctive_word(value.substr(0, space))) return true;
        if (space == std::string_view::npos) return false;
        value.remove_prefix(space + 1);
    }
}

}  // namespace twiliowa::detail
