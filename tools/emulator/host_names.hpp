/// @file
/// By which names requests may call the server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace emulator {

/// A page of another site may have its own name lead to this machine (DNS rebinding), and its
/// browser then takes the server for that site. So only names that are meant are served.
class HostNames {
public:
    /// `listening`: the address, or name, that is listened on.
    HostNames(std::string listening, std::vector<std::string> allowed);

    /// Whether a request with that Host header, which came to the address `own`, is served. One
    /// without it is: no browser leaves it out.
    bool allow(std::string_view header, std::string_view own) const;

    /// Whether the page of that Origin header (`http://localhost:3000`) is this server's, called by
    /// the name in `host`, or another server's on the browser's own machine.
    static bool is_near(std::string_view origin, std::string_view host);

private:
    std::vector<std::string> names_;
    bool on_every_address_;
};

}  // namespace emulator
