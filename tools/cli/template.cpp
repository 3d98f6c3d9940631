// `twiliowa template`: what asks Twilio.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <memory>

#include <twiliowa/content_client.hpp>
#include <twiliowa/types/error.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "definition_file.hpp"
#include "layout.hpp"
#include "moment.hpp"
#include "output_file.hpp"
#include "template_difference.hpp"
#include "template_header.hpp"
#include "template_json.hpp"

namespace cli {

namespace {

using twiliowa::ApprovalRequest;
using twiliowa::ApprovalStatus;
using twiliowa::ApprovalWait;
using twiliowa::ContentApproval;
using twiliowa::ContentClient;
using twiliowa::ContentTemplate;
using twiliowa::ContentUse;
using twiliowa::Error;
using Json = nlohmann::ordered_json;

ContentClient client_of(const Context& context) {
    return ContentClient{context.credentials(), context.client_options()};
}

void add_sid(CLI::App& app, std::string& sid) {
    app.add_option("SID", sid, "The template's (HX...), as template list shows it")->required();
}

void add_file(CLI::App& app, std::string& file) {
    app.add_option("FILE", file, "A template as the Content API takes it; -: standard input")
        ->required()
        ->type_name("FILE");
}

// ---- list, show

std::string types_of(const ContentTemplate& content) {
    std::string types;
    for (const auto& type : content.definition.types) {
        types.append(types.empty() ? "" : " ").append(type_name(type));
    }
    return types;
}

ExitCode list_templates(Context& context) {
    auto json = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& content : client_of(context).list(context.call_options())) {
        json.push_back(json_of_template(content));
        rows.push_back({content.sid.str(), content.definition.friendly_name,
                        content.definition.language, types_of(content),
                        content.approval ? text_of_approval(*content.approval) : ""});
    }
    if (rows.empty() && !context.output.is_json()) context.output.note("There is no template.");
    context.output.result({{"contents", std::move(json)}},
                          table({"SID", "NAME", "LANGUAGE", "TYPES", "APPROVAL"}, rows));
    return ExitCode::done;
}

std::string facts_of_template(const ContentTemplate& content) {
    const auto approval = content.approval.value_or(ContentApproval{});
    return facts({{"template", content.sid.str()},
                  {"name", content.definition.friendly_name},
                  {"language", content.definition.language},
                  {"types", types_of(content)},
                  {"created", text_of(content.date_created)},
                  {"updated", text_of(content.date_updated)},
                  {"approval", text_of_approval(approval)},
                  {"submitted as", approval.name},
                  {"category", approval.category.str()}});
}

ExitCode show_template(const std::string& sid, Context& context) {
    const auto wanted = template_sid(sid);
    const auto client = client_of(context);
    auto content = client.fetch(wanted, context.call_options());
    content.approval = client.fetch_approval(wanted, context.call_options());
    context.output.result(
        json_of_template(content),
        facts_of_template(content) + "\n" + pretty(json_of_definition(content.definition)));
    return ExitCode::done;
}

Action declare_show(CLI::App& app) {
    const auto sid = std::make_shared<std::string>();
    add_sid(app, *sid);
    return [sid](Context& context) { return show_template(*sid, context); };
}

// ---- diff, push

struct FileAndSid {
    std::string file = {};
    std::string sid = {};
};

/// Whether `name` is what push makes of `base` when that has been submitted: `order_update_v2`.
bool is_version_of(std::string_view base, std::string_view name) {
    if (!name.starts_with(base) || !name.substr(base.size()).starts_with("_v")) return false;
    const auto digits = name.substr(base.size() + 2);
    return !digits.empty() &&
           std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string text_of_difference(const Difference& difference) {
    const auto text = [](const Json& json) {
        return json.is_null() ? "none" : json.dump(-1, ' ', false, Json::error_handler_t::replace);
    };
    return printable(difference.path) + "\n  file:   " + printable(text(difference.file)) +
           "\n  Twilio: " + printable(text(difference.remote)) + "\n";
}

ExitCode compare(const FileAndSid& options, Context& context) {
    const auto wanted = template_sid(options.sid);
    auto file = read_definition(options.file);
    const auto remote = client_of(context).fetch(wanted, context.call_options()).definition;
    if (is_version_of(file.friendly_name, remote.friendly_name)) {
        file.friendly_name = remote.friendly_name;
    }
    auto json = Json::array();
    std::string text;
    for (const auto& each : differences(json_of_definition(file), json_of_definition(remote))) {
        text += text_of_difference(each);
        json.push_back({{"path", each.path}, {"file", each.file}, {"twilio", each.remote}});
    }
    const bool same = json.empty();
    if (same && !context.output.is_json()) context.output.note("They are the same.");
    context.output.result({{"same", same}, {"differences", std::move(json)}}, text);
    return same ? ExitCode::done : ExitCode::refused;
}

Action declare_diff(CLI::App& app) {
    const auto options = std::make_shared<FileAndSid>();
    add_file(app, options->file);
    add_sid(app, options->sid);
    return [options](Context& context) { return compare(*options, context); };
}

Action declare_push(CLI::App& app) {
    const auto file = std::make_shared<std::string>();
    add_file(app, *file);
    return [file](Context& context) {
        const auto definition = read_definition(*file);
        const auto pushed = client_of(context).upsert(definition, context.call_options());
        const std::string action{to_string(pushed.action)};
        context.output.result({{"action", action}, {"template", json_of_template(pushed.content)}},
                              printable(action + " " + pushed.content.sid.str() + " " +
                                        pushed.content.definition.friendly_name) +
                                  "\n");
        return ExitCode::done;
    };
}

// ---- submit, wait

void print_approval(const std::string& sid, const ContentApproval& approval, Context& context) {
    Json json{{"sid", sid}};
    json.update(json_of_approval(approval));
    context.output.result(json, facts({{"template", sid},
                                       {"approval", text_of_approval(approval)},
                                       {"name", approval.name},
                                       {"category", approval.category.str()}}));
}

struct SubmitOptions {
    std::string sid = {};
    std::string name = {};
    std::string category = {};
    bool keep_category = false;
    int send_ttl_seconds = 0;
};

/// A rejection costs the name 30 days, so what WhatsApp would reject for certain is not submitted.
void check_for_approval(const ContentTemplate& content) {
    const auto findings = content.definition.check(ContentUse::whatsapp);
    if (!refuses(findings)) return;
    const auto& worst = findings.front();
    Error::invalid_request(worst.path, worst.problem, worst.hint).raise();
}

ExitCode submit(const SubmitOptions& options, Context& context) {
    const auto sid = template_sid(options.sid);
    const auto client = client_of(context);
    check_for_approval(client.fetch(sid, context.call_options()));
    ApprovalRequest request{.name = options.name,
                            .category = twiliowa::TemplateCategory{options.category}};
    if (options.keep_category) request.allow_category_change = false;
    if (options.send_ttl_seconds != 0) request.send_ttl_seconds = options.send_ttl_seconds;
    const auto approval = client.submit(sid, request, context.call_options());
    print_approval(options.sid, approval, context);
    return ExitCode::done;
}

Action declare_submit(CLI::App& app) {
    const auto options = std::make_shared<SubmitOptions>();
    add_sid(app, options->sid);
    app.add_option("--name", options->name,
                   "What WhatsApp shall know it by: a-z, 0-9 and _, never used in the last 30 days")
        ->required()
        ->type_name("NAME");
    app.add_option("--category", options->category, "What it is for, as Meta sees it")
        ->required()
        ->transform(CLI::IsMember({"UTILITY", "MARKETING", "AUTHENTICATION"}, CLI::ignore_case)
                        .description(""))
        ->type_name("UTILITY|MARKETING|AUTHENTICATION");
    app.add_flag("--keep-category", options->keep_category,
                 "Meta may not choose another category; it rejects instead");
    app.add_option("--send-ttl", options->send_ttl_seconds,
                   "Seconds after which Meta gives up on delivering a message made of it")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()).description(""))
        ->type_name("SECONDS");
    return [options](Context& context) { return submit(*options, context); };
}

