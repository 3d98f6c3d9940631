#include "testing/fake_api.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "detail/ascii.hpp"
#include "testing/fake_create.hpp"
#include "testing/fake_json.hpp"
#include "testing/fake_paging.hpp"

namespace twiliowa::detail {

/// A request that was let in.
struct FakeApi::Call {
    HttpMethod method;
    FakeAccount& account;
    const FakeRoute& route;
    std::string_view path;
    const FakeParameters& query;
    const FakeParameters& form;
    TimePoint now;
};

namespace {

HttpResponse fake_json_response(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

HttpResponse fake_refusal(const FakeProblem& problem) {
    auto response = fake_json_response(problem.status, fake_problem_json(problem));
    response.headers.insert(response.headers.end(), problem.headers.begin(), problem.headers.end());
    return response;
}

HttpResponse fake_unauthorized(std::string_view why) {
    return fake_refusal(
        {401, 20003, std::string{why}, {{"WWW-Authenticate", "Basic realm=\"Twilio API\""}}});
}

HttpResponse fake_not_found(std::string_view what) {
    return fake_refusal({404, 20404, "There is no such " + std::string{what}, {}});
}

HttpResponse fake_invalid_parameter(std::string_view why) {
    return fake_refusal({400, 20422, std::string{why}, {}});
}

/// Only a form counts: as with Twilio, a body of another type gives no parameters.
bool carries_fake_form(const HttpRequest& request) noexcept {
    for (const auto& [name, value] : request.headers) {
        if (!equals_ignoring_case(name, "Content-Type")) continue;
        const std::string_view type = std::string_view{value}.substr(0, value.find(';'));
        return equals_ignoring_case(type, "application/x-www-form-urlencoded");
    }
    return true;
}

const std::string& fake_sid_of(const FakeMessage& message) noexcept {
    return message.record.sid.str();
}
const std::string& fake_sid_of(const Media& media) noexcept {
    return media.sid.str();
}

template <class T>
FakePageNeighbours fake_neighbours_of(const FakeSlice<T>& slice) {
    FakePageNeighbours neighbours;
    if (slice.items.empty()) return neighbours;
    if (slice.has_older) neighbours.older_from = fake_sid_of(*slice.items.back());
    if (slice.has_newer) neighbours.newer_from = fake_sid_of(*slice.items.front());
    return neighbours;
}

bool is_fake_final_or_sent(std::string_view status) noexcept {
    constexpr std::array known{MessageStatus::sent, MessageStatus::delivered, MessageStatus::read,
                               MessageStatus::undelivered, MessageStatus::partially_delivered};
    return std::find(known.begin(), known.end(), status) != known.end();
}

}  // namespace

FakeAdmission FakeApi::admit(const HttpRequest& request) {
    ++request_count_;
    FakeAdmission admission;
    const auto route = match_fake_route(split_fake_url(request.url).path);
    auto* account = route ? accounts_.find(route->account) : nullptr;
    if (account == nullptr) return admission;
    const auto& limit = account->limits.concurrent_requests;
    admission.account = account->sid;
    admission.admitted = !limit || account->requests_under_way < *limit;
    if (admission.admitted) ++account->requests_under_way;
    admission.under_way = std::max(account->requests_under_way, 1);
    return admission;
}

void FakeApi::abandon(const FakeAdmission& admission) {
    auto* account = admission.admitted ? accounts_.find(admission.account) : nullptr;
    if (account != nullptr) --account->requests_under_way;
}

HttpResponse FakeApi::answer(const HttpRequest& request, const FakeAdmission& admission,
                             TimePoint now) {
    auto response = respond(request, admission, now);
    abandon(admission);
    response.headers.emplace_back("Twilio-Request-Id", ids_.next("RQ"));
    response.headers.emplace_back("Twilio-Concurrent-Requests",
                                  std::to_string(admission.under_way));
    response.headers.emplace_back("Twilio-Request-Duration", "0.010");
    return response;
}

HttpResponse FakeApi::respond(const HttpRequest& request, const FakeAdmission& admission,
                              TimePoint now) {
    const auto target = split_fake_url(request.url);
    const auto route = match_fake_route(target.path);
    if (!route) return fake_not_found("resource");

    auto* account = accounts_.authenticate(find_fake_authorization(request));
    if (account == nullptr) return fake_unauthorized("These credentials open no account");
    if (account->sid != route->account) {
        return fake_unauthorized("These credentials do not open the account in the URL");
    }

    auto& limits = account->limits;
    if (!admission.admitted || limits.throttled_requests > 0) {
        FakeProblem problem{429, 20429, "The account has too many requests under way", {}};
        if (admission.admitted) {
            --limits.throttled_requests;
            if (limits.retry_after) {
                problem.headers.emplace_back("Retry-After",
                                             std::to_string(limits.retry_after->count()));
            }
        }
        return fake_refusal(problem);
    }

    const auto query = FakeParameters::parse(target.query);
    const auto form =
        FakeParameters::parse(carries_fake_form(request) ? request.body : std::string_view{});
    if (!query || !form) {
        return fake_refusal({400, 20001, "The parameters are not percent-encoded UTF-8", {}});
    }
    return dispatch({request.method, *account, *route, target.path, *query, *form, now});
}

HttpResponse FakeApi::dispatch(const Call& call) {
    struct Endpoint {
        FakeResource resource;
        HttpMethod method;
        HttpResponse (FakeApi::*serve)(const Call&);
    };
    static constexpr std::array endpoints{
        Endpoint{FakeResource::messages, HttpMethod::post, &FakeApi::create_message},
        Endpoint{FakeResource::messages, HttpMethod::get, &FakeApi::list_messages},
        Endpoint{FakeResource::message, HttpMethod::get, &FakeApi::fetch_message},
        Endpoint{FakeResource::message, HttpMethod::post, &FakeApi::update_message},
        Endpoint{FakeResource::message, HttpMethod::delete_, &FakeApi::delete_message},
        Endpoint{FakeResource::feedback, HttpMethod::post, &FakeApi::post_feedback},
        Endpoint{FakeResource::media_list, HttpMethod::get, &FakeApi::list_media},
        Endpoint{FakeResource::media, HttpMethod::get, &FakeApi::fetch_media},
        Endpoint{FakeResource::media, HttpMethod::delete_, &FakeApi::delete_media},
    };
    std::string allowed;
    for (const auto& endpoint : endpoints) {
        if (endpoint.resource != call.route.resource) continue;
        if (endpoint.method == call.method) return (this->*endpoint.serve)(call);
        if (!allowed.empty()) allowed += ", ";
        allowed += to_string(endpoint.method);
    }
    return fake_refusal(
        {405, 20004, "The resource does not know this method", {{"Allow", allowed}}});
}

HttpResponse FakeApi::create_message(const Call& call) {
    const FakeCreate create{call.form, accounts_, call.account, call.now};
    if (const auto problem = check_fake_create(create)) return fake_refusal(*problem);
    call.account.count_created(fake_day_of(call.now));
    const auto& message = store_.add(build_fake_message(create, ids_));
    return fake_json_response(201, fake_message_json(message.record));
}

HttpResponse FakeApi::list_messages(const Call& call) {
    FakePageRequest request;
    FakeDateFilter date;
    auto problem = read_fake_page_request(call.query, store_, request);
    if (!problem) problem = FakeDateFilter::read(call.query, "DateSent", date);
    if (problem) return fake_refusal(*problem);

    const auto to = call.query.get("To");
    const auto from = call.query.get("From");
    const auto slice = slice_fake_sequence(
        store_.all(), request.position, request.page_size, [&](const FakeMessage& message) {
            const auto& record = message.record;
            const auto& when = record.date_sent ? record.date_sent : record.date_created;
            return record.account_sid == call.account.sid && (to.empty() || record.to == to) &&
                   (from.empty() || record.from == from) && (!when || date.accepts(*when));
        });
    const auto frame =
        frame_fake_page(call.path, fake_filters(call.query), request, fake_neighbours_of(slice));
    return fake_json_response(200, fake_message_page_json(slice.items, frame));
}

HttpResponse FakeApi::fetch_message(const Call& call) {
    const auto* message = store_.find(call.account.sid, call.route.message);
    if (message == nullptr) return fake_not_found("message");
    return fake_json_response(200, fake_message_json(message->record));
}

HttpResponse FakeApi::update_message(const Call& call) {
    auto* message = store_.find(call.account.sid, call.route.message);
    if (message == nullptr) return fake_not_found("message");
    const bool redact = call.form.has("Body");
    const bool cancel = call.form.has("Status");
    if (!redact && !cancel) return fake_invalid_parameter("Nothing to change: give Body or Status");
    if (redact && !call.form.get("Body").empty()) {
        return fake_invalid_parameter("Body can be emptied only, not changed");
    }
    auto& record = message->record;
    if (cancel) {
        if (call.form.get("Status") != MessageStatus::canceled) {
            return fake_invalid_parameter("Status can become canceled only");
        }
        if (record.status != MessageStatus::scheduled && record.status != MessageStatus::canceled) {
            return fake_refusal(
                {400, 30409, "The message is past the point of being canceled", {}});
        }
        record.status = MessageStatus{MessageStatus::canceled};
    }
    if (redact) record.body.clear();
    record.date_updated = call.now;
    return fake_json_response(200, fake_message_json(record));
}

HttpResponse FakeApi::delete_message(const Call& call) {
    if (!store_.remove(call.account.sid, call.route.message)) return fake_not_found("message");
    return {204, {}, {}};
}

HttpResponse FakeApi::post_feedback(const Call& call) {
    auto* message = store_.find(call.account.sid, call.route.message);
    if (message == nullptr) return fake_not_found("message");
    const auto outcome = call.form.get("Outcome");
    if (!outcome.empty() && outcome != "confirmed" && outcome != "unconfirmed") {
        return fake_invalid_parameter("Outcome is neither confirmed nor unconfirmed");
    }
    message->feedback = outcome.empty() ? "confirmed" : outcome;
    return fake_json_response(200, fake_feedback_json(*message, call.now));
}

HttpResponse FakeApi::list_media(const Call& call) {
    const auto* message = store_.find(call.account.sid, call.route.message);
    if (message == nullptr) return fake_not_found("message");
    FakePageRequest request;
    FakeDateFilter date;
    auto problem = read_fake_page_request(call.query, store_, request);
    if (!problem) problem = FakeDateFilter::read(call.query, "DateCreated", date);
    if (problem) return fake_refusal(*problem);

    const auto slice = slice_fake_sequence(
        message->media, request.position, request.page_size, [&](const Media& medium) {
            return !medium.date_created || date.accepts(*medium.date_created);
        });
    const auto frame =
        frame_fake_page(call.path, fake_filters(call.query), request, fake_neighbours_of(slice));
    return fake_json_response(200, fake_media_page_json(slice.items, frame));
}

HttpResponse FakeApi::fetch_media(const Call& call) {
    const auto* message = store_.find(call.account.sid, call.route.message);
    if (message == nullptr) return fake_not_found("message");
    for (const auto& [place, medium] : message->media) {
        if (medium.sid.str() == call.route.media) {
            return fake_json_response(200, fake_media_json(medium));
        }
    }
    return fake_not_found("media");
}

HttpResponse FakeApi::delete_media(const Call& call) {
    auto* message = store_.find(call.account.sid, call.route.message);
    if (message == nullptr) return fake_not_found("message");
    const auto erased = std::erase_if(message->media, [&](const auto& entry) {
        return entry.second.sid.str() == call.route.media;
    });
    return erased == 0 ? fake_not_found("media") : HttpResponse{204, {}, {}};
}

void FakeApi::set_status(FakeMessage& message, std::string_view status, int error_code,
                         TimePoint now) {
    auto& record = message.record;
    record.status = MessageStatus{status};
    record.error_code = error_code == 0 ? std::nullopt : std::optional<int>{error_code};
    record.error_message = error_code == 0 ? "" : "Delivery failed";
    record.date_updated = now;
    if (is_fake_final_or_sent(status)) {
        if (!record.date_sent) record.date_sent = now;
        if (record.price.empty()) record.price = "-0.00500";
    }
    const auto* account = accounts_.find(record.account_sid);
    const bool waiting = status == MessageStatus::accepted || status == MessageStatus::scheduled ||
                         status == MessageStatus::canceled;
    if (!waiting && record.from.empty() && account != nullptr) {
        record.from = pick_fake_sender(*account, record.messaging_service_sid, record.to);
    }
    if (!waiting && record.num_segments == 0) record.num_segments = 1;
}

}  // namespace twiliowa::detail
