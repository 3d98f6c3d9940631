// What is checked of a template's variables, over all of its texts.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/content/definition.hpp>

namespace variable_checks_test {

using twiliowa::CallToActionContent;
using twiliowa::ContentAction;
using twiliowa::ContentDefinition;
using twiliowa::ContentUse;
using twiliowa::FindingLevel;
using twiliowa::MediaContent;
using twiliowa::TemplateVariables;
using twiliowa::TextContent;

namespace {

ContentDefinition text_of(std::string body, TemplateVariables samples = {}) {
    ContentDefinition definition;
    definition.types = {TextContent{.body = std::move(body)}};
    definition.variables = std::move(samples);
    return definition;
}

/// In any use, within the window, to be approved: `r` refused, `w` warned of, `-` not found.
std::string verdicts(const ContentDefinition& definition, std::string_view path,
                     std::string_view problem) {
    std::string all;
    for (const auto use : {ContentUse::any, ContentUse::session, ContentUse::whatsapp}) {
        char verdict = '-';
        for (const auto& each : definition.check(use)) {
            if (each.path != path || each.problem.find(problem) == std::string::npos) continue;
            verdict = each.level == FindingLevel::refuse ? 'r' : 'w';
        }
        all += verdict;
    }
    return all;
}

std::string body_verdicts(const std::string& body, std::string_view problem,
                          const TemplateVariables& samples = {}) {
    return verdicts(text_of(body, samples), "types.twilio/text.body", problem);
}

std::string sample_verdicts(const std::string& sample, std::string_view problem) {
    return verdicts(text_of("Dear {{1}}, it is ready now", {{"1", sample}}), "variables.1",
                    problem);
}

std::string times(std::size_t count, std::string_view text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

/// A URL as the only file, and as the only link.
std::string media_verdicts(const std::string& url, std::string_view problem,
                           const TemplateVariables& samples = {}) {
    ContentDefinition definition;
    definition.types = {MediaContent{.media = {url}}};
    definition.variables = samples;
    return verdicts(definition, "types.twilio/media.media[0]", problem);
}
std::string link_verdicts(const std::string& url, std::string_view problem,
                          const TemplateVariables& samples = {}) {
    ContentDefinition definition;
    definition.types = {
        CallToActionContent{.body = "Hello", .actions = {ContentAction::open_url("Open", url)}}};
    definition.variables = samples;
    return verdicts(definition, "types.twilio/call-to-action.actions[0].url", problem);
}

}  // namespace

TEST_CASE("a malformed placeholder is refused in every use") {
    for (const std::string body : {"Hi {{}} there", "Hi {{a-b}} there", "Hi {{1 there", "Hi {{"}) {
        CAPTURE(body);
        CHECK(body_verdicts(body, "has a malformed placeholder") == "rrr");
    }
    CHECK(body_verdicts("Hi {{ 1 }} there", "malformed") == "---");
    CHECK(body_verdicts("Hi {1} there}}", "malformed") == "---");
}

TEST_CASE("a sample is of 1,600 characters at most, fewer than 250 are advised") {
    const std::string wide = "\xc3\xa9";
    CHECK(sample_verdicts(times(249, wide), "is of 250 characters or more") == "---");
    CHECK(sample_verdicts(times(250, wide), "is of 250 characters or more") == "www");
    CHECK(sample_verdicts(times(1600, wide), "is longer than 1600") == "---");
    CHECK(sample_verdicts(times(1601, wide), "is longer than 1600") == "rrr");
    CHECK(sample_verdicts("x", "is empty") == "---");
    CHECK(sample_verdicts("", "is empty") == "rrr");
}

TEST_CASE("white space that WhatsApp does not take in a value is refused for approval") {
    CHECK(sample_verdicts("a\nb", "holds a line break") == "w-r");
    CHECK(sample_verdicts("a\tb", "holds a tab") == "w-r");
    CHECK(sample_verdicts("a     b", "holds more than four spaces in a row") == "w-r");
    CHECK(sample_verdicts("a    b", "spaces") == "---");
    CHECK(sample_verdicts("  ", "is blank") == "w-r");
}

TEST_CASE("samples have names that variables may have, once each") {
    CHECK(verdicts(text_of("Hello", {{"first name", "x"}}), "variables[0]",
                   "has an impossible name") == "rrr");
    CHECK(verdicts(text_of("Hello", {{std::string(17, 'a'), "x"}}), "variables[0]",
                   "has an impossible name") == "rrr");
    CHECK(verdicts(text_of("Hi {{1}} there", {{"1", "x"}, {"1", "y"}}), "variables.1",
                   "is there twice") == "rrr");
}

TEST_CASE("a sample of another kind than text is refused by path") {
    const auto definition = ContentDefinition::from_json(
                                R"({"language": "en", "variables": {"1": 5, "2": null, "3": "x"},
                "types": {"twilio/text": {"body": "Dear {{1}}, it {{2}} is {{3}} ready now"}}})")
                                .value();
    CHECK(verdicts(definition, "variables.1", "is a number, not text") == "rrr");
    CHECK(verdicts(definition, "variables.2", "is null, not text") == "rrr");
    CHECK(verdicts(definition, "variables.3", "") == "---");
    CHECK(verdicts(definition, "variables.1", "is missing") == "---");
}

TEST_CASE("approval needs a sample for each variable, and a sample needs a variable") {
    const auto definition =
        text_of("Dear {{1}}, your {{2}} is ready now", {{"1", "Lee"}, {"3", "x"}});
    CHECK(verdicts(definition, "variables.1", "") == "---");
    CHECK(verdicts(definition, "variables.2", "is missing: types.twilio/text.body has this") ==
          "w-r");
    CHECK(verdicts(definition, "variables.3", "is used in no text") == "www");
    // A name that may be somebody's number is not repeated.
    CHECK(body_verdicts("Dear {{447700900123}}, it is ready", "has a variable without a sample") ==
          "w-r");
}

TEST_CASE("variables are numbered from 1 on without a gap, in any order, to be approved") {
    const auto found = [](const std::string& body) {
        return verdicts(text_of(body), "variables", "are not numbered from 1 on without a gap");
    };
    CHECK(found("No variable at all") == "---");
    CHECK(found("Dear {{2}}, your {{1}} is ready, {{2}}, now") == "---");
    CHECK(found("Dear {{2}}, it is ready") == "w-r");
    CHECK(found("Dear {{1}}, your {{3}} is ready") == "w-r");
    CHECK(found("Dear {{0}}, your {{1}} is ready") == "---");
    CHECK(found("Dear {{99999999999999999}}") == "---");  // no name at all
    CHECK(found("Dear {{9999999999999999}}, it is ready") == "w-r");
    CHECK(verdicts(text_of("Dear {{name}}, it is ready"), "variables",
                   "have names that are no numbers") == "w-w");
    CHECK(verdicts(text_of("Dear {{1}}, your {{3}} is ready"), "variables", "there is no {{2}}") ==
          "w-r");
}

TEST_CASE("a template has 100 variables at most") {
    std::string body = "Hello";
    TemplateVariables samples;
    for (int i = 1; i <= 100; ++i) {
        body += " and {{" + std::to_string(i) + "}}";
        samples.set(std::to_string(i), "x");
    }
    CHECK(verdicts(text_of(body, samples), "variables", "are more than 100") == "---");
    CHECK(verdicts(text_of(body + " or {{101}}"), "variables", "are more than 100") == "rrr");
    CHECK(verdicts(text_of(body, TemplateVariables(samples).set("more", "x")), "variables",
                   "are more than 100") == "rrr");
}

TEST_CASE("side by side, at the start or the end, variables need samples to be approved") {
    for (const auto& each : {std::pair{"It is {{1}}{{2}} now", "side by side"},
                             std::pair{"It is {{1}} {{2}} now", "side by side"},
                             std::pair{"{{1}} and {{2}} are here", "begins with"},
                             std::pair{"This is {{1}} and {{2}}.", "ends with"}}) {
        const std::string body = each.first;
        const auto* problem = each.second;
        CAPTURE(body);
        CHECK(body_verdicts(body, problem) == "w-r");
        CHECK(body_verdicts(body, problem, {{"1", "x"}}) == "w-r");
        CHECK(body_verdicts(body, problem, {{"1", "x"}, {"2", "y"}}) == "w-w");
    }
    CHECK(body_verdicts("It is {{1}}, {{2}}, now", "side by side") == "---");
    CHECK(body_verdicts("So {{1}} and {{2}} are here", "begins with") == "---");
    CHECK(body_verdicts("So {{1}} and {{2}} are here", "ends with") == "---");
}

TEST_CASE("x variables need 2x + 1 words") {
    CHECK(body_verdicts("Your {{1}} is ready", "too few words") == "---");
    CHECK(body_verdicts("Your {{1}} comes", "too few words") == "w-w");
    CHECK(body_verdicts("Your {{1}} and {{2}} are ready now", "too few words") == "---");
    CHECK(body_verdicts("Your {{1}} and {{2}} are ready", "too few words") == "w-w");
}

TEST_CASE("ten emojis, no link to wa.me and no run of blank lines are what WhatsApp takes") {
    CHECK(body_verdicts(times(10, "\xf0\x9f\x98\x80"), "more than 10 emojis") == "---");
    CHECK(body_verdicts(times(11, "\xf0\x9f\x98\x80"), "more than 10 emojis") == "w-w");
    CHECK(body_verdicts("Write to wa.me/15550100 now", "has a link to wa.me") == "w-w");
    CHECK(body_verdicts("Write to us\n\n\nnow", "has several blank lines in a row") == "w-w");
    CHECK(body_verdicts("Write to us\n\nnow", "has several blank lines in a row") == "---");
    CHECK(link_verdicts("https://wa.me/15550100", "has a link to wa.me") == "w-w");
}

TEST_CASE("a variable counts as one character, its sample is a matter of warning") {
    const auto too_long = "is longer than 1600 characters";
    CHECK(body_verdicts(times(1599, "x") + "{{ 1 }}", too_long) == "---");
    CHECK(body_verdicts(times(1600, "x") + "{{ 1 }}", too_long) == "rrr");
    CHECK(body_verdicts(times(1599, "x") + "{{1}}", too_long, {{"1", "yy"}}) == "www");
    const auto too_wide = "is longer than 1024 characters";
    CHECK(body_verdicts(times(1023, "x") + "{{1}}", too_wide) == "---");
    CHECK(body_verdicts(times(1023, "x") + "{{1}}", too_wide, {{"1", "y"}}) == "---");
    CHECK(body_verdicts(times(1023, "x") + "{{1}}", too_wide, {{"1", "yy"}}) == "w-r");
    CHECK(body_verdicts(times(1025, "x"), too_wide) == "w-r");
}

TEST_CASE("a file's URL ends as a file does once its variables are filled in") {
    const auto no_file = "does not end as a file does";
    CHECK(media_verdicts("https://example.com/{{1}}", no_file) == "---");  // not known yet
    CHECK(media_verdicts("https://example.com/{{1}}", no_file, {{"1", "a.png"}}) == "---");
    CHECK(media_verdicts("https://example.com/{{1}}", no_file, {{"1", "a"}}) == "rrr");
    CHECK(media_verdicts("https://example.com/{{1}}.png", no_file, {{"1", "a"}}) == "---");
    CHECK(media_verdicts("https://example.com/{{1}}/a", no_file) == "rrr");
    CHECK(media_verdicts("https://example.com/a", no_file) == "---");  // its type says what it is
}

TEST_CASE("what the samples make of a URL is on the internet, to be approved") {
    const auto nowhere = "leads to no server on the internet";
    CHECK(media_verdicts("https://localhost/a.png", nowhere) == "w-r");
    CHECK(media_verdicts("https://example.com/a.png", nowhere) == "---");
    CHECK(link_verdicts("https://10.0.0.7/{{1}}", nowhere) == "---");
    CHECK(link_verdicts("https://10.0.0.7/{{1}}", nowhere, {{"1", "a"}}) == "w-r");
    CHECK(link_verdicts("https://example.com/{{1}}", "holds white space", {{"1", "a b"}}) == "w-r");
}

TEST_CASE("the same variable may stand in several texts") {
    ContentDefinition definition = text_of("Dear {{1}}, it is ready now", {{"1", "Lee"}});
    definition.types.push_back(CallToActionContent{
        .body = "Dear {{ 1 }}, it is ready now",
        .actions = {ContentAction::open_url("Open", "https://example.com/{{1}}")}});
    for (const auto use : {ContentUse::any, ContentUse::session, ContentUse::whatsapp}) {
        CHECK(definition.check(use).empty());
    }
}

TEST_CASE("a one-time code needs no sample, a text beside it does") {
    ContentDefinition definition;
    definition.types = {twiliowa::AuthenticationContent{
        .actions = {{.type = twiliowa::ContentActionType{"COPY_CODE"}, .copy_code_text = "Copy"}}}};
    CHECK(definition.check(ContentUse::whatsapp).empty());
    definition.types.push_back(TextContent{.body = "Your code is {{1}} for today"});
    CHECK(verdicts(definition, "variables.1", "is missing") == "w-r");
}

}  // namespace variable_checks_test
