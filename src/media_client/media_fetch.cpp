#include "media_client/media_fetch.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <twiliowa/version.hpp>

#include "call/api_error.hpp"
#include "media_client/media_headers.hpp"
#include "net/ip.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa::detail {

namespace {

/// Until a file is asked for again that Twilio does not have yet: 0.5, 1, 2 seconds.
constexpr std::chrono::milliseconds first_wait_for_media{500};
constexpr int longest_wait_doublings = 4;
constexpr std::size_t room_for_other_answers = 64u << 10;

bool is_redirect(int status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

ErrorKind kind_of_storage_status(int status) noexcept {
    if (status == 404 || status == 410) return ErrorKind::not_found;
    if (status == 429) return ErrorKind::rate_limit;
    return status >= 400 ? ErrorKind::api : ErrorKind::response;
}

}  // namespace

Result<HttpResponse> MediaFetch::send(const HttpRequest& request, const CallContext& context) {
    const auto transport = transport_.lock();
    if (!transport) return client_destroyed();
    HttpRequest next = request;
    if (auto error = begin(next)) return std::move(*error);
    for (;;) {
        auto hop = judge(transport->send(next, context_of_hop(context)));
        if (!hop.next) return std::move(hop.end);
        next = std::move(*hop.next);
    }
}

void MediaFetch::async_send(HttpRequest request, CallContext context, Completion done) {
    if (auto error = begin(request)) {
        call_at(rules_->clock->monotonic_now(),
                [error = std::move(*error), done = std::move(done)] { done(error); });
        return;
    }
    async_hop(std::move(request), std::move(context), std::move(done));
}

void MediaFetch::async_hop(HttpRequest request, CallContext context, Completion done) {
    const auto transport = std::static_pointer_cast<AsyncHttpTransport>(transport_.lock());
    if (!transport) return done(client_destroyed());
    auto of_hop = context_of_hop(context);
    transport->async_send(std::move(request), std::move(of_hop),
                          [self = shared_from_this(), context = std::move(context),
                           done = std::move(done)](Result<HttpResponse> answer) mutable {
                              auto hop = self->judge(std::move(answer));
                              if (!hop.next) return done(std::move(hop.end));
                              self->async_hop(std::move(*hop.next), std::move(context),
                                              std::move(done));
                          });
}

void MediaFetch::call_at(MonotonicTime when, std::function<void()> task) {
    const auto transport = std::static_pointer_cast<AsyncHttpTransport>(transport_.lock());
    if (!transport) return task();
    transport->call_at(when, std::move(task));
}

std::optional<Error> MediaFetch::begin(HttpRequest& request) {
    request.headers = {{"Accept", "*/*"}, {"User-Agent", "twiliowa/" TWILIOWA_VERSION_STRING}};
    at_ = *parse_media_url(request.url);  // made by media_resource_url
    redirects_ = 0;
    download_ = {};
    if (bytes_ > 0) problem_ = target_->restart();
    bytes_ = 0;
    return problem_;
}

bool MediaFetch::is_own_host(const MediaUrl& url) const noexcept {
    return rules_->own_host && rules_->own_host->same_origin(url);
}

CallContext MediaFetch::context_of_hop(const CallContext& context) {
    CallContext hop = context;
    // A small limit is for the file; what errors and redirects say around it may be longer.
    hop.max_response_bytes = std::max(rules_->options.max_bytes, room_for_other_answers);
    const auto self = shared_from_this();
    hop.body_sink = [self](std::string_view piece) { return !self->take(piece); };
    address_refused_ = false;
    if (redirects_ > 0 && !is_own_host(at_)) {
        hop.address_policy = [self](std::string_view address) {
            const auto& allow = self->rules_->options.allow_address;
            bool allowed = is_public_address(address);
            try {
                allowed = allowed || (allow && allow(address));
            } catch (...) {
                allowed = false;
            }
            self->address_refused_ = self->address_refused_ || !allowed;
            return allowed;
        };
    }
    return hop;
}

std::optional<Error> MediaFetch::take(std::string_view piece) {
    if (problem_) return problem_;
    if (piece.size() > rules_->options.max_bytes - bytes_) {
        problem_ = too_large();
        return problem_;
    }
    bytes_ += piece.size();
    problem_ = target_->take(piece);
    return problem_;
}

MediaFetch::Hop MediaFetch::judge(Result<HttpResponse> answer) {
    if (!answer) return {std::nullopt, explained(answer.error())};
    if (problem_) return {std::nullopt, *problem_};
    if (is_redirect(answer->status)) return follow(*answer);
    if (answer->status < 200 || answer->status > 299) {
        if (redirects_ > 0) return {std::nullopt, refused_by_host(*answer)};
        return {std::nullopt, std::move(answer)};
    }
    // A transport that does not know of sinks leaves the body here.
    if (!answer->body.empty()) {
        if (auto error = take(answer->body)) return {std::nullopt, std::move(*error)};
        answer->body.clear();
    }
    download_.content_type = plain_media_type(answer->header("Content-Type"));
    download_.file_name = safe_file_name(answer->header("Content-Disposition"));
    download_.host = at_.host;
    return {std::nullopt, std::move(answer)};
}

Error MediaFetch::explained(const Error& error) {
    if (!problem_ && address_refused_ && error.stage() == Stage::connect) {
        problem_ =
            refused(Stage::connect, "the address of the host is not one of the public internet",
                    "MediaOptions::allow_address may allow it");
    }
    if (!problem_ && error.field() == "max_response_bytes") problem_ = too_large();
    return problem_ ? *problem_ : error;
}

Error MediaFetch::too_large() const {
    return refused(Stage::receive, "the file is larger than allowed",
                   "MediaOptions::max_bytes is the limit");
}

MediaFetch::Hop MediaFetch::follow(const HttpResponse& answer) {
    auto to = redirect_target(at_, answer.header("Location"));
    if (auto error = redirect_problem(to)) {
        problem_ = error;
        return {std::nullopt, std::move(*error)};
    }
    ++redirects_;
    at_ = std::move(*to);
    Hop hop;
    hop.next.emplace();
    hop.next->url = at_.text();
    hop.next->headers = {{"Accept", "*/*"}, {"User-Agent", "twiliowa/" TWILIOWA_VERSION_STRING}};
    return hop;
}

std::optional<Error> MediaFetch::redirect_problem(const std::optional<MediaUrl>& to) const {
    if (!to) return refused(Stage::decode, "a redirect leads to no URL that can be followed", {});
    if (redirects_ >= rules_->options.max_redirects) {
        return refused(Stage::decode, "there are more redirects than allowed",
                       "MediaOptions::max_redirects is the limit");
    }
    if (is_own_host(*to)) return std::nullopt;
    const auto& rules = rules_->options.redirect_hosts;
    const bool listed = std::any_of(rules.begin(), rules.end(), [&](const std::string& rule) {
        return redirect_rule_allows(rule, *to);
    });
    if (listed) return std::nullopt;
    const auto error = to->https
                           ? refused(Stage::decode, "a redirect to a place that is not on the list",
                                     "if you trust it, add it to MediaOptions::redirect_hosts")
                           : refused(Stage::decode, "a redirect that leaves https", {});
    return error.with([&to](ErrorData& data) {
        data.host = to->host;
        data.port = to->port;
    });
}

Error MediaFetch::refused(Stage stage, std::string_view summary, std::string_view hint) const {
    return Error{{.kind = ErrorKind::response,
                  .effect = Effect::none,
                  .stage = stage,
                  .summary = std::string(summary),
                  .hint = std::string(hint),
                  .host = at_.host,
                  .port = at_.port}};
}

/// The storage's answers are not the API's: only their status says something.
Error MediaFetch::refused_by_host(const HttpResponse& answer) const {
    return Error{
        {.kind = kind_of_storage_status(answer.status),
         .effect = Effect::none,
         .stage = Stage::receive,
         .http_status = answer.status,
         .summary = "the host that keeps the file did not give it",
         .host = at_.host,
         .port = at_.port,
         .retry_after = parse_retry_after(answer.header("Retry-After"), rules_->clock->now())}};
}

std::optional<Error> MediaFetch::read(const HttpResponse& answer) {
    if (answer.status != 200) return unreadable_answer(answer, "the answer is not a whole file");
    problem_ = target_->finish();
    return problem_;
}

std::optional<RepeatVerdict> MediaFetch::verdict(const Error& error, int attempt) const {
    const bool begun = bytes_ > 0 && !target_->can_restart();
    if (problem_ || begun) return RepeatVerdict{};
    if (error.http_status() == 404) {
        const auto doublings = std::min(attempt - 1, longest_wait_doublings);
        return RepeatVerdict{true, first_wait_for_media * (1 << doublings)};
    }
    return std::nullopt;
}

MediaDownload MediaFetch::result() {
    download_.size = bytes_;
    download_.bytes = target_->take_bytes();
    return std::move(download_);
}

}  // namespace twiliowa::detail
