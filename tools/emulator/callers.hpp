/// @file
/// Who may ask the emulator: it is one person's own, and so are the pages that may use it.
#pragma once

#include <httplib.h>

#include "host_names.hpp"

namespace emulator {

/// Answers a request that is refused, whatever it asks for; false if it may go on.
bool refuse_caller(const HostNames& names, const httplib::Request& request,
                   httplib::Response& response);

/// Whether it can be the order of a page of this server, or of a program: a form of another site
/// cannot send JSON.
bool sends_json(const httplib::Request& request);

}  // namespace emulator
