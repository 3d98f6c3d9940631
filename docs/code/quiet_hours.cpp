// What docs/quiet-hours.md shows.
#include <cstdlib>
#include <iostream>
#include <string>

#include <twiliowa/campaign/quiet_hours.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

void options() {
    // [options]
    wa::QuietHoursOptions options{
        .week = wa::QuietHoursOptions::every_day({8h, 20h}),  // on the recipient's clock
        .exempt = {wa::Lane::urgent},                         // one-time codes go at night, too
        .unknown_zone = wa::UnknownZone::assume,
        .assumed_zone = "Europe/London"};
    options.week[5] = wa::AllowedHours{10h, 18h};  // Saturday
    options.week[6] = std::nullopt;                // Sunday: none
    const wa::QuietHours quiet{options};
    // [options]
    const wa::TimePoint sunday = std::chrono::sys_days{std::chrono::year{2026} / 11 / 29};
    expect(!quiet.judge({.address = "+447700900123"}, sunday + 12h)->now);
}

void judge() {
    const wa::QuietHours quiet{{.week = wa::QuietHoursOptions::every_day({8h, 20h})}};
    const wa::TimePoint now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 30} + 12h;
    const std::string job = "camp:7:+12125550123";
    wa::OutboundMessage message{.to = "+12125550123"};
    // [judge]
    const auto allowed = quiet.judge({.address = message.to}, now).value();
    if (allowed.now) {
        // Twilio drops it rather than deliver it at night.
        message.validity_period = allowed.validity_period(now, message.validity_period);
    } else if (const auto morning = quiet.spread(job, allowed)) {
        std::cout << "waits until " << std::chrono::system_clock::to_time_t(*morning) << '\n';
    } else {
        std::cout << "it is always night in one of the zones\n";
    }
    // [judge]
    expect(!allowed.now && allowed.from == now + 1h);  // 8:00 in New York
}

}  // namespace

int main() {
    options();
    judge();
}
