#include <twiliowa/types/error_advice.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <climits>
#include <set>
#include <string_view>

#include "support/show.hpp"

namespace error_advice_test {

using twiliowa::advise;
using twiliowa::error_catalogue;
using twiliowa::ErrorAdvice;
using twiliowa::ErrorCategory;
using twiliowa::RetryAdvice;
using twiliowa::to_string;
using twiliowa::test::containing;

namespace {

bool is_one_plain_line(std::string_view text) {
    return !text.empty() && text.size() <= 100 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool admits_ignorance(const ErrorAdvice& advice) {
    return advice.title.find("not in the catalogue") != std::string_view::npos &&
           is_one_plain_line(advice.title) && is_one_plain_line(advice.advice);
}

}  // namespace

TEST_CASE("every code of the catalogue has a title and an advice, each one line of ASCII") {
    CHECK(error_catalogue().size() >= 147);
    for (const auto& entry : error_catalogue()) {
        CAPTURE(entry.code);
        CHECK(is_one_plain_line(entry.title));
        CHECK(is_one_plain_line(entry.advice));
        CHECK(entry.category != ErrorCategory::unknown);
    }
}

TEST_CASE("the catalogue contains no phone number") {
    for (const auto& entry : error_catalogue()) {
        CAPTURE(entry.code);
        for (const auto text : {entry.title, entry.advice}) {
            int digits_in_a_row = 0;
            for (const char c : text) {
                digits_in_a_row = c >= '0' && c <= '9' ? digits_in_a_row + 1 : 0;
                CHECK(digits_in_a_row < 6);
            }
        }
    }
}

TEST_CASE("the catalogue ascends and every entry is found under its code") {
    int previous = 0;
    for (const auto& entry : error_catalogue()) {
        CAPTURE(entry.code);
        CHECK(entry.code > previous);
        previous = entry.code;
        const auto found = advise(entry.code);
        CHECK(found.code == entry.code);
        CHECK(found.category == entry.category);
        CHECK(found.retry == entry.retry);
        CHECK(found.title.data() == entry.title.data());
        CHECK(found.advice.data() == entry.advice.data());
    }
}

TEST_CASE("codes that callers branch on have the category and retry that fit them") {
    struct Expected {
        int code;
        ErrorCategory category;
        RetryAdvice retry;
    };
    const Expected expected[] = {
        {11200, ErrorCategory::webhook, RetryAdvice::after_fix},
        {20003, ErrorCategory::authentication, RetryAdvice::after_fix},
        {20005, ErrorCategory::account, RetryAdvice::after_fix},
        {20404, ErrorCategory::not_found, RetryAdvice::after_fix},
        {20500, ErrorCategory::ambiguous, RetryAdvice::check_first},
        {20503, ErrorCategory::ambiguous, RetryAdvice::check_first},
        {20504, ErrorCategory::ambiguous, RetryAdvice::check_first},
        {21211, ErrorCategory::recipient, RetryAdvice::after_fix},
        {21610, ErrorCategory::opted_out, RetryAdvice::never},
        {21611, ErrorCategory::throttled, RetryAdvice::later},
        {21656, ErrorCategory::template_, RetryAdvice::after_fix},
        {30007, ErrorCategory::policy, RetryAdvice::never},
        {30008, ErrorCategory::provider, RetryAdvice::as_new_message},
        {30036, ErrorCategory::expired, RetryAdvice::as_new_message},
        {63007, ErrorCategory::sender, RetryAdvice::after_fix},
        {63013, ErrorCategory::content, RetryAdvice::after_fix},
        {63016, ErrorCategory::window, RetryAdvice::after_fix},
        {63019, ErrorCategory::media, RetryAdvice::after_fix},
        {63033, ErrorCategory::opted_out, RetryAdvice::never},
        {63037, ErrorCategory::info, RetryAdvice::never},
        {63049, ErrorCategory::delayed, RetryAdvice::later},
        {63050, ErrorCategory::opted_out, RetryAdvice::never},
        {63053, ErrorCategory::template_, RetryAdvice::later},
    };
    for (const auto& wanted : expected) {
        CAPTURE(wanted.code);
        CHECK(to_string(advise(wanted.code).category) == to_string(wanted.category));
        CHECK(to_string(advise(wanted.code).retry) == to_string(wanted.retry));
    }
}

TEST_CASE("of the two codes that come with HTTP 429 only one invites a quick retry") {
    CHECK(advise(20429).category == ErrorCategory::throttled);
    CHECK(advise(20429).retry == RetryAdvice::with_backoff);
    CHECK(advise(63038).category == ErrorCategory::daily_limit);
    CHECK(advise(63038).retry == RetryAdvice::next_day);
}

TEST_CASE("only code 20429 is worth an automatic retry") {
    for (const auto& entry : error_catalogue()) {
        CAPTURE(entry.code);
        CHECK((entry.retry == RetryAdvice::with_backoff) == (entry.code == 20429));
    }
}

TEST_CASE("opted-out recipients are never to be written to again") {
    for (const auto& entry : error_catalogue()) {
        CAPTURE(entry.code);
        if (entry.category == ErrorCategory::opted_out) CHECK(entry.retry == RetryAdvice::never);
        if (entry.category == ErrorCategory::ambiguous) {
            CHECK(entry.retry == RetryAdvice::check_first);
        }
    }
}

TEST_CASE("no error has no title and no advice") {
    const auto none = advise(0);
    CHECK(none.code == 0);
    CHECK(none.category == ErrorCategory::unknown);
    CHECK(none.retry == RetryAdvice::never);
    CHECK(none.title.empty());
    CHECK(none.advice.empty());
}

TEST_CASE("a code that is not in the catalogue keeps its number and says so") {
    for (const int code :
         {INT_MIN, -63016, -1,    1,     9999,  11999, 12999, 14000, 20599, 20600,
          21999,   22000,  30999, 31000, 35999, 63999, 64000, 92999, 99999, INT_MAX}) {
        CAPTURE(code);
        CHECK(advise(code).code == code);
        CHECK(admits_ignorance(advise(code)));
        CHECK(advise(code).retry != RetryAdvice::with_backoff);
        CHECK(advise(code).retry != RetryAdvice::as_new_message);
    }
}

TEST_CASE("a code that is not in the catalogue gets what its range tells") {
    CHECK(advise(11999).category == ErrorCategory::webhook);
    CHECK(advise(12999).category == ErrorCategory::webhook);
    CHECK(advise(20499).category == ErrorCategory::invalid_request);
    CHECK(advise(20599).category == ErrorCategory::ambiguous);
    CHECK(advise(20599).retry == RetryAdvice::check_first);
    CHECK(advise(21999).category == ErrorCategory::invalid_request);
    CHECK(advise(30999).category == ErrorCategory::unknown);
    CHECK(advise(30999).title == containing("delivery"));
    CHECK(advise(63999).category == ErrorCategory::unknown);
    CHECK(advise(63999).title == containing("channel"));
    CHECK(advise(92999).category == ErrorCategory::template_);
}

TEST_CASE("codes outside all ranges are unknown and not for retrying") {
    for (const int code : {INT_MIN, -1, 1, 10999, 13000, 19999, 22000, 64000, INT_MAX}) {
        CAPTURE(code);
        CHECK(advise(code).category == ErrorCategory::unknown);
        CHECK(advise(code).retry == RetryAdvice::never);
    }
}

TEST_CASE("the lookup can be part of a noexcept path") {
    static_assert(noexcept(advise(1)));
    static_assert(noexcept(error_catalogue()));
    static_assert(noexcept(to_string(ErrorCategory::info)));
    static_assert(noexcept(to_string(RetryAdvice::later)));
}

TEST_CASE("every category and every retry advice has a name of its own") {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(ErrorCategory::info); ++i) {
        names.insert(to_string(static_cast<ErrorCategory>(i)));
    }
    CHECK(names.size() == 21);
    CHECK(to_string(ErrorCategory::template_) == "template");
    CHECK(to_string(ErrorCategory::opted_out) == "opted_out");
    names.clear();
    for (int i = 0; i <= static_cast<int>(RetryAdvice::check_first); ++i) {
        names.insert(to_string(static_cast<RetryAdvice>(i)));
    }
    CHECK(names.size() == 7);
    CHECK(names.count("unknown") == 0);
    CHECK(to_string(RetryAdvice::as_new_message) == "as_new_message");
}

TEST_CASE("a value that is no enumerator is called unknown") {
    CHECK(to_string(static_cast<ErrorCategory>(1000)) == "unknown");
    CHECK(to_string(static_cast<RetryAdvice>(-1)) == "unknown");
}

TEST_CASE("the codes that a create, TwiML and a sender's registration really give are known") {
    for (const int code : {21910, 92002, 92006, 92007, 14101, 14102, 14103, 14109, 14111, 21702,
                           21704, 63039, 63104}) {
        CAPTURE(code);
        CHECK(advise(code).title.find("not in the catalogue") == std::string_view::npos);
    }
    CHECK(advise(21910).category == ErrorCategory::invalid_request);
    CHECK(advise(92007).category == ErrorCategory::template_);
    CHECK(advise(63039).retry == RetryAdvice::later);
}

TEST_CASE("Meta's and Twilio's newest codes of refusal are known") {
    CHECK(to_string(advise(37000).category) == "recipient");
    CHECK(advise(37000).title == containing("call"));
    CHECK(to_string(advise(139200).category) == "sender");
    CHECK(advise(139200).title == containing("Direct Send"));
    for (const int code : {37000, 139200}) CHECK(to_string(advise(code).retry) == "after_fix");
}

}  // namespace error_advice_test
