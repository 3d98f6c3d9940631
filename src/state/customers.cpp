#include <twiliowa/state/customers.hpp>

#include <algorithm>
#include <utility>

#include "state/customers_impl.hpp"
#include "state/entries.hpp"
#include "state/guarded_store.hpp"
#include "state/keyed_hash.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// What the addresses name together; nullopt if that links nothing.
std::optional<Sighting> sighting_of(std::span<const Address> addresses, const NumberForms& forms,
                                    TimePoint at) {
    Sighting sighting;
    sighting.first = at;
    int named = 0;
    for (const auto& address : addresses) {
        if (address.empty() || address.channel() != Address::Channel::whatsapp) continue;
        auto identity = identity_of(canonical_address(address, forms));
        auto& place = identity.starts_with('+') ? sighting.number
                      : is_parent_id(identity)  ? sighting.parent
                                                : sighting.id;
        if (!place.empty()) continue;
        place = std::move(identity);
        ++named;
    }
    if (named < 2) return std::nullopt;
    return sighting;
}

std::vector<std::string> identities_in(const Sighting& sighting) {
    std::vector<std::string> all;
    // The number last: whoever finds the sighting there knows that the rest is in place.
    for (const auto* const part : {&sighting.id, &sighting.parent, &sighting.number}) {
        if (!part->empty()) all.push_back(*part);
    }
    return all;
}

/// All that is known, and the new.
LinkRecord all_links(const LinkTable& table, const Sighting& sighting) {
    LinkRecord all;
    for (const auto& [identity, stored] : table) {
        if (stored.record.floor) {
            all.floor = std::max(all.floor.value_or(*stored.record.floor), *stored.record.floor);
        }
    }
    for (const auto& [identity, stored] : table) {
        for (const auto& known : stored.record.sightings) add_sighting(all, known);
    }
    add_sighting(all, sighting);
    return all;
}

}  // namespace

std::string identity_of(const Address& address) {
    const auto& wire = address.wire();
    return wire.substr(wire.find(':') + 1);
}

Address address_of(std::string_view identity) {
    return Address::from_wire(std::string("whatsapp:").append(identity));
}

std::string link_key(std::string_view scope, const Sender& sender, std::string_view identity) {
    return state_key("customer", {scope, sender.wire(), identity});
}

Result<void> read_links(Store& store, std::string_view scope, const Sender& sender,
                        std::span<const std::string> identities, LinkTable& table) {
    std::vector<std::string> sought;
    std::vector<std::string> keys;
    for (const auto& identity : identities) {
        if (table.contains(identity)) continue;
        sought.push_back(identity);
        keys.push_back(link_key(scope, sender, identity));
    }
    if (keys.empty()) return {};
    const auto entries = store.get_each(keys);
    if (!entries) return entries.error();
    for (std::size_t i = 0; i < sought.size(); ++i) {
        StoredLinks stored;
        if (const auto& entry = (*entries)[i]) {
            auto record = parse_links(entry->value);
            if (!record) return foreign_entry();
            stored = {std::move(*record), entry->version};
        }
        table.emplace(sought[i], std::move(stored));
    }
    return {};
}

std::vector<std::string> named_in(const LinkTable& table) {
    std::vector<std::string> named;
    for (const auto& [identity, stored] : table) {
        named.push_back(identity);
        for (const auto& sighting : stored.record.sightings) {
            for (auto& each : identities_in(sighting)) named.push_back(std::move(each));
        }
    }
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    return named;
}

}  // namespace detail

Result<bool> PersonalData::needs_links(const CustomerConversation&) const {
    return false;
}

Result<std::vector<Sender>> PersonalData::senders_of(std::span<const Address>) const {
    return std::vector<Sender>{};
}

