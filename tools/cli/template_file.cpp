// `twiliowa template`: what works without credentials.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include <twiliowa/content/render.hpp>
#include <twiliowa/content_client.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "definition_file.hpp"
#include "layout.hpp"
#include "template_places.hpp"

namespace cli {

namespace {

using twiliowa::ContentDefinition;
using twiliowa::ContentFinding;
using twiliowa::ContentSid;
using twiliowa::ContentUse;
using twiliowa::FindingLevel;
using twiliowa::RenderedButton;
using twiliowa::RenderedContent;
using twiliowa::TemplateVariables;
using Json = nlohmann::ordered_json;

// ---- check

struct CheckOptions {
    std::string file = {};
    ContentUse use = ContentUse::any;
};

const char* word_of(FindingLevel level) {
    return level == FindingLevel::refuse ? "refuse" : "warn";
}

std::string line_of(const ContentFinding& finding, const Output& output) {
    const auto colour = finding.level == FindingLevel::refuse ? Colour::red : Colour::yellow;
    const auto message =
        finding.hint.empty() ? finding.problem : finding.problem + ": " + finding.hint;
    return output.paint(colour, word_of(finding.level)) + " " +
           printable(finding.path + " " + message) + "\n";
}

ExitCode check(const CheckOptions& options, Context& context) {
    const auto findings = read_definition(options.file).check(options.use);
    auto json = Json::array();
    std::string text;
    for (const auto& finding : findings) {
        json.push_back({{"level", word_of(finding.level)},
                        {"path", finding.path},
                        {"message", finding.problem},
                        {"advice", finding.hint}});
        text += line_of(finding, context.output);
    }
    const bool refused = twiliowa::refuses(findings);
    if (findings.empty() && !context.output.is_json()) context.output.note("Nothing is wrong.");
    context.output.result({{"refused", refused}, {"findings", std::move(json)}}, text);
    return refused ? ExitCode::refused : ExitCode::done;
}

Action declare_check(CLI::App& app) {
    const auto options = std::make_shared<CheckOptions>();
    app.add_option("FILE", options->file,
                   "A template as the Content API takes it; -: standard input")
        ->required()
        ->type_name("FILE");
    const std::map<std::string, ContentUse> uses{{"session", ContentUse::session},
                                                 {"whatsapp", ContentUse::whatsapp}};
    app.add_option_function<std::string>(
           "--use", [options, uses](const std::string& use) { options->use = uses.at(use); },
           "session: within the 24-hour window, without approval; whatsapp: to be approved")
        ->check(CLI::IsMember({"session", "whatsapp"}).description(""))
        ->type_name("session|whatsapp");
    return [options](Context& context) { return check(*options, context); };
}

// ---- render

struct RenderOptions {
    std::string definition = {};
    std::string variables = "{}";
};

Json json_of_buttons(const std::vector<RenderedButton>& buttons) {
    auto json = Json::array();
    for (const auto& button : buttons) {
        json.push_back({{"type", button.type.str()},
                        {"title", button.title},
                        {"id", button.id},
                        {"value", button.value}});
    }
    return json;
}

Json json_of_rendered(const RenderedContent& rendered) {
    auto items = Json::array();
    for (const auto& item : rendered.items) {
        items.push_back(
            {{"id", item.id}, {"title", item.title}, {"description", item.description}});
    }
    auto cards = Json::array();
    for (const auto& card : rendered.cards) {
        cards.push_back({{"title", card.title},
                         {"body", card.body},
                         {"media", card.media},
                         {"buttons", json_of_buttons(card.buttons)}});
    }
    return {{"type", rendered.type},
            {"header", rendered.header},
            {"body", rendered.body},
            {"footer", rendered.footer},
            {"media", rendered.media},
            {"buttons", json_of_buttons(rendered.buttons)},
            {"list_button", rendered.list_button},
            {"items", std::move(items)},
            {"cards", std::move(cards)},
            {"latitude", rendered.latitude},
            {"longitude", rendered.longitude},
            {"unfilled", rendered.unfilled}};
}

/// As they stand in a message: each text with the lines that it has.
class MessageText {
public:
    void add(std::string_view text) {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            text_ += indent_ + printable(text.substr(0, end)) + '\n';
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }
    void add(const std::vector<std::string>& media) {
        for (const auto& url : media) add("[file] " + url);
    }
    void add(const std::vector<RenderedButton>& buttons) {
        for (const auto& button : buttons) {
            add("[" + button.title + "]" + (button.value.empty() ? "" : " " + button.value));
        }
    }
    void indent() { indent_ = "  "; }
    std::string& text() { return text_; }

private:
    std::string text_;
    std::string indent_;
};

std::string text_of_rendered(const RenderedContent& rendered) {
    MessageText message;
    message.add(rendered.media);
    message.add(rendered.header);
    message.add(rendered.body);
    if (!rendered.latitude.empty()) {
        message.add("[location] " + rendered.latitude + ", " + rendered.longitude);
    }
    message.add(rendered.footer);
    message.add(rendered.buttons);
    if (!rendered.list_button.empty()) message.add("[" + rendered.list_button + "]");
    message.indent();
    for (const auto& item : rendered.items) {
        message.add("- " + item.title + (item.description.empty() ? "" : ": " + item.description));
    }
    for (const auto& card : rendered.cards) {
        message.add("- " + (card.title.empty() ? card.body : card.title));
        if (!card.title.empty()) message.add(card.body);
        message.add(card.media);
        message.add(card.buttons);
    }
    return std::move(message.text());
}

/// Values that the template has no place for: names that are misspelt, most likely.
std::vector<std::string> unknown_variables(const TemplateVariables& variables,
                                           const ContentDefinition& definition) {
    const auto places = variable_places(definition);
    std::vector<std::string> unknown;
    for (const auto& [name, value] : variables.entries()) {
        const auto& given = name;
        const auto is_given = [&](const VariablePlace& place) { return place.name == given; };
        if (std::none_of(places.begin(), places.end(), is_given)) unknown.push_back(name);
    }
    return unknown;
}

ContentDefinition definition_of(const std::string& file_or_sid, Context& context) {
    const auto sid = ContentSid::parse(file_or_sid);
    if (!sid) return read_definition(file_or_sid);
    const twiliowa::ContentClient client{context.credentials(), context.client_options()};
    return client.fetch(*sid, context.call_options()).definition;
}

ExitCode render_template(const RenderOptions& options, Context& context) {
    auto variables = TemplateVariables::from_json(options.variables);
    if (!variables) {
        variables.error()
            .with([](twiliowa::ErrorData& data) { data.field = "--variables"; })
            .raise();
    }
    const auto definition = definition_of(options.definition, context);
    const auto rendered = render(definition, *variables);
    auto json = json_of_rendered(rendered);
    json["unknown"] = unknown_variables(*variables, definition);
    if (!context.output.is_json()) {
        for (const auto& name : json["unknown"]) {
            context.output.note("There is no variable {{" + std::string{name} + "}}.");
        }
        for (const auto& name : rendered.unfilled) {
            context.output.note("{{" + name + "}} has neither a value nor a sample.");
        }
    }
    context.output.result(json, text_of_rendered(rendered));
    return ExitCode::done;
}

Action declare_render(CLI::App& app) {
    const auto options = std::make_shared<RenderOptions>();
    app.add_option("FILE|SID", options->definition,
                   "A template as the Content API takes it (-: standard input), or one of the "
                   "account's (HX...)")
        ->required()
        ->type_name("FILE");
    app.add_option("--variables", options->variables, "One JSON object of texts")
        ->type_name("JSON");
    return [options](Context& context) { return render_template(*options, context); };
}

}  // namespace

std::vector<Command> template_file_commands() {
    return {
        {.noun = "template",
         .verb = "check",
         .summary = "Says everything that is wrong with a template, before it is sent anywhere",
         .details = "A line for each finding: level, path, message. Exit code 1 if one refuses. "
                    "Asks nobody.",
         .examples = {"twiliowa template check order_on_its_way.json",
                      "twiliowa template check order_on_its_way.json --use whatsapp"},
         .declare = declare_check},
        {.noun = "template",
         .verb = "render",
         .summary = "Shows what a customer will see of a template",
         .details = "What is left out takes its sample, as in a message. Of a FILE it asks "
                    "nobody.",
         .examples =
             {"twiliowa template render order_on_its_way.json --variables '{\"1\": \"Lee\"}'",
              "twiliowa template render HX00000000000000000000000000000001 --variables "
              "'{\"1\": \"Lee\", \"2\": \"42\"}'"},
         .declare = declare_render}};
}

}  // namespace cli
