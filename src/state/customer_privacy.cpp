#include <algorithm>
#include <set>
#include <utility>

#include <twiliowa/state/customers.hpp>

#include "state/customers_impl.hpp"
#include "state/entries.hpp"
#include "text/dates.hpp"
#include "text/json_text.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view links_name = "links";
constexpr std::string_view kept_for_good = "-";
constexpr std::size_t most_noted_senders = 40;

/// A sender that something of a customer is kept for, and how long at least.
struct SenderNote {
    std::string sender = {};
    TimePoint until = TimePoint::max();  ///< The largest: for good.

    bool for_good() const noexcept { return until == TimePoint::max(); }
};

std::string notes_key(std::string_view scope, const Address& canonical) {
    return state_key("customer-notes", {scope, canonical.wire()});
}

/// `whatsapp:+14155238886 1767225600000000000 MG... -`
std::string notes_text(const std::vector<SenderNote>& notes) {
    std::string text;
    for (const auto& note : notes) {
        if (!text.empty()) text += ' ';
        text.append(note.sender).append(1, ' ');
        text += note.for_good() ? std::string(kept_for_good) : nanoseconds_text(note.until);
    }
    return text;
}

std::optional<std::vector<SenderNote>> parse_notes(std::string_view text) {
    std::vector<SenderNote> notes;
    const auto take_word = [&text] {
        const auto space = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, space);
        text.remove_prefix(std::min(space + 1, text.size()));
        return word;
    };
    while (!text.empty()) {
        SenderNote note;
        note.sender = take_word();
        if (const auto word = take_word(); word != kept_for_good) {
            const auto until = parse_nanoseconds(word);
            if (!until) return std::nullopt;
            note.until = *until;
        }
        notes.push_back(std::move(note));
    }
    return notes;
}

/// The same number by SMS, or on WhatsApp: the same person's. Empty for a user id.
Address on_other_channel(const Address& address) {
    const auto number = address.phone_number();
    if (number.empty()) return {};
    if (address.channel() == Address::Channel::whatsapp) return Address::from_wire(number);
    return address_of(number);
}

/// What is the customer's alone: ids, and numbers that are still theirs.
std::vector<std::string> identities_forgotten(const LinkedCustomer& customer,
                                              const NumberForms& forms) {
    std::vector<std::string> all;
    for (const auto& linked : customer.addresses) {
        if (!linked.until) all.push_back(identity_of(canonical_address(linked.address, forms)));
    }
    return all;
}

bool is_among(const std::vector<std::string>& all, std::string_view one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

/// Leaves out what names one of `forgotten`; when others had a number begin stays as it was.
LinkRecord links_without(LinkRecord record, const std::vector<std::string>& forgotten) {
    const auto before = record.sightings.size();
    std::erase_if(record.sightings, [&](const Sighting& sighting) {
        return std::any_of(forgotten.begin(), forgotten.end(), [&](const std::string& identity) {
            return sighting.mentions(identity);
        });
    });
    if (record.sightings.size() < before && !record.sightings.empty()) {
        record.floor = std::max(record.floor.value_or(record.sightings.front().first),
                                record.sightings.front().first);
    }
    return record;
}

void append_text_member(std::string& json, std::string_view name, std::string_view text) {
    if (json.back() != '{') json += ',';
    append_json_string(json, name);
    json += ':';
    append_json_string(json, text);
}

}  // namespace
}  // namespace detail

