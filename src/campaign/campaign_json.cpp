#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include <twiliowa/campaign/campaign.hpp>

#include "campaign/campaign_plan.hpp"
#include "campaign/shallow_json.hpp"
#include "outbox/chain.hpp"
#include "outbox/fallback_json.hpp"
#include "outbox/message_json.hpp"
#include "state/consent_checks.hpp"
#include "text/ascii.hpp"
#include "text/dates.hpp"
#include "text/utf8.hpp"

namespace twiliowa {

namespace detail {
namespace {

using CampaignJson = nlohmann::json;

constexpr std::size_t longest_definition = std::size_t{256} * 1024;
constexpr std::size_t most_variants = 20;
constexpr std::array<const char*, 7> names_of_days{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// ---- Writing

std::string clock_text(std::chrono::minutes time) {
    const auto two = [](std::int64_t value) {
        return std::string{value < 10 ? "0" : ""} + std::to_string(value);
    };
    return two(time.count() / 60) + ':' + two(time.count() % 60);
}

CampaignJson json_of(const QuietHoursOptions& quiet) {
    CampaignJson json;
    for (std::size_t day = 0; day < quiet.week.size(); ++day) {
        const auto& hours = quiet.week[day];
        if (!hours) continue;
        json["hours"][names_of_days[day]] = clock_text(hours->from) + "-" + clock_text(hours->to);
    }
    for (const auto lane : quiet.exempt) json["exempt"].push_back(to_string(lane));
    json["morning_spread"] =
        std::chrono::duration_cast<std::chrono::seconds>(quiet.morning_spread).count();
    json["least_left"] = quiet.least_left.count();
    switch (quiet.unknown_zone) {
        case UnknownZone::refuse:
            json["unknown_zone"] = "refuse";
            break;
        case UnknownZone::send_now:
            json["unknown_zone"] = "send_now";
            break;
        case UnknownZone::assume:
            json["unknown_zone"] = quiet.assumed_zone;
            break;
    }
    return json;
}

// ---- Reading: each says what is wrong by the member's name

Error wrong_campaign_member(std::string_view name, std::string_view problem,
                            std::string_view hint = {}) {
    return Error::invalid_request(name, problem, hint);
}

/// An object whose members are read once each; what is left over is refused.
class CampaignObject {
public:
    explicit CampaignObject(const CampaignJson& json, std::string prefix = {})
        : json_(json), prefix_(std::move(prefix)) {}

    std::string path(std::string_view name) const { return prefix_ + std::string{name}; }
    const CampaignJson* find(std::string_view name) {
        read_.emplace(name);
        const auto found = json_.find(name);
        return found == json_.end() || found->is_null() ? nullptr : &*found;
    }
    Result<void> text(std::string_view name, TextField& into) {
        const auto* const found = find(name);
        if (found == nullptr) return {};
        if (!found->is_string()) return wrong_campaign_member(path(name), "is no text");
        into = found->get<std::string>();
        return {};
    }
    template <class Number>
    Result<void> number(std::string_view name, Number& into) {
        const auto* const found = find(name);
        if (found == nullptr) return {};
        constexpr std::int64_t most = 1'000'000'000;
        if (!found->is_number_integer() || found->get<double>() < -most ||
            found->get<double>() > most) {
            return wrong_campaign_member(path(name), "is no whole number");
        }
        into = Number{found->get<int>()};
        return {};
    }
    Result<void> time(std::string_view name, std::optional<TimePoint>& into) {
        const auto* const found = find(name);
        if (found == nullptr) return {};
        const auto read = found->is_string() ? parse_iso8601(found->get<std::string>())
                                             : std::optional<CalendarTime>{};
        if (!read) return wrong_campaign_member(path(name), "is no time: 2026-11-30T08:15:00Z");
        into = *read;
        return {};
    }
    Result<void> end() const {
        for (const auto& each : json_.items()) {
            if (!read_.contains(each.key())) {
                return wrong_campaign_member(path(printable(each.key())),
                                             "is no member of a campaign");
            }
        }
        return {};
    }

private:
    /// A name that nobody chose for a log.
    static std::string printable(const std::string& name) {
        std::string shown = name.substr(0, 60);
        std::replace_if(
            shown.begin(), shown.end(),
            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
        return shown;
    }

    const CampaignJson& json_;
    std::string prefix_;
    std::set<std::string, std::less<>> read_ = {};
};

/// Stops at the first that is wrong.
class FirstFault {
public:
    FirstFault& operator<<(const Result<void>& step) {
        if (!step && !fault_) fault_ = step.error();
        return *this;
    }
    bool ok() const noexcept { return !fault_.has_value(); }
    Result<void> result() const { return fault_ ? Result<void>{*fault_} : Result<void>{}; }

private:
    std::optional<Error> fault_ = {};
};

std::optional<AllowedHours> read_hours(const CampaignJson& json) {
    if (!json.is_string()) return std::nullopt;
    const auto hours = AllowedHours::parse(json.get_ref<const std::string&>());
    return hours ? std::optional{*hours} : std::nullopt;
}

Result<QuietHoursOptions> read_quiet(const CampaignJson& json) {
    if (!json.is_object()) return wrong_campaign_member("quiet_hours", "is no object");
    CampaignObject object{json, "quiet_hours."};
    QuietHoursOptions quiet;
    const auto* const hours = object.find("hours");
    const auto bad_hours = [](const std::string& of) {
        return wrong_campaign_member("quiet_hours.hours" + of,
                                     "are no hours in which messages may go: 08:00-20:00");
    };
    if (hours == nullptr) return bad_hours("");
    if (hours->is_string()) {
        const auto all = read_hours(*hours);
        if (!all) return bad_hours("");
        quiet.week = QuietHoursOptions::every_day(*all);
    } else {
        if (!hours->is_object()) return bad_hours("");
        for (const auto& each : hours->items()) {
            const auto day = std::find(names_of_days.begin(), names_of_days.end(), each.key());
            if (day == names_of_days.end()) {
                return wrong_campaign_member("quiet_hours.hours",
                                             "names a day that is none of mon to sun");
            }
            const auto its = read_hours(each.value());
            if (!its) return bad_hours("." + each.key());
            quiet.week[static_cast<std::size_t>(day - names_of_days.begin())] = its;
        }
    }
    FirstFault fault;
    std::chrono::seconds spread =
        std::chrono::duration_cast<std::chrono::seconds>(quiet.morning_spread);
    fault << object.number("morning_spread", spread)
          << object.number("least_left", quiet.least_left);
    quiet.morning_spread = spread;
    if (const auto* const exempt = object.find("exempt")) {
        if (!exempt->is_array())
            return wrong_campaign_member("quiet_hours.exempt", "is no list of lanes");
        for (const auto& each : *exempt) {
            const auto lane =
                each.is_string() ? parse_lane(each.get<std::string>()) : std::optional<Lane>{};
            if (!lane)
                return wrong_campaign_member("quiet_hours.exempt", "names a lane that is none");
            quiet.exempt.push_back(*lane);
        }
    }
    TextField unknown = "refuse";
    fault << object.text("unknown_zone", unknown) << object.end();
    if (unknown == "send_now") {
        quiet.unknown_zone = UnknownZone::send_now;
    } else if (unknown != "refuse") {
        quiet.unknown_zone = UnknownZone::assume;
        quiet.assumed_zone = unknown;
    }
    if (!fault.ok()) return fault.result().error();
    return quiet;
}

Result<CampaignVariant> read_variant(const CampaignJson& json, const std::string& place) {
    if (!json.is_object()) return wrong_campaign_member(place, "is no object");
    CampaignObject object{json, place + "."};
    CampaignVariant variant;
    FirstFault fault;
    fault << object.text("name", variant.name) << object.number("weight", variant.weight);
    const auto* const message = object.find("message");
    if (message == nullptr || !message->is_object()) {
        return wrong_campaign_member(object.path("message"), "is missing");
    }
    fault << object.end();
    if (!fault.ok()) return fault.result().error();
    auto read = read_message_json(message->dump());
    if (!read) {
        return read.error().with([&](ErrorData& data) {
            data.field = object.path("message") + (data.field.empty() ? "" : "." + data.field);
        });
    }
    variant.message = std::move(*read);
    return variant;
}

Result<void> read_variants(CampaignObject& object, std::vector<CampaignVariant>& into) {
    const auto* const one = object.find("message");
    const auto* const several = object.find("variants");
    if ((one == nullptr) == (several == nullptr)) {
        return wrong_campaign_member("message", "is missing: give a message, or variants");
    }
    if (one != nullptr) {
        auto variant = read_variant(CampaignJson{{"message", *one}}, "campaign");
        if (!variant) {
            return variant.error().with([](ErrorData& data) {
                // As it stands in the text.
                constexpr std::string_view made_up = "campaign.";
                if (data.field.starts_with(made_up)) data.field.erase(0, made_up.size());
            });
        }
        into.push_back(std::move(*variant));
        return {};
    }
    if (!several->is_array()) return wrong_campaign_member("variants", "is no list");
    for (const auto& each : *several) {
        auto variant = read_variant(each, "variants[" + std::to_string(into.size()) + "]");
        if (!variant) return variant.error();
        into.push_back(std::move(*variant));
        if (into.size() > most_variants)
            return wrong_campaign_member("variants", "are more than 20");
    }
    return {};
}

Result<void> read_rest(CampaignObject& object, CampaignDefinition& definition) {
    if (const auto* const columns = object.find("columns")) {
        if (!columns->is_object()) return wrong_campaign_member("columns", "is no object");
        for (const auto& each : columns->items()) {
            if (!each.value().is_string())
                return wrong_campaign_member("columns", "names no column");
            definition.columns[each.key()] = each.value().get<std::string>();
        }
    }
    if (const auto* const quiet = object.find("quiet_hours")) {
        auto read = read_quiet(*quiet);
        if (!read) return read.error();
        definition.quiet_hours = std::move(*read);
    }
    FirstFault fault;
    if (const auto* const rate = object.find("rate")) {
        if (!rate->is_object()) return wrong_campaign_member("rate", "is no object");
        CampaignObject its{*rate, "rate."};
        fault << its.number("messages", definition.rate.messages)
              << its.number("per", definition.rate.per) << its.end();
    }
    if (const auto* const guards = object.find("guards")) {
        if (!guards->is_object()) return wrong_campaign_member("guards", "is no object");
        CampaignObject its{*guards, "guards."};
        fault << its.number("failures_percent", definition.guards.failures_percent)
              << its.number("out_of", definition.guards.out_of)
              << its.number("unknowns", definition.guards.unknowns) << its.end();
    }
    if (const auto* const budget = object.find("budget")) {
        if (!budget->is_object()) return wrong_campaign_member("budget", "is no object");
        CampaignObject its{*budget, "budget."};
        TextField amount;
        TextField currency;
        fault << its.text("amount", amount) << its.text("currency", currency) << its.end();
        if (!fault.ok()) return fault.result();
        auto money = Money::parse(amount, currency, "budget.amount");
        if (!money) return money.error();
        definition.budget = *money;
    }
    return fault.result();
}

Result<void> check_campaign_name(std::string_view field, const std::string& name) {
    const bool good =
        !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
            return is_letter_or_digit(c) || is_one_of("._-", c);
        });
    if (good) return {};
    return Error::invalid_request(field, "is not 1 to 60 letters, digits, '.', '_' and '-'");
}

Result<void> check_variants(const std::vector<CampaignVariant>& variants) {
    if (variants.empty()) return wrong_campaign_member("variants", "are missing: give a message");
    if (variants.size() > most_variants)
        return wrong_campaign_member("variants", "are more than 20");
    std::set<std::string> names;
    std::int64_t weights = 0;
    for (const auto& variant : variants) {
        if (variant.name.size() > 50 || !is_valid_utf8(variant.name)) {
            return wrong_campaign_member("variants.name", "is longer than 50 bytes, or not UTF-8");
        }
        if (variants.size() > 1 && (variant.name.empty() || !names.insert(variant.name).second)) {
            return wrong_campaign_member("variants.name", "is empty, or another variant's");
        }
        if (variant.weight < 0 || variant.weight > 1000) {
            return wrong_campaign_member("variants.weight", "is not between 0 and 1000");
        }
        weights += variant.weight;
        if (!variant.message.to.empty()) {
            return wrong_campaign_member("message.to", "is given",
                                         "recipients are added to the campaign");
        }
        if (variant.message.send_at) {
            return wrong_campaign_member("message.send_at", "is Twilio's own schedule");
        }
    }
    if (weights == 0) return wrong_campaign_member("variants.weight", "is 0 of all of them");
    return {};
}

}  // namespace
}  // namespace detail

std::string CampaignDefinition::to_json() const {
    using detail::CampaignJson;
    CampaignJson json{{"id", std::string{id}}};
    const auto put = [&](const char* name, const std::string& text) {
        if (!text.empty()) json[name] = text;
    };
    const auto put_time = [&](const char* name, const std::optional<TimePoint>& time) {
        if (time) json[name] = detail::format_iso8601_utc(*time);
    };
    put("tenant", tenant);
    put("account", account);
    for (const auto& variant : variants) {
        CampaignJson its{{"weight", variant.weight}};
        if (!variant.name.empty()) its["name"] = std::string{variant.name};
        const auto message = detail::write_message_json(variant.message);
        its["message"] = CampaignJson::parse(message ? *message : "{}");
        json["variants"].push_back(std::move(its));
    }
    for (const auto& [variable, column] : columns) json["columns"][variable] = column;
    if (require_consent) json["require_consent"] = std::string{*require_consent};
    put_time("starts_at", starts_at);
    put_time("start_by", start_by);
    put_time("ends_at", ends_at);
    if (quiet_hours) json["quiet_hours"] = detail::json_of(*quiet_hours);
    if (rate.messages > 0) json["rate"] = {{"messages", rate.messages}, {"per", rate.per.count()}};
    if (budget) {
        json["budget"] = {{"amount", budget->decimal()}, {"currency", budget->currency()}};
    }
    json["guards"] = {{"failures_percent", guards.failures_percent},
                      {"out_of", guards.out_of},
                      {"unknowns", guards.unknowns}};
    json["lane"] = to_string(lane);
    if (on_unknown) json["on_unknown"] = on_unknown->str();
    if (!fallbacks.empty()) {
        const auto written = detail::write_fallbacks_json(fallbacks);
        json["fallbacks"] = CampaignJson::parse(written ? *written : "[]");
    }
    put("seed", seed);
    return json.dump();
}

Result<CampaignDefinition> CampaignDefinition::from_json(std::string_view json) {
    if (json.size() > detail::longest_definition) {
        return detail::wrong_campaign_member("campaign", "is longer than 256 KiB");
    }
    const auto all = detail::parse_shallow_json(json);
    if (!all.is_object()) return detail::wrong_campaign_member("campaign", "is no JSON object");
    detail::CampaignObject object{all};
    CampaignDefinition definition;
    detail::FirstFault fault;
    fault << object.text("id", definition.id) << object.text("tenant", definition.tenant)
          << object.text("account", definition.account) << object.text("seed", definition.seed)
          << object.time("starts_at", definition.starts_at)
          << object.time("start_by", definition.start_by)
          << object.time("ends_at", definition.ends_at)
          << detail::read_variants(object, definition.variants)
          << detail::read_rest(object, definition);
    if (const auto* const consent = object.find("require_consent")) {
        if (!consent->is_string())
            return detail::wrong_campaign_member("require_consent", "is no text");
        definition.require_consent = TextField{consent->get<std::string>()};
    }
    if (const auto* const lane = object.find("lane")) {
        const auto read =
            lane->is_string() ? parse_lane(lane->get<std::string>()) : std::optional<Lane>{};
        if (!read)
            return detail::wrong_campaign_member("lane", "is none of urgent, high, normal, bulk");
        definition.lane = *read;
    }
    if (const auto* const policy = object.find("on_unknown")) {
        if (!policy->is_string()) return detail::wrong_campaign_member("on_unknown", "is no text");
        auto read = OnUnknown::parse(policy->get<std::string>());
        if (!read) return read.error();
        definition.on_unknown = *read;
    }
    if (const auto* const fallbacks = object.find("fallbacks")) {
        auto read = detail::read_fallbacks_json(fallbacks->dump());
        if (!read) return read.error();
        definition.fallbacks = std::move(*read);
    }
    fault << object.end();
    if (!fault.ok()) return fault.result().error();
    if (auto fits = definition.check(); !fits) return fits.error();
    return definition;
}

Result<void> CampaignDefinition::check() const {
    using detail::wrong_campaign_member;
    if (auto named = detail::check_campaign_name("id", id); !named) return named;
    if (auto fit = detail::check_variants(variants); !fit) return fit;
    if (auto fit = detail::check_fallbacks(fallbacks, {}); !fit) return fit;
    if (require_consent && !require_consent->empty()) {
        if (auto fits = detail::check_named_purpose(*require_consent); !fits) {
            return fits.error().with([](ErrorData& data) { data.field = "require_consent"; });
        }
    }
    if (start_by && starts_at && *start_by < *starts_at) {
        return wrong_campaign_member("start_by", "is before starts_at");
    }
    if (ends_at && starts_at && *ends_at <= *starts_at) {
        return wrong_campaign_member("ends_at", "is not after starts_at");
    }
    if (rate.messages < 0 || rate.messages > 1'000'000) {
        return wrong_campaign_member("rate.messages", "is not between 0 and 1000000");
    }
    if (rate.per < std::chrono::seconds{1} || rate.per > std::chrono::hours{24}) {
        return wrong_campaign_member("rate.per", "is not between 1 and 86400 seconds");
    }
    if (budget && (budget->micros() <= 0 || budget->currency().empty())) {
        return wrong_campaign_member("budget", "is not positive");
    }
    if (guards.failures_percent < 0 || guards.failures_percent > 100) {
        return wrong_campaign_member("guards.failures_percent", "is not between 0 and 100");
    }
    if (guards.out_of < 10 || guards.out_of > 1'000'000) {
        return wrong_campaign_member("guards.out_of", "is not between 10 and 1000000");
    }
    if (guards.unknowns < 0) return wrong_campaign_member("guards.unknowns", "is negative");
    if (!quiet_hours) return {};
    try {
        const QuietHours fits{*quiet_hours};
    } catch (const TwilioError& error) {
        return error.error();
    }
    return {};
}

}  // namespace twiliowa
