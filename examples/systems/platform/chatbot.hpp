// What answers customers: an interface, and a stand-in for a language model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "history.hpp"
#include "support/settings.hpp"

namespace platform {

/// About so many, of a text.
inline std::int64_t tokens_of(const std::string& text) {
    return static_cast<std::int64_t>(text.size() + 3) / 4;
}

struct ChatbotAnswer {
    std::string text;
    std::int64_t tokens = 0;  ///< What it has used.
};

/// Thread-safe.
class Chatbot {
public:
    virtual ~Chatbot() = default;
    /// The most that an answer uses.
    virtual std::int64_t most_tokens(const std::vector<Said>& history) const = 0;
    /// To the last of what was said. What it throws is tried again.
    virtual ChatbotAnswer answer(const std::string& chatbot, const std::vector<Said>& history) = 0;
};

/// Thinks for a while, and says how much it was told; who writes `everything` gets a long answer.
class StandInChatbot final : public Chatbot {
public:
    explicit StandInChatbot(support::Waits thinks) : thinks_(thinks) {}

    std::int64_t most_tokens(const std::vector<Said>& history) const override {
        std::int64_t tokens = 1'000;
        for (const auto& each : history) tokens += tokens_of(each.text);
        return tokens;
    }
    ChatbotAnswer answer(const std::string& chatbot, const std::vector<Said>& history) override {
        support::think(thinks_);
        int told = 0;
        for (const auto& each : history) told += each.role == "user" ? 1 : 0;
        auto text = chatbot + " has read " + std::to_string(told) + " of your messages.";
        if (history.back().text.find("everything") != std::string::npos) {
            for (int i = 1; i <= 40; ++i) {
                text += (i % 10 == 0 ? "\n\n" : " ") + std::to_string(i) +
                        ". There is always something more that can be said of it.";
            }
        }
        return {text, most_tokens(history) - 1'000 + tokens_of(text)};
    }

private:
    const support::Waits thinks_;
};

}  // namespace platform