Result<void> Customers::note(const Sender& sender, const Address& address,
                             std::chrono::milliseconds kept) const {
    if (sender.empty()) return Error::invalid_request("From", "is empty");
    if (address.empty()) return Error::invalid_request("To", "is empty");
    const auto now = impl_->options.clock->now();
    const auto written = detail::change_entry(
        *impl_->store, detail::notes_key(impl_->options.scope, canonical(address)),
        [&](const std::string* value) -> Result<std::optional<detail::EntryChange>> {
            std::vector<detail::SenderNote> notes;
            if (value != nullptr) {
                auto known = detail::parse_notes(*value);
                if (!known) return detail::foreign_entry();
                notes = std::move(*known);
            }
            auto mine = std::find_if(notes.begin(), notes.end(), [&](const detail::SenderNote& n) {
                return n.sender == sender.wire();
            });
            if (mine != notes.end() && mine->until >= detail::time_after(now, kept)) {
                return std::optional<detail::EntryChange>{};
            }
            if (mine != notes.end()) notes.erase(mine);
            std::erase_if(notes, [&](const detail::SenderNote& n) { return n.until < now; });
            // Twice as long, so that it need not be written each time.
            notes.push_back(
                {sender.wire(), detail::time_after(detail::time_after(now, kept), kept)});
            std::stable_sort(notes.begin(), notes.end(),
                             [](const detail::SenderNote& a, const detail::SenderNote& b) {
                                 return a.until > b.until;
                             });
            if (notes.size() > detail::most_noted_senders) {
                notes.resize(detail::most_noted_senders);
            }
            const auto& longest = notes.front();
            const bool for_good = longest.for_good();
            return std::optional<detail::EntryChange>{
                {detail::notes_text(notes),
                 for_good ? Store::forever
                          : std::chrono::ceil<std::chrono::milliseconds>(longest.until - now),
                 for_good ? Keep::pinned : Keep::evictable}};
        });
    if (!written) return written.error();
    return {};
}

Result<std::vector<Sender>> Customers::Impl::senders_of(const Address& canonical) {
    std::vector<Sender> senders;
    const auto add = [&senders](const Sender& sender) {
        if (sender.empty()) return;
        if (std::find(senders.begin(), senders.end(), sender) != senders.end()) return;
        senders.push_back(sender);
    };
    const auto entry = store->get(detail::notes_key(options.scope, canonical));
    if (!entry) return entry.error();
    if (*entry) {
        const auto notes = detail::parse_notes((*entry)->value);
        if (!notes) return detail::foreign_entry();
        for (const auto& note : *notes) add(detail::sender_from_wire(note.sender));
    }
    const auto written_as = detail::address_forms(canonical, forms);
    for (const auto& part : live_parts()) {
        const auto theirs = part->senders_of(written_as);
        if (!theirs) return theirs.error();
        for (const auto& sender : *theirs) add(sender);
    }
    return senders;
}

Result<std::vector<CustomerConversation>> Customers::Impl::conversations(const Customers& customers,
                                                                         const Address& address) {
    constexpr std::size_t most_addresses = 4 * detail::most_linked_addresses;
    std::vector<Address> addresses;
    const auto add_address = [&](const Address& one) {
        if (one.empty() || addresses.size() >= most_addresses) return;
        if (std::find(addresses.begin(), addresses.end(), one) != addresses.end()) return;
        addresses.push_back(one);
    };
    const auto add_both_channels = [&](const Address& one) {
        const auto canonical = detail::canonical_address(one, forms);
        add_address(canonical);
        add_address(detail::on_other_channel(canonical));
    };
    add_both_channels(address);
    std::vector<Sender> senders;
    std::vector<CustomerConversation> all;
    const auto is_covered = [&](const Sender& sender, const Address& one) {
        return std::any_of(all.begin(), all.end(), [&](const CustomerConversation& c) {
            return c.sender == sender &&
                   std::any_of(c.customer.addresses.begin(), c.customer.addresses.end(),
                               [&](const LinkedAddress& l) {
                                   return !l.until &&
                                          detail::canonical_address(l.address, forms) == one;
                               });
        });
    };
    // Each address may name senders, and each pair of both more addresses.
    std::size_t asked = 0;
    bool grows = true;
    while (grows) {
        grows = false;
        for (; asked < addresses.size(); ++asked) {
            const auto known = senders_of(addresses[asked]);
            if (!known) return known.error();
            for (const auto& sender : *known) {
                if (std::find(senders.begin(), senders.end(), sender) != senders.end()) continue;
                senders.push_back(sender);
            }
        }
        for (const auto& sender : senders) {
            for (std::size_t i = 0; i < addresses.size(); ++i) {
                if (is_covered(sender, addresses[i])) continue;
                auto customer = customers.linked(sender, addresses[i]);
                if (!customer) return customer.error();
                for (const auto& linked : customer->addresses) {
                    if (!linked.until) add_both_channels(linked.address);
                }
                all.push_back({sender, std::move(*customer)});
                grows = true;
            }
        }
    }
    return all;
}

