// What a user writes who wakes nobody.
#include <twiliowa/campaign/quiet_hours.hpp>
#include <twiliowa/twiliowa.hpp>

bool second_unit_works();

int main() {
    using namespace std::chrono_literals;
    const twiliowa::QuietHours quiet{{.week = twiliowa::QuietHoursOptions::every_day({8h, 20h})}};
    const auto now = twiliowa::system_clock()->now();
    const auto allowed = quiet.judge({.address = "+12125550123"}, now);
    return allowed && allowed->from && second_unit_works() ? 0 : 1;
}
