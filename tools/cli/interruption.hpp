/// @file
/// Ctrl-C, as a cancellation.
#pragma once

#include <twiliowa/types/cancel.hpp>

namespace cli {

/// The first SIGINT or SIGTERM cancels, unless it is ignored; after it they do what they usually
/// do. To be called before any other thread is started.
twiliowa::CancelToken cancelled_by_signals();

}  // namespace cli