Result<bool> Customers::Impl::forget_links(const CustomerConversation& conversation) {
    const auto& sender = conversation.sender;
    const auto forgotten = detail::identities_forgotten(conversation.customer, forms);
    std::vector<std::string> theirs = forgotten;
    for (const auto& linked : conversation.customer.addresses) {
        theirs.push_back(detail::identity_of(detail::canonical_address(linked.address, forms)));
    }
    detail::LinkTable table;
    for (int hop = 0; hop < 2; ++hop) {
        auto read = detail::read_links(*store, options.scope, sender, theirs, table);
        if (!read) return read.error();
        theirs = detail::named_in(table);
    }
    bool any = false;
    // Those of the customer last: they name the others.
    std::stable_partition(theirs.begin(), theirs.end(), [&](const std::string& identity) {
        return !detail::is_among(forgotten, identity);
    });
    for (const auto& identity : theirs) {
        const auto key = detail::link_key(options.scope, sender, identity);
        const bool whole = detail::is_among(forgotten, identity);
        const auto changed = detail::change_entry(
            *store, key,
            [&](const std::string* value) -> Result<std::optional<detail::EntryChange>> {
                if (value == nullptr || whole) return std::optional<detail::EntryChange>{};
                auto known = detail::parse_links(*value);
                if (!known) return detail::foreign_entry();
                const auto before = known->sightings.size();
                const auto record = detail::links_without(std::move(*known), forgotten);
                if (record.sightings.size() == before) return std::optional<detail::EntryChange>{};
                return std::optional<detail::EntryChange>{
                    {detail::link_text(record), record.pinned ? Store::forever : options.kept,
                     record.pinned ? Keep::pinned : Keep::evictable}};
            });
        if (!changed) return changed.error();
        const auto erased =
            detail::erase_entry(*store, key, [&](const std::string& value) -> Result<bool> {
                const auto record = detail::parse_links(value);
                if (!record) return detail::foreign_entry();
                return whole || record->sightings.empty();
            });
        if (!erased) return erased.error();
        any = any || *changed || *erased;
    }
    return any;
}

Result<void> Customers::Impl::forget_notes(const CustomerConversation& conversation) {
    for (const auto& linked : conversation.customer.addresses) {
        if (linked.until) continue;
        const auto key =
            detail::notes_key(options.scope, detail::canonical_address(linked.address, forms));
        const auto erased = detail::erase_entry(
            *store, key, [](const std::string&) -> Result<bool> { return true; });
        if (!erased) return erased.error();
    }
    return {};
}

Result<ForgetReport> Customers::forget(const Address& address) const {
    if (address.empty()) return Error::invalid_request("To", "is empty");
    const auto conversations = impl_->conversations(*this, address);
    if (!conversations) return conversations.error();
    ForgetReport report;
    const auto add = [](std::vector<std::string>& names, std::string_view name) {
        if (!detail::is_among(names, name)) names.emplace_back(name);
    };
    for (const auto& part : impl_->live_parts()) {
        const auto forgotten = part->forget(*conversations);
        const bool done = forgotten && !forgotten->not_yet;
        add(done ? report.erased : report.not_yet, part->name());
        if (forgotten && forgotten->kept) add(report.kept, part->name());
    }
    std::erase_if(report.erased,
                  [&](const std::string& name) { return detail::is_among(report.not_yet, name); });
    if (!report.complete()) {
        add(report.not_yet, detail::links_name);
        return report;
    }
    for (const auto& conversation : *conversations) {
        const auto links = impl_->forget_links(conversation);
        if (!links) return links.error();
    }
    for (const auto& conversation : *conversations) {
        const auto notes = impl_->forget_notes(conversation);
        if (!notes) return notes.error();
    }
    add(report.erased, detail::links_name);
    return report;
}

