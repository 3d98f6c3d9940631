// Addresses of a Redis: what is read is whole, holds no password, and written down again it is read
// as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "redis/address.hpp"

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

std::string escaped(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string all;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        all += '%';
        all += digits[byte >> 4];
        all += digits[byte & 15];
    }
    return all;
}

std::string written(const twiliowa::detail::RedisAddress& address) {
    const auto user = address.user.empty() ? std::string{} : escaped(address.user) + "@";
    const auto database = std::to_string(address.database);
    if (address.host.empty()) {
        return "unix://" + user + "/" + escaped(address.path.substr(1)) + "?db=" + database;
    }
    const bool is_number = address.host.find(':') != std::string::npos;
    const auto host = is_number ? "[" + address.host + "]" : address.host;
    return (address.tls ? "rediss://" : "redis://") + user + host + ":" + address.port + "/" +
           database;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa::detail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto address = parse_redis_url(text);
    if (!address) {
        expect(address.error().field() == "url" && !address.error().hint().empty());
        return 0;
    }
    expect(address->host.empty() != address->path.empty());
    expect(address->path.empty() || address->path.front() == '/');
    expect(address->host.find_first_of("/?#@ ") == std::string::npos);
    const auto port = std::stoi(address->port);
    expect(port > 0 && port <= 65'535 && address->database >= 0);
    const auto again = parse_redis_url(written(*address));
    expect(again && again->host == address->host && again->port == address->port);
    expect(again->path == address->path && again->user == address->user);
    expect(again->database == address->database && again->tls == address->tls);
    return 0;
}