struct WaitOptions {
    std::string sid = {};
    ApprovalWait wait = {};
};

ExitCode wait(const WaitOptions& options, Context& context) {
    const auto sid = template_sid(options.sid);
    const auto approval =
        client_of(context).wait_until_approved(sid, options.wait, context.call_options());
    print_approval(options.sid, approval, context);
    return approval.is_approved() ? ExitCode::done : ExitCode::refused;
}

Action declare_wait(CLI::App& app) {
    const auto options = std::make_shared<WaitOptions>();
    add_sid(app, options->sid);
    app.add_option_function<std::string>(
           "--timeout",
           [options](const std::string& text) {
               const auto timeout = duration_of(text);
               if (!timeout) {
                   throw CLI::ValidationError("--timeout",
                                              "is a whole number of s, m or h: 90s, 30m, 48h");
               }
               options->wait.timeout = *timeout;
           },
           "How long: 90s, 30m, 48h (default)")
        ->type_name("TIME");
    return [options](Context& context) { return wait(*options, context); };
}

// ---- pull

struct PullOptions {
    std::string header = {};
    std::string name_space = {};
    std::string file = {};
};

std::vector<ContentTemplate> all_templates(const Context& context) {
    std::vector<ContentTemplate> contents;
    for (const auto& content : client_of(context).list(context.call_options())) {
        contents.push_back(content);
    }
    // Twilio's order changes with every template.
    std::sort(contents.begin(), contents.end(),
              [](const auto& a, const auto& b) { return a.sid < b.sid; });
    return contents;
}

Json list_of(const std::vector<ContentTemplate>& contents) {
    auto list = Json::array();
    for (const auto& content : contents) list.push_back(json_of_template(content));
    return {{"contents", std::move(list)}};
}

