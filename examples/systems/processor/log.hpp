// What the program says of its work: one line an event, without a number, a text or a token.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/observer.hpp>

namespace processor {

class Log {
public:
    using Field = std::pair<std::string_view, std::string>;
    explicit Log(twiliowa::Sealer sealer) : sealer_(std::move(sealer)) {}

    /// `handed over job=17 recipient=twi1...`. Fields without a value are left out. Thread-safe.
    void line(std::string_view event, std::initializer_list<Field> fields) const;
    /// A failure: our words, HTTP status, Twilio's code, and what to do about it.
    void failure(std::string_view event, const std::string& job_id,
                 const twiliowa::Error& error) const;
    /// In place of a number: the same for the same number, and nobody without the key can tell it.
    std::string hash(std::string_view number) const;

private:
    twiliowa::Sealer sealer_;
};

/// Tells of calls that Twilio refused or did not answer, also those that are tried again.
class CallLog final : public twiliowa::Observer {
public:
    explicit CallLog(const Log& log) : log_(log) {}
    void on_attempt(const twiliowa::AttemptEvent& event) noexcept override;
    void on_webhook(const twiliowa::WebhookResultEvent& event) noexcept override;

private:
    const Log& log_;
};

}  // namespace processor
