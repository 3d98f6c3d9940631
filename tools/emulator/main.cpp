/// twiliowa-emulator: testing::FakeTwilio behind an HTTP server on this machine.

#include <httplib.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error.hpp>

namespace {

using twiliowa::HttpMethod;
using twiliowa::HttpRequest;
using twiliowa::testing::FakeTwilio;

constexpr std::size_t max_request_bytes = 4u << 20;

constexpr const char* help_text =
    R"(twiliowa-emulator - a Twilio for WhatsApp messages on your own machine

Serves the Messages resource of Twilio's API over HTTP from memory. Nothing leaves this machine, and
nothing is kept when it ends. SIDs are the same at every start.

Usage: twiliowa-emulator [options]

  --port N                where to listen; 0, the default, takes any free port
  --host ADDRESS          the address to listen on; default 127.0.0.1
  --account ACxxx:TOKEN   the account, instead of the built-in one
  --sender ADDRESS        a further WhatsApp sender, like whatsapp:+15551234567 or +15551234567;
                          may be repeated; the first becomes TWILIO_WHATSAPP_NUMBER
  --help                  this text

It prints the lines that point a program at it; paste them into a shell, or:

  twiliowa-emulator > emulator.env &
  . ./emulator.env
  curl -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" \
       "$TWILIOWA_BASE_URL/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json" \
       --data-urlencode "From=whatsapp:$TWILIO_WHATSAPP_NUMBER" \
       --data-urlencode "To=whatsapp:+447700900123" \
       --data-urlencode "Body=Hello"

Built in, whatever the options say: the sender +14155238886, the messaging service
MG00000000000000000000000000000001 that holds it, and the template
HX00000000000000000000000000000001, "Hi {{1}}, your order {{2}} is on its way".

End it with Ctrl-C or SIGTERM. Exit status: 0 ended so, 1 cannot listen there, 2 wrong options.
)";

// ---- Options.

struct EmulatorOptions {
    std::string host = "127.0.0.1";
    int port = 0;
    std::string account_sid{FakeTwilio::demo_account_sid};
    std::string auth_token{FakeTwilio::demo_auth_token};
    std::vector<std::string> senders = {};
    bool help = false;
};

/// What is wrong with the command line.
struct UsageError {
    std::string message;
};

int parse_port(const std::string& text) {
    int port = -1;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || port < 0 || port > 65'535) {
        throw UsageError{"--port: '" + text + "' is not a number from 0 to 65535"};
    }
    return port;
}

void parse_account(const std::string& text, EmulatorOptions& options) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon + 1 == text.size()) {
        throw UsageError{"--account: write the SID, a colon and the token: ACxxx:TOKEN"};
    }
    const auto sid = twiliowa::AccountSid::parse(text.substr(0, colon));
    if (!sid) throw UsageError{"--account: the SID is not AC and 32 hexadecimal digits"};
    options.account_sid = sid->str();
    options.auth_token = text.substr(colon + 1);
}

std::string parse_sender(const std::string& text) {
    const auto address = twiliowa::Address::parse(text, "From");
    if (!address || address->phone_number().empty()) {
        throw UsageError{"--sender: '" + text + "' is not a number like +15551234567"};
    }
    return address->wire();
}

EmulatorOptions parse_options(int argc, char** argv) {
    EmulatorOptions options;
    for (int i = 1; i < argc; ++i) {
        std::string name = argv[i];
        if (name == "--help" || name == "-h") {
            options.help = true;
            continue;
        }
        std::optional<std::string> value;
        if (const auto equals = name.find('='); equals != std::string::npos) {
            value = name.substr(equals + 1);
            name.resize(equals);
        }
        const bool known =
            name == "--port" || name == "--host" || name == "--account" || name == "--sender";
        if (!known) throw UsageError{"unknown option '" + name + "'"};
        if (!value && i + 1 < argc) value = argv[++i];
        if (!value || value->empty()) throw UsageError{name + " needs a value"};
        if (name == "--port") options.port = parse_port(*value);
        if (name == "--host") options.host = *value;
        if (name == "--account") parse_account(*value, options);
        if (name == "--sender") options.senders.push_back(parse_sender(*value));
    }
    return options;
}

void set_up(FakeTwilio& fake, const EmulatorOptions& options) {
    fake.add_demo_account(options.account_sid, options.auth_token);
    for (const auto& sender : options.senders) fake.add_sender(options.account_sid, sender);
}

// ---- HTTP.

HttpMethod method_of(const httplib::Request& request) {
    if (request.method == "GET" || request.method == "HEAD") return HttpMethod::get;
    if (request.method == "POST") return HttpMethod::post;
    if (request.method == "DELETE") return HttpMethod::delete_;
    // Whatever else it is, no resource knows it either.
    return HttpMethod::put;
}

void serve(FakeTwilio& fake, const httplib::Request& from, std::string body,
           httplib::Response& to) {
    HttpRequest request;
    request.method = method_of(from);
    request.url = from.target;
    request.headers.assign(from.headers.begin(), from.headers.end());
    request.body = std::move(body);
    auto response = fake.handle(request);
    to.status = response.status;
    std::string type;
    for (auto& [name, value] : response.headers) {
        if (name == "Content-Type") {
            type = value;
        } else {
            to.set_header(name, value);
        }
    }
    if (!type.empty()) to.set_content(std::move(response.body), type);
}

