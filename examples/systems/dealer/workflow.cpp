#include "workflow.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace dealer {

std::string StandInWorkflow::answer(const Question& question, const twiliowa::CancelToken& lost) {
    support::think(waits_, lost);
    std::string words = question.text;
    std::transform(words.begin(), words.end(), words.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    const auto says = [&](std::initializer_list<const char*> any) {
        return std::any_of(any.begin(), any.end(),
                           [&](const char* word) { return words.find(word) != std::string::npos; });
    };
    const auto name =
        question.customer_name.empty() ? std::string{} : ", " + question.customer_name;
    if (question.files > 0) return "Thank you for the picture" + name + ". We will have a look.";
    if (says({"test drive", "drive"})) return "Gladly" + name + ". Which day would suit you?";
    if (says({"price", "cost"})) return "It is 18,900 all in" + name + ". Shall I reserve it?";
    if (says({"everything"})) return std::string(2'000, '.') + " That is all.";
    return "Thank you" + name + ". Which model are you interested in?";
}

}  // namespace dealer
