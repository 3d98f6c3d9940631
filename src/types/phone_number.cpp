#include <twiliowa/types/phone_number.hpp>

#include "types/numbering_plan.hpp"
#include "types/written_number.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view write_it_whole = "write +<country code><number>";

/// A number as it was understood; without a plan it was not, and the problem says why.
struct NumberReading {
    const NumberingPlan* plan = nullptr;
    DigitText national = {};
    NumberDoubt doubt = NumberDoubt::none;
    std::string_view problem = {};
    std::string_view hint = write_it_whole;

    explicit operator bool() const noexcept { return plan != nullptr; }
};

NumberReading no_number(std::string_view problem) noexcept {
    return {.problem = problem};
}

NumberDoubt first_of(NumberDoubt a, NumberDoubt b) noexcept {
    return a == NumberDoubt::none ? b : a;
}

std::string_view plan_problem(PlanFit fit) noexcept {
    switch (fit) {
        case PlanFit::fits:
            break;
        case PlanFit::too_short:
            return "has fewer digits than a number of its country";
        case PlanFit::too_long:
            return "has more digits than a number of its country";
        case PlanFit::other_length:
            return "has a number of digits that no such number of its country has";
        case PlanFit::no_such_beginning:
            return "begins as no number of its country does";
    }
    return {};
}

// ---- Countries whose numbers are written in two ways.

DigitText joined_digits(std::string_view a, std::string_view b) noexcept {
    DigitText both{a};
    both.append(b);
    return both;
}

/// Argentina's mobile numbers are dialled with a 15 behind the area code, of 2 to 4 digits, and in
/// E.164 have a 9 before it instead.
DigitText without_fifteen(std::string_view national) noexcept {
    constexpr std::string_view fifteen = "15";
    if (national.starts_with('9')) national.remove_prefix(1);
    // Buenos Aires, areas of three digits as ENACOM lists them, and all others.
    constexpr std::string_view of_three =
        "220 221 223 230 236 237 249 260 261 263 264 266 280 291 294 297 298 299 336 341 342 343 "
        "345 348 351 353 358 362 364 370 376 379 380 381 383 385 387 388";
    std::size_t area = 4;
    if (national.starts_with("11"))
        area = 2;
    else if (of_three.find(national.substr(0, 3)) != std::string_view::npos)
        area = 3;
    if (national.size() != 12 || national.substr(area, fifteen.size()) != fifteen) return {};
    DigitText mobile{"9"};
    mobile.append(national.substr(0, area));
    mobile.append(national.substr(area + fifteen.size()));
    return mobile;
}

/// Brazil's mobile numbers got a 9 before them; WhatsApp may know those of the areas from 31 on
/// without it.
NumberReading brazilian(const NumberingPlan& plan, std::string_view national) noexcept {
    constexpr std::size_t area = 2;
    constexpr std::size_t with_ninth = 11;
    const char first = national[area];
    if (national.size() == with_ninth) {
        if (first != '9') return no_number(plan_problem(PlanFit::no_such_beginning));
        const bool is_certain = national.front() < '3';
        return {&plan, national, is_certain ? NumberDoubt::none : NumberDoubt::other_form};
    }
    if (first < '2') return no_number(plan_problem(PlanFit::no_such_beginning));
    if (first < '6') return {&plan, national};
    auto mobile = joined_digits(national.substr(0, area), "9");
    mobile.append(national.substr(area));
    return {&plan, mobile, NumberDoubt::other_form};
}

/// `national` as a number of the plan, in the form that it has today.
NumberReading read_national(const NumberingPlan& plan, std::string_view national) noexcept {
    DigitText digits{national};
    auto doubt = NumberDoubt::none;
    if (plan.code == "52") {
        // Mexico's mobile numbers had a 1 before them until 2019.
        constexpr std::size_t with_one = 11;
        if (national.size() == with_one && national.front() == '1') digits = national.substr(1);
        doubt = NumberDoubt::other_form;
    } else if (plan.code == "54") {
        const auto mobile = without_fifteen(national);
        if (mobile.size() > 0) digits = mobile;
        if (!digits.view().starts_with('9')) doubt = NumberDoubt::other_form;
    } else if (plan.code == "229" && national.size() == 8 && national.front() != '0') {
        // Benin put 01 before all its numbers in November 2024.
        digits = joined_digits("01", national);
        doubt = NumberDoubt::other_form;
    }
    const auto fit = compare_with_plan(plan, digits.view());
    if (fit != PlanFit::fits) return no_number(plan_problem(fit));
    if (plan.code == "55") return brazilian(plan, digits.view());
    if (has_unknown_area(plan, digits.view())) doubt = NumberDoubt::unknown_area_code;
    return {&plan, digits, doubt};
}

