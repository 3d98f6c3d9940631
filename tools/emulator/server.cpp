#include "server.hpp"

#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "connection.hpp"
#include "page.hpp"
#include "text/base64.hpp"

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
    /// Nothing, or from httplib 0.14 on whether it was taken.
    using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));

    Enqueued enqueue(std::function<void()> task) override {
        ++*running_;
        try {
            std::thread([running = running_, task] {
                task();
                --*running;
            }).detach();
        } catch (const std::system_error&) {
            // No thread is to be had: the connection is closed.
            is_refusing = true;
            task();
            is_refusing = false;
            --*running_;
        }
        return static_cast<Enqueued>(true);
    }

    /// Gives answers under way a moment to leave; idle connections are not waited for.
    void shutdown() override {
        for (int i = 0; i < 20 && *running_ > 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }

    static thread_local bool is_refusing;

private:
    // Shared with the threads: those of idle connections outlive the queue.
    std::shared_ptr<std::atomic<int>> running_ = std::make_shared<std::atomic<int>>(0);
};
thread_local bool ThreadPerConnection::is_refusing = false;

/// As many open files as the system allows; returns how many connections that leaves room for.
std::size_t make_room() {
    constexpr rlim_t enough = 8'192;
    constexpr std::size_t most_connections = 1'000;
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return most_connections / 4;
    if (files.rlim_cur < enough) {
        files.rlim_cur = std::min(files.rlim_max, enough);
        setrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_NOFILE, &files);
    }
    // Threads of connections that have just lost their place hold theirs for a moment.
    return std::min<std::size_t>(most_connections,
                                 static_cast<std::size_t>(files.rlim_cur) / 4 + 1);
}

