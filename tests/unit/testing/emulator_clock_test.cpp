#include <twiliowa/testing/emulator_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

#include <twiliowa/testing/scripted_transport.hpp>

namespace emulator_clock_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using twiliowa::testing::EmulatorClock;
using twiliowa::testing::ScriptedTransport;

namespace {

// 2026-01-01T00:00:00Z.
constexpr std::chrono::milliseconds new_year{1'767'225'600'000};

std::string told(std::chrono::milliseconds time) {
    return R"({"now":"","unix_ms":)" + std::to_string(time.count()) + "}";
}

bool is_about(TimePoint time, std::chrono::milliseconds wanted) {
    return time >= TimePoint{wanted} && time < TimePoint{wanted + 1min};
}

}  // namespace

TEST_CASE("an EmulatorClock shows the emulator's calendar, and follows when that is moved") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(200, told(new_year)).respond(200, told(new_year + 25h));
    const EmulatorClock clock{"http://127.0.0.1:8080/", transport, 0ms};
    CHECK(is_about(clock.now(), new_year));
    CHECK(is_about(clock.now(), new_year + 25h));
    CHECK(transport->requests().front().url == "http://127.0.0.1:8080/emulator/clock");
}

TEST_CASE("an EmulatorClock asks once in its refresh time") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(200, told(new_year));
    const EmulatorClock clock{"http://127.0.0.1:8080", transport, 1h};
    for (int i = 0; i < 3; ++i) CHECK(is_about(clock.now(), new_year));
    CHECK(transport->request_count() == 1);
}

TEST_CASE("an EmulatorClock never goes backward, and goes on when nobody answers") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(200, told(new_year + 25h))
        .respond(200, told(new_year))
        .respond(404)
        .respond(200, "{")
        .respond(200, R"({"unix_ms":-1})");
    const EmulatorClock clock{"http://127.0.0.1:8080", transport, 0ms};
    for (int i = 0; i < 6; ++i) CHECK(is_about(clock.now(), new_year + 25h));
}

TEST_CASE("an EmulatorClock without an emulator has the machine's time") {
    const EmulatorClock clock{"http://127.0.0.1:8080", std::make_shared<ScriptedTransport>()};
    const auto difference = clock.now() - system_clock()->now();
    CHECK(difference < 1min);
    CHECK(difference > -1min);
}

TEST_CASE("an EmulatorClock's deadlines are the machine's") {
    const EmulatorClock clock{"http://127.0.0.1:8080", std::make_shared<ScriptedTransport>()};
    const auto before = system_clock()->monotonic_now();
    CHECK(clock.monotonic_now() >= before);
    CHECK(clock.monotonic_now() < before + 1min);
}

}  // namespace emulator_clock_test
