// Asks servers of this machine for so long, over connections that are kept alive where the server
// keeps them, and says how they answered and what CPU they took. Its own is not counted.
//
//     request_load NAME=VALUE...
//         kind=webhooks     inbound messages, signed as Twilio signs: url, account, token
//         kind=triggers     of examples/systems/registration: key
//         ports=1,2  path=/...  connections=16  seconds=5
//         least=3000        and so many requests, however long they take
//         rate=25           so many a second, each at its time; else as many as are answered
//         repeated=100      the same so many messages again and again; they are sent once before
//         close=yes         each asks for the end of its connection, as nginx does
//         pids=3,4          the processes whose CPU counts
//         settle=5          how long what these do after the answer counts, too
//
// Prints NAME=VALUE, for a shell. Latencies are of what was answered with 2xx, with a rate from the
// moment at which it should have been asked.
#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <twiliowa/request_validator.hpp>

#include "measure.hpp"

namespace {

namespace wa = twiliowa;
using namespace benchmark_support;

class Settings {
public:
    Settings(int argc, char** argv) {
        for (int i = 1; i < argc; ++i) {
            const std::string word = argv[i];
            const auto equals = word.find('=');
            if (equals == std::string::npos) throw std::runtime_error(word + " is no NAME=VALUE");
            values_[word.substr(0, equals)] = word.substr(equals + 1);
        }
    }
    std::string text(const std::string& name, const std::string& otherwise = {}) const {
        const auto at = values_.find(name);
        return at == values_.end() ? otherwise : at->second;
    }
    double number(const std::string& name, double otherwise) const {
        const auto said = text(name);
        return said.empty() ? otherwise : std::stod(said);
    }
    std::vector<int> numbers(const std::string& name) const {
        std::vector<int> all;
        std::istringstream said{text(name)};
        for (std::string each; std::getline(said, each, ',');) all.push_back(std::stoi(each));
        return all;
    }

private:
    std::map<std::string, std::string> values_ = {};
};

/// User and kernel, all threads.
double cpu_seconds_of(const std::vector<int>& pids) {
    double ticks = 0;
    for (const int pid : pids) {
        std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
        const std::string text{std::istreambuf_iterator<char>{file}, {}};
        const auto name_end = text.rfind(')');
        if (name_end == std::string::npos) {
            throw std::runtime_error("process " + std::to_string(pid) + " is gone");
        }
        std::istringstream fields{text.substr(name_end + 1)};
        std::string skipped;
        for (int i = 3; i < 14; ++i) fields >> skipped;
        double user = 0;
        double kernel = 0;
        fields >> user >> kernel;
        ticks += user + kernel;
    }
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Makes the bytes of a request by its number. Thread-safe.
class Requests {
public:
    explicit Requests(const Settings& settings)
        : triggers_(settings.text("kind") == "triggers"),
          url_(settings.text("url")),
          account_(settings.text("account")),
          validator_(settings.text("token", "-")),
          head_("POST " + settings.text("path") +
                " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nConnection: " +
                (settings.text("close") == "yes" ? "close" : "keep-alive") + "\r\n"),
          key_(settings.text("key")),
          run_(std::random_device{}()),
          repeated_(static_cast<unsigned>(settings.number("repeated", 0))) {
        if (!triggers_ && settings.text("kind") != "webhooks") {
            throw std::runtime_error("kind is neither webhooks nor triggers");
        }
    }
    unsigned repeated() const { return repeated_; }

    std::string make(unsigned number) const {
        if (repeated_ != 0) number %= repeated_;
        return triggers_ ? trigger(number) : webhook(number);
    }

private:
    std::string with(const std::string& headers, const std::string& body) const {
        return head_ + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
               body;
    }
    std::string webhook(unsigned number) const {
        char sid[35];
        std::snprintf(sid, sizeof sid, "SM%08x%08x%016x", run_, number, 0U);
        const std::string customer = std::to_string(447700900000 + number % 1000);
        const std::string body =
            std::string{"SmsMessageSid="} + sid +
            "&NumMedia=0&ProfileName=Lee+Panther&SmsSid=" + sid +
            "&MessageType=text&WaId=" + customer +
            "&SmsStatus=received&Body=Is+the+blue+one+still+there%3F"
            "&To=whatsapp%3A%2B14155238886&NumSegments=1&ReferralNumMedia=0&MessageSid=" +
            sid + "&AccountSid=" + account_ + "&From=whatsapp%3A%2B" + customer +
            "&ApiVersion=2010-04-01";
        constexpr const char* type = "application/x-www-form-urlencoded";
        const auto signature = validator_.sign({.url = url_, .content_type = type, .body = body});
        return with(std::string{"User-Agent: TwilioProxy/1.1\r\nContent-Type: "} + type +
                        "; charset=UTF-8\r\nI-Twilio-Idempotency-Token: " + sid +
                        "\r\nX-Twilio-Signature: " + signature + "\r\n",
                    body);
    }
    std::string trigger(unsigned number) const {
        const std::string tel = std::to_string(447700000000 + run_ % 900000 * 1000 + number);
        return with("Content-Type: application/json\r\nx-api-key: " + key_ + "\r\n",
                    R"({"parent_tel": "+)" + tel +
                        R"(", "parent_first_name": "Kim", "player_first_name": "Lee",)"
                        R"( "team_name": "Panthers", "age_group": "U11",)"
                        R"( "current_registration_season": "2026/27",)"
                        R"( "membership_fee_amount": "40.00", "subscription_fee_amount": 26.5,)"
                        R"( "team_manager_1_full_name": "Ann Field",)"
                        R"( "team_manager_1_tel": "+447700900999"})");
    }

