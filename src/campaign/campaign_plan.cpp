#include "campaign/campaign_plan.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/state/consents.hpp>

#include "types/hmac.hpp"

namespace twiliowa::detail {

Result<std::shared_ptr<const CampaignPlan>> CampaignPlan::of(std::string_view definition) {
    auto read = CampaignDefinition::from_json(definition);
    if (!read) return read.error();
    auto plan = std::make_shared<CampaignPlan>();
    plan->definition = std::move(*read);
    if (const auto& quiet = plan->definition.quiet_hours) plan->quiet.emplace(*quiet);
    return std::shared_ptr<const CampaignPlan>{std::move(plan)};
}

std::string CampaignCourse::text() const {
    nlohmann::json all{{"since", since}, {"failures", failures}};
    if (!quality.empty()) all["quality"] = quality;
    return all.dump();
}

CampaignCourse CampaignCourse::read(std::string_view text) {
    // What cannot be read begins anew.
    CampaignCourse course;
    const auto all = nlohmann::json::parse(text, nullptr, false);
    if (!all.is_object()) return course;
    if (const auto since = all.find("since"); since != all.end() && since->is_number_integer()) {
        course.since = since->get<std::int64_t>();
    }
    if (const auto quality = all.find("quality"); quality != all.end() && quality->is_string()) {
        course.quality = quality->get<std::string>();
    }
    const auto failures = all.find("failures");
    if (failures == all.end() || !failures->is_object()) return course;
    for (const auto& each : failures->items()) {
        if (each.value().is_number_integer()) {
            course.failures[each.key()] = each.value().get<std::int64_t>();
        }
    }
    return course;
}

int variant_of(const CampaignDefinition& definition, std::string_view recipient) {
    std::int64_t weights = 0;
    for (const auto& variant : definition.variants) weights += variant.weight;
    if (weights <= 0 || definition.variants.size() == 1) return 0;
    const std::string& seed = definition.seed.empty() ? definition.id : definition.seed;
    const auto digits = sha256_hex(seed + '\n' + std::string{recipient});
    const auto place =
        static_cast<std::int64_t>(std::stoull(std::string{digits.data(), 15}, nullptr, 16) %
                                  static_cast<std::uint64_t>(weights));
    std::int64_t passed = 0;
    for (std::size_t i = 0; i < definition.variants.size(); ++i) {
        passed += definition.variants[i].weight;
        if (place < passed) return static_cast<int>(i);
    }
    return 0;
}

std::string required_purpose(const CampaignDefinition& definition) {
    if (definition.require_consent) return *definition.require_consent;
    const bool is_marketing = std::any_of(
        definition.variants.begin(), definition.variants.end(), [](const CampaignVariant& variant) {
            return variant.message.category == TemplateCategory::marketing;
        });
    return is_marketing ? std::string{consent_purpose::marketing} : std::string{};
}

}  // namespace twiliowa::detail
