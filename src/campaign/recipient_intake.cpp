#include "campaign/recipient_intake.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/types/phone_number.hpp>

#include "campaign/shallow_json.hpp"
#include "state/consent_checks.hpp"
#include "state/number_forms.hpp"
#include "text/csv.hpp"
#include "text/utf8.hpp"
#include "types/hmac.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::size_t in_one_piece = 1'000;
constexpr std::size_t most_told_faults = 100;
constexpr std::size_t longest_recipient_line = std::size_t{1024} * 1024;

bool is_by_sms(const OutboundMessage& message) {
    return std::string_view{message.from}.starts_with("sms:");
}

/// What a refusal says, without the field that is ours.
std::string row_problem(const Error& error) {
    return error.what();
}

/// Nobody else's problem than this row's.
bool is_of_row(const Error& error) {
    return error.kind() == ErrorKind::invalid_request &&
           !std::string_view{error.field()}.starts_with("max_waiting");
}

/// Where the columns of a file are.
using RecipientColumns = std::map<std::string, std::size_t, std::less<>>;

}  // namespace

std::string recipient_as(const OutboundMessage& message, const Address& recipient) {
    if (!is_by_sms(message) || recipient.channel() == Address::Channel::sms ||
        recipient.phone_number().empty()) {
        return recipient.text();
    }
    return "sms:" + std::string{recipient.phone_number()};
}

OutboundMessage message_for(const OutboundMessage& message, const Address& recipient,
                            const TemplateVariables& variables) {
    auto whole = message;
    whole.to = recipient_as(message, recipient);
    for (const auto& [name, value] : variables.entries()) whole.content_variables.set(name, value);
    for (const auto& name : variables.defaults()) whole.content_variables.use_default(name);
    if (variables.uses_all_defaults()) whole.content_variables.use_all_defaults();
    return whole;
}

std::vector<Fallback> fallbacks_for(std::vector<Fallback> fallbacks,
                                    const TemplateVariables& variables) {
    for (auto& fallback : fallbacks) {
        auto& own = fallback.message.content_variables;
        for (const auto& [name, value] : variables.entries()) {
            if (own.find(name) != nullptr) own.set(name, value);
        }
    }
    return fallbacks;
}

RecipientIntake::RecipientIntake(const CampaignDesk& desk, std::string id, CampaignFile file,
                                 std::shared_ptr<const CampaignPlan> plan, std::string tenant)
    : desk_(&desk),
      id_(std::move(id)),
      file_(std::move(file)),
      plan_(std::move(plan)),
      intake_(desk.parts.core),
      tenant_(std::move(tenant)),
      now_(desk.parts.core->now()) {}

Result<RecipientIntake> RecipientIntake::open(const CampaignDesk& desk, std::string_view id,
                                              const CampaignFile& file) {
    if (!file.country.empty()) {
        // Before the first number is.
        const auto any = PhoneNumber::parse("+447700900123", file.country);
        if (!any) return any.error();
    }
    auto plan = desk.plan_of(id);
    if (!plan) return plan.error();
    const auto& definition = (*plan)->definition;
    if (definition.ends_at && *definition.ends_at <= desk.parts.core->now()) {
        return Error::invalid_request("ends_at", "of the campaign has passed");
    }
    return RecipientIntake{desk, std::string{id}, file, *plan, definition.tenant};
}

// ---- One recipient

Result<void> RecipientIntake::add(const CampaignRecipient& recipient) {
    ++line_;
    return add_row(recipient, {});
}

Result<void> RecipientIntake::add_row(const CampaignRecipient& recipient,
                                      const std::string& problem) {
    ++added_.rows;
    if (!problem.empty()) return keep_refused(recipient.to, recipient, problem);
    const auto address = read_recipient(recipient.to);
    if (!address) return keep_refused(recipient.to, recipient, row_problem(address.error()));
    return keep(recipient, *address);
}

Result<Address> RecipientIntake::read_recipient(const std::string& text) const {
    if (auto strict = Address::parse(text, "to")) return strict;
    const auto number = PhoneNumber::parse(text, file_.country, "to");
    if (!number) return number.error();
    if (number->certainty() == NumberCertainty::likely && !file_.take_likely) {
        return Error::invalid_request("to", "may be read as a number in more than one way: " +
                                                std::string{describe(number->doubt())});
    }
    return Address::parse(number->e164(), "to");
}