std::string as_file(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

ExitCode pull(const PullOptions& options, Context& context) {
    const auto name_space =
        options.name_space.empty() ? namespace_of_file(options.header) : options.name_space;
    if (!is_namespace(name_space)) {
        throw usage_failure("--namespace is no namespace of C++", "twiliowa template pull --help");
    }
    const auto contents = all_templates(context);
    if (options.header.empty() && options.file.empty()) {
        const auto json = list_of(contents);
        context.output.result(json, as_file(json));
        return ExitCode::done;
    }
    Json json{{"templates", contents.size()}, {"changed", Json::array()}};
    std::vector<std::vector<std::string>> rows;
    if (!options.file.empty() && write_file(options.file, as_file(list_of(contents)), "--file")) {
        json["changed"].push_back(options.file);
    }
    if (!options.header.empty()) {
        const auto header = write_header(contents, name_space);
        if (write_file(options.header, header.text, "--header")) {
            json["changed"].push_back(options.header);
        }
        auto& functions = json["functions"] = Json::array();
        for (const auto& function : header.functions) {
            const auto name = name_space + "::" + function.name;
            functions.push_back({{"sid", function.sid.str()}, {"name", name}});
            rows.push_back({function.sid.str(), name});
        }
    }
    if (!context.output.is_json()) {
        for (const auto& file : json["changed"])
            context.output.note("Written: " + std::string{file});
        if (json["changed"].empty()) context.output.note("Nothing has changed.");
    }
    context.output.result(json, table({"SID", "FUNCTION"}, rows));
    return ExitCode::done;
}

Action declare_pull(CLI::App& app) {
    const auto options = std::make_shared<PullOptions>();
    auto* const header =
        app.add_option("--header", options->header,
                       "A C++ header with a function for each template, instead of the list");
    header->type_name("FILE");
    app.add_option("--namespace", options->name_space,
                   "What the header's functions are in; by default its file's name")
        ->needs(header)
        ->type_name("NAME");
    app.add_option("--file", options->file, "Where the list goes, instead of standard output")
        ->type_name("FILE");
    return [options](Context& context) { return pull(*options, context); };
}

}  // namespace

std::vector<Command> template_commands() {
    std::vector<Command> commands{
        {.noun = "template",
         .verb = "list",
         .summary = "Lists the account's templates, and where each stands with WhatsApp",
         .examples = {"twiliowa template list", "twiliowa template list --json"},
         .declare = [](CLI::App&) { return list_templates; }},
        {.noun = "template",
         .verb = "show",
         .summary = "Shows one template: its definition, and where it stands with WhatsApp",
         .examples = {"twiliowa template show HX00000000000000000000000000000001"},
         .declare = declare_show}};
    auto offline = template_file_commands();
    std::move(offline.begin(), offline.end(), std::back_inserter(commands));
    commands.insert(
        commands.end(),
        {{.noun = "template",
          .verb = "diff",
          .summary = "Shows what differs between a file and a template of the account",
          .details = "Exit code 0 if nothing does, 1 otherwise. A name that push gave for a new "
                     "version\n(order_on_its_way_v2) is the same.",
          .examples = {"twiliowa template diff order_on_its_way.json "
                       "HX00000000000000000000000000000001"},
          .declare = declare_diff},
         {.noun = "template",
          .verb = "push",
          .summary = "Sees to it that the account has the template as the file has it",
          .details = "Says what it did: unchanged, updated, or created. A template that has been "
                     "submitted cannot\nbe changed: it is created anew, as\norder_on_its_way_v2.",
          .examples = {"twiliowa template push order_on_its_way.json"},
          .declare = declare_push},
         {.noun = "template",
          .verb = "submit",
          .summary = "Asks WhatsApp to approve a template",
          .details =
              "Refuses what WhatsApp would reject for certain, as check --use whatsapp does.",
          .examples = {"twiliowa template submit HX910a2dec89025cc1beeb8da1658eec67 --name "
                       "new_offer --category MARKETING"},
          .declare = declare_submit},
         {.noun = "template",
          .verb = "wait",
          .summary = "Waits until WhatsApp has judged a template that was submitted",
          .details =
              "Asks after 5 seconds, then ever more rarely, up to 5 minutes apart. Exit code "
              "0: approved;\n1: rejected, for the reason that it prints; 4: the time is up.",
          .examples = {"twiliowa template wait HX910a2dec89025cc1beeb8da1658eec67 --timeout 30m"},
          .declare = declare_wait},
         {.noun = "template",
          .verb = "pull",
          .summary = "Writes all templates into a file: a list, or C++ functions that take their "
                     "variables",
          .details =
              "What is left out of such a function's variables does not compile. A file that "
              "would not\nchange is left alone.",
          .examples = {"twiliowa template pull",
                       "twiliowa template pull --header my_templates.hpp --file templates.json"},
          .declare = declare_pull}});
    return commands;
}

}  // namespace cli
