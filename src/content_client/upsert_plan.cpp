#include "content_client/upsert_plan.hpp"

#include <utility>

#include "content_client/content_verbs.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

unsigned version_of_name(std::string_view name, std::string_view candidate) noexcept {
    if (candidate == name) return 1;
    constexpr std::string_view mark = "_v";
    constexpr unsigned latest = 1'000'000;
    if (!candidate.starts_with(name) || !candidate.substr(name.size()).starts_with(mark)) return 0;
    const auto digits = candidate.substr(name.size() + mark.size());
    if (digits.empty() || digits.front() == '0') return 0;
    const auto version = parse_number<unsigned>(digits).value_or(0);
    return version >= 2 && version <= latest ? version : 0;
}

std::optional<Error> UpsertPlan::wrong_definition() const {
    if (wanted_.friendly_name.empty()) {
        return Error::invalid_request("friendly_name", "is empty",
                                      "upsert finds a template by its name: give it one");
    }
    if (const auto admitted = admit_definition(wanted_); !admitted) return admitted.error();
    return std::nullopt;
}

void UpsertPlan::see(ContentTemplate content) {
    const auto version = version_of_name(wanted_.friendly_name, content.definition.friendly_name);
    if (version == 0 || content.definition.language != wanted_.language) return;
    // Of two with one name the first seen is the newer.
    if (newest_ && version <= newest_version_) return;
    newest_ = std::move(content);
    newest_version_ = version;
}

UpsertPlan::Step UpsertPlan::decide() {
    auto definition = wanted_;
    if (newest_) {
        definition.friendly_name.assign(newest_->definition.friendly_name);
        if (newest_->definition.same_content(definition)) {
            const auto action =
                doubt_ ? ContentUpsert::Action::created : ContentUpsert::Action::unchanged;
            return finish(ContentUpsert{action, std::move(*newest_)});
        }
    }
    if (doubt_) return finish(*doubt_);
    if (!newest_) return {Step::Do::create, {}, {}, std::move(definition)};
    if (newest_->approval && newest_->approval->status == ApprovalStatus::unsubmitted) {
        return {Step::Do::update, {}, newest_->sid, std::move(definition)};
    }
    definition.friendly_name = wanted_.friendly_name + "_v" + std::to_string(newest_version_ + 1);
    return {Step::Do::create, {}, {}, std::move(definition)};
}

UpsertPlan::Step UpsertPlan::on_updated(Result<ContentTemplate> updated) const {
    if (!updated) return finish(updated.error());
    return finish(ContentUpsert{ContentUpsert::Action::updated, std::move(*updated)});
}

UpsertPlan::Step UpsertPlan::on_created(Result<ContentTemplate> created) {
    if (created) return finish(ContentUpsert{ContentUpsert::Action::created, std::move(*created)});
    if (created.error().kind() != ErrorKind::outcome_unknown) return finish(created.error());
    doubt_ = created.error();
    return {Step::Do::look};
}

}  // namespace twiliowa::detail