/// Twice the same for whoever has both, and for nobody else.
std::string RecipientIntake::key_of(std::string_view recipient) const {
    const auto digits = sha256_hex(id_ + '\n' + std::string{recipient});
    return "camp:" + id_ + ':' + std::string{digits.data(), 32};
}

Result<void> RecipientIntake::keep(const CampaignRecipient& recipient, const Address& address) {
    const auto& definition = plan_->definition;
    const auto canonical = canonical_address(address, {});
    const std::string who{canonical.phone_number().empty() ? std::string_view{canonical.wire()}
                                                           : canonical.phone_number()};
    const auto variant = variant_of(definition, who);
    const auto& its = definition.variants[static_cast<std::size_t>(variant)].message;
    const auto message = message_for(its, address, recipient.variables);
    for (const auto& column : definition.columns) {
        const auto& variable = column.first;
        const auto* const value = message.content_variables.find(variable);
        if (!message.content_sid.empty() && (value == nullptr || value->empty()) &&
            !message.content_variables.uses_default(variable)) {
            return keep_refused(recipient.to, recipient,
                                "variables: there is no value for " + variable);
        }
    }
    if (recipient.consent_at && *recipient.consent_at > now_) {
        return keep_refused(recipient.to, recipient, "consent_at: is in the future");
    }
    if (auto fits = check_consent_source(recipient.consent_source); !fits) {
        return keep_refused(recipient.to, recipient, "consent_" + row_problem(fits.error()));
    }
    if (!ids_) ids_ = desk_->parts.core->new_job_ids(now_);
    const auto id = ids_->next();
    auto job =
        intake_.prepare(message,
                        {.key = key_of(who),
                         .tenant = tenant_,
                         .tag = recipient.tag,
                         .account = definition.account,
                         .expires_at = definition.ends_at,
                         .lane = definition.lane,
                         .on_unknown = definition.on_unknown,
                         .time_zone = recipient.time_zone,
                         .fallbacks = fallbacks_for(definition.fallbacks, recipient.variables)},
                        id, now_);
    if (!job) {
        if (!is_of_row(job.error())) return job.error();
        return keep_refused(recipient.to, recipient, row_problem(job.error()));
    }
    job->stored.campaign = id_;
    job->stored.variant = variant;
    if (auto noted = note_consent(recipient, address, message); !noted) return noted;
    waiting_.push_back({std::move(*job), {}, line_});
    return flush_when_full();
}

/// It is a recipient all the same: what the report says of all of them adds up.
Result<void> RecipientIntake::keep_refused(const std::string& to,
                                           const CampaignRecipient& recipient,
                                           const std::string& problem) {
    if (!ids_) ids_ = desk_->parts.core->new_job_ids(now_);
    // Not by its members: what g++ 12 then warns of with -O3 is not so.
    Waiting refused;
    refused.problem = problem;
    refused.line = line_;
    auto& stored = refused.job.stored;
    stored.id = ids_->next();
    stored.tenant = tenant_;
    refused.job.key = key_of("refused " + to);
    auto keys = desk_->parts.core->codec.keys_of(tenant_, refused.job.key);
    if (!keys) return keys.error();
    stored.key = keys->front();
    refused.job.keys = std::move(*keys);
    stored.content_hash = "refused";
    const bool fits = recipient.tag.size() <= 200 && is_valid_utf8(recipient.tag);
    stored.tag = fits ? std::string{recipient.tag} : std::string{};
    stored.account = plan_->definition.account;
    const auto& message = plan_->definition.variants.front().message;
    const auto sender =
        Sender::parse(message.from.empty() ? message.messaging_service_sid : message.from);
    if (sender) stored.sender = sender->wire();
    stored.lane = plan_->definition.lane;
    stored.created_at = now_;
    stored.updated_at = now_;
    stored.not_before = now_;
    stored.campaign = id_;
    waiting_.push_back(std::move(refused));
    return flush_when_full();
}

