/// @file
/// Signed webhooks, and what somebody who has seen one can make of it: the same signed text, cut
/// into other names and values. Of the public API only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/webhook/webhook_request.hpp>

#include "support/form.hpp"

namespace twiliowa::test {

/// A number below its argument.
using Dice = std::function<std::size_t(std::size_t)>;

/// A webhook as far as its signature covers it.
struct SignedText {
    std::string target = {};  ///< The URL's end.
    std::vector<std::pair<std::string, std::string>> fields = {};

    /// What is signed after the host.
    std::string text() const {
        auto sorted = fields;
        std::sort(sorted.begin(), sorted.end());
        sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
        auto joined = target;
        for (const auto& [name, value] : sorted) joined.append(name).append(value);
        return joined;
    }

    WebhookRequest request(std::string_view signature) const {
        WebhookRequest request;
        request.target = target;
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                           {"X-Twilio-Signature", std::string{signature}}};
        for (const auto& [name, value] : fields) append_form_field(request.body, name, value);
        return request;
    }
};

/// A message, a status or something unknown.
inline SignedText random_webhook(const Dice& roll) {
    const auto sid_of = [&](std::string prefix) {
        for (int i = 0; i < 32; ++i) prefix += "0123456789abcdef"[roll(16)];
        return prefix;
    };
    const auto one_of = [&](const std::vector<std::string>& words) {
        return words[roll(words.size())];
    };
    SignedText made;
    made.target = one_of({"/hook", "/hook?job=17", "/hook?tenant=7&x=", "/a/b?q='1'"});
    made.fields = {{"AccountSid", sid_of("AC")}, {"MessageSid", sid_of(one_of({"SM", "MM"}))}};
    const auto add = [&](std::string name, std::string value) {
        made.fields.emplace_back(std::move(name), std::move(value));
    };
    add("From", "whatsapp:+44770090" + std::to_string(1000 + roll(9000)));
    add("To", "whatsapp:+14155238886");
    switch (roll(3)) {
        case 0:
            add("Body", one_of({"pay 100", "STOP", "MessageSid" + sid_of("SM"), "",
                                "MessageStatussent", "\xC3\xA9t\xC3\xA9 & more", "7=8"}));
            add("NumMedia", one_of({"0", "1"}));
            break;
        case 1:
            add("MessageStatus", one_of({"sent", "delivered", "read", "failed"}));
            add("ErrorCode", one_of({"", "63016"}));
            break;
        default:
            add("Amount", std::to_string(roll(1000)));
            add("EventType", one_of({"REACTION", "ORDER", "MessageStatussent"}));
            if (roll(2) == 0) made.fields.erase(made.fields.begin() + 1);
    }
    return made;
}

/// One change that may leave the signed text as it is.
inline void cut_once(SignedText& cut, const Dice& roll) {
    auto& fields = cut.fields;
    const auto at = roll(fields.size());
    auto& [name, value] = fields[at];
    switch (roll(8)) {
        case 0: {  // the value begins later
            const auto size = value.empty() ? 0 : 1 + roll(value.size());
            name.append(value, 0, size);
            value.erase(0, size);
            break;
        }
        case 1: {  // the value begins earlier
            const auto size = roll(name.size() + 1);
            value.insert(0, name, size, std::string::npos);
            name.erase(size);
            break;
        }
        case 2: {  // the value swallows the next one
            std::sort(fields.begin(), fields.end());
            if (at + 1 >= fields.size()) break;
            fields[at].second.append(fields[at + 1].first).append(fields[at + 1].second);
            fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            break;
        }
        case 3: {  // the value becomes two
            if (value.size() < 2) break;
            const auto begin = 1 + roll(value.size() - 1);
            const auto size = 1 + roll(value.size() - begin);
            auto next = std::pair{value.substr(begin, size), value.substr(begin + size)};
            value.erase(begin);
            fields.push_back(std::move(next));
            break;
        }
        case 4:  // repeats are not signed
            fields.insert(fields.end(), 1 + roll(4), std::pair{fields[at]});
            break;
        case 5:  // nor is the order
            std::swap(fields[at], fields[roll(fields.size())]);
            break;
        case 6: {  // the URL ends earlier
            const auto size = 1 + roll(cut.target.size());
            fields.emplace_back(cut.target.substr(size), "");
            cut.target.erase(size);
            break;
        }
        default: {  // the URL swallows the first one
            std::sort(fields.begin(), fields.end());
            cut.target.append(fields.front().first).append(fields.front().second);
            if (fields.size() > 1) fields.erase(fields.begin());
        }
    }
}

/// The same signed text, cut anew; `original` if none was found.
inline SignedText recut(const SignedText& original, const Dice& roll) {
    const auto text = original.text();
    auto best = original;
    for (std::size_t tries = 2 + roll(4); tries > 0; --tries) {
        auto next = best;
        cut_once(next, roll);
        if (next.text() == text) best = std::move(next);
    }
    return best;
}

}  // namespace twiliowa::test
