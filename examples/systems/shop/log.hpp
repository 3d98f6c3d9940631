// What the program says of its work: lines of a log, none with a number, a text or a token.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/observer.hpp>

namespace shop {

/// Also hears of calls that fail, webhooks, and budgets. Thread-safe.
class Log final : public twiliowa::Observer {
public:
    using Field = std::pair<std::string_view, std::string>;
    explicit Log(twiliowa::Sealer sealer) : sealer_(std::move(sealer)) {}

    /// `delivered job=4f1a... sid=SM... recipient=twi1...`. Fields without a value are left out.
    void line(std::string_view event, std::initializer_list<Field> fields = {}) const;
    void outcome(const twiliowa::JobOutcome& outcome) const;
    /// In place of an address: the same for the same one, and nobody without the key can tell it.
    std::string hash(std::string_view address) const;

    void on_attempt(const twiliowa::AttemptEvent& event) noexcept override;
    void on_webhook(const twiliowa::WebhookResultEvent& event) noexcept override;
    void on_quota_level(const twiliowa::QuotaLevelEvent& event) noexcept override;

private:
    twiliowa::Sealer sealer_;
};

}  // namespace shop
