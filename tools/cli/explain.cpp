// `twiliowa explain`

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/types/error_advice.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "message_view.hpp"

namespace cli {

namespace {

using twiliowa::ErrorAdvice;
using Json = nlohmann::ordered_json;

Json json_of_advice(const ErrorAdvice& advice) {
    return {{"code", advice.code},
            {"title", advice.title},
            {"category", to_string(advice.category)},
            {"retry", to_string(advice.retry)},
            {"advice", advice.advice}};
}

std::string text_of_advice(const ErrorAdvice& advice) {
    return facts({{"code", std::to_string(advice.code)},
                  {"what", std::string{advice.title}},
                  {"about", std::string{to_string(advice.category)}},
                  {"again", std::string{to_string(advice.retry)}},
                  {"advice", std::string{advice.advice}}});
}

/// Whether it has an entry of its own.
bool is_known(int code) {
    const auto known = twiliowa::error_catalogue();
    return std::any_of(known.begin(), known.end(),
                       [&](const ErrorAdvice& each) { return each.code == code; });
}

/// The codes in what a log or another library says of an error: numbers of five digits.
std::vector<int> codes_in(std::string_view text) {
    constexpr std::string_view digits = "0123456789";
    constexpr std::size_t code_size = 5;
    std::vector<int> codes;
    for (auto from = text.find_first_of(digits); from != text.npos;) {
        const auto to = std::min(text.find_first_not_of(digits, from), text.size());
        int code = 0;
        std::from_chars(text.data() + from, text.data() + to, code);
        const bool is_part_of_a_word =
            from > 0 && (text[from - 1] == '_' || text[from - 1] == '+' ||
                         (text[from - 1] >= 'A' && text[from - 1] <= 'Z') ||
                         (text[from - 1] >= 'a' && text[from - 1] <= 'z'));
        if (to - from == code_size && !is_part_of_a_word && is_known(code) &&
            std::find(codes.begin(), codes.end(), code) == codes.end()) {
            codes.push_back(code);
        }
        from = text.find_first_of(digits, to);
    }
    return codes;
}

bool is_code(std::string_view text) {
    constexpr std::size_t most = 6;
    return !text.empty() && text.size() <= most &&
           text.find_first_not_of("0123456789") == text.npos;
}

ExitCode explain_codes(const std::vector<int>& codes, Context& context) {
    auto json = Json::array();
    std::string text;
    for (const int code : codes) {
        const auto advice = twiliowa::advise(code);
        json.push_back(json_of_advice(advice));
        text.append(text.empty() ? "" : "\n").append(text_of_advice(advice));
    }
    context.output.result({{"errors", std::move(json)}}, text);
    return ExitCode::done;
}

/// What became of a message, and what to do.
ExitCode explain_message(const twiliowa::MessageSid& sid, bool reveal, Context& context) {
    const twiliowa::MessagesClient client{context.credentials(), context.client_options()};
    const auto message = client.fetch(sid, context.call_options());
    const auto numbers = reveal ? Numbers::whole : Numbers::masked;
    auto errors = Json::array();
    auto text = text_of_message(message, numbers);
    if (const int code = message.error_code.value_or(0); code != 0) {
        const auto advice = twiliowa::advise(code);
        errors.push_back(json_of_advice(advice));
        text += "\n" + text_of_advice(advice);
    }
    context.output.result(
        {{"message", json_of_message(message, numbers)}, {"errors", std::move(errors)}}, text);
    return ExitCode::done;
}

ExitCode explain(const std::vector<std::string>& words, bool reveal, Context& context) {
    std::string what;
    for (const auto& word : words) what.append(what.empty() ? "" : " ").append(word);
    if (is_code(what)) {
        int code = 0;
        std::from_chars(what.data(), what.data() + what.size(), code);
        return explain_codes({code}, context);
    }
    if (const auto sid = twiliowa::MessageSid::parse(what)) {
        return explain_message(*sid, reveal, context);
    }
    const auto codes = codes_in(what);
    if (codes.empty()) {
        twiliowa::Error::invalid_request(
            "WHAT", "holds no code of Twilio's that is known here",
            "give a code (63016), a message's SID (SM...), or a text with a code in it; all codes: "
            "docs/error-catalogue.md")
            .raise();
    }
    return explain_codes(codes, context);
}

Action declare_explain(CLI::App& app) {
    const auto words = std::make_shared<std::vector<std::string>>();
    const auto reveal = std::make_shared<bool>(false);
    app.add_option("WHAT", *words, "A code, a message's SID, or what a program said of an error")
        ->required();
    app.add_flag("--reveal", *reveal, "Of a message also its text, and whole numbers");
    return [words, reveal](Context& context) { return explain(*words, *reveal, context); };
}

}  // namespace

std::vector<Command> explain_commands() {
    return {{.noun = "explain",
             .summary = "Says what an error means, or what became of a message, and what to do",
             .details = "Codes need no network. A message is fetched.",
             .examples = {"twiliowa explain 63016",
                          "twiliowa explain 'HTTP 400 error: Unable to create record: 21610'",
                          "twiliowa explain SM910a2dec89025cc1beeb8da1658eec67"},
             .declare = declare_explain}};
}

}  // namespace cli
