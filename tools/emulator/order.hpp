/// @file
/// Reads orders of the page and of tests: JSON, every member checked. What cannot be is refused
/// with std::invalid_argument, which names the member.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

namespace emulator {

/// Not an object if it is none, or holds more values than any order needs.
nlohmann::json parse_order(const std::string& body);

/// Empty when it is left out.
std::string text_of(const nlohmann::json& order, const char* name);
double number_of(const nlohmann::json& order, const char* name, double otherwise = 0.0);
/// True when it is left out.
bool flag_of(const nlohmann::json& order, const char* name);
/// A share of what happens: from 0 to 1.
double share_of(const nlohmann::json& order, const char* name, double otherwise = 0.0);
/// A time in seconds, of at most a year.
std::chrono::milliseconds seconds_of(const nlohmann::json& order, const char* name,
                                     std::chrono::milliseconds otherwise);
/// Text too, as JavaScript has no integers of 64 bits.
std::uint64_t seed_of(const nlohmann::json& seed);
/// A whole number from `least` to `most`.
int count_of(const nlohmann::json& order, const char* name, int least, int most);
/// Nothing where it stands as null.
std::optional<int> limit_of(const nlohmann::json& order, const char* name);
/// A type and a subtype, as may stand in a header.
std::string content_type_of(const nlohmann::json& order);
/// Texts by name.
std::vector<std::pair<std::string, std::string>> parameters_of(const nlohmann::json& order);
/// What `base64` holds.
std::string bytes_of(const nlohmann::json& order);
twiliowa::testing::Fault fault_of(const std::string& name);

/// Refuses an order with any other member.
void require_known(const nlohmann::json& order, std::initializer_list<const char*> known);
/// Refuses what is neither empty nor a web address.
void require_address(const char* name, const std::string& url);

}  // namespace emulator
