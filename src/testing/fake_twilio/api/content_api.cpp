#include "testing/fake_twilio/api/content_api.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/types/placeholders.hpp>

#include "testing/fake_twilio/api/content_json.hpp"
#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

namespace {

// ---- What a request may say.

FakeRefusal bad_content(std::string_view why) {
    return FakeProblem{400, 20422, std::string{why}, {}};
}

using FakeFieldNames = std::array<const char*, 4>;

/// The fields that must be there, and whether they are; `where` begins the complaint.
FakeRefusal check_fields(std::string_view where, const ContentJson& object,
                         const FakeFieldNames& fields) {
    for (const auto* field : fields) {
        if (field != nullptr && !object.contains(field)) {
            return bad_content(std::string{where} + " lacks " + field);
        }
    }
    return std::nullopt;
}

/// How many minutes a call may be made for: a number, also as text, or a variable (`"{{1}}"`).
bool is_call_ttl(const ContentJson& minutes) {
    std::string text = minutes.is_number_integer() ? minutes.dump() : std::string{};
    if (minutes.is_string()) text = minutes.get<std::string>();
    const auto variable = find_placeholder(text);
    if (variable && variable->begin == 0 && variable->end == text.size()) {
        return !variable->name.empty();
    }
    const auto count = detail::parse_number<int>(text);
    return count && *count >= 1 && *count <= 43'200;
}

/// The buttons of a type, and of its cards.
FakeRefusal check_actions(const ContentJson& type) {
    const auto actions = type.find("actions");
    if (actions != type.end() && actions->is_array()) {
        for (const auto& action : *actions) {
            if (!action.is_object() || action.value("type", ContentJson{}) != "VOICE_CALL")
                continue;
            const auto minutes = action.find("ttl_minutes");
            if (minutes == action.end() || minutes->is_null() || is_call_ttl(*minutes)) continue;
            return bad_content("ttl_minutes is neither a number from 1 to 43200 nor a variable");
        }
    }
    const auto cards = type.find("cards");
    if (cards == type.end() || !cards->is_array()) return std::nullopt;
    for (const auto& card : *cards) {
        if (!card.is_object()) continue;
        if (auto problem = check_actions(card)) return problem;
    }
    return std::nullopt;
}

/// What every content type needs, as the API's document has it.
FakeRefusal check_type(std::string_view name, const ContentJson& type) {
    struct Needs {
        std::string_view type;
        FakeFieldNames fields;
        const char* list = nullptr;   ///< A field that is an array of objects,
        FakeFieldNames entries = {};  ///< each of which needs these.
    };
    static constexpr std::array needs{
        Needs{"twilio/text", {"body"}},
        Needs{"twilio/media", {"media"}},
        Needs{"twilio/location", {"latitude", "longitude"}},
        Needs{"twilio/quick-reply", {"body", "actions"}, "actions", {"title"}},
        Needs{"twilio/call-to-action", {"body", "actions"}, "actions", {"type"}},
        Needs{"twilio/list-picker", {"body", "button", "items"}, "items", {"id", "item"}},
        Needs{"twilio/carousel", {"body", "cards"}, "cards", {"body", "media", "actions"}},
        Needs{"twilio/catalog", {"body"}},
        Needs{"twilio/flows", {"body", "button_text", "pages", "type"}},
        Needs{"twilio/schedule", {"id", "title", "timeSlots"}},
        Needs{"whatsapp/card", {"body"}},
        Needs{"whatsapp/authentication", {"actions"}, "actions", {"copy_code_text"}},
        Needs{"whatsapp/flows", {"body", "button_text", "flow_id"}},
    };
    if (!type.is_object()) return bad_content("a type is not an object");
    const auto body = type.find("body");
    if (body != type.end() && !body->is_string() && !body->is_null()) {
        return bad_content(std::string{name} + " has a body that is not a text");
    }
    const auto entry = std::find_if(needs.begin(), needs.end(),
                                    [&](const Needs& one) { return one.type == name; });
    if (entry == needs.end()) return std::nullopt;
    if (auto problem = check_fields(name, type, entry->fields)) return problem;
    if (entry->list == nullptr) return std::nullopt;
    const auto& list = type.at(entry->list);
    if (!list.is_array()) return bad_content(std::string{entry->list} + " is not an array");
    for (const auto& object : list) {
        if (auto problem = check_fields(entry->list, object, entry->entries)) return problem;
    }
    return std::nullopt;
}

FakeRefusal read_types(const ContentJson& json, testing::FakeContent& content) {
    const auto types = json.find("types");
    if (types == json.end() || !types->is_object() || types->empty()) {
        return bad_content("types is missing, or not an object with a type in it");
    }
    for (const auto& [name, type] : types->items()) {
        if (name.find('/') == std::string::npos) return bad_content("a type has no such name");
        if (auto problem = check_type(name, type)) return problem;
        if (auto problem = check_actions(type)) return problem;
    }
    content.types = dump_content_json(*types);
    content.body.clear();
    return std::nullopt;
}

FakeRefusal read_defaults(const ContentJson& json, testing::FakeContent& content) {
    const auto variables = json.find("variables");
    if (variables == json.end() || variables->is_null()) return std::nullopt;
    if (!variables->is_object()) return bad_content("variables is not an object");
    if (variables->size() > 100) return bad_content("there are more than 100 variables");
    content.variables.clear();
    for (const auto& [name, value] : variables->items()) {
        if (!is_variable_name(name)) return bad_content("a variable has no such name");
        if (!value.is_string()) return bad_content("a variable's value is not a string");
        content.variables.emplace_back(name, value.get<std::string>());
    }
    return std::nullopt;
}

FakeRefusal read_text(const ContentJson& json, const char* name, bool needed, std::string& text) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) {
        return needed ? bad_content(std::string{name} + " is missing") : std::nullopt;
    }
    if (!found->is_string() || (needed && found->get_ref<const std::string&>().empty())) {
        return bad_content(std::string{name} + " is not a text");
    }
    text = found->get<std::string>();
    return std::nullopt;
}

