/// @file
/// The program that the emulator runs, and ends with.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace emulator {

/// Starts it with this process's environment, and no signal blocked or ignored.
/// @throws std::runtime_error if there is no such program
pid_t start_program(const std::vector<std::string>& words);

/// Waits for it; its status as a shell has it: 128 and the signal if it ended by one.
int wait_for_program(pid_t program);

}  // namespace emulator
