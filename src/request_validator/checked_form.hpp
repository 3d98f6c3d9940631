/// @file
/// Checking a request and keeping the form that was read for it.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/request_validator.hpp>

#include "text/decoded_form.hpp"

namespace twiliowa::detail {

struct CheckedForm {
    /// As RequestValidator::check. `form` is the body's afterwards, if it is one and was looked at.
    static Verdict check(const RequestValidator& validator, const SignedRequest& request,
                         DecodedForm& form) noexcept;
};

/// The account that a request says it is for: the form's first AccountSid, even an empty one; the
/// query's when the form has none.
std::string stated_account(const DecodedForm& form, std::string_view query);

}  // namespace twiliowa::detail
