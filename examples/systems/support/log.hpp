// The log of a system: what the library tells, and the system's own lines, in one form, on standard
// output. LOG_LEVEL (info) and LOG_FORMAT (text, or json) may be in the environment.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <twiliowa/log_observer.hpp>
#include <twiliowa/state/sealer.hpp>

namespace support {

/// What this thread works on: its lines have it as `request`. The main thread's is the process.
const std::string& current_request() noexcept;
/// A new random one, which is returned.
const std::string& begin_request();

/// Thread-safe. Nothing that is written may hold a number, a text or a token: the library's lines
/// do not, and own ones have `hash` in place of a number.
class Log {
public:
    explicit Log(twiliowa::Sealer sealer);

    using Fields = std::initializer_list<twiliowa::LogObserver::Field>;
    /// `2026-11-21T06:10:00.123Z info handed_over request=4f1a... job=17 recipient=twi1...`
    void info(std::string_view event, Fields fields = {}) const;
    /// It went wrong, and goes on by itself.
    void warning(std::string_view event, Fields fields = {}) const;
    /// The same, with HTTP status, Twilio's code, and what to do about it.
    void warning(std::string_view event, Fields fields, const twiliowa::Error& error) const;

    /// In place of an address: the same for the same one, and nobody without the key can tell it.
    std::string hash(std::string_view address) const;
    /// For whatever takes an observer.
    std::shared_ptr<twiliowa::Observer> observer() const { return observer_; }
    /// Of both, `other` first.
    std::shared_ptr<twiliowa::Observer> observer_with(
        std::shared_ptr<twiliowa::Observer> other) const;

private:
    twiliowa::Sealer sealer_;
    std::shared_ptr<twiliowa::LogObserver> observer_;
};

}  // namespace support
