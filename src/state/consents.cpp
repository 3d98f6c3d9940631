#include <twiliowa/state/consents.hpp>

#include <algorithm>
#include <chrono>
#include <istream>
#include <tuple>
#include <utility>

#include "state/consent_checks.hpp"
#include "state/entries.hpp"
#include "text/csv.hpp"
#include "text/dates.hpp"
#include "text/json_text.hpp"
#include "text/utf8.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::size_t longest_consent_source = 200;
constexpr std::size_t consents_in_one_statement = 1'000;
constexpr std::size_t most_told_refusals = 100;
constexpr std::string_view source_place = "consent.source ";

}  // namespace

std::optional<TimePoint> parse_consent_time(std::string_view text) {
    if (text.size() == 10) return parse_iso8601(std::string(text) + "T00:00:00Z");
    return parse_iso8601(text);
}

Result<void> check_consent_source(std::string_view source) {
    if (source.size() > longest_consent_source) {
        return Error::invalid_request("source", "is longer than 200 bytes");
    }
    if (!is_valid_utf8(source)) return Error::invalid_request("source", "is not UTF-8");
    return {};
}

Result<void> check_named_purpose(std::string_view purpose) {
    const bool sound =
        !purpose.empty() && purpose.size() <= 64 &&
        std::all_of(purpose.begin(), purpose.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        });
    if (sound) return {};
    return Error::invalid_request("purpose", "is no name of a purpose",
                                  "up to 64 lower case letters, digits, _ and -");
}

/// Whose consents they are, told to the storage alone.
class ConsentKeeper {
public:
    ConsentKeeper(std::shared_ptr<ConsentStorage> storage, std::optional<Sealer> sealer)
        : storage_(std::move(storage)), sealer_(std::move(sealer)) {}

    ConsentStorage& storage() const noexcept { return *storage_; }

    /// By the keyed hash of the address.
    static Result<std::string> person(const Customers& customers, const Sender& sender,
                                      const Address& address) {
        if (sender.empty()) return Error::invalid_request("From", "is empty");
        if (address.empty()) return Error::invalid_request("To", "is empty");
        const auto hash = customers.key(address);
        if (!hash) return hash.error();
        return state_key("consent", {customers.scope(), sender.wire(), *hash});
    }

    Result<std::string> seal(std::string_view source, std::string_view person) const {
        if (!sealer_ || source.empty()) return std::string(source);
        return sealer_->seal(source, std::string(source_place).append(person));
    }
    /// What was kept before there was a sealer is as it was.
    Result<std::string> open(std::string_view kept, std::string_view person) const {
        if (!sealer_ || !Sealer::is_sealed(kept)) return std::string(kept);
        return sealer_->open(kept, std::string(source_place).append(person));
    }

    /// What is kept of the customer at the times when the addresses were theirs.
    Result<std::vector<ConsentEvent>> history(const Customers& customers, const Sender& sender,
                                              const LinkedCustomer& customer) const {
        std::vector<ConsentEvent> events;
        std::vector<std::string> read;
        for (const auto& linked : customer.addresses) {
            auto who = person(customers, sender, linked.address);
            if (!who) return who.error();
            if (std::find(read.begin(), read.end(), *who) != read.end()) continue;
            const auto records = storage_->history(*who);
            if (!records) return records.error();
            for (const auto& record : *records) {
                if (!linked.held(record.at)) continue;
                auto source = open(record.source, *who);
                if (!source) return source.error();
                events.push_back(
                    {linked.address, record.purpose, record.change, record.at, std::move(*source)});
            }
            read.push_back(std::move(*who));
        }
        std::stable_sort(events.begin(), events.end(),
                         [](const ConsentEvent& a, const ConsentEvent& b) {
                             return std::tie(a.at, a.change) < std::tie(b.at, b.change);
                         });
        return events;
    }

private:
    std::shared_ptr<ConsentStorage> storage_;
    std::optional<Sealer> sealer_;
};

namespace {

/// What is kept of consents, found and erased for its customers.
class ConsentPersonalData final : public PersonalData {
public:
    ConsentPersonalData(ConsentKeeper keeper, const Customers& customers)
        : keeper_(std::move(keeper)), customers_(customers) {}

    std::string_view name() const noexcept override { return "consents"; }

