#include "content/compiled_template.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "support/show.hpp"

namespace compiled_template_test {

using namespace twiliowa;
using twiliowa::detail::check_fit;
using twiliowa::detail::compile_template;
using twiliowa::detail::CompiledTemplate;
using twiliowa::detail::standing_refusal;
using twiliowa::test::containing;

namespace {

CompiledTemplate compiled(ContentDefinition definition, std::string_view status = "approved") {
    ContentTemplate content;
    content.definition = std::move(definition);
    content.approval = ContentApproval{.status = ApprovalStatus{status}};
    return compile_template(std::move(content));
}

CompiledTemplate greeting(TextField body = "Hi {{1}}, your {{ order }} is ready",
                          std::string_view status = "approved") {
    return compiled({.variables = {{"1", "John"}}, .types = {TextContent{.body = std::move(body)}}},
                    status);
}

Result<void> fit(const CompiledTemplate& expected, const TemplateVariables& variables,
                 WhitespacePolicy policy = WhitespacePolicy::refuse) {
    return check_fit(expected, variables, policy, expected.is_approved);
}

}  // namespace

TEST_CASE("variables that are the template's fit") {
    CHECK(fit(greeting(), {{"1", "Ann"}, {"order", "A-1"}}));
    CHECK(fit(greeting(), {{"order", "A-1"}, {"1", "Ann"}}));
    CHECK(fit(greeting("Hello there"), {{"1", "Ann"}}));  // declared, though nothing uses it
    CHECK(fit(greeting("Hello there"), {}));
}

TEST_CASE("a variable that is missing is refused, with what is expected and what was given") {
    const auto result = fit(greeting(), {{"1", "Ann"}});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind() == ErrorKind::invalid_request);
    CHECK(result.error().field() == "ContentVariables");
    CHECK(result.error().code() == 21656);
    CHECK(
        result.error().what() ==
        containing(
            R"(variable "order" is missing; the template expects "1", "order" and was given "1")"));
    CHECK(result.error().hint() == containing("no default"));
    CHECK(fit(greeting(), {}).error().what() == containing("was given none"));
}

TEST_CASE("a variable that is left out takes its sample only if the caller says so by name") {
    TemplateVariables variables{{"order", "A-1"}};
    CHECK(fit(greeting(), variables).error().hint() == containing("use_default(name)"));
    CHECK(fit(greeting(), TemplateVariables{variables}.use_default("1")));
    CHECK_FALSE(fit(greeting(), TemplateVariables{variables}.use_default("order")));
    CHECK(fit(greeting(), TemplateVariables{variables}.use_all_defaults()));
    // What has no sample has no default.
    CHECK_FALSE(fit(greeting(), TemplateVariables{{"1", "Ann"}}.use_all_defaults()));
}

TEST_CASE("a variable that the template does not know is refused") {
    const auto result = fit(greeting(), {{"1", "Ann"}, {"order", "A-1"}, {"2", "x"}});
    CHECK(result.error().what() == containing(R"(variable "2" is not one of the template's)"));
    const auto number = fit(greeting(), {{"447700900123", "x"}});
    CHECK(number.error().what() == containing("variable number 1 is not one"));
    CHECK(number.error().what() != containing("447700900123"));
    const auto named = fit(greeting("Hi {{447700900123}} and {{2}}"), {});
    CHECK(named.error().what() == containing(R"(expects number 1, "2")"));
    CHECK(named.error().what() != containing("447700900123"));
}

