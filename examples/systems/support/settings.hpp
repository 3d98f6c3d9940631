// What a system is told by its environment.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <twiliowa/types/cancel.hpp>

namespace support {

/// Throws InvalidRequestError, naming it, if it is not set or empty and there is no other.
std::string setting(const char* name, const char* otherwise = nullptr);
/// The same, a number from 1 to `most`.
int number_setting(const char* name, const char* otherwise = nullptr, int most = 65'535);
/// A number from `least` to `most`; the error names `name`.
int to_number(const char* name, const std::string& text, int least, int most);

/// `2000-5000`, or `1000`: the shortest and the longest of some waits, in milliseconds.
using Waits = std::pair<std::chrono::milliseconds, std::chrono::milliseconds>;
Waits waits_setting(const char* name, const char* otherwise);
/// What a stand-in does for one of them, by chance; not longer than until `lost`.
void think(const Waits& waits, const twiliowa::CancelToken& lost = {});

}  // namespace support
