// What a server must be, where Debian has none that is not.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/postgresql/postgres_consents.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/postgresql/postgres_store.hpp>
#include <twiliowa/state/store.hpp>

#include "support/servers.hpp"
#include "support/show.hpp"

namespace server_check_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

std::string big_endian(std::uint32_t number, int bytes = 4) {
    std::string text;
    while (bytes-- > 0) text += static_cast<char>(number >> (8 * bytes));
    return text;
}

/// A message of PostgreSQL's protocol.
std::string message(char kind, const std::string& content) {
    return kind + big_endian(static_cast<std::uint32_t>(content.size() + 4)) + content;
}

std::string text(std::string_view words) {
    return std::string{words} + '\0';
}

/// As much of a PostgreSQL as says which one it is: it takes who comes to its socket and knows one
/// statement, `select pg_backend_pid()`. Any other ends the connection.
class StandIn {
public:
    explicit StandIn(std::string version) : version_(std::move(version)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, (directory_.path / ".s.PGSQL.5432").c_str(),
                     sizeof address.sun_path - 1);
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_, 8) != 0) {
            throw std::runtime_error("there is no socket for a stand-in");
        }
        thread_ = std::thread{[this] { serve(); }};
    }
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;
    ~StandIn() { end(); }

    std::string url() const {
        return "postgresql://somebody@/any?host=" + directory_.path.string();
    }

    /// How many connections were made, and how many statements asked that it does not know.
    struct Seen {
        int connections = 0;
        int others = 0;
    };
    Seen end() {
        ::shutdown(listener_, SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
        if (listener_ >= 0) ::close(std::exchange(listener_, -1));
        return seen_;
    }

private:
    void serve() {
        while (true) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) return;
            ++seen_.connections;
            talk(client);
            ::close(client);
        }
    }

    void talk(int client) {
        if (!read(client).has_value()) return;
        std::string greeting = message('R', big_endian(0));
        for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
                 {"server_version", version_}, {"client_encoding", "UTF8"}}) {
            greeting += message('S', text(name) + text(value));
        }
        greeting += message('K', big_endian(1) + big_endian(2)) + message('Z', "I");
        if (!write(client, greeting)) return;
        while (true) {
            char kind = 0;
            if (::recv(client, &kind, 1, 0) != 1 || kind == 'X') return;
            const auto statement = read(client);
            if (!statement) return;
            if (kind != 'Q' || statement->find("pg_backend_pid()") == std::string::npos) {
                ++seen_.others;
                return;
            }
            constexpr std::uint32_t int4 = 23;
            const auto column = text("pg_backend_pid") + big_endian(0) + big_endian(0, 2) +
                                big_endian(int4) + big_endian(4, 2) + big_endian(~0U) +
                                big_endian(0, 2);
            const std::string value = "1";
            if (!write(client, message('T', big_endian(1, 2) + column) +
                                   message('D', big_endian(1, 2) + big_endian(1) + value) +
                                   message('C', text("SELECT 1")) + message('Z', "I"))) {
                return;
            }
        }
    }

    /// What comes after a message's kind.
    static std::optional<std::string> read(int client) {
        unsigned char size[4];
        if (::recv(client, size, sizeof size, MSG_WAITALL) != sizeof size) return {};
        std::size_t length = 0;
        for (const auto byte : size) length = length << 8 | byte;
        std::string content(length - sizeof size, '\0');
        const auto count = ::recv(client, content.data(), content.size(), MSG_WAITALL);
        if (count != static_cast<ssize_t>(content.size())) return {};
        return content;
    }
    static bool write(int client, const std::string& bytes) {
        return ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }

    std::string version_;
    ServerDirectory directory_;
    int listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Seen seen_;
    std::thread thread_;
};

/// What opening says; empty if it opens.
std::string refusal(const std::function<void()>& open) {
    try {
        open();
        return {};
    } catch (const TransportError& error) {
        CHECK(is_store_error(error.error()));
        CHECK(error.error().hint() == "the server is older");
        return error.what();
    }
}

constexpr const char* needs_another = "store: needs PostgreSQL 12 or later";

}  // namespace

TEST_CASE("a server before 12 is refused by name, and asked for nothing that it may not know") {
    for (const std::string version : {"11.22 (Debian 11.22-0+deb10u1)", "9.6.24", "8.4.22"}) {
        CAPTURE(version);
        StandIn server{version};
        CHECK(refusal([&] { PostgresOutbox{server.url()}; }) == containing(needs_another));
        CHECK(refusal([&] { PostgresOutbox::migrate(server.url()).value(); }) ==
              containing(needs_another));
        CHECK(refusal([&] { PostgresStore{server.url()}; }) == containing(needs_another));
        CHECK(refusal([&] { PostgresConsents{server.url()}; }) == containing(needs_another));
        const auto seen = server.end();
        CHECK(seen.connections >= 4);
        CHECK(seen.others == 0);
    }
}

TEST_CASE("a server from 12 on is asked what else it is") {
    StandIn server{"12.0"};
    CHECK_THROWS_AS(PostgresOutbox{server.url()}, TransportError);
    CHECK(server.end().others > 0);
}

}  // namespace server_check_test
