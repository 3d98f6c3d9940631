#include "server.hpp"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "callers.hpp"
#include "common/numbers.hpp"
#include "http_server.hpp"
#include "page.hpp"
#include "socket_fault.hpp"
#include "text/dates.hpp"

namespace emulator {

namespace {

using twiliowa::HttpMethod;
using twiliowa::HttpRequest;
using twiliowa::testing::FakeTwilio;

constexpr std::chrono::seconds long_poll{20};
constexpr std::chrono::milliseconds poll_step{30};

/// As a server of HTTP tells it, by the emulator's clock.
std::string http_date(const FakeTwilio& fake) {
    auto text = twiliowa::detail::format_rfc2822(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(fake.clock()->now()));
    text.replace(text.find(" +0000"), std::string::npos, " GMT");
    return text;
}

/// What a browser is shown of it may do nothing, and is what it says it is: a customer's file comes
/// from anywhere.
void set_harmless(httplib::Response& response) {
    response.set_header("Content-Security-Policy", "default-src 'none'; sandbox");
    response.set_header("X-Content-Type-Options", "nosniff");
}

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
    for (auto& [name, value] : request.headers) {
        value.erase(0, value.find_first_not_of(' '));  // What hid a form of parts from httplib.
    }
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
    to.set_header("Date", http_date(fake));
    set_harmless(to);
    if (do_fault(fault, to, response.body, type)) return;
    if (!type.empty()) to.set_content(std::move(response.body), type);
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
    set_harmless(response);
    response.set_header("Cross-Origin-Resource-Policy", "same-origin");
    response.set_header("Cache-Control", "no-store");
    response.set_content(std::move(file->bytes), type);
}

std::optional<std::uint64_t> number_parameter(const httplib::Request& request, const char* name) {
    if (!request.has_param(name)) return std::nullopt;
    return tools::read_number<std::uint64_t>(request.get_param_value(name)).value_or(0);
}

}  // namespace

struct Server::Impl {
    Impl(const std::optional<Certificate>& certificate, const HostNames& names)
        : http(std::make_unique<HttpServer>(certificate)) {
        http->set_pre_routing_handler(
            [names](const httplib::Request& request, httplib::Response& response) {
                using Done = httplib::Server::HandlerResponse;
                return refuse_caller(names, request, response) ? Done::Handled : Done::Unhandled;
            });
    }

    void set_routes(FakeTwilio& fake, Control& control) {
        http->Get("/", [](const httplib::Request&, httplib::Response& response) {
            response.set_header("Content-Security-Policy", page_policy());
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
        http->Get("/emulator/clock", [&fake](const httplib::Request&, httplib::Response& response) {
            const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                fake.clock()->now().time_since_epoch());
            response.set_content("{\"unix_ms\":" + std::to_string(now.count()) + "}",
                                 "application/json");
        });
        http->Get(R"(/emulator/media/([A-Za-z0-9]+)/([A-Za-z0-9]+))",
                  [&control](const httplib::Request& request, httplib::Response& response) {
                      serve_file(control, request, response);
                  });
        http->Post(R"(/emulator/([a-z_]+))",
                   [&control](const httplib::Request& request, httplib::Response& response,
                              const httplib::ContentReader& reader) {
                       const auto body = read_body(request, reader, max_order_bytes);
                       if (!body || !sends_json(request)) {
                           response.status = 400;
                           response.set_content(R"({"message":"send JSON"})", "application/json");
                           return;
                       }
                       const auto answer = control.post(request.matches[1].str(), *body);
                       response.status = answer.status;
                       response.set_content(answer.body, "application/json");
                   });

        // What a browser asks first, before it lets another site send orders, has no answer.
        http->Options(
            R"(/emulator/[\s\S]*)",
            [](const httplib::Request&, httplib::Response& response) { response.status = 404; });

        const auto without_body = [&fake](const httplib::Request& request,
                                          httplib::Response& response) {
            serve_twilio(fake, request, {}, response);
        };
        const auto with_body = [&fake](const httplib::Request& request, httplib::Response& response,
                                       const httplib::ContentReader& reader) {
            auto body = read_body(request, reader, max_api_bytes);
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

    std::unique_ptr<HttpServer> http;
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