FakeRefusal read_whole_number(const ContentJson& json, const char* name,
                              std::optional<int>& number) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return std::nullopt;
    const auto whole = found->is_number_integer() ? detail::parse_number<int>(found->dump())
                                                  : std::optional<int>{};
    if (!whole) return bad_content(std::string{name} + " is not a whole number");
    number = whole;
    return std::nullopt;
}

/// Deeper than any template, and than what walks through it could go.
bool nests_json_too_deeply(std::string_view json) noexcept {
    constexpr int deepest = 100;
    int depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_text && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_text = !in_text;
        } else if (!in_text && (c == '[' || c == '{') && ++depth > deepest) {
            return true;
        } else if (!in_text && (c == ']' || c == '}')) {
            --depth;
        }
    }
    return false;
}

/// The request's JSON object, or what is wrong with it.
FakeRefusal read_document(const FakeCall& call, ContentJson& json) {
    if (nests_json_too_deeply(call.body)) {
        return FakeProblem{400, 20001, "The body nests too deeply", {}};
    }
    json = ContentJson::parse(call.body, nullptr, false);
    if (json.is_object()) return std::nullopt;
    return FakeProblem{400, 20001, "The body is not a JSON object", {}};
}

FakeRefusal read_content(const FakeCall& call, bool create, testing::FakeContent& content) {
    ContentJson json;
    auto problem = read_document(call, json);
    if (!problem) problem = read_text(json, "friendly_name", false, content.friendly_name);
    if (!problem) problem = read_text(json, "language", create, content.language);
    if (!problem) problem = read_defaults(json, content);
    if (!problem) problem = read_types(json, content);
    return problem;
}

HttpResponse show_content(const FakeCall& call, int status, const FakeTemplate& entry) {
    return json_response(status, dump_content_json(content_to_json(call, entry)));
}

void plan_approval(FakeWorld& world, const FakeTemplate& entry, MonotonicTime when) {
    world.events.push(when, {FakeEvent::Kind::approval, entry.content.sid, entry.content.approval});
}

bool is_template_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 512 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_';
    });
}

/// Why WhatsApp would turn the template down; empty when it would not.
std::string rejection_of(const FakeTemplate& entry) {
    if (entry.name.find("reject") != std::string::npos) {
        return "The name asks for it: it contains 'reject'";
    }
    const auto types = types_of(entry.content);
    for (const auto& [name, type] : types.items()) {
        if (name == "twilio/list-picker" || name == "twilio/location") {
            return name + " cannot be approved, and goes out within the 24-hour window only";
        }
        const auto found = type.find("body");
        if (found == type.end() || !found->is_string()) continue;
        const auto& body = found->get_ref<const std::string&>();
        if (body.starts_with("{{") || body.ends_with("}}")) {
            return "The body begins or ends with a variable";
        }
    }
    return {};
}

}  // namespace

HttpResponse serve_create_content(const FakeCall& call) {
    FakeTemplate entry;
    entry.content.approval = "unsubmitted";
    if (auto problem = read_content(call, true, entry.content)) return refusal(*problem);
    entry.content.sid = call.world.ids.next("HX");
    entry.created = call.moment.now;
    entry.updated = call.moment.now;
    auto response = show_content(call, 201, entry);
    call.account.put_template(std::move(entry));
    return response;
}

HttpResponse serve_fetch_content(const FakeCall& call) {
    const auto* entry = call.account.find_template(call.route.content);
    return entry == nullptr ? not_found("content") : show_content(call, 200, *entry);
}