    bool triggers_;
    std::string url_;
    std::string account_;
    wa::RequestValidator validator_;
    std::string head_;
    std::string key_;
    unsigned run_;  ///< Another one each time: what a run before has sent is not known to this one.
    unsigned repeated_;
};

/// One connection, made when it is needed.
class Connection {
public:
    explicit Connection(int port) : port_(port) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { end(); }

    /// The status of the answer.
    int ask(const std::string& request) {
        const bool was_open = socket_ != -1;
        const int status = ask_once(request);
        // A server may end a connection that is kept alive just when it is used again.
        if (status == 0 && was_open) return ask_once(request);
        return status;
    }

private:
    int ask_once(const std::string& request) {
        if (socket_ == -1) open();
        if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(request.size())) {
            end();
            return 0;
        }
        std::string answer;
        std::size_t whole = std::string::npos;
        bool closes = false;
        while (answer.size() < whole) {
            char buffer[4096];
            const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
            if (got <= 0) {
                end();
                return 0;
            }
            answer.append(buffer, static_cast<std::size_t>(got));
            const auto head_end = answer.find("\r\n\r\n");
            if (whole == std::string::npos && head_end != std::string::npos) {
                std::string head = answer.substr(0, head_end + 2);
                for (char& each : head) {
                    each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
                }
                closes = head.find("connection: close") != std::string::npos;
                const auto length = head.find("content-length: ");
                whole = head_end + 4;
                if (length != std::string::npos) whole += std::stoul(head.substr(length + 16));
            }
        }
        if (closes) end();
        return std::stoi(answer.substr(9, 3));
    }
    void open() {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port_));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (socket_ == -1 || ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
            throw std::runtime_error("nothing listens on port " + std::to_string(port_));
        }
        const int yes = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    void end() {
        if (socket_ != -1) ::close(socket_);
        socket_ = -1;
    }

    int port_;
    int socket_ = -1;
};

/// What one connection has seen.
struct Seen {
    std::map<int, unsigned> statuses = {};
    std::vector<double> milliseconds = {};
};

class Load {
public:
    Load(const Settings& settings, const Requests& requests)
        : requests_(requests),
          ports_(settings.numbers("ports")),
          pids_(settings.numbers("pids")),
          connections_(static_cast<std::size_t>(settings.number("connections", 16))),
          seconds_(settings.number("seconds", 5)),
          least_(static_cast<unsigned>(settings.number("least", 0))),
          rate_(settings.number("rate", 0)),
          settle_(settings.number("settle", 0)) {
        if (ports_.empty()) throw std::runtime_error("ports is missing");
    }

    void run() {
        for (unsigned number = 0; number < requests_.repeated(); ++number) {
            Connection{ports_[number % ports_.size()]}.ask(requests_.make(number));
        }
        const double cpu_before = cpu_seconds_of(pids_);
        started_ = wall_seconds();
        std::vector<Seen> seen(connections_);
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < connections_; ++i) {
            threads.emplace_back([this, i, &seen] {
                try {
                    ask_again_and_again(ports_[i % ports_.size()], seen[i]);
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "request_load: %s\n", error.what());
                    std::exit(1);
                }
            });
        }
        for (auto& thread : threads) thread.join();
        const double took = wall_seconds() - started_;
        if (settle_ > 0) std::this_thread::sleep_for(std::chrono::duration<double>{settle_});
        tell(seen, took, cpu_seconds_of(pids_) - cpu_before);
    }

private:
    void ask_again_and_again(int port, Seen& seen) {
        Connection connection{port};
        while (true) {
            const unsigned number = next_++;
            double begin = wall_seconds() - started_;
            if (rate_ > 0) {
                const double due = number / rate_;
                if (due > begin) {
                    std::this_thread::sleep_for(std::chrono::duration<double>{due - begin});
                }
                begin = due;
            }
            if (begin >= seconds_ && number >= least_) return;
            const int status = connection.ask(requests_.make(number));
            ++seen.statuses[status];
            if (status / 100 == 2) {
                seen.milliseconds.push_back((wall_seconds() - started_ - begin) * 1e3);
            }
        }
    }
    void tell(const std::vector<Seen>& seen, double took, double cpu) const {
        std::map<int, unsigned> statuses;
        std::vector<double> all;
        for (const auto& each : seen) {
            for (const auto& [status, count] : each.statuses) statuses[status] += count;
            all.insert(all.end(), each.milliseconds.begin(), each.milliseconds.end());
        }
        if (all.empty()) throw std::runtime_error("nothing was answered");
        std::sort(all.begin(), all.end());
        double sum = 0;
        for (const double each : all) sum += each;
        const auto count = static_cast<double>(all.size());
        const auto quantile = [&all, count](double share) {
            return all[std::min(all.size() - 1, static_cast<std::size_t>(count * share))];
        };
        std::printf("answered=%zu took=%.1f per_second=%.0f mean_ms=%.1f p50_ms=%.1f p99_ms=%.1f",
                    all.size(), took, count / took, sum / count, quantile(0.5), quantile(0.99));
        if (!pids_.empty() && cpu > 0) {
            std::printf(" cpu_us=%.0f per_cpu_second=%.0f", cpu / count * 1e6, count / cpu);
        }
        for (const auto& [status, number] : statuses) std::printf(" status_%d=%u", status, number);
        std::printf("\n");
    }

    const Requests& requests_;
    std::vector<int> ports_;
    std::vector<int> pids_;
    std::size_t connections_;
    double seconds_;
    unsigned least_;
    double rate_;
    double settle_;
    double started_ = 0;
    std::atomic<unsigned> next_{0};
};

}  // namespace

int main(int argc, char** argv) try {
    const Settings settings{argc, argv};
    const Requests requests{settings};
    Load{settings, requests}.run();
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "request_load: %s\n", error.what());
    return 1;
}
