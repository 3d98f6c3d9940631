/// @file
/// Where a customer's dialogue is kept: found under each of their addresses, and erased with the
/// rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/sender.hpp>

#include "outbox/dialogue_record.hpp"

namespace twiliowa::detail {

/// One of your senders and a customer.
struct DialogueParties {
    Sender sender = {};
    Address customer = {};

    static Result<DialogueParties> parse(std::string_view sender, std::string_view customer);
};

/// What was found of a customer.
struct FoundDialogue {
    std::string key = {};        ///< Where it is, or will be.
    std::uint64_t version = 0;   ///< 0: nothing is there.
    std::string text = {};       ///< As it was read.
    DialogueRecord record = {};  ///< Empty if nothing is there.
};

/// Which of a store's entries are a dialogue's.
struct DialoguePlace {
    std::shared_ptr<Store> store = {};
    std::string scope = {};
    std::string name = {};

    std::string key(const Sender& sender, const Address& customer) const;
    /// What is kept under that key, if anything is.
    Result<std::optional<DialogueRecord>> read(const std::string& key) const;
};

class DialogueMemory {
public:
    DialogueMemory(DialoguePlace place, std::shared_ptr<const Customers> customers,
                   std::chrono::milliseconds time_out);

    /// Of several the one that was written last.
    Result<FoundDialogue> find(const DialogueParties& parties) const;
    /// Writes the record in place of what was found. The version; 0: it is there no more.
    Result<std::uint64_t> write(const DialogueParties& parties, const FoundDialogue& found,
                                const DialogueRecord& record) const;
    /// Puts back what was found, if nobody has written since.
    void undo(const FoundDialogue& found, std::uint64_t written) const;

    const std::shared_ptr<Store>& store() const noexcept { return place_.store; }

private:
    DialoguePlace place_;
    std::shared_ptr<const Customers> customers_;
    std::chrono::milliseconds time_out_;
    std::shared_ptr<const PersonalData> personal_data_;
};

}  // namespace twiliowa::detail
