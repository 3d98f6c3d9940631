/// @file
/// Content templates in the fake: their variables and their text.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/world/problem.hpp"

namespace twiliowa::testing::fake {

using FakeVariables = std::map<std::string, std::string, std::less<>>;

/// Reads ContentVariables and checks them against the template (21656). Empty text is no variables.
FakeRefusal read_variables(std::string_view json, const testing::FakeContent& content,
                           FakeVariables& variables);

/// What WhatsApp finds wrong with an approved template, filled in as `body`: 63013 white space in a
/// variable, 63028 a variable without a value, 63021 too long a text; 0 nothing.
int find_misfit(const FakeVariables& variables, const testing::FakeContent& content,
                std::string_view body);

/// `text` of the template with its variables, or their defaults, filled in. A variable that has
/// neither stays as it is written.
std::string fill_placeholders(std::string_view text, const testing::FakeContent& content,
                              const FakeVariables& variables);

/// About how many bytes the template has when it is filled in.
std::size_t filled_size(const FakeContent& content, const FakeVariables& variables);

}  // namespace twiliowa::testing::fake
