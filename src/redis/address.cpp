#include "redis/address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "net/ip.hpp"

namespace twiliowa::detail {
namespace {

Error unreadable_redis_url(std::string_view problem = "is no address of a Redis server") {
    return Error::invalid_request("url", problem,
                                  "write redis://user@host:6379/0, rediss:// for TLS, or "
                                  "unix:///path/of/the/socket");
}

bool skip_text(std::string_view& text, std::string_view prefix) noexcept {
    if (text.substr(0, prefix.size()) != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// What stands before the last `mark`, which is taken away with it; nullopt if there is none.
std::optional<std::string_view> take_before(std::string_view& text, char mark) noexcept {
    const auto at = text.rfind(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const auto before = text.substr(0, at);
    text.remove_prefix(at + 1);
    return before;
}

std::optional<int> small_number(std::string_view text, int highest) noexcept {
    int number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc{} || stopped != end || number < 0 || number > highest) {
        return std::nullopt;
    }
    return number;
}

/// A user's name or a path as it stands, or as `%41` stands for it.
std::optional<std::string> unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        unsigned char byte = 0;
        const auto digits = text.substr(i + 1, 2);
        const auto* const end = digits.data() + digits.size();
        const auto [stopped, fault] = std::from_chars(digits.data(), end, byte, 16);
        if (digits.size() != 2 || fault != std::errc{} || stopped != end || byte == 0) {
            return std::nullopt;
        }
        plain += static_cast<char>(byte);
        i += 2;
    }
    return plain;
}

constexpr int highest_database = 1'000'000;
constexpr std::string_view password_problem = "holds a password";

Error password_in_redis_url() {
    return Error::invalid_request("url", password_problem,
                                  "leave it out; the options or REDISCLI_AUTH give it");
}

/// Of `user@`, what is before the @.
Result<void> read_user(std::string_view text, RedisAddress& address) {
    if (text.find(':') != std::string_view::npos) return password_in_redis_url();
    auto user = unescaped(text);
    if (!user || user->empty()) return unreadable_redis_url();
    address.user = std::move(*user);
    return {};
}

Result<void> read_database(std::string_view text, RedisAddress& address) {
    const auto database = small_number(text, highest_database);
    if (!database) return unreadable_redis_url("names no database by its number");
    address.database = *database;
    return {};
}

Result<void> read_host(std::string_view text, RedisAddress& address) {
    if (skip_text(text, "[")) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return unreadable_redis_url();
        address.host = text.substr(0, end);
        text.remove_prefix(end + 1);
        // A scope, as in fe80::1%eth0, is the system's to read.
        const auto number = address.host.substr(0, address.host.find('%'));
        if (number.find(':') == std::string::npos || !parse_ip_address(number)) {
            return unreadable_redis_url();
        }
        if (!text.empty() && text.front() != ':') return unreadable_redis_url();
    } else {
        address.host = text.substr(0, text.find(':'));
        text.remove_prefix(address.host.size());
        if (address.host.find_first_of("[]") != std::string::npos) return unreadable_redis_url();
    }
    if (address.host.empty()) return unreadable_redis_url();
    if (!skip_text(text, ":")) return {};
    const auto port = small_number(text, 65'535);
    if (!port || *port == 0) return unreadable_redis_url("names no port");
    address.port = std::to_string(*port);
    return {};
}

Result<RedisAddress> parse_socket_url(std::string_view text) {
    RedisAddress address;
    const auto question = text.find('?');
    if (question != std::string_view::npos) {
        auto query = text.substr(question + 1);
        text = text.substr(0, question);
        if (!skip_text(query, "db=")) return unreadable_redis_url();
        if (auto read = read_database(query, address); !read) return read.error();
    }
    if (const auto user = take_before(text, '@')) {
        if (auto read = read_user(*user, address); !read) return read.error();
    }
    auto path = unescaped(text);
    if (!path || path->empty() || path->front() != '/') return unreadable_redis_url();
    address.path = std::move(*path);
    return address;
}

}  // namespace

Result<RedisAddress> parse_redis_url(std::string_view url) {
    const bool has_controls =
        std::any_of(url.begin(), url.end(), [](char c) { return c >= 0 && c <= ' '; });
    if (has_controls || url.find('#') != std::string_view::npos) return unreadable_redis_url();
    if (skip_text(url, "unix://")) return parse_socket_url(url);
    RedisAddress address;
    address.tls = skip_text(url, "rediss://");
    if (!address.tls && !skip_text(url, "redis://")) return unreadable_redis_url();
    // A password may hold a / or a ?: it is looked for in all of the text.
    if (const auto user = take_before(url, '@')) {
        if (auto read = read_user(*user, address); !read) return read.error();
    }
    if (url.find('?') != std::string_view::npos) return unreadable_redis_url();
    const auto slash = url.find('/');
    if (slash != std::string_view::npos && slash + 1 != url.size()) {
        if (auto read = read_database(url.substr(slash + 1), address); !read) return read.error();
    }
    if (auto read = read_host(url.substr(0, slash), address); !read) return read.error();
    return address;
}

}  // namespace twiliowa::detail
