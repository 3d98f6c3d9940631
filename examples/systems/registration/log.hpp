// What the program says of its work: one line an event, each with the id of the request that it is
// about, none with a number, a text or a token.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/observer.hpp>

namespace registration {

/// A new random one.
std::string new_request_id();
std::string hex(std::span<const unsigned char> bytes);

class Log {
public:
    using Field = std::pair<std::string_view, std::string>;
    explicit Log(twiliowa::Sealer sealer) : sealer_(std::move(sealer)) {}

    /// `trigger request=4f1a... http=202 recipient=twi1...`. Fields without a value are left out.
    /// Thread-safe.
    void line(std::string_view event, std::string_view request,
              std::initializer_list<Field> fields) const;
    void outcome(const twiliowa::JobOutcome& outcome) const;
    /// In place of an address: the same for the same one, and nobody without the key can tell it.
    std::string hash(std::string_view address) const;

private:
    twiliowa::Sealer sealer_;
};

/// Tells of webhooks and their handling, whose request is known by the message's SID, and of calls
/// that Twilio refused or did not answer, also those that are tried again.
class CallLog final : public twiliowa::Observer {
public:
    explicit CallLog(const Log& log) : log_(log) {}
    void on_attempt(const twiliowa::AttemptEvent& event) noexcept override;
    void on_webhook(const twiliowa::WebhookResultEvent& event) noexcept override;
    void on_inbox(const twiliowa::InboxResultEvent& event) noexcept override;

private:
    const Log& log_;
};

}  // namespace registration
