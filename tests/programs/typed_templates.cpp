// Usage: twiliowa_typed_templates <list>. Sends with the header that `twiliowa template pull`
// writes of the templates that tests/programs/cli_template.sh makes, to the account of the
// environment.
#include "typed_templates.hpp"

#include <cstdio>
#include <memory>
#include <string_view>

#include <twiliowa/messages_client.hpp>

namespace {

int failures = 0;

void check(bool right, std::string_view what) {
    if (right) return;
    std::fprintf(stderr, "wrong: %.*s\n", static_cast<int>(what.size()), what.data());
    ++failures;
}

/// The list that pull writes, for a program without a network, and for the client that sends.
std::shared_ptr<twiliowa::Templates> known_templates(const char* list) {
    auto templates = twiliowa::Templates::from_file(list);
    templates->verify_all(shop::templates::expectations());
    auto expectations = shop::templates::expectations();
    expectations.back().variables.push_back("2");
    check(!templates->try_verify_all(expectations), "a template that differs");
    return templates;
}

void send(const twiliowa::MessagesClient& client) {
    // [send]
    auto message =
        shop::templates::order_on_its_way("+447700900123", {.name = "Lee", .order = "42"});
    message.status_callback = "https://example.com/status";
    const auto sent = client.send_template(message);
    // [send]
    check(sent.body == "Hi Lee, your order 42 is on its way", sent.body);
}

void check_what_it_knows() {
    using Variables = shop::templates::OrderOnItsWayVariables;
    const auto message = shop::templates::order_on_its_way("+447700900123", {"Lee", "42"});
    check(message.content_sid == Variables::content_sid, "the SID");
    check(message.category == twiliowa::TemplateCategory::utility, "the category");
    message.variables.require_all(Variables::variable_names);
    const auto reminder = shop::templates::reminder_es("+447700900123", {.name = "Lee"});
    check(reminder.variables == twiliowa::TemplateVariables{{"name", "Lee"}}, "the variables");
    check(shop::templates::template_2fa("+447700900123").variables.empty(), "no variables");
}

}  // namespace

int main(int, char** argv) {
    auto options = twiliowa::ClientOptions::from_environment();
    options.templates = known_templates(argv[1]);
    send(twiliowa::MessagesClient{twiliowa::Credentials::from_environment(), options});
    check_what_it_knows();
    return failures == 0 ? 0 : 1;
}
