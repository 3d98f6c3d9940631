/// @file
/// The variables of a content template.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// What to do with white space in a variable's value that WhatsApp refuses (new lines, tabs, more
/// than four spaces in a row; Twilio reports 63013 for it, after the fact). Every line separator of
/// Unicode counts as a new line. Control characters, which no text needs, go the same way; a NUL is
/// refused whatever the policy.
enum class WhitespacePolicy {
    refuse,     ///< InvalidRequestError naming the variable.
    normalise,  ///< Each run of such characters becomes one space; the ends are trimmed.
    allow,      ///< Sent as it is, even if it is nothing but white space.
};

/// What WhitespacePolicy::normalise makes of a value: for who keeps, shows or measures it as the
/// customer will read it. Bytes that are no UTF-8 stay.
TWILIOWA_EXPORT std::string normalised_variable(std::string_view value);

/// Names and values, in the order given. Sent as one JSON object of strings (ContentVariables).
class TWILIOWA_EXPORT TemplateVariables {
public:
    using Entry = std::pair<std::string, std::string>;

    TemplateVariables() noexcept = default;
    TemplateVariables(std::initializer_list<NamedText> entries) : entries_(NamedTexts(entries)) {}

    /// Values for {{1}}, {{2}}, ...
    static TemplateVariables positional(TextList values);
    /// Reads a JSON object of strings, as a language model or a queue hands it over. Refuses
    /// anything else by name: not JSON, not an object, a value that is not a string, a key twice,
    /// text that is not UTF-8.
    static Result<TemplateVariables> from_json(std::string_view json);

    TemplateVariables& set(std::string name, std::string value);
    /// Sets `fallback` where `value` is blank, empty or nothing but white space: values that a
    /// person or a program may have left out.
    TemplateVariables& set_or(std::string name, std::string value, std::string fallback);
    /// Says that `name` is left out on purpose: the template's sample goes out in its place, which
    /// a client with ClientOptions::templates refuses otherwise. Local; not sent.
    TemplateVariables& use_default(std::string name);
    /// The same of whatever is left out.
    TemplateVariables& use_all_defaults() noexcept;
    bool uses_default(std::string_view name) const noexcept;
    bool uses_all_defaults() const noexcept { return all_defaults_; }
    /// What `use_default` was told of.
    const std::vector<std::string>& defaults() const noexcept { return defaults_; }
    /// The value of `name`, or null.
    const std::string* find(std::string_view name) const noexcept;
    const std::vector<Entry>& entries() const noexcept { return entries_; }
    bool empty() const noexcept { return entries_.empty(); }
    std::size_t size() const noexcept { return entries_.size(); }

    /// Insists on variables, before anything is sent: for values that something else has written,
    /// since what is left out takes the template's default. The error names the first of `names`
    /// that is missing or blank.
    Result<void> try_require_all(std::span<const std::string_view> names) const;
    /// The same: `variables.try_require_all({"1", "name"})`.
    Result<void> try_require_all(std::initializer_list<std::string_view> names) const {
        return try_require_all(std::span<const std::string_view>(names.begin(), names.size()));
    }
    /// The same as an exception.
    /// @throws InvalidRequestError
    void require_all(std::span<const std::string_view> names) const;
    /// The same: `variables.require_all({"1", "name"})`.
    /// @throws InvalidRequestError
    void require_all(std::initializer_list<std::string_view> names) const {
        require_all(std::span<const std::string_view>(names.begin(), names.size()));
    }

    /// Checks the rules of error 21656 (names of letters, digits and _ up to 16 characters, no name
    /// twice, at most 100, no empty value, at most 1600 characters, UTF-8, no NUL) and white space
    /// by `policy`; a value of nothing but white space passes with WhitespacePolicy::allow only.
    /// The error names the variable, never its value.
    Result<void> check(WhitespacePolicy policy = WhitespacePolicy::refuse) const;
    /// The JSON object, white space treated by `policy` (normalise changes values, the others not).
    std::string to_json(WhitespacePolicy policy = WhitespacePolicy::allow) const;

    /// The same names, each value as normalised_variable makes it: what a client with
    /// WhitespacePolicy::normalise would send.
    TemplateVariables normalised() const;

    friend bool operator==(const TemplateVariables&, const TemplateVariables&) = default;

private:
    std::vector<Entry> entries_;
    std::vector<std::string> defaults_;
    bool all_defaults_ = false;
};

}  // namespace twiliowa