    Result<Forgotten> forget(std::span<const CustomerConversation> of) const override {
        Forgotten forgotten;
        for (const auto& [sender, customer] : of) {
            for (const auto& linked : customer.addresses) {
                const auto person = ConsentKeeper::person(customers_, sender, linked.address);
                if (!person) return person.error();
                const auto gone =
                    keeper_.storage().forget(*person, linked.from.value_or(TimePoint::min()),
                                             linked.until.value_or(TimePoint::max()));
                if (!gone) return gone.error();
                forgotten.kept = forgotten.kept || gone->kept > 0;
            }
        }
        return forgotten;
    }

    Result<std::string> export_of(std::span<const CustomerConversation> of) const override {
        std::string json = "[";
        for (const auto& [sender, customer] : of) {
            const auto events = keeper_.history(customers_, sender, customer);
            if (!events) return events.error();
            for (const auto& event : *events) {
                json += json.size() > 1 ? ",{" : "{";
                append_json_string(json.append(R"("sender":)"), sender.wire());
                append_json_string(json.append(R"(,"address":)"), event.address.wire());
                append_json_string(json.append(R"(,"purpose":)"), event.purpose);
                const bool granted = event.change == ConsentChange::granted;
                append_json_string(json.append(granted ? R"(,"granted":)" : R"(,"withdrawn":)"),
                                   format_iso8601_utc(event.at));
                append_json_string(json.append(R"(,"source":)"), event.source);
                json += '}';
            }
        }
        return json + ']';
    }

    Result<bool> needs_links(const CustomerConversation& of) const override {
        const auto events = keeper_.history(customers_, of.sender, of.customer);
        if (!events) return events.error();
        return std::any_of(events->begin(), events->end(), [](const ConsentEvent& event) {
            return event.change == ConsentChange::withdrawn;
        });
    }

private:
    ConsentKeeper keeper_;
    const Customers& customers_;  ///< Asks this, so it is there.
};

bool is_consent(const ConsentAnswer& answer) noexcept {
    return answer.granted && (!answer.withdrawn || *answer.granted > *answer.withdrawn);
}

void join_consents(ConsentAnswer& joined, const ConsentAnswer& more) {
    joined.granted = std::max(joined.granted, more.granted);
    joined.withdrawn = std::max(joined.withdrawn, more.withdrawn);
}

/// `2026-11-30`, or with a time.
/// Where the columns of a file are.
struct ConsentColumns {
    std::size_t to = 0;
    std::size_t at = 0;
    std::optional<std::size_t> source = {};
};

std::optional<std::size_t> column_named(const std::vector<std::string>& names,
                                        const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (name.empty() || found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

Result<ConsentColumns> consent_columns(CsvReader& csv, const ConsentImportOptions& options) {
    std::vector<std::string> names;
    if (csv.next(names) != CsvRead::record) {
        return Error::invalid_request("csv", "has no first line with the names of its columns");
    }
    const auto to = column_named(names, options.to);
    if (!to) return Error::invalid_request("csv", "has no column for the recipients (to)");
    const auto at = column_named(names, options.at);
    if (!at) return Error::invalid_request("csv", "has no column for the times (consent_at)");
    return ConsentColumns{*to, *at, column_named(names, options.source)};
}

}  // namespace
}  // namespace detail

Result<TimePoint> Consent::parse_time(std::string_view text, std::string_view field) {
    const auto time = detail::parse_consent_time(text);
    if (time) return *time;
    return Error::invalid_request(field, "is no time: 2026-11-30, or 2026-11-30T08:15:00Z");
}

struct Consents::State {
    State(std::shared_ptr<ConsentStorage> storage, std::shared_ptr<const Customers> all_customers,
          ConsentsOptions options)
        : keeper(std::move(storage), std::move(options.sealer)),
          customers(std::move(all_customers)),
          clock(options.clock ? std::move(options.clock) : system_clock()),
          personal_data(std::make_shared<detail::ConsentPersonalData>(keeper, *customers)) {
        customers->add_part(personal_data);
    }

    /// As it is to be kept; what finds it again is kept already.
    Result<ConsentRecord> record(const Sender& sender, const Address& recipient,
                                 std::string_view purpose, ConsentChange change, TimePoint at,
                                 std::string_view source) const {
        if (auto checked = detail::check_consent_source(source); !checked) return checked.error();
        auto person = detail::ConsentKeeper::person(*customers, sender, recipient);
        if (!person) return person.error();
        auto kept = keeper.seal(source, *person);
        if (!kept) return kept.error();
        if (auto noted = customers->note(sender, recipient, Store::forever); !noted) {
            return noted.error();
        }
        return ConsentRecord{std::move(*person), std::string(purpose), change, at,
                             std::move(*kept)};
    }

    Result<bool> add(const ConsentRecord& record) const {
        const auto added = keeper.storage().add({&record, 1});
        if (!added) return added.error();
        return *added > 0;
    }

