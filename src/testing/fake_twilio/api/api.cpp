#include "testing/fake_twilio/api/api.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "testing/fake_twilio/api/account_api.hpp"
#include "testing/fake_twilio/api/call.hpp"
#include "testing/fake_twilio/api/content_api.hpp"
#include "testing/fake_twilio/api/content_list.hpp"
#include "testing/fake_twilio/api/faults.hpp"
#include "testing/fake_twilio/api/messages_api.hpp"
#include "testing/fake_twilio/api/senders_api.hpp"
#include "testing/fake_twilio/api/typing.hpp"
#include "text/ascii.hpp"
#include "text/media_type.hpp"
#include "text/multipart.hpp"

namespace twiliowa::testing::fake {

namespace {

HttpResponse unauthorized(std::string_view why) {
    return refusal(
        {401, 20003, std::string{why}, {{"WWW-Authenticate", "Basic realm=\"Twilio API\""}}});
}

std::string_view content_type_of(const HttpRequest& request) noexcept {
    for (const auto& [name, value] : request.headers) {
        if (detail::equals_ignoring_case(name, "Content-Type")) return value;
    }
    return "application/x-www-form-urlencoded";
}

/// Only a form counts, of either kind: as with Twilio, a body of another type gives no parameters.
/// Nullopt when it is not well-formed.
std::optional<FakeParameters> read_form(const HttpRequest& request) {
    const auto type = content_type_of(request);
    if (detail::is_multipart_form(type)) {
        auto fields = detail::parse_multipart(type, request.body);
        if (!fields) return std::nullopt;
        return FakeParameters::of(std::move(*fields));
    }
    return FakeParameters::parse(detail::is_form_type(type) ? std::string_view{request.body}
                                                            : std::string_view{});
}

/// What Twilio shows to standard API keys as little as other accounts.
bool is_of_accounts(FakeResource resource) noexcept {
    return resource == FakeResource::account || resource == FakeResource::balance;
}

/// No such resource; says so where a path would be one with `.json` behind it.
HttpResponse no_resource(std::string_view path) {
    if (!match_route(std::string{path} + ".json")) return not_found("resource");
    return not_found("resource without .json at its end, for which Twilio answers in XML");
}

/// What is beside every answer, whatever it says.
void add_common_headers(HttpHeaders& headers, const FakeAdmission& admission, std::string id) {
    headers.reserve(headers.size() + 9);
    headers.emplace_back("Twilio-Request-Id", std::move(id));
    headers.emplace_back("Twilio-Concurrent-Requests", std::to_string(admission.under_way));
    headers.emplace_back("Twilio-Request-Duration", "0.010");
    headers.emplace_back("X-Api-Domain", domain_of(admission.route ? admission.route->resource
                                                                   : FakeResource::messages));
    headers.emplace_back("Access-Control-Allow-Origin", "*");
    headers.emplace_back("Access-Control-Allow-Headers",
                         "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, "
                         "If-None-Match, If-Unmodified-Since, Idempotency-Key");
    headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PATCH, PUT, DELETE, OPTIONS");
    headers.emplace_back("Access-Control-Expose-Headers", "ETag, Twilio-Request-Id");
    headers.emplace_back("Access-Control-Allow-Credentials", "true");
}

/// `"code"` of a refusal; 0 when there is none.
int problem_code(std::string_view body) noexcept {
    constexpr std::string_view key = "\"code\":";
    const auto at = body.find(key);
    if (at == std::string_view::npos) return 0;
    const auto digits = body.substr(at + key.size());
    return detail::parse_number<int>(digits.substr(0, digits.find_first_not_of("0123456789")))
        .value_or(0);
}

/// What the log calls them.
std::string_view word_of(FakeLogin::Verdict verdict) noexcept {
    if (verdict == FakeLogin::Verdict::missing) return "missing";
    return verdict == FakeLogin::Verdict::accepted ? "accepted" : "refused";
}

}  // namespace

FakeAdmission FakeApi::admit(const HttpRequest& request) {
    ++request_count_;
    FakeAdmission admission;
    admission.target = split_url(request.url);
    admission.route = match_route(admission.target.path);
    auto* account = admission.route ? world_.accounts.find(admission.route->account) : nullptr;
    if (account == nullptr) return admission;
    const auto& limit = account->limits.concurrent_requests;
    admission.admitted = !limit || account->requests_under_way < *limit;
    if (admission.admitted) {
        ++account->requests_under_way;
        admission.holder = account->sid;
    }
    admission.under_way = std::max(account->requests_under_way, 1);
    return admission;
}

void FakeApi::release(const std::string& account) {
    if (auto* holder = world_.accounts.find(account)) --holder->requests_under_way;
}

FakeAnswer FakeApi::answer(const HttpRequest& request, const FakeAdmission& admission,
                           const FakeMoment& moment) {
    const auto login =
        log_in(world_.accounts, request,
               admission.route ? std::string_view{admission.route->account} : std::string_view{});
    FakeAnswer answer;
    answer.fault = choose_fault(world_);
    if (is_fault_before(answer.fault)) {
        answer.response = fault_response(answer.fault);
        // Without a fault's name on the wire: it is an answer like others.
    } else {
        answer.response = respond(request, admission, login, moment);
        spoil_response(answer.fault, answer.response);
    }
    add_common_headers(answer.response.headers, admission, world_.ids.next("RQ"));
    record(request, login, answer, moment.now);
    return answer;
}

void FakeApi::record(const HttpRequest& request, const FakeLogin& login, const FakeAnswer& answer,
                     TimePoint now) {
    FakeRequestRecord entry;
    entry.number = world_.requests.last_number() + 1;
    entry.when = now;
    entry.method = request.method;
    entry.url = request.url;
    entry.body = request.body.substr(0, kept_text);
    entry.credentials = word_of(login.verdict);
    entry.status = answer.response.status;
    if (entry.status >= 400) entry.code = problem_code(answer.response.body);
    entry.response = answer.response.body.substr(0, kept_text);
    entry.fault = answer.fault;
    world_.requests.add(std::move(entry), world_.options.log_size);
    ++world_.revision;
}

HttpResponse FakeApi::respond(const HttpRequest& request, const FakeAdmission& admission,
                              const FakeLogin& login, const FakeMoment& moment) {
    if (!admission.route) return no_resource(admission.target.path);
    if (login.account == nullptr) {
        return unauthorized(login.verdict == FakeLogin::Verdict::elsewhere
                                ? "These credentials do not open the account in the URL"
                                : "These credentials open no account");
    }
    if (login.with_key && is_of_accounts(admission.route->resource)) {
        return unauthorized("API keys may not read accounts");
    }

    auto& limits = login.account->limits;
    if (!admission.admitted || limits.throttled_requests > 0) {
        FakeProblem problem{429, 20429, "The account has too many requests under way", {}};
        if (admission.admitted) {
            --limits.throttled_requests;
            if (limits.retry_after) {
                problem.headers.emplace_back("Retry-After",
                                             std::to_string(limits.retry_after->count()));
            }
        }
        return refusal(problem);
    }

    const auto query = FakeParameters::parse(admission.target.query);
    const auto form = read_form(request);
    if (!query || !form) {
        return refusal({400, 20001, "The parameters are no well-formed form in UTF-8", {}});
    }
    return dispatch({request.method, world_, *login.account, *admission.route,
                     admission.target.path, *query, *form, request.body, moment});
}

HttpResponse FakeApi::dispatch(const FakeCall& call) {
    struct Endpoint {
        FakeResource resource;
        HttpMethod method;
        HttpResponse (*serve)(const FakeCall&);
    };
    using Resource = FakeResource;
    static constexpr std::array endpoints{
        Endpoint{Resource::account, HttpMethod::get, serve_fetch_account},
        Endpoint{Resource::balance, HttpMethod::get, serve_fetch_balance},
        Endpoint{Resource::senders, HttpMethod::get, serve_list_senders},
        Endpoint{Resource::sender, HttpMethod::get, serve_fetch_sender},
        Endpoint{Resource::messages, HttpMethod::post, serve_create_message},
        Endpoint{Resource::messages, HttpMethod::get, serve_list_messages},
        Endpoint{Resource::message, HttpMethod::get, serve_fetch_message},
        Endpoint{Resource::message, HttpMethod::post, serve_update_message},
        Endpoint{Resource::message, HttpMethod::delete_, serve_delete_message},
        Endpoint{Resource::feedback, HttpMethod::post, serve_post_feedback},
        Endpoint{Resource::media_list, HttpMethod::get, serve_list_media},
        Endpoint{Resource::media, HttpMethod::get, serve_fetch_media},
        Endpoint{Resource::media, HttpMethod::delete_, serve_delete_media},
        Endpoint{Resource::media_file, HttpMethod::get, serve_media_file},
        Endpoint{Resource::contents, HttpMethod::post, serve_create_content},
        Endpoint{Resource::contents, HttpMethod::get, serve_list_contents},
        Endpoint{Resource::contents_and_approvals, HttpMethod::get, serve_list_approvals},
        Endpoint{Resource::legacy_contents, HttpMethod::get, serve_list_legacy},
        Endpoint{Resource::searched_contents, HttpMethod::get, serve_search_contents},
        Endpoint{Resource::searched_contents_and_approvals, HttpMethod::get,
                 serve_search_approvals},
        Endpoint{Resource::content, HttpMethod::get, serve_fetch_content},
        Endpoint{Resource::content, HttpMethod::put, serve_update_content},
        Endpoint{Resource::content, HttpMethod::delete_, serve_delete_content},
        Endpoint{Resource::approvals, HttpMethod::get, serve_fetch_approval},
        Endpoint{Resource::approval_request, HttpMethod::post, serve_request_approval},
        Endpoint{Resource::typing, HttpMethod::post, serve_typing},
    };
    std::string allowed;
    for (const auto& endpoint : endpoints) {
        if (endpoint.resource != call.route.resource) continue;
        if (endpoint.method == call.method) {
            if (!call.route.content.empty()) step_due_approvals(call.world, call.moment);
            return endpoint.serve(call);
        }
        if (!allowed.empty()) allowed += ", ";
        allowed += to_string(endpoint.method);
    }
    return refusal({405, 20004, "The resource does not know this method", {{"Allow", allowed}}});
}

}  // namespace twiliowa::testing::fake