HttpResponse serve_update_content(const FakeCall& call) {
    auto* entry = call.account.find_template(call.route.content);
    if (entry == nullptr) return not_found("content");
    if (entry->content.approval != "unsubmitted") {
        return refusal(
            *bad_content("the template has been submitted: what changes it is a new one"));
    }
    auto content = entry->content;
    if (auto problem = read_content(call, false, content)) return refusal(*problem);
    entry->content = std::move(content);
    entry->updated = call.moment.now;
    return show_content(call, 200, *entry);
}

HttpResponse serve_delete_content(const FakeCall& call) {
    // What WhatsApp keeps is nothing that the fake shows.
    const auto in_waba = call.query.get("deleteInWaba");
    if (!in_waba.empty() && in_waba != "true" && in_waba != "false") {
        return refusal(*bad_content("deleteInWaba is neither true nor false"));
    }
    const auto erased = std::erase_if(call.account.contents, [&](const auto& entry) {
        return entry.second.content.sid == call.route.content;
    });
    return erased == 0 ? not_found("content") : HttpResponse{204, {}, {}};
}

HttpResponse serve_fetch_approval(const FakeCall& call) {
    const auto* entry = call.account.find_template(call.route.content);
    if (entry == nullptr) return not_found("content");
    const auto& sid = entry->content.sid;
    auto whatsapp = approval_to_json(*entry);
    whatsapp["flows"] =
        nullptr;  // Of a flow that WhatsApp approves with the template, {id, status}.
    return json_response(
        200, dump_content_json(
                 {{"sid", sid},
                  {"account_sid", call.account.sid},
                  {"whatsapp", std::move(whatsapp)},
                  {"url", content_url(call, "/v1/Content/" + sid + "/ApprovalRequests")}}));
}

HttpResponse serve_request_approval(const FakeCall& call) {
    auto* entry = call.account.find_template(call.route.content);
    if (entry == nullptr) return not_found("content");
    ContentJson json;
    std::string name;
    std::string category;
    std::optional<int> send_ttl_seconds;
    auto problem = read_document(call, json);
    if (!problem) problem = read_text(json, "name", true, name);
    if (!problem) problem = read_text(json, "category", true, category);
    if (!problem) problem = read_whole_number(json, "send_ttl_seconds", send_ttl_seconds);
    if (!problem && !is_template_name(name)) {
        problem = bad_content("name may have a-z, 0-9 and _ only");
    }
    if (!problem && category != "UTILITY" && category != "MARKETING" &&
        category != "AUTHENTICATION") {
        problem = bad_content("category is none of UTILITY, MARKETING, AUTHENTICATION");
    }
    const auto& status = entry->content.approval;
    if (!problem && (status == "received" || status == "pending" || status == "approved")) {
        problem = bad_content("the template has been submitted already");
    }
    if (problem) return refusal(*problem);

    entry->name = std::move(name);
    entry->category = std::move(category);
    entry->send_ttl_seconds = send_ttl_seconds;
    entry->allow_category_change = !json.contains("allow_category_change") ||
                                   json["allow_category_change"] != ContentJson(false);
    entry->rejection_reason.clear();
    entry->content.approval = "received";
    entry->updated = call.moment.now;
    plan_approval(call.world, *entry,
                  call.moment.monotonic + call.world.options.timings.until_pending);
    auto approval = approval_to_json(*entry);
    approval.erase("type");
    return json_response(201, dump_content_json(approval));
}

void step_approval(FakeWorld& world, std::string_view content_sid, std::string_view expected,
                   const FakeMoment& moment) {
    for (const auto& [sid, unused] : world.accounts.all()) {
        auto* entry = world.accounts.find(sid)->find_template(content_sid);
        if (entry == nullptr || entry->content.approval != expected) continue;
        entry->updated = moment.now;
        ++world.revision;
        if (expected == "received") {
            entry->content.approval = "pending";
            plan_approval(world, *entry, moment.monotonic + world.options.timings.until_approved);
        } else if (expected == "pending") {
            entry->rejection_reason = rejection_of(*entry);
            entry->content.approval = entry->rejection_reason.empty() ? "approved" : "rejected";
        }
    }
}

void step_due_approvals(FakeWorld& world, const FakeMoment& moment) {
    const auto is_approval = [](const FakeEvent& event) {
        return event.kind == FakeEvent::Kind::approval;
    };
    while (const auto due = world.events.take_due(moment.monotonic, is_approval)) {
        FakeMoment then = moment;
        then.now -= std::chrono::duration_cast<TimePoint::duration>(moment.monotonic - due->when);
        then.monotonic = due->when;
        step_approval(world, due->item.subject, due->item.expected, then);
    }
}

}  // namespace twiliowa::testing::fake
