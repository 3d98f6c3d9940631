// What the program says of its work: lines of a log, and what it counts itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/metrics_observer.hpp>
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

    void count_post(bool is_taken);
    void set_redis_up(bool is_up);
    /// What it counts, at a scrape.
    void add_to(twiliowa::MetricSamples& samples) const;

    void on_attempt(const twiliowa::AttemptEvent& event) noexcept override;
    void on_webhook(const twiliowa::WebhookResultEvent& event) noexcept override;
    void on_inbox(const twiliowa::InboxResultEvent& event) noexcept override;
    void on_limiter(const twiliowa::LimiterEvent& event) noexcept override;

private:
    twiliowa::Sealer sealer_;
    std::atomic<std::uint64_t> posts_{0};
    std::atomic<std::uint64_t> failed_posts_{0};
    std::atomic<bool> redis_up_{true};
};

}  // namespace dealer
