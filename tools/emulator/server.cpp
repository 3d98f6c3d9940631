#include "server.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <httplib.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "page.hpp"

namespace emulator {

namespace {

using twiliowa::HttpMethod;
using twiliowa::HttpRequest;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;

constexpr std::size_t max_request_bytes = 4u << 20;
constexpr std::chrono::seconds long_poll{20};
constexpr std::chrono::milliseconds poll_step{30};

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

// ---- Faults, done to the socket.

int peer_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return -1;
    if (address.ss_family == AF_INET) {
        return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    }
    if (address.ss_family == AF_INET6) {
        return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    }
    return -1;
}

int own_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return -1;
    return address.ss_family == AF_INET6
               ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
               : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

/// The request's socket, which httplib does not tell; -1 if it is gone.
int socket_of(const httplib::Request& request) {
    int found = -1;
    DIR* const directory = opendir("/proc/self/fd");
    if (directory == nullptr) return -1;
    while (const dirent* const entry = readdir(directory)) {
        int fd = -1;
        const std::string_view name{entry->d_name};
        std::from_chars(name.data(), name.data() + name.size(), fd);
        if (fd >= 0 && peer_port(fd) == request.remote_port && own_port(fd) == request.local_port) {
            found = fd;
        }
    }
    closedir(directory);
    return found;
}

/// Ends the connection at once. Something harmless takes the socket's place, as httplib goes on
/// with that number.
void end_connection(const httplib::Request& request, bool by_reset) {
    const int fd = socket_of(request);
    if (fd < 0) return;
    const linger at_once{1, 0};
    if (by_reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (!by_reset) shutdown(fd, SHUT_RDWR);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0) return;
    dup2(nothing, fd);
    close(nothing);
}

/// Until the other side goes away.
void wait_for_the_end(const httplib::Request& request) {
    const int fd = socket_of(request);
    pollfd wanted{fd, POLLRDHUP, 0};
    constexpr int longest_ms = 600'000;
    if (fd >= 0) poll(&wanted, 1, longest_ms);
}

void send_half(const httplib::Request&, httplib::Response& response, const std::string& body,
               const std::string& type) {
    response.set_content_provider(body.size() + 1, type,
                                  [body](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                      if (offset == 0) sink.write(body.data(), body.size() / 2);
                                      return false;
                                  });
}

/// Does the fault; false if the answer is to be sent as it is.
bool do_fault(Fault fault, const httplib::Request& request, httplib::Response& response,
              const std::string& body, const std::string& type) {
    switch (fault) {
        case Fault::close_before:
        case Fault::close_after:
            end_connection(request, false);
            return true;
        case Fault::reset:
            end_connection(request, true);
            return true;
        case Fault::black_hole:
            wait_for_the_end(request);
            end_connection(request, false);
            return true;
        case Fault::slow:
            std::this_thread::sleep_for(FakeTwilio::slow_answer);
            return false;
        case Fault::truncated:
            send_half(request, response, body, type);
            return true;
        default:
            return false;
    }
}

// ---- Requests.

HttpMethod method_of(const httplib::Request& request) {
    if (request.method == "GET" || request.method == "HEAD") return HttpMethod::get;
    if (request.method == "POST") return HttpMethod::post;
    if (request.method == "DELETE") return HttpMethod::delete_;
    // Whatever else it is, no resource knows it either.
    return HttpMethod::put;
}

void serve_twilio(FakeTwilio& fake, const httplib::Request& from, std::string body,
                  httplib::Response& to) {
    HttpRequest request;
    request.method = method_of(from);
    request.url = from.target;
    request.headers.assign(from.headers.begin(), from.headers.end());
    request.body = std::move(body);
    auto [response, fault] = fake.answer(request);
    to.status = response.status == 0 ? 500 : response.status;
    std::string type;
    for (auto& [name, value] : response.headers) {
        if (name == "Content-Type") {
            type = value;
        } else {
            to.set_header(name, value);
        }
    }
    if (do_fault(fault, from, to, response.body, type)) return;
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

std::optional<std::uint64_t> number_parameter(const httplib::Request& request, const char* name) {
    if (!request.has_param(name)) return std::nullopt;
    const auto text = request.get_param_value(name);
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// Only a page of this server may tell it what to do: a form of another site cannot send JSON.
bool is_from_elsewhere(const httplib::Request& request) {
    return request.get_header_value("Content-Type").rfind("application/json", 0) != 0;
}

}  // namespace

struct Server::Impl {
    explicit Impl(const std::optional<Certificate>& certificate) {
        if (certificate) {
            http = std::make_unique<httplib::SSLServer>(certificate->certificate.get(),
                                                        certificate->key.get());
        } else {
            http = std::make_unique<httplib::Server>();
        }
        set_up();
    }

    void set_up() {
        http->set_payload_max_length(max_request_bytes);
        http->set_tcp_nodelay(true);
        http->set_keep_alive_max_count(1'000'000'000);
        // Longer than clients keep theirs: it is never this side that drops a connection.
        http->set_keep_alive_timeout(600);
        // Not httplib's own options: with SO_REUSEPORT two emulators would share a port unnoticed.
        http->set_socket_options([](socket_t socket) {
            const int yes = 1;
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        http->new_task_queue = [] { return new ThreadPerConnection; };
        // What httplib refuses by itself gets a body of Twilio's shape too.
        http->set_error_handler([](const httplib::Request&, httplib::Response& response) {
            if (!response.body.empty()) return;
            const auto status = std::to_string(response.status);
            response.set_content(R"({"code":20)" + status +
                                     R"(,"message":"The request is malformed",)" +
                                     R"("more_info":"https://www.twilio.com/docs/errors/20)" +
                                     status + R"(","status":)" + status + "}",
                                 "application/json");
        });
    }

    void set_routes(FakeTwilio& fake, Control& control) {
        http->Get("/", [](const httplib::Request&, httplib::Response& response) {
            response.set_header("Content-Security-Policy",
                                "default-src 'none'; script-src 'unsafe-inline'; style-src "
                                "'unsafe-inline'; img-src * data:; connect-src 'self'");
            response.set_content(page_html, page_html_size, "text/html; charset=utf-8");
        });
        http->Get("/help", [](const httplib::Request&, httplib::Response& response) {
            response.set_content(help_text(), "text/plain; charset=utf-8");
        });
        http->Get("/emulator/state",
                  [this, &control](const httplib::Request& request, httplib::Response& response) {
                      wait_for_news(control, number_parameter(request, "after"));
                      response.set_content(
                          control.state(number_parameter(request, "requests_after").value_or(0),
                                        number_parameter(request, "webhooks_after").value_or(0)),
                          "application/json");
                  });
        http->Post(R"(/emulator/([a-z_]+))",
                   [&control](const httplib::Request& request, httplib::Response& response,
                              const httplib::ContentReader& reader) {
                       const auto body = read_body(request, reader);
                       if (!body || is_from_elsewhere(request)) {
                           response.status = 400;
                           response.set_content(R"({"message":"send JSON"})", "application/json");
                           return;
                       }
                       const auto answer = control.post(request.matches[1].str(), *body);
                       response.status = answer.status;
                       response.set_content(answer.body, "application/json");
                   });

        const auto without_body = [&fake](const httplib::Request& request,
                                          httplib::Response& response) {
            serve_twilio(fake, request, {}, response);
        };
        const auto with_body = [&fake](const httplib::Request& request, httplib::Response& response,
                                       const httplib::ContentReader& reader) {
            auto body = read_body(request, reader);
            if (body) return serve_twilio(fake, request, std::move(*body), response);
            if (response.status < 400) response.status = 400;
        };
        const char* const anything = R"([\s\S]*)";
        http->Get(anything, without_body);
        http->Options(anything, without_body);
        http->Post(anything, with_body);
        http->Put(anything, with_body);
        http->Patch(anything, with_body);
        http->Delete(anything, with_body);
    }

    void wait_for_news(const Control& control, std::optional<std::uint64_t> known) const {
        if (!known) return;
        const auto end = std::chrono::steady_clock::now() + long_poll;
        while (control.revision() <= *known && std::chrono::steady_clock::now() < end &&
               !stopping) {
            std::this_thread::sleep_for(poll_step);
        }
    }

    std::unique_ptr<httplib::Server> http;
    std::thread listener;
    std::atomic<bool> stopping{false};
};

Server::Server(const std::optional<Certificate>& certificate)
    : impl_(std::make_unique<Impl>(certificate)) {}
Server::~Server() = default;

std::optional<int> Server::bind(const std::string& host, int port) {
    if (port == 0) {
        const int bound = impl_->http->bind_to_any_port(host);
        return bound > 0 ? std::optional(bound) : std::nullopt;
    }
    return impl_->http->bind_to_port(host, port) ? std::optional(port) : std::nullopt;
}

void Server::start(FakeTwilio& fake, Control& control) {
    impl_->set_routes(fake, control);
    impl_->listener = std::thread([this] { impl_->http->listen_after_bind(); });
    // Before that, stop() would do nothing.
    while (!impl_->http->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

void Server::stop() {
    impl_->stopping = true;
    impl_->http->stop();
    impl_->listener.join();
}

}  // namespace emulator