Result<ForgetReport> Customers::forget(std::string_view address) const {
    const auto parsed = Address::parse(address);
    if (!parsed) return parsed.error();
    return forget(*parsed);
}

Result<std::string> Customers::Impl::export_links(
    std::span<const CustomerConversation> conversations) {
    std::string json = "[";
    for (const auto& [sender, customer] : conversations) {
        const auto asked = detail::identity_of(
            detail::canonical_address(customer.addresses.front().address, forms));
        const auto forgotten = detail::identities_forgotten(customer, forms);
        detail::LinkTable table;
        const std::vector<std::string> identities{asked};
        auto read = detail::read_links(*store, options.scope, sender, identities, table);
        if (!read) return read.error();
        for (const auto& sighting : table[asked].record.sightings) {
            // What says something of another customer only is not this one's to read.
            const bool theirs =
                std::any_of(customer.addresses.begin(), customer.addresses.end(),
                            [&](const LinkedAddress& linked) {
                                const auto identity = detail::identity_of(linked.address);
                                return sighting.id == identity || sighting.parent == identity;
                            });
            if (!theirs) continue;
            if (json.size() > 1) json += ',';
            json += '{';
            detail::append_text_member(json, "sender", sender.wire());
            if (!sighting.number.empty())
                detail::append_text_member(json, "number", sighting.number);
            if (!sighting.id.empty()) detail::append_text_member(json, "user_id", sighting.id);
            if (!sighting.parent.empty()) {
                detail::append_text_member(json, "parent_user_id", sighting.parent);
            }
            detail::append_text_member(json, "since", detail::format_iso8601_utc(sighting.first));
            json += '}';
        }
    }
    return json + ']';
}

Result<std::string> Customers::export_of(const Address& address) const {
    if (address.empty()) return Error::invalid_request("To", "is empty");
    const auto conversations = impl_->conversations(*this, address);
    if (!conversations) return conversations.error();
    std::set<std::string> addresses{address.text()};
    for (const auto& conversation : *conversations) {
        for (const auto& linked : conversation.customer.addresses) {
            if (linked.address.channel() == Address::Channel::sms) {
                // The number was looked for among the texts; that does not say it is there.
                const auto senders = impl_->senders_of(canonical(linked.address));
                if (!senders) return senders.error();
                if (senders->empty()) continue;
            }
            addresses.insert(linked.address.text());
        }
    }
    std::string json = R"({"addresses":[)";
    for (const auto& each : addresses) {
        if (json.back() != '[') json += ',';
        detail::append_json_string(json, each);
    }
    const auto links = impl_->export_links(*conversations);
    if (!links) return links.error();
    json.append("],").append(R"("links":)").append(*links);
    std::vector<std::pair<std::string, std::string>> members;
    for (const auto& part : impl_->live_parts()) {
        const auto data = part->export_of(*conversations);
        if (!data) return data.error();
        members.emplace_back(part->name(), *data);
    }
    for (const auto& [name, data] : members) {
        json += ',';
        detail::append_json_string(json, name);
        json.append(1, ':').append(data);
    }
    return json + '}';
}

Result<std::string> Customers::export_of(std::string_view address) const {
    const auto parsed = Address::parse(address);
    if (!parsed) return parsed.error();
    return export_of(*parsed);
}

}  // namespace twiliowa