Customers::Customers(std::shared_ptr<Store> store, CustomersOptions options)
    : impl_(std::make_unique<Impl>()) {
    impl_->store = detail::guarded_store(std::move(store));
    detail::require_duration("kept", options.kept);
    if (!options.clock) options.clock = system_clock();
    impl_->forms = {options.brazil_ninth_digit, options.argentina_nine};
    impl_->options = std::move(options);
}

Customers::~Customers() = default;

Result<std::string> Customers::Impl::hash_key() {
    if (!options.key.empty()) return std::string(options.key.reveal());
    {
        const std::lock_guard lock(mutex);
        if (!generated_key.empty()) return generated_key;
    }
    std::string agreed;
    const auto key = detail::state_key("customer-key", {std::string_view{options.scope}});
    const auto written = detail::change_entry(
        *store, key, [&](const std::string* value) -> Result<std::optional<detail::EntryChange>> {
            agreed = value != nullptr ? *value : detail::random_hash_key();
            if (value != nullptr) return std::optional<detail::EntryChange>{};
            return std::optional<detail::EntryChange>{{agreed, Store::forever, Keep::pinned}};
        });
    if (!written) return written.error();
    const std::lock_guard lock(mutex);
    return generated_key = agreed;
}

Result<std::string> Customers::Impl::hash(const Address& address) {
    const auto key = hash_key();
    if (!key) return key.error();
    const auto canonical = detail::canonical_address(address, forms);
    return detail::keyed_hash(*key, detail::state_key("address", {canonical.wire()}));
}

std::vector<std::shared_ptr<const PersonalData>> Customers::Impl::live_parts() {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<const PersonalData>> live;
    std::erase_if(parts, [&](const std::weak_ptr<const PersonalData>& part) {
        auto held = part.lock();
        if (!held) return true;
        live.push_back(std::move(held));
        return false;
    });
    return live;
}

LinkedCustomer Customers::Impl::customer_of(const detail::LinkRecord& record,
                                            const Address& asked) const {
    LinkedCustomer customer;
    const auto add = [&](const Address& address, const detail::Tenure& tenure) {
        const bool known =
            std::any_of(customer.addresses.begin(), customer.addresses.end(),
                        [&](const LinkedAddress& l) { return l.address == address; });
        if (known || customer.addresses.size() >= detail::most_linked_addresses) return;
        customer.addresses.push_back({address, tenure.from, tenure.until});
    };
    const auto canonical = detail::identity_of(detail::canonical_address(asked, forms));
    auto linked = detail::linked_identities(record, canonical);
    for (const auto& form : detail::address_forms(asked, forms)) add(form, linked.theirs.front());
    for (const auto& tenure : linked.theirs) {
        if (tenure.identity == canonical) continue;
        for (const auto& form : detail::address_forms(detail::address_of(tenure.identity), forms)) {
            add(form, tenure);
        }
    }
    for (const auto& tenure : linked.former) {
        customer.former.push_back({detail::address_of(tenure.identity), tenure.from, tenure.until});
    }
    return customer;
}

Result<std::vector<LinkedCustomer>> Customers::linked(std::span<const Sender> senders,
                                                      const Address& address) const {
    if (address.empty()) return Error::invalid_request("To", "is empty");
    std::vector<std::string> keys;
    const auto identity = detail::identity_of(detail::canonical_address(address, impl_->forms));
    if (address.channel() == Address::Channel::whatsapp) {
        for (const auto& sender : senders) {
            if (sender.empty()) continue;
            keys.push_back(detail::link_key(impl_->options.scope, sender, identity));
        }
    }
    std::vector<LinkedCustomer> customers;
    std::vector<std::optional<StoredValue>> entries;
    if (!keys.empty()) {
        auto read = impl_->store->get_each(keys);
        if (!read) return read.error();
        entries = std::move(*read);
    }
    std::size_t next = 0;
    for (const auto& sender : senders) {
        std::optional<detail::LinkRecord> record = detail::LinkRecord{};
        if (!sender.empty() && !keys.empty()) {
            if (const auto& entry = entries[next++]) record = detail::parse_links(entry->value);
        }
        if (!record) return detail::foreign_entry();
        if (address.channel() == Address::Channel::whatsapp) {
            customers.push_back(impl_->customer_of(*record, address));
        } else {
            LinkedCustomer alone;
            for (const auto& form : detail::address_forms(address, impl_->forms)) {
                alone.addresses.push_back({form, std::nullopt, std::nullopt});
            }
            customers.push_back(std::move(alone));
        }
    }
    return customers;
}

