#include "outbox/dialogue_memory.hpp"

#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "state/entries.hpp"

namespace twiliowa::detail {
namespace {

/// What is kept of dialogues, found and erased for its customers.
class DialoguePersonalData final : public PersonalData {
public:
    explicit DialoguePersonalData(DialoguePlace place) : place_(std::move(place)) {
        if (place_.name != name_) name_.append(1, ' ').append(place_.name);
    }

    std::string_view name() const noexcept override { return name_; }

    Result<Forgotten> forget(std::span<const CustomerConversation> of) const override {
        for (const auto& [sender, customer] : of) {
            for (const auto& linked : customer.addresses) {
                const auto erased = erase_entry(*place_.store, place_.key(sender, linked.address),
                                                [&](const std::string& value) -> Result<bool> {
                                                    const auto record = parse_dialogue(value);
                                                    if (!record) return foreign_entry();
                                                    return linked.held(record->written);
                                                });
                if (!erased) return erased.error();
            }
        }
        return Forgotten{};
    }

    Result<std::string> export_of(std::span<const CustomerConversation> of) const override {
        auto list = nlohmann::json::array();
        for (const auto& [sender, customer] : of) {
            for (const auto& linked : customer.addresses) {
                const auto record = place_.read(place_.key(sender, linked.address));
                if (!record) return record.error();
                if (!*record || !linked.held((*record)->written)) continue;
                list.push_back(entry_of(sender, linked.address, **record));
            }
        }
        return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    static nlohmann::json entry_of(const Sender& sender, const Address& customer,
                                   const DialogueRecord& record) {
        const auto written =
            std::chrono::duration_cast<std::chrono::seconds>(record.written.time_since_epoch());
        nlohmann::json entry{{"sender", sender.wire()},       {"address", customer.wire()},
                             {"written", written.count()},    {"step", record.state.step},
                             {"values", record.state.values}, {"messages", record.handled}};
        if (record.before) entry["values_before"] = record.before->values;
        return entry;
    }

    DialoguePlace place_;
    std::string name_ = "dialogue";
};

}  // namespace

Result<DialogueParties> DialogueParties::parse(std::string_view sender, std::string_view customer) {
    return with_parties(sender, customer,
                        [](const Sender& ours, const Address& theirs) -> Result<DialogueParties> {
                            return DialogueParties{ours, theirs};
                        });
}

std::string DialoguePlace::key(const Sender& sender, const Address& customer) const {
    return state_key("dialogue", {scope, name, sender.wire(), customer.wire()});
}

Result<std::optional<DialogueRecord>> DialoguePlace::read(const std::string& key) const {
    const auto entry = store->get(key);
    if (!entry) return entry.error();
    if (!*entry) return std::optional<DialogueRecord>{};
    auto record = parse_dialogue((*entry)->value);
    if (!record) return foreign_entry();
    return record;
}

DialogueMemory::DialogueMemory(DialoguePlace place, std::shared_ptr<const Customers> customers,
                               std::chrono::milliseconds time_out)
    : place_(std::move(place)), customers_(std::move(customers)), time_out_(time_out) {
    if (!customers_) return;
    require_same_scope(*customers_, place_.scope);
    personal_data_ = std::make_shared<DialoguePersonalData>(place_);
    customers_->add_part(personal_data_);
}

Result<FoundDialogue> DialogueMemory::find(const DialogueParties& parties) const {
    std::vector<LinkedAddress> addresses{{parties.customer, {}, {}}};
    if (customers_) {
        auto linked = customers_->linked(parties.sender, parties.customer);
        if (!linked) return linked.error();
        addresses = std::move(linked->addresses);
    }
    std::vector<std::string> keys;
    keys.reserve(addresses.size());
    for (const auto& linked : addresses) keys.push_back(place_.key(parties.sender, linked.address));
    auto entries = place_.store->get_each(keys);
    if (!entries) return entries.error();
    FoundDialogue found{.key = keys.front()};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto& entry = (*entries)[i];
        if (!entry) continue;
        auto record = parse_dialogue(entry->value);
        if (!record) return foreign_entry();
        const bool is_theirs = addresses[i].held(record->written);
        const bool is_newest = found.version == 0 || record->written > found.record.written;
        // What a former holder of a number has left is written over, but under that number alone.
        if (!is_theirs && i == 0 && found.version == 0) {
            found = {keys[i], entry->version, std::move(entry->value), {}};
        } else if (is_theirs && is_newest) {
            found = {keys[i], entry->version, std::move(entry->value), std::move(*record)};
        }
    }
    return found;
}

Result<std::uint64_t> DialogueMemory::write(const DialogueParties& parties,
                                            const FoundDialogue& found,
                                            const DialogueRecord& record) const {
    const auto text = dialogue_text(record);
    if (found.key.size() + text.size() > Dialogue::max_bytes) {
        return Error::invalid_request("state", "is larger than 4096 bytes",
                                      "keep what is long elsewhere, and its name here");
    }
    if (customers_) {
        const auto noted = customers_->note(parties.sender, parties.customer, time_out_);
        if (!noted) return noted.error();
    }
    return place_.store->compare_and_set(found.key, found.version, text, time_out_, Keep::pinned);
}

void DialogueMemory::undo(const FoundDialogue& found, std::uint64_t written) const {
    // Where this fails the message finds what it wrote, and what was before.
    if (found.version == 0) {
        static_cast<void>(place_.store->erase(found.key, written));
    } else {
        static_cast<void>(
            place_.store->compare_and_set(found.key, written, found.text, time_out_, Keep::pinned));
    }
}

}  // namespace twiliowa::detail
