#include "player_dialogue.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

namespace registration {

namespace wa = twiliowa;

namespace {

/// A tap, or the word, whatever its case.
bool says(const wa::DialogueTurn& t, std::string_view word) {
    const auto answer = t.answer();
    return std::equal(answer.begin(), answer.end(), word.begin(), word.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
    });
}

/// Nothing, if it is none.
std::string name_in(const wa::DialogueTurn& t) {
    const auto name = one_line("name", t.answer());
    return name ? *name : std::string{};
}

bool is_birthday(std::string_view text) {
    int parts[3]{};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (auto& part : parts) {
        if (&part != parts && (at == end || *at++ != '-')) return false;
        const auto [next, problem] = std::from_chars(at, end, part);
        if (problem != std::errc{} || part < 0) return false;
        at = next;
    }
    namespace chrono = std::chrono;
    const chrono::year_month_day day{chrono::year{parts[0]},
                                     chrono::month{static_cast<unsigned>(parts[1])},
                                     chrono::day{static_cast<unsigned>(parts[2])}};
    return at == end && day.ok() && day.year() >= chrono::year{1900} &&
           chrono::sys_days{day} <= chrono::floor<chrono::days>(chrono::system_clock::now());
}

void ask_for_first_name(wa::DialogueTurn& t) {
    t.reply("What is the player's first name?");
    t.next("first_name");
}

void ask_for_last_name(wa::DialogueTurn& t) {
    t.reply("What is the last name?");
    t.next("last_name");
}

void ask_for_birthday(wa::DialogueTurn& t) {
    t.reply("When was " + t.get("player_first_name") + " born? Please write it like 2015-04-23.");
    t.next("birthday");
}

void ask_who(wa::DialogueTurn& t) {
    t.buttons("Is this about " + t.get("player_first_name") + ", " + t.get("team_name") + '?',
              {"Yes", "No"});
    t.next("who");
}

void ask_whether_right(wa::DialogueTurn& t) {
    t.buttons(t.get("player_first_name") + ' ' + t.get("player_last_name") + ", born " +
                  t.get("date_of_birth") + ". Is that right?",
              {"Yes", "Start again"});
    t.next("check");
}

void begin_with(wa::DialogueTurn& t, const Registration& registration) {
    t.set("id", registration.id);
    t.set("player_first_name", registration.triggered.at("player_first_name"));
    t.set("team_name", registration.triggered.at("team_name"));
    // With the template's own values the club need not have said who the player is.
    const bool is_known = !t.get("player_first_name").empty() && !t.get("team_name").empty();
    is_known ? ask_who(t) : ask_for_first_name(t);
}

}  // namespace

void add_steps(wa::Dialogue& dialogue, Registrations& registrations, const support::Log& log) {
    dialogue.first("hello", [&registrations](wa::DialogueTurn& t) {
        const auto open = registrations.next_open(t.message().from);
        if (open) return begin_with(t, *open);
        t.reply("Thank you for your message. There is nothing to register for this number.");
        t.end();
    });
    dialogue.step("who", [](wa::DialogueTurn& t) {
        if (says(t, "yes")) return ask_for_last_name(t);
        if (says(t, "no")) return ask_for_first_name(t);
        ask_who(t);
    });
    dialogue.step("first_name", [](wa::DialogueTurn& t) {
        const auto name = name_in(t);
        if (name.empty()) return ask_for_first_name(t);
        t.set("player_first_name", name);
        ask_for_last_name(t);
    });
    dialogue.step("last_name", [](wa::DialogueTurn& t) {
        const auto name = name_in(t);
        if (name.empty()) return ask_for_last_name(t);
        t.set("player_last_name", name);
        ask_for_birthday(t);
    });
    dialogue.step("birthday", [](wa::DialogueTurn& t) {
        if (!is_birthday(t.answer())) return ask_for_birthday(t);
        t.set("date_of_birth", t.answer());
        ask_whether_right(t);
    });
    dialogue.step("check", [&registrations, &log](wa::DialogueTurn& t) {
        if (says(t, "start again")) return ask_for_first_name(t);
        if (!says(t, "yes")) return ask_whether_right(t);
        const auto id = t.get("id");
        Fields confirmed;
        for (const char* name : {"player_first_name", "player_last_name", "date_of_birth"}) {
            confirmed.emplace(name, t.get(name));
        }
        t.at_commit(registrations.confirmation(id, confirmed));
        t.reply("Thank you, " + t.get("player_first_name") + " is registered.");
        log.info("registered",
                 {{"message_sid", t.message().sid.str()}, {"sender", log.hash(t.message().from)}});
        if (const auto next = registrations.next_open(t.message().from, id)) {
            return begin_with(t, *next);
        }
        t.end();
    });
}

}  // namespace registration
