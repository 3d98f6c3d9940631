#include "callers.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/testing/fake_twilio.hpp>

#include "connection.hpp"
#include "http_server.hpp"
#include "text/base64.hpp"

namespace emulator {

namespace {

using twiliowa::testing::FakeTwilio;

void refuse(httplib::Response& response, int status, const std::string& why) {
    if (auto* const connection = Connection::current()) {
        connection->make_last();  // The body was not read.
    }
    response.status = status;
    response.set_content(why + "\n", "text/plain");
}

/// The name by which it calls this server, if that is none of its own.
std::optional<std::string> strange_name(const HostNames& names, const httplib::Request& request) {
    auto* const connection = Connection::current();
    const auto own = connection == nullptr ? std::string{} : connection->own().first;
    const auto [begin, end] = request.headers.equal_range("Host");
    const auto stranger = std::find_if(
        begin, end, [&](const auto& header) { return !names.allow(header.second, own); });
    return stranger == end ? std::nullopt : std::optional{stranger->second};
}

/// Whether it logs in as everybody can who has read --help.
bool has_known_login(const httplib::Request& request) {
    const auto header = request.get_header_value("Authorization");
    const auto blank = header.find(' ');
    if (blank == std::string::npos) return false;
    const auto login = twiliowa::detail::decode_base64(std::string_view{header}.substr(blank + 1));
    return login == std::string{FakeTwilio::demo_account_sid} + ":" +
                        std::string{FakeTwilio::demo_auth_token};
}

/// Whether a browser sends it for a page of another site. It says so where it takes the address for
/// a safe one, this machine or https; elsewhere, and if it is old, it names the page's origin with
/// all that could do something.
bool is_from_elsewhere(const httplib::Request& request) {
    const auto site = request.get_header_value("Sec-Fetch-Site");
    if (!site.empty()) return site == "cross-site";
    const auto origin = request.get_header_value("Origin");
    return !origin.empty() && !HostNames::is_near(origin, request.get_header_value("Host"));
}

}  // namespace

bool refuse_caller(const HostNames& names, const httplib::Request& request,
                   httplib::Response& response) {
    if (request.target.size() > max_target_bytes) {
        refuse(response, 414, "The address is longer than any of Twilio's.");
        return true;
    }
    if (const auto name = strange_name(names, request)) {
        refuse(response, 403,
               "This emulator is not called " + *name +
                   ". If it is meant to be, start it with --allow-host and that name.");
        return true;
    }
    const bool orders = request.path.rfind("/emulator/", 0) == 0;
    if (is_from_elsewhere(request) && (orders || has_known_login(request))) {
        refuse(
            response, 403,
            "A page of another site asks, with what every page can know. If it is meant to, start "
            "the emulator with an --account of your own.");
        return true;
    }
    return false;
}

bool sends_json(const httplib::Request& request) {
    return request.get_header_value("Content-Type").rfind("application/json", 0) == 0;
}

}  // namespace emulator