/// What stands behind a country code.
NumberReading read_behind_code(const NumberingPlan& plan, std::string_view national,
                               bool zero_in_brackets) noexcept {
    if (plan.numbers.empty()) {
        const auto size = plan.code.size() + national.size();
        if (size < 7) return no_number("has fewer than 7 digits");
        if (size > 15) return no_number("has more than 15 digits");
        return {&plan, national, NumberDoubt::unchecked_length};
    }
    const auto as_written = read_national(plan, national);
    if (as_written) return as_written;
    auto prefixes = plan.trunk;
    while (!prefixes.empty()) {
        const auto prefix = take_piece(prefixes, ' ');
        if (prefix == "-" || !national.starts_with(prefix)) continue;
        auto reading = read_national(plan, national.substr(prefix.size()));
        if (!reading) continue;
        if (prefix != "0" || !zero_in_brackets) reading.doubt = NumberDoubt::kept_trunk_prefix;
        return reading;
    }
    if (zero_in_brackets) {
        auto reading = read_national(plan, national.substr(1));
        if (reading) {
            reading.doubt = NumberDoubt::kept_trunk_prefix;
            return reading;
        }
    }
    return as_written;
}

/// Everything from the country code on. `bracketed_zero`: which of the digits is a `(0)`.
NumberReading read_international(std::string_view digits, std::size_t bracketed_zero,
                                 NumberDoubt doubt = NumberDoubt::none) noexcept {
    constexpr std::string_view usual_prefix = "00";
    if (digits.starts_with(usual_prefix)) {
        digits.remove_prefix(usual_prefix.size());
        bracketed_zero -= usual_prefix.size();
        doubt = first_of(doubt, NumberDoubt::assumed_prefix);
    }
    if (digits.starts_with('0')) return no_number("has a country code that begins with 0");
    const auto* const plan = plan_of_number(digits);
    if (plan == nullptr) return no_number("has a country code that is not assigned");
    const auto size = plan->code.size();
    auto reading = read_behind_code(*plan, digits.substr(size), bracketed_zero == size);
    reading.doubt = first_of(doubt, reading.doubt);
    return reading;
}

/// The readings of one text: the one that all agree on, or what is wrong.
class NumberReadings {
public:
    /// Another way of reading it.
    void add(NumberReading reading, NumberDoubt doubt) noexcept {
        if (!reading) {
            if (!best_ && best_.problem.empty()) best_.problem = reading.problem;
            return;
        }
        reading.doubt = first_of(doubt, reading.doubt);
        if (!best_) {
            best_ = reading;
        } else if (best_.national.view() != reading.national.view()) {
            ambiguous_ = true;
        } else if (reading.doubt < best_.doubt) {
            best_.doubt = reading.doubt;
        }
    }

    NumberReading best() const noexcept {
        return ambiguous_ ? no_number("can be read as two numbers") : best_;
    }

private:
    NumberReading best_;
    bool ambiguous_ = false;
};

/// As a number of `home`, with or without what is dialled before it there, or with its country
/// code.
NumberReading read_at_home(const NumberingPlan& home, const WrittenNumber& written) noexcept {
    const auto digits = written.digits.view();
    NumberReadings readings;
    bool may_lack_prefix = home.trunk.empty();
    auto prefixes = home.trunk;
    while (!prefixes.empty()) {
        const auto prefix = take_piece(prefixes, ' ');
        if (prefix == "-") {
            may_lack_prefix = true;
        } else if (digits.starts_with(prefix)) {
            readings.add(read_national(home, digits.substr(prefix.size())), NumberDoubt::none);
        }
    }
    readings.add(read_national(home, digits),
                 may_lack_prefix ? NumberDoubt::none : NumberDoubt::missing_trunk_prefix);
    if (digits.starts_with(home.code)) {
        const auto size = home.code.size();
        readings.add(read_behind_code(home, digits.substr(size), written.bracketed_zero == size),
                     NumberDoubt::missing_plus);
    }
    return readings.best();
}

