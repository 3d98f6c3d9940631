/// @file
/// What Customers is made of.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/customers.hpp>

#include "state/number_forms.hpp"
#include "state/sightings.hpp"

namespace twiliowa::detail {

/// What is stored of the links of an identity.
struct StoredLinks {
    LinkRecord record = {};
    std::uint64_t version = 0;  ///< 0: nothing.
};
using LinkTable = std::map<std::string, StoredLinks, std::less<>>;

/// A user id or a number, without its channel.
std::string identity_of(const Address& address);
Address address_of(std::string_view identity);

std::string link_key(std::string_view scope, const Sender& sender, std::string_view identity);

/// Adds the entries of those identities that are not there yet.
Result<void> read_links(Store& store, std::string_view scope, const Sender& sender,
                        std::span<const std::string> identities, LinkTable& table);

/// All that the entries name.
std::vector<std::string> named_in(const LinkTable& table);

}  // namespace twiliowa::detail

namespace twiliowa {

struct Customers::Impl {
    std::shared_ptr<Store> store;
    CustomersOptions options;
    detail::NumberForms forms;
    std::mutex mutex = {};
    std::string generated_key = {};  ///< Once it has been read.
    std::vector<std::weak_ptr<const PersonalData>> parts = {};

    /// What hashes are made with. Asks the store at most once.
    Result<std::string> hash_key();
    Result<std::string> hash(const Address& address);
    std::vector<std::shared_ptr<const PersonalData>> live_parts();
    LinkedCustomer customer_of(const detail::LinkRecord& record, const Address& asked) const;
    Result<bool> needs_links(const Sender& sender, const detail::LinkTable& table);
    Result<void> tell_changed_hands(const detail::LinkRecord& record, std::string_view number);
    Result<bool> write(const Sender& sender, std::string_view identity,
                       const detail::StoredLinks& stored, detail::LinkRecord record);
    /// The senders that something is kept for: noted, or known by a part.
    Result<std::vector<Sender>> senders_of(const Address& canonical);
    /// Every conversation with the customer.
    Result<std::vector<CustomerConversation>> conversations(const Customers& customers,
                                                            const Address& address);
    Result<bool> forget_links(const CustomerConversation& conversation);
    Result<void> forget_notes(const CustomerConversation& conversation);
    Result<std::string> export_links(std::span<const CustomerConversation> conversations);
};

}  // namespace twiliowa
