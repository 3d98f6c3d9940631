#include "language_model.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <thread>

#include <twiliowa/types/error.hpp>

namespace processor {

namespace wa = twiliowa;

namespace {

using Json = nlohmann::json;

/// It goes into logs and tables.
bool is_thread_id(const std::string& text) {
    return !text.empty() && text.size() <= 64 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '_' || c == '-';
           });
}

}  // namespace

std::string StandInModel::answer(const ContextObject& context) {
    const auto object = Json::parse(context.text);
    const auto wish = object.value("/ai_config/stand_in"_json_pointer, std::string{});
    const auto name = object.value(
        "/frontend_payload/recipient_data/recipient_first_name"_json_pointer, std::string{"Lee"});
    std::random_device random;
    const auto number = std::to_string(100'000 + random() % 900'000);
    Json variables{{"1", name}, {"2", "A-" + number}};
    Json answer{{"thread_id", "thread_" + number}};
    if (wish == "new_lines") variables["1"] = name + "\n\n\tand family";
    if (wish == "null") variables["2"] = nullptr;
    if (wish == "number") variables["2"] = 1042;
    if (wish == "missing") variables.erase("2");
    if (wish == "extra") variables["closing"] = "Best wishes";
    if (wish == "number_as_name") variables["447700900110"] = "Lee";
    if (wish == "prose") return "Sure! Here are the variables: " + variables.dump();
    if (wish == "no_thread") answer.erase("thread_id");
    if (wish == "slow") std::this_thread::sleep_for(std::chrono::seconds{3});
    if (wish == "fails") throw std::runtime_error("the language model is overloaded");
    answer["content_variables"] = std::move(variables);
    return answer.dump();
}

wa::Result<ModelAnswer> read_answer(const std::string& written) {
    const auto answer = Json::parse(written, nullptr, false);
    if (!answer.is_object()) return wa::Error::invalid_request("model", "wrote no JSON object");
    const auto thread = answer.find("thread_id");
    if (thread == answer.end() || !thread->is_string() ||
        !is_thread_id(thread->get<std::string>())) {
        return wa::Error::invalid_request("thread_id", "is not what a thread is called by");
    }
    const auto member = answer.find("content_variables");
    if (member == answer.end()) {
        return wa::Error::invalid_request("content_variables", "is missing");
    }
    auto variables = wa::TemplateVariables::from_json(member->dump());
    if (!variables) return variables.error();
    // As the customer will read them, so that the record says what was said.
    return ModelAnswer{variables->normalised(), thread->get<std::string>()};
}

}  // namespace processor
