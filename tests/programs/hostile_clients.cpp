// Clients that mean harm to the emulator, or know no better: after each of them it must go on
// serving others, and of requests that are no requests nothing may come. The same ones at every
// run.
//
//     with_emulator.sh <emulator> hostile_clients
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(std::string{name} + " is not set");
    return value;
}

const std::string base = variable("TWILIOWA_BASE_URL");
const bool tls = base.rfind("https:", 0) == 0;
const auto port = static_cast<std::uint16_t>(std::stoi(base.substr(base.rfind(':') + 1)));

/// A socket, without any manners of its own.
class Client {
public:
    Client() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // Far longer than anything here takes.
        const timeval patience{60, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (socket_ < 0 ||
            connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("the emulator takes no connection");
        }
    }
    ~Client() { close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// False when the other side does not want it all.
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                if (errno == EAGAIN) throw std::runtime_error("the emulator holds a client up");
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void end_sending() const { shutdown(socket_, SHUT_WR); }
    void be_rude() const {
        const linger at_once{1, 0};
        setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    /// Waits for the first byte, and leaves it there.
    void await_answer() const {
        char first = 0;
        recv(socket_, &first, 1, MSG_PEEK);
    }
    /// All there is until the other side closes.
    std::string read() const {
        std::string answer;
        std::array<char, 16 * 1024> buffer{};
        while (true) {
            const auto got = recv(socket_, buffer.data(), buffer.size(), 0);
            if (got < 0 && errno == EAGAIN) {
                throw std::runtime_error("the emulator neither answers nor closes");
            }
            if (got <= 0) return answer;
            answer.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }

private:
    int socket_;
};

std::string exchange(std::string_view request) {
    const Client client;
    client.send(request);
    client.end_sending();
    return client.read();
}

std::string post(const std::string& path, const std::string& body,
                 const std::string& headers = {}) {
    return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
           "Content-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

std::string basic_authorization() {
    return "Authorization: " +
           std::string{wa::Credentials::from_environment().authorization().reveal()} + "\r\n";
}

// ---- What must hold.

wa::HttpResponse get(const std::string& path) {
    static const auto transport = std::make_shared<wa::CurlTransport>();
    wa::HttpRequest request;
    request.method = wa::HttpMethod::get;
    request.url = base + path;
    wa::CallContext context;
    context.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    // While memory is short the emulator ends connections, those of the quietest first; on a
    // machine with much to do that may be this one, which comes again like any other.
    constexpr int tries = 5;
    auto answer = transport->send(request, context);
    for (int i = 1; !answer && i < tries; ++i) answer = transport->send(request, context);
    return std::move(answer).value();
}

void serves_others(const std::string& after) {
    // Without the requests that it remembers: in the end these are megabytes.
    const auto state = "/emulator/state?requests_after=" + std::to_string(1'000'000'000);
    if (get("/help").status != 200 || get(state).status != 200) {
        throw std::runtime_error("after " + after + ", others are not served");
    }
}

void refused(const std::string& name, std::string_view request) {
    const auto answer = exchange(request);
    const bool is_no = answer.empty() || answer.rfind("HTTP/1.1 4", 0) == 0;
    if (!is_no && !tls) throw std::runtime_error(name + " gets " + answer.substr(0, 60));
    serves_others(name);
}

// ---- What they send.

void send_nonsense() {
    std::string noise(5000, ' ');
    std::mt19937 chance{1};
    for (auto& c : noise) c = static_cast<char>(chance());
    refused("noise", noise);
    refused("zeros", std::string(5000, '\0'));
    refused("nothing", "");
    refused("empty lines", "\r\n\r\n\r\n\r\n");
    refused("a method alone", "GET\r\n\r\n");
    refused("no version", "GET /help\r\n\r\n");
    refused("a version to come", "GET /help HTTP/9.9\r\n\r\n");
    refused("no method that exists", "BREW /help HTTP/1.1\r\n\r\n");
    refused("TLS", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03 and so on");
    refused("a long path", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n");
    refused("a long header", "GET /help HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n");
    refused("a file", "GET /../../../../etc/passwd HTTP/1.1\r\n\r\n");
    refused("escapes", "GET /%00%zz%ff/%2e%2e?%00=%zz HTTP/1.1\r\n\r\n");
    refused("media of others", "GET /emulator/media/../state HTTP/1.1\r\n\r\n");
}

void send_bodies() {
    const std::string head =
        "POST /emulator/customer HTTP/1.1\r\nContent-Type: application/json\r\n";
    for (const char* const length :
         {"-1", "99999999999999999999999", "abc", "0x10", "4294967296", "18446744073709551615"}) {
        refused(std::string{"length "} + length, head + "Content-Length: " + length + "\r\n\r\n{}");
    }
    refused("two lengths", head + "Content-Length: 2\r\nContent-Length: 4000\r\n\r\n{}");
    refused("no end of the body", head + "Content-Length: 4000\r\n\r\n{");
    refused("a large body", post("/emulator/customer", std::string(6u << 20, 'x')));
    const auto chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    refused("a chunk of no size", chunked + "zz\r\n{}\r\n0\r\n\r\n");
    refused("a chunk of any size", chunked + "FFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n");
    refused("half a chunk", chunked + "10\r\n{");
    std::string chunks = chunked;
    for (int i = 0; i < 100; ++i) chunks += "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
    refused("many chunks", chunks);
}

/// `size` zeros, packed by hand: as pairs "258 times the byte before".
std::string packed_zeros(std::size_t size) {
    std::string out{"\x1f\x8b\x08\0\0\0\0\0\0\xff", 10};
    unsigned int bits = 0;
    int count = 0;
    const auto put = [&](unsigned int code, int length, bool reversed) {
        for (int i = 0; i < length; ++i) {
            bits |= (code >> (reversed ? length - 1 - i : i) & 1u) << count;
            if (++count < 8) continue;
            out += static_cast<char>(bits);
            bits = 0;
            count = 0;
        }
    };
    put(3, 3, false);  // the last block, with fixed codes
    put(48, 8, true);  // one zero
    for (std::size_t i = 0; i < size / 258; ++i) {
        put(0b11000101, 8, true);
        put(0, 5, true);
    }
    put(0, 7, true);
    put(0, 8, true);
    return out;
}

void send_endless() {
    const std::string block(1u << 20, 'a');
    const std::string lines = [] {
        std::string text;
        while (text.size() < (1u << 20)) text += "X-Header: value\r\n";
        return text;
    }();
    for (const auto& [start, more] : {std::pair{std::string{"GET /"}, block},
                                      std::pair{std::string{"GET /help HTTP/1.1\r\n"}, lines}}) {
        const Client client;
        bool taken = client.send(start);
        for (int i = 0; i < 64 && taken; ++i) taken = client.send(more);
        if (taken) throw std::runtime_error("64 MiB of a head are taken");
        serves_others("an endless head");
    }
    refused("a bomb",
            post("/emulator/customer", packed_zeros(256u << 20), "Content-Encoding: gzip\r\n"));
}

void send_json() {
    const auto order = [](const std::string& name, const std::string& path,
                          const std::string& json) {
        refused(name, post("/emulator/" + path, json));
    };
    order("no JSON", "customer", "customer=1");
    order(
        "JSON that is not UTF-8", "customer",
        "{\"customer\": \"+447700900123\", \"action\": \"text\", \"text\": \"\xff\xfe\xc0\x80\"}");
    order("deep lists", "customer", std::string(1'000'000, '['));
    std::string deep;
    for (int i = 0; i < 300'000; ++i) deep += "{\"a\":";
    order("deep objects", "fault", deep);
    order("deep values", "fault",
          "{\"fault\": " + std::string(500'000, '[') + std::string(500'000, ']') + "}");
    order("no customer", "customer", R"({"action": "text", "text": "x"})");
    order("no action", "customer", R"({"customer": "+447700900123"})");
    order("another's sender", "customer",
          R"({"customer": "+447700900123", "sender": "whatsapp:+15559999999", "action": "block"})");
    order("a type with a line break", "customer",
          R"({"customer": "+447700900123", "action": "media", "base64": "",
              "content_type": "text/html\r\nX: y"})");
    order(
        "no base64", "customer",
        R"({"customer": "+447700900123", "action": "media", "base64": "?", "content_type": "a/b"})");
    order("a fault too many", "fault", R"({"fault": "503", "count": 1e300})");
    order("a share of two", "fault", R"({"fault": "503", "probability": 2})");
    order("a seed below zero", "fault", R"({"seed": -1})");
    order("shares of nothing", "webhook_faults", R"({"dropped": "yes"})");
    order("limits of nothing", "limits", R"({"trial": 1, "daily_messages": []})");
    order("a limit beyond all", "limits", R"({"concurrent_requests": 1e300})");
    order("no rate", "limits", R"({"messages_per_second": -1e-300})");
    order("a lag beyond all", "lists", R"({"lag_seconds": 1e300, "scheduled": false})");
    order("lists of nothing", "lists", R"({"lag_seconds": 1, "scheduled": "no"})");
    order("a price of nothing", "prices", R"({"delay_seconds": [], "never": "yes"})");
    order("an owner of nothing", "webhook", R"({"owner": "x", "url": "http://127.0.0.1/"})");
    order("a URL that goes on", "webhook",
          R"({"owner": "whatsapp:+14155238886", "url": "http://127.0.0.1/\r\nX: y"})");
    order(
        "parameters of nothing", "customer",
        R"({"customer": "+447700900123", "action": "text", "text": "x", "parameters": {"A": [[]]}})");
    order("an age", "clock", R"({"advance_seconds": 1e300})");
    order("the past", "clock", R"({"advance_seconds": -1})");
    order("no such thing", "everything", "{}");
    refused("a form of another site",
            "POST /emulator/customer HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: "
            "2\r\n\r\n{}");
}

/// A page of another site, whose name leads here by now, calls the server by that name.
void rebind_names() {
    if (tls) return;
    const std::string body = R"({"customer": "+447700900123", "action": "text", "text": "pwned"})";
    for (const char* const name :
         {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
          "0x7f000001", "127.0.0.1\r\nHost: evil.example"}) {
        const auto host = std::string{"Host: "} + name + "\r\n";
        for (const auto& request : {"GET / HTTP/1.1\r\n" + host + "\r\n",
                                    "GET /emulator/state HTTP/1.1\r\n" + host + "\r\n",
                                    "POST /emulator/customer HTTP/1.1\r\n" + host +
                                        "Content-Type: application/json\r\nContent-Length: " +
                                        std::to_string(body.size()) + "\r\n\r\n" + body}) {
            const auto answer = exchange(request);
            if (answer.rfind("HTTP/1.1 403", 0) != 0 ||
                answer.find("--allow-host") == std::string::npos) {
                throw std::runtime_error(std::string{name} + " gets " + answer.substr(0, 200));
            }
        }
        serves_others(name);
    }
    if (get("/emulator/state").body.find("pwned") != std::string::npos) {
        throw std::runtime_error("a request by another name was carried out");
    }
}

/// The clock cannot be moved beyond what its types hold.
void move_time() {
    if (tls) return;
    std::string answer;
    for (int i = 0; i < 14; ++i) {
        answer = exchange(post("/emulator/clock", R"({"advance_seconds": 1e9})"));
    }
    if (answer.rfind("HTTP/1.1 400", 0) != 0 ||
        answer.find("advance_seconds") == std::string::npos) {
        throw std::runtime_error("four hundred years gets " + answer);
    }
    serves_others("four hundred years");
    if (get("/emulator/state").body.find("\"now\":\"21") == std::string::npos) {
        throw std::runtime_error("the clock is not where it was left");
    }
}

/// Templates that nest deeply may be refused or taken; nothing may break when they are sent.
void send_templates() {
    if (tls) return;
    const auto authorization = basic_authorization();
    const std::string account = variable("TWILIO_ACCOUNT_SID");
    for (const std::size_t depth : {50u, 5'000u, 200'000u}) {
        const auto nested = std::string(depth, '[') + std::string(depth, ']');
        const auto answer = exchange(
            post("/v1/Content",
                 R"({"friendly_name": "x", "language": "en", "types": {"twilio/text": {"body": "x",
                    "more": )" +
                     nested + "}}}",
                 authorization));
        const auto at = answer.find("\"HX");
        if (at != std::string::npos) {
            const auto form =
                "To=whatsapp%3A%2B15005550006&From=whatsapp%3A%2B14155238886&ContentSid=" +
                answer.substr(at + 1, 34);
            exchange("POST /2010-04-01/Accounts/" + account + "/Messages.json HTTP/1.1\r\n" +
                     authorization + "Content-Type: application/x-www-form-urlencoded\r\n" +
                     "Content-Length: " + std::to_string(form.size()) + "\r\n\r\n" + form);
        }
        serves_others("a template " + std::to_string(depth) + " deep");
    }
}

std::string ordinary_request() {
    const std::string form =
        "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&Body=Hello";
    return "POST /2010-04-01/Accounts/" + variable("TWILIO_ACCOUNT_SID") +
           "/Messages.json HTTP/1.1\r\nHost: 127.0.0.1\r\n" + basic_authorization() +
           "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
           std::to_string(form.size()) + "\r\n\r\n" + form;
}

std::size_t message_count() {
    const auto body = get("/emulator/state").body;
    std::size_t count = 0;
    for (auto at = body.find("\"inbound\":"); at != std::string::npos;
         at = body.find("\"inbound\":", at + 1)) {
        ++count;
    }
    return count;
}

/// Nothing is done of what was not said to the end.
void cut_requests() {
    const auto request = ordinary_request();
    const auto before = message_count();
    for (std::size_t length = 0; length < request.size(); ++length) {
        const Client client;
        client.send(request.substr(0, length));
        if (length % 2 == 0) client.be_rude();
        if (length % 3 == 0) {
            client.end_sending();
            client.read();
        }
    }
    serves_others("requests that were cut");
    if (message_count() != before)
        throw std::runtime_error("a request that was cut was carried out");
}

void spoil_requests() {
    std::mt19937 chance{20'26};
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(chance() % end); };
    const std::vector<std::string> good{
        ordinary_request(),
        post("/emulator/customer",
             R"({"customer": "+447700900123", "action": "text", "text": "Hi"})"),
        "GET /emulator/state?requests_after=1000000000&webhooks_after=4 HTTP/1.1\r\n"
        "Host: localhost\r\n\r\n",
        "POST /emulator/customer HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5\r\n{\"a\":\r\n3\r\n 1}\r\n0\r\n\r\n",
        "DELETE /2010-04-01/Accounts/AC1/Messages/SM1.json HTTP/1.1\r\nRange: bytes=0-1\r\n\r\n"};
    for (int i = 0; i < 1500; ++i) {
        auto request = good[below(good.size())];
        for (auto changes = 1 + below(6); changes > 0 && !request.empty(); --changes) {
            const auto at = below(request.size());
            switch (below(4)) {
                case 0:
                    request[at] = static_cast<char>(chance());
                    break;
                case 1:
                    request.erase(at, below(12));
                    break;
                case 2:
                    request.insert(at, request.substr(below(request.size()), below(40)));
                    break;
                default:
                    request.insert(at, 1 + below(3), "\r\n:;%\0\xff"[below(7)]);
                    break;
            }
        }
        exchange(request);
    }
    serves_others("spoilt requests");
}

/// As many as this program may have.
std::size_t open_files() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4'096);
    setrlimit(RLIMIT_NOFILE, &files);
    return static_cast<std::size_t>(files.rlim_cur);
}

// ---- Memory.

/// The most memory that the emulator has had at once, in MiB.
std::size_t peak_mib() {
    std::ifstream status("/proc/" + variable("EMULATOR_PID") + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmHWM:", 0) == 0) return std::stoul(line.substr(6)) / 1024;
    }
    throw std::runtime_error("the emulator's memory is not known");
}

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t sanitizer_factor = 4;  // What it keeps of memory that was given back.
#else
constexpr std::size_t sanitizer_factor = 1;
#endif

/// Sends each of `requests` from a client of its own, none of which reads anything.
void takes_little_memory(const std::string& name, const std::vector<std::string>& requests,
                         bool is_answered = true) {
    constexpr std::size_t most_mib = 512;
    {
        std::vector<std::unique_ptr<Client>> deaf;
        for (const auto& request : requests) {
            deaf.push_back(std::make_unique<Client>());
            deaf.back()->send(request);
        }
        if (is_answered) {
            for (const auto& client : deaf) client->await_answer();
        }
        serves_others(name);
    }
    const auto peak = peak_mib();
    std::printf("  %s: %zu MiB\n", name.c_str(), peak);
    if (peak > most_mib * sanitizer_factor) {
        throw std::runtime_error(name + " takes " + std::to_string(peak) + " MiB");
    }
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

std::string ask_for_ranges(const std::string& path, std::size_t count, const std::string& headers) {
    return "GET " + path + " HTTP/1.1\r\n" + headers +
           "Range: bytes=" + repeated("0-,", count - 1) + "0-\r\n\r\n";
}

/// Nothing that is asked takes memory out of proportion, without a login or with one.
void take_memory() {
    if (tls) return;
    if (open_files() < 400) throw std::runtime_error("too few files may be open");
    const auto login = basic_authorization();
    const auto messages =
        "/2010-04-01/Accounts/" + variable("TWILIO_ACCOUNT_SID") + "/Messages.json";
    const auto many = [](std::size_t count, const std::string& request) {
        return std::vector<std::string>(count, request);
    };
    takes_little_memory("ranges of the page", many(1, ask_for_ranges("/", 2'700, {})));
    takes_little_memory("ranges of the page for many", many(50, ask_for_ranges("/", 400, {})));
    takes_little_memory("ranges of a list", many(50, ask_for_ranges(messages, 2'000, login)));
    takes_little_memory("lines of a head",
                        many(300, "GET /help HTTP/1.1\r\n" + repeated("a:\r\n", 15'000)), false);
    takes_little_memory("bodies without an end",
                        many(300,
                             "POST /emulator/customer HTTP/1.1\r\nContent-Length: 4000000\r\n"
                             "Content-Type: application/json\r\n\r\n" +
                                 std::string(3'900'000, ' ')),
                        false);
    takes_little_memory("lists of lists", many(20, post("/emulator/customer",
                                                        "{\"a\":[" + repeated("[],", 1'300'000))));
    takes_little_memory(
        "a template of lists",
        many(20, post("/v1/Content", "{\"a\":[" + repeated("[],", 1'300'000) + "0]}", login)));
    takes_little_memory("fields of a form",
                        many(20, "POST " + messages + " HTTP/1.1\r\n" + login +
                                     "Content-Type: application/x-www-form-urlencoded\r\n"
                                     "Content-Length: 500000\r\n\r\n" +
                                     repeated("&a", 250'000)));
    for (int i = 0; i < 100; ++i) {
        exchange(
            "POST " + messages + " HTTP/1.1\r\n" + login +
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 65000\r\n\r\n" +
            std::string(65'000, 'x'));
    }
    takes_little_memory("all there is, unread", many(10, "GET /emulator/state HTTP/1.1\r\n\r\n"));
}

/// All at once, and none of them in a hurry.
void crowd() {
    const auto many = std::min<std::size_t>(1'500, open_files() - 100);

    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < many; ++i) {
        clients.push_back(std::make_unique<Client>());
        if (i % 2 == 0) clients.back()->send("POST /emulator/customer HTTP/1.1\r\nContent-Len");
        if (i % 250 == 0) serves_others("a crowd of " + std::to_string(i));
    }
    serves_others("a crowd");
    // A byte at a time, from the latest ones: each gets an answer in the end.
    const std::string request = "GET /help HTTP/1.1\r\nConnection: close\r\n\r\n";
    std::vector<std::unique_ptr<Client>> slow;
    for (int i = 0; i < 100; ++i) slow.push_back(std::make_unique<Client>());
    for (const char c : request) {
        for (const auto& client : slow) client->send({&c, 1});
    }
    for (const auto& client : slow) {
        if (client->read().rfind("HTTP/1.1 200", 0) != 0 && !tls) {
            throw std::runtime_error("a slow client gets no answer");
        }
    }
    clients.clear();

    // Who asks a lot and reads nothing has itself to blame.
    const Client deaf;
    std::string questions;
    for (int i = 0; i < 400; ++i) questions += "GET / HTTP/1.1\r\n\r\n";
    deaf.send(questions);
    serves_others("a client that does not read");
}

}  // namespace

int main() try {
    const std::vector<std::pair<const char*, void (*)()>> attacks{
        {"memory", take_memory}, {"nonsense", send_nonsense},
        {"bodies", send_bodies}, {"endless", send_endless},
        {"JSON", send_json},     {"templates", send_templates},
        {"cut", cut_requests},   {"spoilt", spoil_requests},
        {"names", rebind_names}, {"time", move_time},
        {"crowd", crowd}};
    for (const auto& [name, attack] : attacks) {
        attack();
        std::printf("%s: it goes on\n", name);
        std::fflush(stdout);
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "hostile_clients: %s\n", error.what());
    return 1;
}
