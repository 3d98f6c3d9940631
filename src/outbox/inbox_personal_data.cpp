#include "outbox/inbox_personal_data.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "state/entries.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::size_t personal_events_at_once = 200;

/// Your sender that an event names, as on the wire.
std::vector<std::string> senders_named(const WebhookEvent& event) {
    if (const auto* message = std::get_if<InboundMessage>(&event)) {
        return {message->to, message->messaging_service_sid};
    }
    if (const auto* callback = std::get_if<StatusCallback>(&event)) {
        return {callback->from, callback->messaging_service_sid};
    }
    return {};
}

std::string body_of(const InboxEvent& event) {
    const auto* message = event.event ? std::get_if<InboundMessage>(&*event.event) : nullptr;
    return message == nullptr ? std::string{} : message->body;
}

class InboxPersonalData final : public PersonalData {
public:
    explicit InboxPersonalData(std::shared_ptr<const InboxCore> core) : core_(std::move(core)) {}

    std::string_view name() const noexcept override { return "inbox"; }

    /// Asked by the event's customer alone, which is an index of its own.
    Result<std::vector<Sender>> senders_of(std::span<const Address> addresses) const override {
        std::vector<Sender> senders;
        const auto done =
            core_->transact([&](OutboxTransaction&, InboxTransaction& inbox) -> Result<void> {
                senders.clear();
                InboxFilter filter{.limit = personal_events_at_once};
                for (const auto& address : addresses) {
                    auto customers = core_->codec.customers_of(address);
                    if (!customers) return customers.error();
                    filter.customers.insert(filter.customers.end(), customers->begin(),
                                            customers->end());
                }
                return for_each(inbox, filter, [&](StoredEvent& event) -> Result<void> {
                    add_senders(event, senders);
                    return {};
                });
            });
        if (!done) return done.error();
        return senders;
    }

    Result<Forgotten> forget(std::span<const CustomerConversation> of) const override {
        Forgotten forgotten;
        const auto done = for_each(
            of, [&] { forgotten = {}; },
            [&](OutboxTransaction& transaction, InboxTransaction& inbox,
                StoredEvent& event) -> Result<void> {
                if (event.state == InboxState::waiting || event.state == InboxState::running) {
                    forgotten.not_yet = true;
                    return {};
                }
                event.payload.clear();
                event.customer.clear();
                event.line.clear();
                // Without its text nobody can try it again.
                const InboxMoment at{transaction.now(), transaction.lease_now(), 0};
                InboxMachine machine{event, core_->rules, at};
                machine.drop("its customer was forgotten");
                return inbox.rewrite(event);
            });
        if (!done) return done.error();
        return forgotten;
    }

    Result<std::string> export_of(std::span<const CustomerConversation> of) const override {
        auto list = nlohmann::json::array();
        const auto done = for_each(
            of, [&] { list = nlohmann::json::array(); },
            [&](OutboxTransaction&, InboxTransaction&, StoredEvent& stored) -> Result<void> {
                const auto event = core_->codec.view(stored);
                nlohmann::json entry{{"kind", event.kind},
                                     {"sid", event.message_sid},
                                     {"state", std::string{to_string(event.state)}},
                                     {"arrived_at", seconds_of(event.arrived_at)}};
                if (event.event) entry["body"] = body_of(event);
                list.push_back(std::move(entry));
                return {};
            });
        if (!done) return done.error();
        return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    static std::int64_t seconds_of(TimePoint time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    }

    /// Every event of one of the addresses, from when it was theirs. A storage may begin anew.
    template <class Begin, class Work>
    Result<void> for_each(std::span<const CustomerConversation> of, Begin begin, Work work) const {
        return core_->transact(
            [&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
                begin();
                for (const auto& conversation : of) {
                    for (const auto& linked : conversation.customer.addresses) {
                        auto done = for_each(transaction, inbox, conversation.sender, linked, work);
                        if (!done) return done;
                    }
                }
                return {};
            });
    }

    /// What cannot be opened names nobody: it counts as every sender's.
    bool is_of(const StoredEvent& stored, const Sender& sender) const {
        const auto event = core_->codec.event_of(stored);
        if (!event) return true;
        for (const auto& named : senders_named(*event)) {
            if (!named.empty() && named == sender.wire()) return true;
        }
        return false;
    }

    void add_senders(const StoredEvent& stored, std::vector<Sender>& senders) const {
        const auto event = core_->codec.event_of(stored);
        if (!event) return;
        for (const auto& named : senders_named(*event)) {
            const auto sender = sender_from_wire(named);
            if (sender.empty()) continue;
            if (std::find(senders.begin(), senders.end(), sender) != senders.end()) continue;
            senders.push_back(sender);
        }
    }

    template <class Work>
    Result<void> for_each(OutboxTransaction& transaction, InboxTransaction& inbox,
                          const Sender& sender, const LinkedAddress& linked, Work& work) const {
        auto customers = core_->codec.customers_of(linked.address);
        if (!customers) return customers.error();
        return for_each(inbox,
                        {.customers = std::move(*customers), .limit = personal_events_at_once},
                        [&](StoredEvent& event) -> Result<void> {
                            if (!linked.held(event.arrived_at) || !is_of(event, sender)) return {};
                            return work(transaction, inbox, event);
                        });
    }

    /// Every event of that filter, page by page.
    template <class Work>
    static Result<void> for_each(InboxTransaction& inbox, InboxFilter filter, const Work& work) {
        while (true) {
            auto events = inbox.list(filter);
            if (!events) return events.error();
            for (auto& event : *events) {
                filter.after = event.sequence;
                if (auto done = work(event); !done) return done;
            }
            if (events->size() < filter.limit) return {};
        }
    }

    std::shared_ptr<const InboxCore> core_;
};

}  // namespace

std::shared_ptr<const PersonalData> inbox_personal_data(std::shared_ptr<const InboxCore> core) {
    return std::make_shared<InboxPersonalData>(std::move(core));
}

}  // namespace twiliowa::detail