/// Behind the longest prefix that is dialled at `home` for a plus; nothing without one.
NumberReading read_dialled_abroad(const NumberingPlan& home,
                                  const WrittenNumber& written) noexcept {
    const auto digits = written.digits.view();
    std::string_view longest;
    auto prefixes = home.international;
    while (!prefixes.empty()) {
        const auto prefix = take_piece(prefixes, ' ');
        if (digits.starts_with(prefix) && prefix.size() > longest.size()) longest = prefix;
    }
    if (longest.empty()) return {};
    return read_international(digits.substr(longest.size()),
                              written.bracketed_zero - longest.size());
}

NumberReading read_number(const WrittenNumber& written, const NumberingPlan* home) noexcept {
    const auto digits = written.digits.view();
    if (written.has_plus) return read_international(digits, written.bracketed_zero);
    if (written.names_country) {
        return read_international(digits, written.bracketed_zero, NumberDoubt::missing_plus);
    }
    auto reading = no_number("has no country code");
    if (home != nullptr) {
        const auto abroad = read_dialled_abroad(*home, written);
        if (abroad) return abroad;
        reading = home->numbers.empty()
                      ? no_number(
                            "has no country code, and how numbers of its country are made is "
                            "not known here")
                      : read_at_home(*home, written);
        if (reading) return reading;
        if (!abroad.problem.empty()) reading = abroad;
    }
    if (!digits.starts_with("00")) return reading;
    const auto assumed = read_international(digits, written.bracketed_zero);
    return assumed || home == nullptr ? assumed : reading;
}

Error refused_number(std::string_view field, std::string_view problem, std::string_view hint) {
    constexpr int invalid_to = 21211;
    return Error::invalid_request(field, problem, hint, invalid_to);
}

}  // namespace
}  // namespace detail

Result<PhoneNumber> PhoneNumber::parse(std::string_view text, std::string_view default_country,
                                       std::string_view field) {
    const auto* const home = detail::plan_of_country(detail::known_country(default_country));
    if (home == nullptr && !default_country.empty()) {
        return Error::invalid_request("default_country", "is no country",
                                      "write two letters of ISO 3166-1, as in GB");
    }
    const auto written = detail::read_written_number(text);
    if (!written.problem.empty()) {
        return detail::refused_number(field, written.problem, written.hint);
    }
    const auto reading = detail::read_number(written, home);
    if (!reading) return detail::refused_number(field, reading.problem, reading.hint);
    PhoneNumber number;
    number.e164_.reserve(1 + reading.plan->code.size() + reading.national.size());
    number.e164_ += '+';
    number.e164_ += reading.plan->code;
    number.e164_ += reading.national.view();
    number.calling_code_ = reading.plan->code;
    number.country_ = detail::country_of_national(*reading.plan, reading.national.view());
    number.doubt_ = written.had_decimals ? NumberDoubt::decimal_point : reading.doubt;
    return number;
}

std::string_view to_string(NumberCertainty certainty) noexcept {
    return certainty == NumberCertainty::certain ? "certain" : "likely";
}

std::string_view to_string(NumberDoubt doubt) noexcept {
    switch (doubt) {
        case NumberDoubt::none:
            return "none";
        case NumberDoubt::decimal_point:
            return "decimal_point";
        case NumberDoubt::missing_plus:
            return "missing_plus";
        case NumberDoubt::missing_trunk_prefix:
            return "missing_trunk_prefix";
        case NumberDoubt::kept_trunk_prefix:
            return "kept_trunk_prefix";
        case NumberDoubt::assumed_prefix:
            return "assumed_prefix";
        case NumberDoubt::other_form:
            return "other_form";
        case NumberDoubt::unknown_area_code:
            return "unknown_area_code";
        case NumberDoubt::unchecked_length:
            return "unchecked_length";
    }
    return "none";
}

std::string_view describe(NumberDoubt doubt) noexcept {
    switch (doubt) {
        case NumberDoubt::none:
            break;
        case NumberDoubt::decimal_point:
            return "written with a decimal point";
        case NumberDoubt::missing_plus:
            return "written without the plus before its country code";
        case NumberDoubt::missing_trunk_prefix:
            return "written without the prefix that is dialled before it, as after a lost zero";
        case NumberDoubt::kept_trunk_prefix:
            return "written with a country code and the prefix that is dialled without one";
        case NumberDoubt::assumed_prefix:
            return "written with a 00 that was taken for a plus";
        case NumberDoubt::other_form:
            return "WhatsApp may know it in another form";
        case NumberDoubt::unknown_area_code:
            return "has an area code that is not known here";
        case NumberDoubt::unchecked_length:
            return "of a country whose lengths are not known here";
    }
    return {};
}

}  // namespace twiliowa