Result<LinkedCustomer> Customers::linked(const Sender& sender, const Address& address) const {
    if (sender.empty()) return Error::invalid_request("From", "is empty");
    auto customers = linked(std::span{&sender, 1}, address);
    if (!customers) return customers.error();
    return std::move(customers->front());
}

Result<LinkedCustomer> Customers::linked(std::string_view sender, std::string_view address) const {
    return detail::with_parties(sender, address, [&](const Sender& ours, const Address& theirs) {
        return linked(ours, theirs);
    });
}

Result<bool> Customers::Impl::write(const Sender& sender, std::string_view identity,
                                    const detail::StoredLinks& stored, detail::LinkRecord record) {
    record.written = options.clock->now();
    const auto written = store->compare_and_set(detail::link_key(options.scope, sender, identity),
                                                stored.version, detail::link_text(record),
                                                record.pinned ? Store::forever : options.kept,
                                                record.pinned ? Keep::pinned : Keep::evictable);
    if (!written) return written.error();
    return *written != 0;
}

Result<bool> Customers::Impl::needs_links(const Sender& sender, const detail::LinkTable& table) {
    for (const auto& part : live_parts()) {
        for (const auto& [identity, stored] : table) {
            const auto needs = part->needs_links(
                {sender, customer_of(stored.record, detail::address_of(identity))});
            if (!needs) return needs.error();
            if (*needs) return true;
        }
    }
    return false;
}

Result<void> Customers::Impl::tell_changed_hands(const detail::LinkRecord& record,
                                                 std::string_view number) {
    if (!options.observer) return {};
    const auto linked = detail::linked_identities(record, number);
    if (linked.former.empty() || linked.theirs.size() < 2) return {};
    const auto number_key = hash(detail::address_of(number));
    if (!number_key) return number_key.error();
    const auto former_key = hash(detail::address_of(linked.former.back().identity));
    if (!former_key) return former_key.error();
    const auto present_key = hash(detail::address_of(linked.theirs[1].identity));
    if (!present_key) return present_key.error();
    options.observer->on_number_changed_hands(
        {options.scope, *number_key, *former_key, *present_key});
    return {};
}