TEST_CASE("a text of very many variables is taken in without squaring them") {
    std::string body;
    for (int i = 0; i < 100'000; ++i) body.append("{{a").append(std::to_string(i)).append("}} ");
    CHECK(greeting(TextField(body)).variables.size() == 100'001);
}

TEST_CASE("variables count wherever a type has them, malformed placeholders nowhere") {
    const auto expected = compiled(
        {.types = {CarouselContent{
             .body = "A {{1}} and {{a-b}} and {{}}",
             .cards = {{.body = "{{2}}",
                        .media = "https://x.test/{{3}}.png",
                        .actions = {ContentAction::open_url("Go", "https://x.test/{{4}}")}}}}}});
    CHECK(detail::names_of(expected.variables) == R"("1", "2", "3", "4")");
    CHECK(expected.needs_approval);
}

TEST_CASE("an approved WhatsApp template takes 1024 characters with its values") {
    const auto expected = greeting("{{1}} {{1}} {{order}}");  // two blanks between three values
    const auto with = [&](std::size_t one, std::size_t order) {
        return fit(expected, {{"1", std::string(one, 'a')}, {"order", std::string(order, 'b')}});
    };
    CHECK(with(500, 22));
    CHECK(with(500, 23).error().code() == 63021);
    CHECK(check_fit(greeting("{{1}} {{1}} {{order}}", "pending"),
                    {{"1", std::string(600, 'a')}, {"order", "b"}}, WhitespacePolicy::refuse,
                    false));
    // Characters count, not bytes.
    std::string euros;
    for (int i = 0; i < 500; ++i) euros += "€";
    CHECK(fit(expected, {{"1", euros}, {"order", std::string(22, 'b')}}));
    // What normalising takes away does not count.
    const std::string wide = std::string(400, 'a') + std::string(200, '\n') + "b";
    CHECK(fit(expected, {{"1", wide}, {"order", "b"}}, WhitespacePolicy::normalise));
    CHECK(fit(expected, {{"1", std::string(600, 'a')}, {"order", "b"}}, WhitespacePolicy::normalise)
              .error()
              .code() == 63021);
}

TEST_CASE("an approved WhatsApp template takes no new lines, whatever the policy allows") {
    const TemplateVariables variables{{"1", "Ann\nBob"}, {"order", "A-1"}};
    CHECK(fit(greeting(), variables, WhitespacePolicy::allow).error().code() == 63013);
    CHECK(fit(greeting(), variables, WhitespacePolicy::normalise));
    CHECK(check_fit(greeting("Hi {{1}} {{order}}", "pending"), variables, WhitespacePolicy::allow,
                    false));
}

TEST_CASE("an authentication template takes one short code and has no default") {
    const auto expected =
        compiled({.variables = {{"1", "123456"}},
                  .types = {AuthenticationContent{
                      .actions = {{.type = ContentActionType{ContentActionType::copy_code},
                                   .copy_code_text = "Copy"}}}}});
    CHECK(expected.is_authentication);
    CHECK(fit(expected, {{"1", "12345678901234"}}));
    CHECK(fit(expected, {{"1", "123456789012345"}}).error().code() == 21656);
    CHECK_FALSE(fit(expected, TemplateVariables{}.use_all_defaults()));
    CHECK_FALSE(fit(expected, {{"1", "1"}, {"2", "2"}}));
}

TEST_CASE("a template that was rejected, paused or disabled goes nowhere") {
    const auto code = [](std::string_view status) {
        const auto refusal = standing_refusal(greeting("Hi {{1}}", status));
        return refusal ? refusal->code() : 0;
    };
    CHECK(code("rejected") == 63040);
    CHECK(code("PAUSED") == 63041);
    CHECK(code("disabled") == 63042);
    for (const auto* open : {"unsubmitted", "received", "pending", "in_appeal"}) {
        CHECK(code(open) == 0);
    }
}

TEST_CASE("which types go in the session only, and which approved only") {
    const auto of = [](ContentType type) { return compiled({.types = {std::move(type)}}); };
    CHECK(of(ListPickerContent{}).is_session_only);
    CHECK(of(LocationContent{}).is_session_only);
    CHECK(of(CarouselContent{}).needs_approval);
    CHECK(of(AuthenticationContent{}).needs_approval);
    CHECK_FALSE(of(TextContent{}).is_session_only);
    CHECK_FALSE(of(TextContent{}).needs_approval);
}

}  // namespace compiled_template_test