    /// Whether each has it now.
    Result<std::vector<bool>> ask(const Sender& sender, std::span<const LinkedCustomer> recipients,
                                  std::string_view purpose) const {
        if (auto checked = detail::check_named_purpose(purpose); !checked) return checked.error();
        const auto after_now = clock->now() + std::chrono::microseconds{1};
        std::vector<ConsentQuestion> questions;
        std::vector<std::size_t> of;
        for (std::size_t i = 0; i < recipients.size(); ++i) {
            for (const auto& linked : recipients[i].addresses) {
                auto person = detail::ConsentKeeper::person(*customers, sender, linked.address);
                if (!person) return person.error();
                ConsentQuestion question{std::move(*person), std::string(purpose)};
                question.granted_since = linked.from.value_or(TimePoint::min());
                // What was withdrawn under a number that is theirs holds, whoever had it then.
                if (linked.until) question.withdrawn_since = question.granted_since;
                question.before = std::min(linked.until.value_or(after_now), after_now);
                questions.push_back(std::move(question));
                of.push_back(i);
            }
        }
        std::vector<ConsentAnswer> joined(recipients.size());
        const std::span<const ConsentQuestion> all{questions};
        for (std::size_t i = 0; i < all.size(); i += detail::consents_in_one_statement) {
            const auto some =
                all.subspan(i, std::min(detail::consents_in_one_statement, all.size() - i));
            const auto answers = keeper.storage().latest(some);
            if (!answers) return answers.error();
            for (std::size_t k = 0; k < answers->size(); ++k) {
                detail::join_consents(joined[of[i + k]], (*answers)[k]);
            }
        }
        std::vector<bool> has;
        has.reserve(joined.size());
        for (const auto& answer : joined) has.push_back(detail::is_consent(answer));
        return has;
    }

    const detail::ConsentKeeper keeper;
    const std::shared_ptr<const Customers> customers;
    const std::shared_ptr<Clock> clock;
    const std::shared_ptr<const PersonalData> personal_data;
};

Consents::Consents(std::shared_ptr<ConsentStorage> storage,
                   std::shared_ptr<const Customers> customers, ConsentsOptions options) {
    if (!storage) Error::invalid_request("storage", "is null").raise();
    if (!customers) Error::invalid_request("customers", "is null").raise();
    state_ =
        std::make_shared<const State>(std::move(storage), std::move(customers), std::move(options));
}

const std::shared_ptr<const Customers>& Consents::customers() const noexcept {
    return state_->customers;
}

Result<bool> Consents::grant(const Sender& sender, const Address& recipient,
                             const Consent& consent) const {
    const GivenConsent given{recipient, consent};
    const auto added = grant_each(sender, std::span{&given, 1});
    if (!added) return added.error();
    return *added > 0;
}
Result<bool> Consents::grant(std::string_view sender, std::string_view recipient,
                             const Consent& consent) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return grant(ours, theirs, consent);
    });
}

Result<std::size_t> Consents::grant_each(const Sender& sender,
                                         std::span<const GivenConsent> consents) const {
    const auto now = state_->clock->now();
    std::vector<ConsentRecord> records;
    records.reserve(consents.size());
    for (const auto& [recipient, consent] : consents) {
        if (auto checked = detail::check_named_purpose(consent.purpose); !checked) {
            return checked.error();
        }
        if (consent.at && *consent.at > now) {
            return Error::invalid_request("consent_at", "is in the future");
        }
        auto record = state_->record(sender, recipient, consent.purpose, ConsentChange::granted,
                                     consent.at.value_or(now), consent.source);
        if (!record) return record.error();
        records.push_back(std::move(*record));
    }
    return state_->keeper.storage().add(records);
}

Result<bool> Consents::withdraw(const Sender& sender, const Address& recipient,
                                std::string_view purpose, std::optional<TimePoint> at,
                                std::string_view source) const {
    if (!purpose.empty()) {
        if (auto checked = detail::check_named_purpose(purpose); !checked) return checked.error();
    }
    const auto record = state_->record(sender, recipient, purpose, ConsentChange::withdrawn,
                                       detail::no_later_than_now(*state_->clock, at), source);
    if (!record) return record.error();
    auto added = state_->add(*record);
    if (!added) return added;
    // Under a link that is lost, it would be.
    if (auto pinned = state_->customers->pin(sender, recipient); !pinned) return pinned.error();
    return added;
}
Result<bool> Consents::withdraw(std::string_view sender, std::string_view recipient,
                                std::string_view purpose, std::optional<TimePoint> at,
                                std::string_view source) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return withdraw(ours, theirs, purpose, at, source);
    });
}