std::shared_ptr<SSL_CTX> make_tls(const Certificate& certificate) {
    std::shared_ptr<SSL_CTX> tls{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    if (!tls || SSL_CTX_set_min_proto_version(tls.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate(tls.get(), certificate.certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(tls.get(), certificate.key.get()) != 1) {
        throw std::runtime_error("OpenSSL does not take its own certificate");
    }
    // A write may be tried again from where the rest of the bytes is by then.
    SSL_CTX_set_mode(tls.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

/// A Connection, as httplib wants it. What is virtual differs between its versions.
// NOLINTBEGIN(modernize-use-override)
class ConnectionStream final : public httplib::Stream {
public:
    explicit ConnectionStream(Connection& connection) : connection_(&connection) {}
    bool is_readable() const { return !connection_->is_over(); }
    bool is_writable() const { return !connection_->is_over(); }
    bool wait_readable() const { return !connection_->is_over(); }
    bool wait_writable() const { return !connection_->is_over(); }
    time_t duration() const { return 0; }
    ssize_t read(char* to, size_t size) { return connection_->read(to, size); }
    ssize_t write(const char* from, size_t size) { return connection_->write(from, size); }
    void get_remote_ip_and_port(std::string& ip, int& port) const {
        std::tie(ip, port) = connection_->peer();
    }
    void get_local_ip_and_port(std::string& ip, int& port) const {
        std::tie(ip, port) = connection_->own();
    }
    socket_t socket() const { return connection_->socket(); }

private:
    Connection* connection_;
};
// NOLINTEND(modernize-use-override)

/// httplib's server, with connections that have limits.
class LimitedServer final : public httplib::Server {
public:
    explicit LimitedServer(std::shared_ptr<SSL_CTX> tls) : tls_(std::move(tls)) {}

    /// httplib's backlog is 5.
    void widen_backlog() { ::listen(svr_sock_, SOMAXCONN); }
    void end_idle() { connections_.end_idle(); }

private:
    bool process_and_close_socket(socket_t socket) override {
        if (ThreadPerConnection::is_refusing) {
            close(socket);
            return false;
        }
        Connection connection{socket, tls_.get(), connections_};
        ConnectionStream stream{connection};
        bool served = true;
        bool closed = false;
        while (served && !closed && connection.wait_for_request()) {
            served = serve(*this, stream, closed);
        }
        return served;
    }

    /// Later versions of httplib want to be told the addresses, rather than ask the stream.
    template <class Self>
    static bool serve(Self& self, httplib::Stream& stream, bool& closed) {
        if constexpr (requires { self.process_request(stream, false, closed, nullptr); }) {
            return self.process_request(stream, false, closed, nullptr);
        } else {
            std::string peer;
            std::string own;
            int peer_port = 0;
            int own_port = 0;
            stream.get_remote_ip_and_port(peer, peer_port);
            stream.get_local_ip_and_port(own, own_port);
            return self.process_request(stream, peer, peer_port, own, own_port, false, closed,
                                        nullptr);
        }
    }

    std::shared_ptr<SSL_CTX> tls_;
    Connections connections_{make_room()};
};

// ---- Faults, done to the socket.

void send_half(httplib::Response& response, const std::string& body, const std::string& type) {
    response.set_content_provider(body.size() + 1, type,
                                  [body](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                      if (offset == 0) sink.write(body.data(), body.size() / 2);
                                      return false;
                                  });
}

/// Does the fault; false if the answer is to be sent as it is.
bool do_fault(Fault fault, httplib::Response& response, const std::string& body,
              const std::string& type) {
    auto* const connection = Connection::current();
    if (connection == nullptr) return false;
    switch (fault) {
        case Fault::close_before:
        case Fault::close_after:
            connection->end(false);
            return true;
        case Fault::reset:
            connection->end(true);
            return true;
        case Fault::black_hole:
            connection->wait_for_the_end();
            connection->end(false);
            return true;
        case Fault::slow:
            std::this_thread::sleep_for(FakeTwilio::slow_answer);
            return false;
        case Fault::truncated:
            send_half(response, body, type);
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
    // Under way until this returns, however long the fault takes.
    auto [response, fault, under_way] = fake.answer(request);
    to.status = response.status == 0 ? 500 : response.status;
    std::string type;
    for (auto& [name, value] : response.headers) {
        if (name == "Content-Type") {
            type = value;
        } else {
            to.set_header(name, value);
        }
    }
    if (do_fault(fault, to, response.body, type)) return;
    if (!type.empty()) to.set_content(std::move(response.body), type);
}

/// The body, or nullopt when it is too large, compressed or not, or breaks off. Not left to
/// httplib: it takes no form beyond 8 KiB, and without a length it waits for the end of the
/// connection.
std::optional<std::string> read_body(const httplib::Request& request,
                                     const httplib::ContentReader& reader) {
    std::string body;
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding")) {
        return body;
    }
    const bool whole = reader([&](const char* data, std::size_t size) {
        if (size > max_request_bytes - body.size()) return false;
        body.append(data, size);
        return true;
    });
    if (!whole) {
        if (auto* const connection = Connection::current()) connection->make_last();
        return std::nullopt;
    }
    return body;
}

std::string sha256_source(std::string_view text) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                   EVP_sha256(), nullptr) != 1) {
        return "'none'";
    }
    std::string source = "'sha256-";
    twiliowa::detail::append_base64(source, std::string_view{digest}.substr(0, size));
    return source + "'";
}

/// The text of the page's only element of that name, which has no attributes.
std::string_view element_text(std::string_view name) {
    const std::string_view page{page_html, page_html_size};
    const auto open = "\n<" + std::string{name} + ">";
    const auto begin = page.find(open);
    const auto end = page.find("</" + std::string{name} + ">", begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return {};
    return page.substr(begin + open.size(), end - begin - open.size());
}

/// Lets the page run its own script and no other, whatever texts it shows.
std::string page_policy() {
    return "default-src 'none'; script-src " + sha256_source(element_text("script")) +
           "; style-src " + sha256_source(element_text("style")) +
           "; img-src http: https: data:; media-src http: https:; connect-src 'self'; "
           "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
}

/// Whether a browser shows it without running anything in it.
bool is_harmless(std::string_view type) {
    constexpr std::array<std::string_view, 15> harmless{
        "image/png",  "image/jpeg", "image/gif",  "image/webp", "audio/ogg",
        "audio/mpeg", "audio/mp4",  "audio/aac",  "audio/amr",  "audio/wav",
        "audio/webm", "video/mp4",  "video/3gpp", "video/webm", "text/plain"};
    return std::find(harmless.begin(), harmless.end(), type) != harmless.end();
}

/// A customer's file, for the page. It comes from anywhere, so nothing in it may run.
void serve_file(const Control& control, const httplib::Request& request,
                httplib::Response& response) {
    auto file = control.file(request.matches[1].str(), request.matches[2].str());
    if (!file) {
        response.status = 404;
        response.set_content(R"({"message":"there is no such file"})", "application/json");
        return;
    }
    auto type = file->content_type.substr(0, file->content_type.find_first_of("; "));
    std::transform(type.begin(), type.end(), type.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (!is_harmless(type)) {
        type = "application/octet-stream";
        response.set_header("Content-Disposition", "attachment");
    }
    response.set_header("Content-Security-Policy", "default-src 'none'; sandbox");
    response.set_header("Cross-Origin-Resource-Policy", "same-origin");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Cache-Control", "no-store");
    response.set_content(std::move(file->bytes), type);
}

std::optional<std::uint64_t> number_parameter(const httplib::Request& request, const char* name) {
    if (!request.has_param(name)) return std::nullopt;
    const auto text = request.get_param_value(name);
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// Refuses a request that calls this server by a name which is none of its own.
bool is_named(const HostNames& names, const httplib::Request& request,
              httplib::Response& response) {
    auto* const connection = Connection::current();
    const auto own = connection == nullptr ? std::string{} : connection->own().first;
    const auto [begin, end] = request.headers.equal_range("Host");
    const auto stranger = std::find_if(
        begin, end, [&](const auto& header) { return !names.allow(header.second, own); });
    if (stranger == end) return true;
    if (connection != nullptr) connection->make_last();  // The body was not read.
    response.status = 403;
    response.set_content("This emulator is not called " + stranger->second +
                             ". If it is meant to be, start it with --allow-host and that name.\n",
                         "text/plain");
    return false;
}

/// Only a page of this server may tell it what to do: a form of another site cannot send JSON.
bool is_from_elsewhere(const httplib::Request& request) {
    return request.get_header_value("Content-Type").rfind("application/json", 0) != 0;
}

}  // namespace

struct Server::Impl {
    Impl(const std::optional<Certificate>& certificate, const HostNames& names)
        : http(std::make_unique<LimitedServer>(certificate ? make_tls(*certificate) : nullptr)) {
        set_up();
        http->set_pre_routing_handler(
            [names](const httplib::Request& request, httplib::Response& response) {
                using Done = httplib::Server::HandlerResponse;
                return is_named(names, request, response) ? Done::Unhandled : Done::Handled;
            });
    }

    void set_up() {
        http->set_payload_max_length(max_request_bytes);
        http->set_tcp_nodelay(true);
        http->set_keep_alive_max_count(1'000'000'000);
        http->set_keep_alive_timeout(Connection::idle_time.count());
        // Not httplib's own options: with SO_REUSEPORT two emulators would share a port unnoticed.
        http->set_socket_options([](socket_t socket) {
            const int yes = 1;
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        http->new_task_queue = [] { return new ThreadPerConnection; };
        // What httplib refuses by itself gets a body of Twilio's shape too.
        http->set_error_handler([](const httplib::Request&, httplib::Response& response) {
            if (!response.body.empty()) return;
            if (auto* const connection = Connection::current()) connection->make_last();
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
            static const std::string policy = page_policy();
            response.set_header("Content-Security-Policy", policy);
            response.set_header("X-Content-Type-Options", "nosniff");
            response.set_header("Referrer-Policy", "no-referrer");
            response.set_header("Cache-Control", "no-store");
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
        http->Get(R"(/emulator/media/([A-Za-z0-9]+)/([A-Za-z0-9]+))",
                  [&control](const httplib::Request& request, httplib::Response& response) {
                      serve_file(control, request, response);
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

    std::unique_ptr<LimitedServer> http;
    std::thread listener;
    std::atomic<bool> stopping{false};
};

Server::Server(const std::optional<Certificate>& certificate, HostNames names)
    : impl_(std::make_unique<Impl>(certificate, names)) {}
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
    impl_->http->widen_backlog();
    impl_->listener = std::thread([this] { impl_->http->listen_after_bind(); });
    // Before that, stop() would do nothing.
    while (!impl_->http->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

void Server::stop() {
    impl_->stopping = true;
    impl_->http->end_idle();
    impl_->http->stop();
    impl_->listener.join();
}

}  // namespace emulator
