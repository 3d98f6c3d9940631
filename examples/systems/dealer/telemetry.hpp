// What the program says of its work: lines of a log, and counters for Prometheus.
#pragma once

#include <chrono>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/observer.hpp>

namespace dealer {

/// Thread-safe. Nothing that it says holds a number, a text or a token.
class Telemetry final : public twiliowa::Observer {
public:
    using Field = std::pair<std::string_view, std::string>;
    explicit Telemetry(twiliowa::Sealer sealer);

    /// `reply handed over sid=SM... customer=twi1...`. Fields without a value are left out.
    void line(std::string_view event, std::initializer_list<Field> fields) const;
    /// In place of a number: the same for the same number, and nobody without the key can tell it.
    std::string hash(std::string_view number) const;

    void count(const std::string& name);
    void set(const std::string& name, double value);
    /// In Prometheus' text form.
    std::string metrics() const;

    void on_attempt(const twiliowa::AttemptEvent& event) noexcept override;
    void on_webhook(const twiliowa::WebhookResultEvent& event) noexcept override;
    void on_inbox(const twiliowa::InboxResultEvent& event) noexcept override;
    void on_limiter(const twiliowa::LimiterEvent& event) noexcept override;

private:
    void processed(std::chrono::microseconds since_arrival);

    twiliowa::Sealer sealer_;
    mutable std::mutex mutex_ = {};
    std::map<std::string, double> values_ = {};
};

}  // namespace dealer