Result<bool> Consents::has(const Sender& sender, const LinkedCustomer& recipient,
                           std::string_view purpose) const {
    const auto all = state_->ask(sender, {&recipient, 1}, purpose);
    if (!all) return all.error();
    return static_cast<bool>(all->front());
}
Result<bool> Consents::has(const Sender& sender, const Address& recipient,
                           std::string_view purpose) const {
    const auto linked = state_->customers->linked(sender, recipient);
    if (!linked) return linked.error();
    return has(sender, *linked, purpose);
}
Result<bool> Consents::has(std::string_view sender, std::string_view recipient,
                           std::string_view purpose) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return has(ours, theirs, purpose);
    });
}

Result<std::vector<bool>> Consents::has_each(const Sender& sender,
                                             std::span<const Address> recipients,
                                             std::string_view purpose) const {
    std::vector<LinkedCustomer> customers;
    for (const auto& recipient : recipients) {
        auto linked = state_->customers->linked(sender, recipient);
        if (!linked) return linked.error();
        customers.push_back(std::move(*linked));
    }
    return state_->ask(sender, customers, purpose);
}

Result<std::vector<ConsentEvent>> Consents::history(const Sender& sender,
                                                    const Address& recipient) const {
    const auto linked = state_->customers->linked(sender, recipient);
    if (!linked) return linked.error();
    return state_->keeper.history(*state_->customers, sender, *linked);
}
Result<std::vector<ConsentEvent>> Consents::history(std::string_view sender,
                                                    std::string_view recipient) const {
    return detail::with_parties(sender, recipient, [&](const Sender& ours, const Address& theirs) {
        return history(ours, theirs);
    });
}

Result<ConsentImport> Consents::import_csv(const Sender& sender, std::istream& csv,
                                           const ConsentImportOptions& options) const {
    if (auto checked = detail::check_named_purpose(options.purpose); !checked) {
        return checked.error();
    }
    detail::CsvReader reader{csv};
    const auto columns = detail::consent_columns(reader, options);
    if (!columns) return columns.error();
    const auto now = state_->clock->now();
    ConsentImport import;
    std::vector<ConsentRecord> records;
    const auto keep = [&]() -> Result<void> {
        const auto added = state_->keeper.storage().add(records);
        if (!added) return added.error();
        import.added += *added;
        import.known += records.size() - *added;
        records.clear();
        return {};
    };
    const auto refuse = [&](std::string problem) {
        ++import.refused;
        if (import.faults.size() >= detail::most_told_refusals) return;
        import.faults.push_back({reader.line(), std::move(problem)});
    };
    const auto take = [&](const std::vector<std::string>& row) -> Result<void> {
        const auto field = [&](std::optional<std::size_t> column) -> std::string_view {
            return column && *column < row.size() ? std::string_view{row[*column]}
                                                  : std::string_view{};
        };
        if (field(columns->at).empty()) {
            ++import.without;
            return {};
        }
        const auto at = detail::parse_consent_time(field(columns->at));
        const auto recipient = Address::parse(field(columns->to), "to");
        if (!at) {
            refuse("consent_at: is no date");
        } else if (*at > now) {
            refuse("consent_at: is in the future");
        } else if (!recipient) {
            refuse("to: is no address");
        } else if (auto checked = detail::check_consent_source(field(columns->source)); !checked) {
            refuse("consent_source: is longer than 200 bytes, or not UTF-8");
        } else {
            auto record = state_->record(sender, *recipient, options.purpose,
                                         ConsentChange::granted, *at, field(columns->source));
            if (!record) return record.error();
            records.push_back(std::move(*record));
        }
        return {};
    };
    std::vector<std::string> row;
    while (true) {
        const auto read = reader.next(row);
        if (read == detail::CsvRead::end) break;
        ++import.rows;
        if (read == detail::CsvRead::record) {
            if (auto taken = take(row); !taken) return taken.error();
        } else {
            refuse(read == detail::CsvRead::too_long
                       ? "is longer than a mebibyte: the rest is not read"
                       : "has a quote where none belongs");
            if (read == detail::CsvRead::too_long) break;
        }
        if (records.size() < detail::consents_in_one_statement) continue;
        if (auto kept = keep(); !kept) return kept.error();
    }
    if (auto kept = keep(); !kept) return kept.error();
    if (csv.bad()) return Error::invalid_request("csv", "cannot be read to its end");
    return import;
}

}  // namespace twiliowa
