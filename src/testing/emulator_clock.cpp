#include <twiliowa/testing/emulator_clock.hpp>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace twiliowa::testing {

namespace {

constexpr std::chrono::seconds longest_question{1};

/// Milliseconds since 1970, as the emulator answers; nullopt when it is no such answer.
std::optional<std::chrono::milliseconds> read_emulator_time(const Result<HttpResponse>& answer) {
    if (!answer || answer->status != 200) return std::nullopt;
    const auto json = nlohmann::json::parse(answer->body, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const auto found = json.find("unix_ms");
    if (found == json.end() || !found->is_number_integer()) return std::nullopt;
    const auto count = found->get<std::int64_t>();
    // As far as TimePoint and the emulator go.
    if (count < 0 || count > 7'258'118'400'000) return std::nullopt;
    return std::chrono::milliseconds{count};
}

}  // namespace

EmulatorClock::EmulatorClock(std::string_view base_url, std::shared_ptr<HttpTransport> transport,
                             std::chrono::milliseconds refresh)
    : transport_(std::move(transport)),
      machine_(system_clock()),
      url_(base_url),
      refresh_(refresh),
      ahead_(machine_->now().time_since_epoch() - machine_->monotonic_now().time_since_epoch()) {
    while (url_.ends_with('/')) url_.pop_back();
    url_ += "/emulator/clock";
}

TimePoint EmulatorClock::now() const {
    const std::lock_guard lock{mutex_};
    if (machine_->monotonic_now() >= ask_from_) {
        HttpRequest request;
        request.url = url_;
        CallContext context;
        context.deadline = machine_->monotonic_now() + longest_question;
        const auto told = read_emulator_time(transport_->send(request, context));
        const auto asked = machine_->monotonic_now();
        if (told) ahead_ = *told - asked.time_since_epoch();
        ask_from_ = asked + refresh_;
    }
    const auto calendar = machine_->monotonic_now().time_since_epoch() + ahead_;
    const TimePoint now{std::chrono::duration_cast<TimePoint::duration>(calendar)};
    if (now > latest_) latest_ = now;
    return latest_;
}

MonotonicTime EmulatorClock::monotonic_now() const {
    return machine_->monotonic_now();
}

void EmulatorClock::sleep_until(MonotonicTime until, const CancelToken& cancel) {
    machine_->sleep_until(until, cancel);
}

}  // namespace twiliowa::testing
