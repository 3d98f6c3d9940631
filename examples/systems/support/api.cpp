#include "api.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/http_headers.hpp>

#include "text.hpp"

namespace support {

namespace wa = twiliowa;

namespace {

Answer told(const wa::Error& error) {
    const auto& field = error.field();
    const bool is_there = field == "key" || field == "phase" || field == "id";
    const bool is_nowhere = field == "campaign" || field == "job";
    const int status = error.kind() != wa::ErrorKind::invalid_request ? 503
                       : is_there                                     ? 409
                       : is_nowhere                                   ? 404
                       : field == "max_waiting_per_tenant"            ? 429
                                                                      : 400;
    return refuse(status, field, error.data().summary);
}

/// Of `Authorization: Bearer ...`; empty: there is none.
std::string_view bearer_of(const wa::WebhookRequest& request) {
    constexpr std::string_view scheme = "Bearer ";
    const auto given = wa::find_header(request.headers, "Authorization");
    return given.starts_with(scheme) ? given.substr(scheme.size()) : std::string_view{};
}

}  // namespace

Answer refuse(int status, std::string_view field, std::string_view problem) {
    return {.status = status, .body = {{"field", field}, {"problem", problem}}};
}

nlohmann::json Call::object() const {
    auto object = nlohmann::json::parse(body, nullptr, false);
    if (!object.is_object()) wa::Error::invalid_request("body", "is no JSON object").raise();
    return object;
}

std::string Call::job_key(std::string_view kind, std::string_view natural) const {
    if (idempotency_key.size() > 100) {
        wa::Error::invalid_request("Idempotency-Key", "is longer than 100 characters").raise();
    }
    // Others are no text, and a key is one.
    const auto is_ascii = [](char c) { return c >= ' ' && c <= '~'; };
    if (!std::all_of(idempotency_key.begin(), idempotency_key.end(), is_ascii)) {
        wa::Error::invalid_request("Idempotency-Key", "is not of ASCII").raise();
    }
    std::string key{kind};
    if (!idempotency_key.empty()) return key.append("/given/").append(idempotency_key);
    return key.append("/natural/").append(sha256(natural));
}

void Api::on(const std::string& method, const std::string& pattern, Ask ask) {
    asks_[pattern].insert_or_assign(method, std::move(ask));
}

void Api::serve(httplib::Server& server) const {
    for (const auto& [pattern, asks] : asks_) {
        wa::serve_webhooks(
            server, pattern,
            [this, &pattern = pattern, &asks = asks](const wa::WebhookRequest& request,
                                                     const httplib::Request& from) {
                return answer(pattern, asks, request,
                              from.matches.size() > 1 ? from.matches[1].str() : std::string{});
            },
            options_.max_body_bytes);
    }
    wa::serve_webhooks(server, "/.*",
                       [this](const wa::WebhookRequest& request, const httplib::Request&) {
                           return answer("nothing", {}, request, {});
                       });
}

std::optional<Answer> Api::refusal(const Asks& asks, const wa::WebhookRequest& request,
                                   std::string& owner) const {
    bool has_key = false;
    if (options_.owner_of) {
        const auto known = options_.owner_of(bearer_of(request));
        has_key = known.has_value();
        owner = known.value_or("");
    } else {
        has_key = options_.key.matches(wa::find_header(request.headers, "x-api-key"));
    }
    if (options_.limiter) {
        const auto now = wa::system_clock()->monotonic_now();
        const auto slot = options_.limiter->try_acquire(has_key ? "known" : "unknown", now);
        if (!slot) {
            auto answer = refuse(429, "", "too many requests");
            const auto wait = std::chrono::ceil<std::chrono::seconds>(slot.free_at - now);
            answer.headers.emplace_back("Retry-After", std::to_string(wait.count()));
            return answer;
        }
    }
    if (!has_key && options_.owner_of) {
        auto answer = refuse(401, "Authorization", "has no bearer token that is known");
        answer.headers.emplace_back("WWW-Authenticate", "Bearer");
        return answer;
    }
    if (!has_key) return refuse(403, "x-api-key", "is not the key");
    if (asks.empty()) return refuse(404, "path", "is not known");
    if (!asks.contains(request.method)) {
        auto answer = refuse(405, "method", "is not one of this path");
        std::string methods;
        for (const auto& [method, ask] : asks) methods += (methods.empty() ? "" : ", ") + method;
        answer.headers.emplace_back("Allow", methods);
        return answer;
    }
    if (request.body.size() > options_.max_body_bytes) return refuse(413, "body", "is too long");
    return std::nullopt;
}

wa::WebhookResponse Api::answer(const std::string& pattern, const Asks& asks,
                                const wa::WebhookRequest& request, std::string name) const {
    std::optional<Answer> made;
    std::string owner;
    std::string problem;
    try {
        made = refusal(asks, request, owner);
        if (made) {
            problem = made->body.value("problem", "");
        } else {
            made = asks.at(request.method)(
                {request.body, owner, std::move(name),
                 std::string{wa::find_header(request.headers, "Idempotency-Key")}});
        }
    } catch (const wa::TwilioError& error) {
        problem = error.what();
        made = told(error.error());
    } catch (const nlohmann::json::exception&) {
        problem = "has a member of another type";
        made = refuse(400, "body", problem);
    } catch (const std::exception& error) {
        problem = error.what();
        made = refuse(503, "", "try again");
    }
    const auto text_of = [&](const char* member) {
        const auto& body = made->body;
        const bool is_text = body.is_object() && body.contains(member) && body[member].is_string();
        return is_text ? body[member].get<std::string>() : std::string{};
    };
    log_.info("api", {{"asked", request.method + ' ' + pattern},
                      {"http_status", std::to_string(made->status)},
                      {"tenant", owner},
                      {"job", text_of("id")},
                      {"message_sid", text_of("sid")},
                      {"recipient", made->recipient},
                      {"field", text_of("field")},
                      {"problem", problem}});
    wa::WebhookResponse response{
        .status = made->status,
        .headers = std::move(made->headers),
        .body = made->text.empty() ? made->body.dump(-1, ' ', false, Json::error_handler_t::replace)
                                   : std::move(made->text)};
    response.headers.emplace_back("Content-Type", made->type);
    const bool may_be_tried_again = made->status == 503 || made->status == 429;
    if (may_be_tried_again && wa::find_header(response.headers, "Retry-After").empty()) {
        response.headers.emplace_back("Retry-After", "1");
    }
    return response;
}

}  // namespace support
