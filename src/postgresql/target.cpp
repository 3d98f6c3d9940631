#include "postgresql/target.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace twiliowa::detail {
namespace {

struct OptionsEnd {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

Error unreadable_url() {
    return Error::invalid_request("url", "is no address of a PostgreSQL server",
                                  "write postgresql://role@host/database");
}

std::vector<std::string> split_list(std::string_view list) {
    std::vector<std::string> parts;
    while (true) {
        const auto comma = list.find(',');
        parts.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        list.remove_prefix(comma + 1);
    }
}

bool is_of_each_server(std::string_view name) {
    return name == "host" || name == "hostaddr" || name == "port";
}

}  // namespace

Result<PostgresTarget> parse_postgres_url(const std::string& url) {
    // To libpq nothing at all is a server too: what is left out, it takes from the environment.
    if (url.empty()) return unreadable_url();
    if (url.find('\0') != std::string::npos) return unreadable_url();
    const std::unique_ptr<PQconninfoOption, OptionsEnd> options{
        PQconninfoParse(url.c_str(), nullptr)};
    if (!options) return unreadable_url();
    PostgresTarget::Options said;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val == nullptr) continue;
        const std::string name{option->keyword};
        if (name == "password" || name == "sslpassword") {
            return Error::invalid_request("url", "holds a password",
                                          "leave it out; PGPASSFILE, PGSERVICEFILE or PGPASSWORD "
                                          "give it");
        }
        said.emplace_back(name, option->val);
    }
    std::size_t servers = 1;
    for (const auto& [name, value] : said) {
        if (is_of_each_server(name)) servers = std::max(servers, split_list(value).size());
    }
    PostgresTarget target;
    for (std::size_t i = 0; i < servers; ++i) {
        auto& server = target.servers.emplace_back();
        for (const auto& [name, value] : said) {
            if (!is_of_each_server(name)) {
                server.emplace_back(name, value);
                continue;
            }
            const auto parts = split_list(value);
            // One port is that of all servers.
            if (parts.size() != servers && parts.size() != 1) return unreadable_url();
            const auto& part = parts.size() == 1 ? parts.front() : parts[i];
            if (!part.empty()) server.emplace_back(name, part);
        }
    }
    return target;
}

}  // namespace twiliowa::detail
