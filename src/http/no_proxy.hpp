/// @file
/// The hosts that NO_PROXY names.
#pragma once

#include <string_view>

namespace twiliowa::detail {

/// Whether NO_PROXY names the host: itself, a domain it is in, its address or network
/// (10.0.0.0/8); "*" names all. Ports are not looked at.
bool goes_without_proxy(std::string_view host, std::string_view no_proxy);

}  // namespace twiliowa::detail