Result<void> RecipientIntake::note_consent(const CampaignRecipient& recipient,
                                           const Address& address, const OutboundMessage& message) {
    if (!recipient.consent_at) return {};
    if (!desk_->rules || !desk_->rules->options().consents) {
        return Error::invalid_request("consent_at", "is given, and nobody keeps consents",
                                      "give Campaigns rules with SendingRulesOptions::consents");
    }
    auto sender =
        Sender::parse(message.from.empty() ? message.messaging_service_sid : message.from);
    if (!sender) return sender.error();
    granted_.push_back({*sender, address, *recipient.consent_at, recipient.consent_source});
    return {};
}

// ---- Pieces

Result<void> RecipientIntake::flush_when_full() {
    return waiting_.size() < in_one_piece ? Result<void>{} : flush();
}

/// Consents first: who is added has one by then.
Result<void> RecipientIntake::flush_consents() {
    if (granted_.empty()) return {};
    auto purpose = required_purpose(plan_->definition);
    if (purpose.empty()) purpose = consent_purpose::marketing;
    std::map<std::string, std::vector<GivenConsent>> by_sender;
    std::map<std::string, Sender> senders;
    for (const auto& each : granted_) {
        senders[each.sender.wire()] = each.sender;
        by_sender[each.sender.wire()].push_back(
            {each.recipient, {.purpose = purpose, .at = each.at, .source = each.source}});
    }
    for (const auto& [wire, consents] : by_sender) {
        const auto added = desk_->rules->options().consents->grant_each(senders.at(wire), consents);
        if (!added) return added.error();
        added_.consents += *added;
    }
    granted_.clear();
    return {};
}

Result<void> RecipientIntake::flush() {
    if (auto noted = flush_consents(); !noted) return noted;
    if (waiting_.empty()) return {};
    AddedRecipients added;
    const auto done =
        desk_->parts.core->transact([&](OutboxTransaction& transaction) -> Result<void> {
            added = added_;
            const auto campaign = desk_->load(transaction, id_);
            if (!campaign) return campaign.error();
            if (campaign->state == CampaignState::cancelled) {
                return Error::invalid_request("phase", "is cancelled: it takes nobody any more");
            }
            for (const auto& each : waiting_) {
                if (auto taken = take_in(transaction, each, added); !taken) return taken;
            }
            return {};
        });
    if (!done) return done.error();
    added_ = std::move(added);
    waiting_.clear();
    ids_.reset();
    now_ = desk_->parts.core->now();
    desk_->parts.wake();
    return {};
}

Result<void> RecipientIntake::take_in(OutboxTransaction& transaction, const Waiting& waiting,
                                      AddedRecipients& added) const {
    const auto& core = *desk_->parts.core;
    const auto taken = intake_.take_in(transaction, waiting.job);
    if (!taken) {
        if (!is_of_row(taken.error())) return taken.error();
        ++added.faulty;
        tell(added, waiting.line,
             taken.error().field() == "key" ? "is a recipient already, with another message"
                                            : row_problem(taken.error()));
        return {};
    }
    if (taken->existed) {
        ++added.known;
        return {};
    }
    if (waiting.problem.empty()) {
        ++added.added;
        return {};
    }
    const auto refused = core.apply_to(transaction, taken->id, [&](JobMachine& machine) {
        return machine.refuse(0, DeadReason::refused, 0, waiting.problem);
    });
    if (!refused) return refused.error();
    ++added.refused;
    tell(added, waiting.line, waiting.problem);
    return {};
}

void RecipientIntake::tell(AddedRecipients& added, std::size_t line,
                           const std::string& problem) const {
    if (added.faults.size() < most_told_faults) added.faults.push_back({line, problem});
}

Result<AddedRecipients> RecipientIntake::finish() {
    if (auto flushed = flush(); !flushed) return flushed.error();
    // One that was finished may have something to send again.
    if (added_.added > 0) desk_->parts.core->conclude({{id_, false}});
    return std::move(added_);
}

// ---- Files