/// The body, or nullopt when it is too large or breaks off. Not left to httplib: it takes no form
/// beyond 8 KiB, and without a length it waits for the end of the connection.
std::optional<std::string> read_body(const httplib::Request& request,
                                     const httplib::ContentReader& reader) {
    std::string body;
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding")) {
        return body;
    }
    const bool whole = reader([&](const char* data, std::size_t size) {
        body.append(data, size);
        return true;
    });
    if (!whole) return std::nullopt;
    return body;
}

/// A thread for each connection, so that many kept-alive ones do not keep others waiting.
class ThreadPerConnection final : public httplib::TaskQueue {
public:
    void enqueue(std::function<void()> task) override {
        ++*running_;
        std::thread([running = running_, task = std::move(task)] {
            task();
            --*running;
        }).detach();
    }

    /// Gives answers under way a moment to leave; idle connections are not waited for.
    void shutdown() override {
        for (int i = 0; i < 20 && *running_ > 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }

private:
    // Shared with the threads: those of idle connections outlive the queue.
    std::shared_ptr<std::atomic<int>> running_ = std::make_shared<std::atomic<int>>(0);
};

void prepare(httplib::Server& server, FakeTwilio& fake) {
    const auto without_body = [&fake](const httplib::Request& request,
                                      httplib::Response& response) {
        serve(fake, request, {}, response);
    };
    const auto with_body = [&fake](const httplib::Request& request, httplib::Response& response,
                                   const httplib::ContentReader& reader) {
        auto body = read_body(request, reader);
        if (body) return serve(fake, request, std::move(*body), response);
        if (response.status < 400) response.status = 400;
    };
    const char* const anything = R"([\s\S]*)";
    server.Get(anything, without_body);
    server.Options(anything, without_body);
    server.Post(anything, with_body);
    server.Put(anything, with_body);
    server.Patch(anything, with_body);
    server.Delete(anything, with_body);
    // What httplib refuses by itself gets a body of Twilio's shape too.
    server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
        if (!response.body.empty()) return;
        const auto status = std::to_string(response.status);
        response.set_content(R"({"code":20)" + status +
                                 R"(,"message":"The request is malformed",)" +
                                 R"("more_info":"https://www.twilio.com/docs/errors/20)" + status +
                                 R"(","status":)" + status + "}",
                             "application/json");
    });
    server.set_payload_max_length(max_request_bytes);
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(1'000'000'000);
    // Longer than clients keep theirs: it is never this side that drops a connection.
    server.set_keep_alive_timeout(600);
    // Not httplib's own options: with SO_REUSEPORT two emulators would share a port unnoticed.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server.new_task_queue = [] { return new ThreadPerConnection; };
}

/// `text` as one word of a shell.
std::string shell_word(const std::string& text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.:/";
    if (text.find_first_not_of(plain) == std::string::npos) return text;
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
    return word + "'";
}

void announce(const EmulatorOptions& options, int port) {
    const bool ipv6 = options.host.find(':') != std::string::npos;
    const auto host = ipv6 ? "[" + options.host + "]" : options.host;
    std::string sender{options.senders.empty() ? std::string{FakeTwilio::demo_sender}
                                               : options.senders.front()};
    sender.erase(0, sender.find('+'));
    std::cout << "# twiliowa-emulator is ready. Point a program at it:\n"
              << "export TWILIOWA_BASE_URL="
              << shell_word("http://" + host + ":" + std::to_string(port)) << '\n'
              << "export TWILIO_ACCOUNT_SID=" << options.account_sid << '\n'
              << "export TWILIO_AUTH_TOKEN=" << shell_word(options.auth_token) << '\n'
              << "export TWILIO_WHATSAPP_NUMBER=" << sender << '\n'
              << "# A template, \"Hi {{1}}, your order {{2}} is on its way\": ContentSid "
              << FakeTwilio::demo_content_sid << '\n'
              << "# Messaging service: " << FakeTwilio::demo_messaging_service_sid << '\n'
              << "# Ends with Ctrl-C or SIGTERM.\n"
              << std::flush;
}

// ---- Running.

sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/// The port bound to, or something that is none.
int bind(httplib::Server& server, const EmulatorOptions& options) {
    if (options.port == 0) return server.bind_to_any_port(options.host);
    return server.bind_to_port(options.host, options.port) ? options.port : -1;
}

/// Serves until told to end.
int run(const EmulatorOptions& options) {
    // Blocked before any thread starts, so that sigwait below is the only one to get them.
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);

    FakeTwilio fake{{twiliowa::system_clock()}};
    set_up(fake, options);
    httplib::Server server;
    prepare(server, fake);
    const int port = bind(server, options);
    if (port <= 0) {
        std::cerr << "twiliowa-emulator: cannot listen on " << options.host << " port "
                  << options.port << ": is the address this machine's, and the port free?\n";
        return 1;
    }
    std::thread listener([&server] { server.listen_after_bind(); });
    // Before that, stop() would do nothing.
    while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    announce(options, port);

    int received = 0;
    sigwait(&signals, &received);
    server.stop();
    listener.join();
    std::cout << std::flush;
    // Threads of idle connections still use what is above: end without taking it down.
    std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto options = parse_options(argc, argv);
        if (options.help) {
            std::cout << help_text;
            return 0;
        }
        return run(options);
    } catch (const UsageError& error) {
        std::cerr << "twiliowa-emulator: " << error.message
                  << "\nTry 'twiliowa-emulator --help'.\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "twiliowa-emulator: " << error.what() << '\n';
        return 1;
    }
}