Result<CustomerNews> Customers::learn(const Sender& sender, std::span<const Address> addresses,
                                      std::optional<TimePoint> at) const {
    if (sender.empty()) return Error::invalid_request("From", "is empty");
    const auto now = impl_->options.clock->now();
    const auto sighting = detail::sighting_of(addresses, impl_->forms,
                                              detail::no_later_than_now(*impl_->options.clock, at));
    if (!sighting) return CustomerNews{};
    const auto own = detail::identities_in(*sighting);
    const auto& scope = impl_->options.scope;
    // Whoever loses a round lost it to a link that was made, so a sound store soon lets it through.
    constexpr int max_rounds = 10'000;
    for (int round = 0; round < max_rounds; ++round) {
        detail::LinkTable table;
        if (auto read = detail::read_links(*impl_->store, scope, sender, own, table); !read) {
            return read.error();
        }
        bool known = true;
        bool fresh = true;
        for (const auto& identity : own) {
            const auto& record = table[identity].record;
            known = known && detail::is_known(record, *sighting);
            fresh = fresh && (record.pinned || now - record.written < impl_->options.kept / 4);
        }
        if (known && fresh) return CustomerNews{};
        for (const auto& identity : own) {
            const auto noted = note(sender, detail::address_of(identity), impl_->options.kept);
            if (!noted) return noted.error();
        }
        // Those who are linked already, and those who had the number before, must know of it, too.
        if (auto read =
                detail::read_links(*impl_->store, scope, sender, detail::named_in(table), table);
            !read) {
            return read.error();
        }
        const auto all = detail::all_links(table, *sighting);
        const auto& commit = own.back();
        std::vector<std::string> order;
        for (const auto& [identity, stored] : table) {
            if (identity != commit) order.push_back(identity);
        }
        order.push_back(commit);
        const auto changes_before = detail::hands_changed(table[commit].record, commit);
        if (impl_->options.observer && detail::hands_changed(all, commit) > changes_before) {
            // What the event needs is there before anything is written, or it would be lost.
            if (const auto key = impl_->hash_key(); !key) return key.error();
        }
        bool lost = false;
        for (const auto& identity : order) {
            auto& stored = table[identity];
            auto record = stored.record;
            for (const auto& about : detail::sightings_about(all, identity)) {
                detail::add_sighting(record, about);
            }
            const bool touched = std::find(own.begin(), own.end(), identity) != own.end();
            if (record.sightings == stored.record.sightings && !(touched && !fresh)) continue;
            const auto written = impl_->write(sender, identity, stored, record);
            if (!written) return written.error();
            if (!*written) {
                lost = true;
                break;
            }
            stored.record = std::move(record);
        }
        if (lost) continue;
        CustomerNews news;
        news.linked = !known;
        news.changed_hands = detail::hands_changed(table[commit].record, commit) > changes_before;
        if (news.linked) {
            const auto needs = impl_->needs_links(sender, table);
            if (!needs) return needs.error();
            if (*needs) {
                const auto pinned = pin(sender, detail::address_of(commit));
                if (!pinned) return pinned.error();
            }
        }
        if (news.changed_hands) {
            const auto told = impl_->tell_changed_hands(table[commit].record, commit);
            if (!told) return told.error();
        }
        return news;
    }
    return store_error("never takes a change", "check its compare_and_set");
}

Result<void> Customers::pin(const Sender& sender, const Address& address) const {
    if (address.channel() != Address::Channel::whatsapp) return {};
    detail::LinkTable table;
    const std::vector<std::string> asked{
        detail::identity_of(detail::canonical_address(address, impl_->forms))};
    const auto& scope = impl_->options.scope;
    if (auto read = detail::read_links(*impl_->store, scope, sender, asked, table); !read) {
        return read.error();
    }
    for (const auto& identity : detail::named_in(table)) {
        const auto pinned = detail::change_entry(
            *impl_->store, detail::link_key(scope, sender, identity),
            [&](const std::string* value) -> Result<std::optional<detail::EntryChange>> {
                if (value == nullptr) return std::optional<detail::EntryChange>{};
                auto record = detail::parse_links(*value);
                if (!record) return detail::foreign_entry();
                if (record->pinned) return std::optional<detail::EntryChange>{};
                record->pinned = true;
                return std::optional<detail::EntryChange>{
                    {detail::link_text(*record), Store::forever, Keep::pinned}};
            });
        if (!pinned) return pinned.error();
    }
    return {};
}

Result<std::string> Customers::key(const Address& address) const {
    if (address.empty()) return Error::invalid_request("To", "is empty");
    return impl_->hash(address);
}

Result<std::string> Customers::key(std::string_view address) const {
    const auto parsed = Address::parse(address);
    if (!parsed) return parsed.error();
    return key(*parsed);
}

const std::string& Customers::scope() const noexcept {
    return impl_->options.scope;
}

Address Customers::canonical(const Address& address) const {
    return detail::canonical_address(address, impl_->forms);
}

void Customers::add_part(const std::shared_ptr<const PersonalData>& part) const {
    static_cast<void>(impl_->live_parts());  // what has ended makes room
    const std::lock_guard lock(impl_->mutex);
    impl_->parts.push_back(part);
}

}  // namespace twiliowa