Result<void> RecipientIntake::read_csv(std::istream& csv) {
    CsvReader reader{csv};
    std::vector<std::string> row;
    const auto header = reader.next(row);
    if (header != CsvRead::record) {
        return Error::invalid_request("csv", "has no first line with the names of its columns");
    }
    RecipientColumns columns;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!columns.emplace(row[i], i).second) {
            return Error::invalid_request("csv", "names a column twice in its first line");
        }
    }
    if (!columns.contains(file_.to)) {
        return Error::invalid_request("csv", "has no column " + file_.to);
    }
    for (const auto& column : plan_->definition.columns) {
        if (!columns.contains(column.second)) {
            return Error::invalid_request(
                "csv", "has no column " + column.second + ", which the campaign names");
        }
    }
    const auto field = [&](const std::string& name) -> std::string {
        const auto column = columns.find(name);
        return column == columns.end() || column->second >= row.size() ? std::string{}
                                                                       : row[column->second];
    };
    while (true) {
        const auto read = reader.next(row);
        if (read == CsvRead::end) break;
        line_ = reader.line();
        if (read != CsvRead::record) {
            ++added_.rows;
            ++added_.faulty;
            tell(added_, line_,
                 read == CsvRead::too_long ? "is longer than a mebibyte: the rest is not read"
                                           : "has a quote where none belongs");
            if (read == CsvRead::too_long) break;
            continue;
        }
        CampaignRecipient recipient;
        std::string problem;
        recipient.to = field(file_.to);
        recipient.time_zone = field(file_.time_zone);
        recipient.tag = field(file_.tag);
        recipient.consent_source = field(file_.consent_source);
        if (const auto at = field(file_.consent_at); !at.empty()) {
            recipient.consent_at = parse_consent_time(at);
            if (!recipient.consent_at) problem = "consent_at: is no date";
        }
        for (const auto& [variable, column] : plan_->definition.columns) {
            if (auto value = field(column); !value.empty()) {
                recipient.variables.set(variable, std::move(value));
            }
        }
        if (auto taken = add_row(recipient, problem); !taken) return taken;
    }
    if (csv.bad()) return Error::invalid_request("csv", "cannot be read to its end");
    return {};
}

Result<void> RecipientIntake::read_json_lines(std::istream& lines) {
    std::string line;
    while (std::getline(lines, line)) {
        ++line_;
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        std::string problem;
        const auto recipient = line.size() > longest_recipient_line
                                   ? Error::invalid_request("line", "is longer than a mebibyte")
                                   : recipient_of_json(line, problem);
        if (!recipient) {
            ++added_.rows;
            ++added_.faulty;
            tell(added_, line_, row_problem(recipient.error()));
            continue;
        }
        if (auto taken = add_row(*recipient, problem); !taken) return taken;
    }
    if (lines.bad()) return Error::invalid_request("lines", "cannot be read to their end");
    return {};
}

Result<CampaignRecipient> RecipientIntake::recipient_of_json(std::string_view line,
                                                             std::string& problem) const {
    const auto json = parse_shallow_json(line);
    if (!json.is_object()) return Error::invalid_request("line", "is no JSON object");
    const auto& columns = plan_->definition.columns;
    CampaignRecipient recipient;
    std::string consent_at;
    const std::pair<const std::string*, std::string*> texts[] = {
        {&file_.to, &recipient.to},
        {&file_.time_zone, &recipient.time_zone},
        {&file_.tag, &recipient.tag},
        {&file_.consent_source, &recipient.consent_source},
        {&file_.consent_at, &consent_at}};
    for (const auto& member : json.items()) {
        const auto& name = member.key();
        const auto& value = member.value();
        if (name == "variables") {
            auto variables = TemplateVariables::from_json(value.dump());
            if (!variables) return variables.error();
            recipient.variables = std::move(*variables);
            continue;
        }
        const auto text = std::find_if(std::begin(texts), std::end(texts),
                                       [&](const auto& each) { return *each.first == name; });
        const auto column = std::find_if(columns.begin(), columns.end(),
                                         [&](const auto& each) { return each.second == name; });
        if (text == std::end(texts) && column == columns.end()) {
            return Error::invalid_request("line", "has a member that the campaign does not know");
        }
        if (value.is_null()) continue;
        if (!value.is_string())
            return Error::invalid_request("line", "has a member that is no text");
        if (text != std::end(texts)) *text->second = value.get<std::string>();
    }
    for (const auto& [variable, column] : columns) {
        const auto member = json.find(column);
        if (member == json.end() || !member->is_string()) continue;
        if (auto value = member->get<std::string>(); !value.empty()) {
            recipient.variables.set(variable, std::move(value));
        }
    }
    if (!consent_at.empty()) {
        recipient.consent_at = parse_consent_time(consent_at);
        if (!recipient.consent_at) problem = "consent_at: is no date";
    }
    return recipient;
}

}  // namespace twiliowa::detail
