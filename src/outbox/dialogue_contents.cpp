#include "outbox/dialogue_contents.hpp"

#include <algorithm>
#include <utility>

#include "text/utf8.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::string_view asked_id = "twiliowa:";
constexpr int most_buttons = 3;
constexpr int most_rows = 10;
constexpr std::size_t longest_asked = 1'024;
constexpr std::size_t longest_button = 20;
constexpr std::size_t longest_row = 24;

std::string_view name_of(AskedBy by) noexcept {
    return by == AskedBy::buttons ? "buttons" : "rows";
}

std::string variable_of(int number) {
    return "{{" + std::to_string(number) + "}}";
}

/// Where a content is.
struct ContentPlace {
    std::string account;
    std::string sid;

    static ContentPlace of(const ContentTemplate& content) {
        return {content.account_sid.str(), content.sid.str()};
    }
};

struct WantedContent {
    AskedBy by;
    int count;
    ContentDefinition definition;
    std::optional<ContentPlace> there = {};
};

Result<std::vector<WantedContent>> wanted_contents(const DialogueContents& contents) {
    if (contents.buttons < 0 || contents.buttons > most_buttons) {
        return Error::invalid_request("buttons", "is not between 0 and 3");
    }
    if (contents.rows < 0 || contents.rows > most_rows) {
        return Error::invalid_request("rows", "is not between 0 and 10");
    }
    if (contents.name.empty()) return Error::invalid_request("name", "is empty");
    const auto opener = count_code_points(contents.rows_button);
    if (contents.rows > 0 && (opener == 0 || opener > longest_button)) {
        return Error::invalid_request("rows_button", "is not 1 to 20 characters long");
    }
    std::vector<WantedContent> wanted;
    for (const auto by : {AskedBy::buttons, AskedBy::rows}) {
        const int most = by == AskedBy::buttons ? contents.buttons : contents.rows;
        for (int count = 1; count <= most; ++count) {
            wanted.push_back({by, count, asking_content(by, count, contents)});
        }
    }
    return wanted;
}

Result<void> check_asked(std::string_view field, std::string_view text, std::size_t longest) {
    if (!is_valid_utf8(text)) return Error::invalid_request(field, "is not UTF-8");
    const auto size = count_code_points(text);
    if (size == 0) return Error::invalid_request(field, "is empty");
    if (size <= longest) return {};
    return Error::invalid_request(field,
                                  "is longer than " + std::to_string(longest) + " characters");
}

}  // namespace

ContentDefinition asking_content(AskedBy by, int count, const DialogueContents& contents) {
    ContentDefinition definition;
    definition.friendly_name =
        contents.name + '_' + std::string{name_of(by)} + '_' + std::to_string(count);
    definition.variables.set("1", "Which one?");
    QuickReplyContent buttons{.body = variable_of(1)};
    ListPickerContent rows{.body = variable_of(1), .button = contents.rows_button};
    for (int i = 1; i <= count; ++i) {
        const auto id = std::string{asked_id} + std::to_string(i);
        definition.variables.set(std::to_string(i + 1), "Answer " + std::to_string(i));
        if (by == AskedBy::buttons) {
            buttons.actions.push_back(ContentAction::quick_reply(variable_of(i + 1), id));
        } else {
            rows.items.push_back({.id = id, .item = variable_of(i + 1)});
        }
    }
    if (by == AskedBy::buttons) {
        definition.types.emplace_back(std::move(buttons));
    } else {
        definition.types.emplace_back(std::move(rows));
    }
    return definition;
}

bool is_asked_id(std::string_view id) noexcept {
    return id.starts_with(asked_id);
}

Result<TemplateVariables> asking_variables(AskedBy by, std::string_view question,
                                           const TextList& titles) {
    const bool has_buttons = by == AskedBy::buttons;
    const auto most = static_cast<std::size_t>(has_buttons ? most_buttons : most_rows);
    if (titles.empty() || titles.size() > most) {
        return Error::invalid_request(
            name_of(by), "are not 1 to " + std::to_string(most),
            has_buttons ? "rows() takes ten" : "ask for a part first, or for a word");
    }
    if (auto right = check_asked("question", question, longest_asked); !right) {
        return right.error();
    }
    TemplateVariables variables{{"1", question}};
    for (std::size_t i = 0; i < titles.size(); ++i) {
        const auto field = "titles[" + std::to_string(i) + "]";
        auto right = check_asked(field, titles[i], has_buttons ? longest_button : longest_row);
        if (!right) return right.error();
        const auto same = std::find(titles.begin(), titles.end(), titles[i]);
        if (same != titles.begin() + static_cast<std::ptrdiff_t>(i)) {
            return Error::invalid_request(field, "is there twice",
                                          "an answer could not be told from the other");
        }
        variables.set(std::to_string(i + 2), titles[i]);
    }
    if (auto right = variables.check(); !right) return right.error();
    return variables;
}

Result<void> KnownContents::ensure(const ContentClient& client, const DialogueContents& contents,
                                   const CallOptions& options) {
    auto wanted = wanted_contents(contents);
    if (!wanted) return wanted.error();
    for (const auto& listed : client.try_list(options)) {
        if (!listed) return listed.error();
        for (auto& each : *wanted) {
            // Newest first.
            if (!each.there && listed->definition.same_content(each.definition)) {
                each.there = ContentPlace::of(*listed);
            }
        }
    }
    for (auto& each : *wanted) {
        if (!each.there) {
            const auto made = client.try_upsert(each.definition, options);
            if (!made) return made.error();
            each.there = ContentPlace::of(made->content);
        }
        const std::lock_guard lock(mutex_);
        sids_[{each.there->account, each.by, static_cast<std::size_t>(each.count)}] =
            each.there->sid;
    }
    return {};
}

Result<std::string> KnownContents::find(AskedBy by, std::size_t count,
                                        std::string_view account) const {
    const std::lock_guard lock(mutex_);
    const auto found = sids_.find({std::string{account}, by, count});
    if (found != sids_.end()) return found->second;
    return Error::invalid_request(
        name_of(by), "have no content for that many in this account",
        "call Dialogue::ensure at start-up, with a ContentClient of each account");
}

}  // namespace twiliowa::detail
