/// @file
/// A small dialogue, and programs that have it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <twiliowa/outbox/dialogue.hpp>

#include "unit/outbox/inbox_service.hpp"

namespace dialogue_test {

using twiliowa::Dialogue;
using twiliowa::DialogueOptions;
using twiliowa::DialogueState;
using twiliowa::DialogueTurn;

/// Who is asked for a name, and then counts the customer's messages.
inline void count_messages(Dialogue& dialogue) {
    dialogue.first("hello", [](DialogueTurn& t) {
        t.reply("Hello. What is your name?");
        t.next("count");
    });
    dialogue.step("count", [](DialogueTurn& t) {
        if (!t.has("name")) t.set("name", t.answer());
        const auto count = (t.has("count") ? std::stoi(t.get("count")) : 0) + 1;
        t.set("count", count);
        t.reply(t.get("name") + ' ' + std::to_string(count));
    });
}

/// A program whose handler has no inbox.
struct PlainProgram {
    using Steps = std::function<void(Dialogue&)>;

    explicit PlainProgram(std::shared_ptr<twiliowa::Store> store,
                          const Steps& steps = count_messages, DialogueOptions options = {})
        : dialogue(std::move(store), with_clock(std::move(options))) {
        steps(dialogue);
        dialogue.attach(service.handler);
    }

    DialogueOptions with_clock(DialogueOptions options) const {
        options.clock = service.clock;
        options.from = twiliowa::test::sender;
        return options;
    }
    twiliowa::WebhookResponse receive(int number, const std::string& body) {
        return service.handler.handle(inbox_test::message(number, body));
    }
    std::optional<DialogueState> state() const {
        return dialogue.state_of(twiliowa::test::customer);
    }

    twiliowa::test::Service service;
    Dialogue dialogue;
};

/// What an answer to Twilio says.
inline std::string said_by(const twiliowa::WebhookResponse& answer) {
    std::string said;
    const std::string begin = "<Body>";
    for (std::size_t at = 0; (at = answer.body.find(begin, at)) != std::string::npos;) {
        at += begin.size();
        if (!said.empty()) said += '|';
        said += answer.body.substr(at, answer.body.find('<', at) - at);
    }
    return said;
}

}  // namespace dialogue_test
