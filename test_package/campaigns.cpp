// What a user writes who wakes nobody.
#include <chrono>

#include <twiliowa/campaign/quiet_hours.hpp>
#include <twiliowa/types/clock.hpp>

int main() {
    using namespace std::chrono_literals;
    const twiliowa::QuietHours quiet{{.week = twiliowa::QuietHoursOptions::every_day({8h, 20h})}};
    const auto now = twiliowa::system_clock()->now();
    const auto allowed = quiet.judge({.address = "+12125550123"}, now);
    return allowed && allowed->from ? 0 : 1;
}
