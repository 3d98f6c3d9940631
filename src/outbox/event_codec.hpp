/// @file
/// An event between what came in and what a storage keeps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/inbox.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/outbox/inbox_storage.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/address.hpp>

namespace twiliowa::detail {

/// What an event is known by. Holds no address and no text, and is the same in a sealed inbox.
std::string inbox_key_of(const EventKey& key);

/// Writes and reads events: in the clear, or sealed. Immutable.
class EventCodec {
public:
    explicit EventCodec(std::optional<Sealer> sealer) : sealer_(std::move(sealer)) {}

    Result<StoredEvent> encode(const InboxDelivery& delivery) const;
    /// What came in. Errors: InvalidRequestError if it was erased or cannot be read, and never
    /// will; TransportError if it may be read later, as when its key is away.
    Result<WebhookEvent> event_of(const StoredEvent& event) const;
    /// What cannot be opened is left out.
    InboxEvent view(const StoredEvent& event) const;

    /// The same, kept as `encode` would keep it now; nullopt if it is.
    Result<std::optional<StoredEvent>> resealed(const StoredEvent& event) const;
    /// What `StoredEvent::customer` may be for that address; both ways of writing a number give the
    /// same.
    Result<std::vector<std::string>> customers_of(const Address& address) const;

private:
    struct Names {
        std::string line = {};
        std::string customer = {};
    };
    Result<Names> names_of(const WebhookEvent& event, std::string_view kind) const;
    Result<std::string> open(const StoredEvent& event) const;

    std::optional<Sealer> sealer_;
};

}  // namespace twiliowa::detail
