/// @file
/// The emulator's own API, behind the page: what happened, the customer's side, faults, time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "options.hpp"
#include "runner.hpp"

namespace emulator {

struct ControlAnswer {
    int status = 200;
    std::string body = "{}";  ///< JSON.
};

/// Thread-safe.
class Control {
public:
    Control(std::shared_ptr<twiliowa::testing::FakeTwilio> fake, std::shared_ptr<ScaledClock> clock,
            Runner& runner, Account account, std::uint64_t fault_seed);

    /// Everything the page shows: of the logs what is newer than these numbers, or still changing.
    std::string state(std::uint64_t requests_after, std::uint64_t webhooks_after) const;
    /// Grows with every change of what `state` says.
    std::uint64_t revision() const { return fake_->revision() + moves_; }
    /// A file that a customer sent, if there is such a one.
    std::optional<twiliowa::testing::FakeFile> file(std::string_view message_sid,
                                                    std::string_view media_sid) const;
    /// `path` is what follows /emulator/. Refuses what cannot be with 400 and a message.
    ControlAnswer post(std::string_view path, const std::string& body);

private:
    /// The SIDs of the main account, first, and of those it owns.
    std::vector<std::string> accounts() const;
    /// Those of all accounts; the one that is meant when none is named, first.
    std::vector<std::string> senders() const;
    ControlAnswer set_faults(const nlohmann::json& order);
    void set_limits(const nlohmann::json& order);
    void set_lists(const nlohmann::json& order);
    void set_prices(const nlohmann::json& order);
    void set_webhook(const nlohmann::json& order);
    void set_sender(const nlohmann::json& order);
    void set_account(const nlohmann::json& order);
    void set_approval(const nlohmann::json& order);
    ControlAnswer obey(std::string_view path, const nlohmann::json& order);

    std::shared_ptr<twiliowa::testing::FakeTwilio> fake_;
    std::shared_ptr<ScaledClock> clock_;
    Runner* runner_;
    Account account_;
    mutable std::mutex showing_;  ///< Two answers with everything at once are one too many.
    std::atomic<std::uint64_t> fault_seed_;
    std::atomic<std::uint64_t> moves_{0};  ///< Of the clock, and of what the fake does not count.
};

}  // namespace emulator
