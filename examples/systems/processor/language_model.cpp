#include "language_model.hpp"

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "support/members.hpp"
#include "support/text.hpp"

namespace processor {

namespace wa = twiliowa;

std::string StandInModel::answer(const ContextObject& context) {
    const auto object = nlohmann::json::parse(context.text);
    const auto wish = object.value("/ai_config/stand_in"_json_pointer, std::string{});
    const auto name = object.value(
        "/frontend_payload/recipient_data/recipient_first_name"_json_pointer, std::string{"Lee"});
    std::random_device random;
    const auto number = std::to_string(100'000 + random() % 900'000);
    nlohmann::json variables{{"1", name}, {"2", "A-" + number}};
    nlohmann::json answer{{"thread_id", "thread_" + number}};
    if (wish == "new_lines") variables["1"] = name + "\n\n\tand family";
    if (wish == "null") variables["2"] = nullptr;
    if (wish == "number") variables["2"] = 1042;
    if (wish == "missing") variables.erase("2");
    if (wish == "extra") variables["closing"] = "Best wishes";
    if (wish == "number_as_name") variables["447700900110"] = "Lee";
    if (wish == "prose") return "Sure! Here are the variables: " + variables.dump();
    if (wish == "no_thread") answer.erase("thread_id");
    if (wish == "slow") std::this_thread::sleep_for(std::chrono::seconds{5});
    if (wish == "dies") std::_Exit(1);
    if (wish == "fails") throw std::runtime_error("the language model is overloaded");
    answer["content_variables"] = std::move(variables);
    return answer.dump();
}

wa::Result<ModelAnswer> read_answer(const std::string& written) {
    const auto answer = nlohmann::json::parse(written, nullptr, false);
    if (!answer.is_object()) return wa::Error::invalid_request("model", "wrote no JSON object");
    auto thread = support::text_at(answer, "thread_id");
    // It goes into logs and tables.
    if (!thread || !support::is_plain_name(*thread, 64)) {
        return wa::Error::invalid_request("thread_id", "is not what a thread is called by");
    }
    const auto member = answer.find("content_variables");
    if (member == answer.end()) {
        return wa::Error::invalid_request("content_variables", "is missing");
    }
    auto variables = wa::TemplateVariables::from_json(member->dump());
    if (!variables) return variables.error();
    // As the customer will read them, so that the record says what was said.
    return ModelAnswer{variables->normalised(), *std::move(thread)};
}

}  // namespace processor
