/// @file
/// Faults of requests that are done to the socket.
#pragma once

#include <httplib.h>

#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

namespace emulator {

/// Does the fault; false if the answer is to be sent as it is.
bool do_fault(twiliowa::testing::Fault fault, httplib::Response& response, const std::string& body,
              const std::string& type);

}  // namespace emulator
