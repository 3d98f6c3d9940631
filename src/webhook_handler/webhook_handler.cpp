#include <twiliowa/webhook_handler.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/event_key.hpp>

#include "net/url.hpp"
#include "request_validator/checked_form.hpp"
#include "text/ascii.hpp"
#include "text/decoded_form.hpp"
#include "text/media_type.hpp"
#include "types/duration_bound.hpp"
#include "webhook/covered_body.hpp"
#include "webhook/read_webhook.hpp"
#include "webhook/webhook_fields.hpp"
#include "webhook_handler/event_desk.hpp"
#include "webhook_handler/fill_event_key.hpp"
#include "webhook_handler/learned_state.hpp"
#include "webhook_handler/peer_limiter.hpp"

namespace twiliowa {

namespace {

/// Twilio gives up on a request by then.
constexpr std::chrono::seconds longest_webhook_wait{15};

/// Twilio tries again no more often, whatever it is asked.
constexpr int most_webhook_retries = 5;

/// The default memory has this many; an event takes two.
constexpr std::size_t remembered_entries = 200'000;

/// What is known of an answer before it is one.
struct WebhookEnd {
    WebhookOutcome outcome = WebhookOutcome::handled;
    std::string reason = {};
    std::string hint = {};
    std::string body = {};         ///< TwiML.
    std::chrono::seconds wait{0};  ///< For a Retry-After.
};

/// What is known of an event, for who asks whether it is new, and for the observer.
struct ReadWebhook {
    EventKey key = {};
    int error_code = 0;  ///< Of a status.
};

/// Whoever is replied to where the reply does not say.
std::string_view customer_of(const WebhookEvent& event) noexcept {
    if (const auto* message = std::get_if<InboundMessage>(&event)) return message->from;
    if (const auto* unknown = std::get_if<UnknownWebhook>(&event)) {
        return detail::find_parameter(unknown->parameters, "From");
    }
    return {};
}

WebhookOutcome outcome_of(VerdictReason reason) noexcept {
    switch (reason) {
        case VerdictReason::too_large:
            return WebhookOutcome::too_large;
        case VerdictReason::key_lookup_failed:
        case VerdictReason::out_of_memory:
            return WebhookOutcome::unverified;
        default:
            return WebhookOutcome::bad_signature;
    }
}

int status_of(WebhookOutcome outcome) noexcept {
    switch (outcome) {
        case WebhookOutcome::handled:
        case WebhookOutcome::duplicate:
        case WebhookOutcome::lease_lost:
        case WebhookOutcome::taken_in:
        case WebhookOutcome::switched_off:
            return 200;
        case WebhookOutcome::unreadable:
            return 400;
        case WebhookOutcome::bad_signature:
        case WebhookOutcome::recut:
            return 403;
        case WebhookOutcome::bad_method:
            return 405;
        case WebhookOutcome::too_large:
            return 413;
        case WebhookOutcome::too_many:
            return 429;
        case WebhookOutcome::handler_failed:
            return 500;
        case WebhookOutcome::running:
        case WebhookOutcome::store_failed:
        case WebhookOutcome::unverified:
        case WebhookOutcome::inbox_full:
            return 503;
    }
    return 500;
}

WebhookEnd failed_with(WebhookOutcome outcome, const Error& error) {
    return {.outcome = outcome, .reason = error.what(), .hint = error.hint()};
}

/// An UnknownWebhook may have anything in the place of a MessageSid: a number, a customer's word.
bool is_sid_of_some_kind(std::string_view text) noexcept {
    constexpr std::size_t kind_size = 2;
    constexpr std::size_t sid_size = 34;
    return text.size() == sid_size &&
           std::all_of(text.begin(), text.begin() + kind_size,
                       [](char c) { return c >= 'A' && c <= 'Z'; }) &&
           std::all_of(text.begin() + kind_size, text.end(), detail::is_hex_digit);
}

std::string_view name_of(WebhookMethod method) noexcept {
    return method == WebhookMethod::get ? "GET" : "POST";
}

/// What a handler threw that says nothing that may be told.
Error unnamed_exception(std::string_view hint) {
    return Error{{.kind = ErrorKind::transport,
                  .effect = Effect::none,
                  .summary = "the handler threw an exception",
                  .hint = std::string{hint}}};
}

void refuse_with_inbox(std::string_view option, std::string_view hint) {
    Error::invalid_request(option, "does not go with an inbox", hint).raise();
}

WebhookEnd recut_event() {
    return {.outcome = WebhookOutcome::recut,
            .reason = "its signature was first read as another event",
            .hint = "somebody has seen a webhook and cut its text anew"};
}

/// Whoever has the event answers it. Two replies are worse than one, and a repetition finds it
/// taken.
WebhookEnd lost_event(const std::string& how_it_ended) {
    return {.outcome = WebhookOutcome::lease_lost,
            .reason = "another took the event while the handler ran; " + how_it_ended,
            .hint = "give DedupOptions a keeper, or a longer lease"};
}

/// The outside learns the status, and nothing else.
WebhookResponse answer_of(WebhookEnd end, WebhookMethod method) {
    WebhookResponse response;
    response.status = status_of(end.outcome);
    if (response.status == 200) {
        response.headers.emplace_back("Content-Type", "text/xml; charset=utf-8");
        response.body = end.body.empty() ? MessagingResponse{}.xml() : std::move(end.body);
        return response;
    }
    response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    if (end.outcome == WebhookOutcome::bad_method) {
        response.headers.emplace_back("Allow", name_of(method));
    }
    if (end.wait.count() > 0) {
        response.headers.emplace_back("Retry-After", std::to_string(end.wait.count()));
    }
    return response;
}

}  // namespace

struct WebhookHandler::Impl final : InboxHandler {
    struct MessageEntry {
        InboundFilter filter;
        MessageHandler handler;
        TurnHandler turn_handler;  // instead of it
    };
    struct StatusEntry {
        std::string status;  // empty: any
        StatusHandler handler;
    };

    Impl(RequestValidator request_validator, WebhookOptions webhook_options);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() override;

    Result<MessagingResponse> run(WebhookEvent& event, const CancelToken& lease_lost,
                                  Turn& turn) override;
    Result<InboxAnswer> take_in(const WebhookRequest& request, TimePoint arrived_at) override;

    /// Refuses, by the name of the option, a handler that would never be called, or heard.
    void check_may_add(bool answers, bool takes_turns = false) const;
    bool has_handler(const WebhookEvent& event) const noexcept;
    WebhookEnd process(const WebhookRequest& request, ReadWebhook& read) const;
    /// Takes one of the requests that the peer may make; how it ends if there is none.
    std::optional<WebhookEnd> count_peer(const WebhookRequest& request) const;
    /// How it ends if it is not from Twilio, or cannot be told to be.
    std::optional<WebhookEnd> verify(const WebhookRequest& request, std::string_view signature,
                                     detail::DecodedForm& form) const;
    WebhookEnd process_verified(const WebhookRequest& request, const detail::DecodedForm& form,
                                std::string_view signature, ReadWebhook& read) const;
    /// Of a request that is refused, for the observer.
    void note_account(const WebhookRequest& request, const detail::DecodedForm& form,
                      EventKey& key) const;
    WebhookEnd process_repeatable(WebhookEvent& event, const EventKey& key) const;
    WebhookEnd process_once(WebhookEvent& event, const EventKey& key) const;
    WebhookEnd process_by_inbox(const WebhookRequest& request, WebhookEvent& event,
                                const EventKey& key) const;
    Result<InboxAnswer> hand_over(const WebhookRequest& request, WebhookEvent& event,
                                  const EventKey& key, TimePoint arrived_at, bool caught_up) const;
    WebhookEnd run_here(WebhookEvent& event, const HandlerContext& context) const;
    /// What the handler answers, or threw; `turn` may be null.
    Result<MessagingResponse> call_handler(WebhookEvent& event, const HandlerContext& context,
                                           Turn* turn) const;
    MessagingResponse dispatch(WebhookEvent& event, const HandlerContext& context,
                               Turn* turn) const;
    MessagingResponse dispatch_message(InboundMessage& message, const HandlerContext& context,
                                       Turn* turn) const;
    void report(const WebhookEnd& end, const ReadWebhook& read, MonotonicTime began) const;

    RequestValidator validator;
    WebhookOptions options;
    std::unique_ptr<detail::PeerLimiter> limiter;
    std::unique_ptr<detail::EventDesk> desk;
    detail::LearningState state;
    InboundFilter is_opt_out = inbound::opt_out();
    std::vector<InboundFilter> is_stop;
    std::vector<MessageEntry> on_message;
    std::vector<StatusEntry> on_status;
    UnknownHandler on_unknown;
};

WebhookHandler::Impl::Impl(RequestValidator request_validator, WebhookOptions webhook_options)
    : validator(std::move(request_validator)), options(std::move(webhook_options)) {
    if (!options.clock) options.clock = system_clock();
    if (options.requests_per_peer < 0) {
        Error::invalid_request("requests_per_peer", "must not be negative").raise();
    }
    if (options.requests_per_peer > 0) {
        detail::require_duration("peer_period", options.peer_period);
        if (options.requests_per_peer > std::chrono::nanoseconds{options.peer_period}.count()) {
            Error::invalid_request("requests_per_peer", "is more than one a nanosecond").raise();
        }
        limiter =
            std::make_unique<detail::PeerLimiter>(options.requests_per_peer, options.peer_period);
    }
    if (options.wait_for_running > longest_webhook_wait) {
        Error::invalid_request("wait_for_running", "is longer than Twilio waits").raise();
    }
    if (options.inbox && options.dedup) {
        refuse_with_inbox("dedup",
                          "the inbox knows each event by itself, in the commit that writes it "
                          "down: leave it out, or give statuses a URL and a WebhookHandler of "
                          "their own, with `dedup` and no inbox");
    }
    if (options.inbox && options.unknown_may_repeat) {
        refuse_with_inbox("unknown_may_repeat", "an inbox takes each event in once");
    }
    if (!options.dedup && !options.inbox) {
        options.dedup = std::make_shared<DedupStore>(std::make_shared<MemoryStore>(
            MemoryStoreOptions{.max_entries = remembered_entries, .clock = options.clock}));
    }
    if (options.dedup) {
        desk = std::make_unique<detail::EventDesk>(options.dedup, options.clock,
                                                   options.wait_for_running);
    }
    state = {options.window, options.opt_outs, options.customers};
    for (const auto& word : options.stop_words) is_stop.push_back(inbound::text(word));
    if (options.inbox) options.inbox->attach(*this).value();
}

WebhookHandler::Impl::~Impl() {
    if (options.inbox) options.inbox->detach(*this);
}

void WebhookHandler::Impl::check_may_add(bool answers, bool takes_turns) const {
    if (!options.inbox) {
        if (!takes_turns) return;
        Error::invalid_request("inbox", "is not given, and a handler takes a Turn",
                               "give WebhookOptions::inbox, or take an InboundMessage")
            .raise();
    }
    if (options.inbox->is_running()) {
        Error::invalid_request("inbox", "runs already", "add all handlers before its start")
            .raise();
    }
    if (answers && !options.inbox->can_reply()) {
        Error::invalid_request("inbox", "has no outbox, and a handler answers",
                               "make the inbox of an Outbox, or have the handler return nothing")
            .raise();
    }
}

bool WebhookHandler::Impl::has_handler(const WebhookEvent& event) const noexcept {
    return !std::holds_alternative<StatusCallback>(event) || !on_status.empty();
}

WebhookEnd WebhookHandler::Impl::process(const WebhookRequest& request, ReadWebhook& read) const {
    const bool counts_all = options.peer_limit_counts == PeerLimitCounts::all;
    if (counts_all) {
        if (auto refused = count_peer(request)) return *std::move(refused);
    }
    const auto signature = find_header(request.headers, "X-Twilio-Signature");
    detail::DecodedForm form;
    auto refused = verify(request, signature, form);
    if (!refused) return process_verified(request, form, signature, read);
    // That no key was to be had says nothing of who asks: it may be Twilio.
    if (!counts_all && refused->outcome != WebhookOutcome::unverified) {
        if (auto too_many = count_peer(request)) return *std::move(too_many);
    }
    const bool has_form = refused->outcome != WebhookOutcome::bad_method &&
                          refused->outcome != WebhookOutcome::unreadable &&
                          request.body.size() <= options.max_body_bytes;
    if (has_form) note_account(request, form, read.key);
    return *std::move(refused);
}

std::optional<WebhookEnd> WebhookHandler::Impl::count_peer(const WebhookRequest& request) const {
    if (!limiter) return std::nullopt;
    const auto wait =
        limiter->wait_for(options.public_url.client_of(request), options.clock->monotonic_now());
    if (wait.count() == 0) return std::nullopt;
    return WebhookEnd{.outcome = WebhookOutcome::too_many,
                      .reason = "the peer sent more requests than it may",
                      .hint = "raise requests_per_peer if Twilio is the peer",
                      .wait = std::chrono::ceil<std::chrono::seconds>(wait)};
}

std::optional<WebhookEnd> WebhookHandler::Impl::verify(const WebhookRequest& request,
                                                       std::string_view signature,
                                                       detail::DecodedForm& form) const {
    if (request.body.size() > options.max_body_bytes) {
        return WebhookEnd{.outcome = WebhookOutcome::too_large,
                          .reason = "the body is larger than " +
                                    std::to_string(options.max_body_bytes) + " bytes",
                          .hint = "raise max_body_bytes if Twilio sent it"};
    }
    const auto method = name_of(options.method);
    if (request.method != method && !detail::equals_ignoring_case(request.method, method)) {
        return WebhookEnd{.outcome = WebhookOutcome::bad_method,
                          .reason = "the method is not " + std::string{name_of(options.method)},
                          .hint = "WebhookOptions::method is the one that is set at Twilio"};
    }
    const auto url = options.public_url.url_of(request);
    if (!url) return failed_with(WebhookOutcome::unreadable, url.error());
    const auto verdict = detail::CheckedForm::check(
        validator,
        {
            .method = request.method,
            .url = *url,
            .content_type = find_header(request.headers, "Content-Type"),
            .body = request.body,
            .signature = signature,
            .key_id = find_header(request.headers, "X-Twilio-Signature-Key-Sid"),
        },
        form);
    if (verdict) return std::nullopt;
    return WebhookEnd{.outcome = outcome_of(verdict.reason),
                      .reason = std::string{to_string(verdict.reason)},
                      .hint = std::string{verdict.hint}};
}

void WebhookHandler::Impl::note_account(const WebhookRequest& request,
                                        const detail::DecodedForm& form, EventKey& key) const {
    if (!options.observer) return;
    // A request that is refused at its headers had its form not looked at.
    detail::DecodedForm unread;
    const bool is_unread =
        !form.is_read() && detail::is_form_type(find_header(request.headers, "Content-Type"));
    if (is_unread) {
        static_cast<void>(unread.read(detail::covered_body(request.method, request.body),
                                      RequestValidator::max_parameters));
    }
    key.account_sid =
        detail::stated_account(is_unread ? unread : form, detail::query_of(request.target));
}

WebhookEnd WebhookHandler::Impl::process_verified(const WebhookRequest& request,
                                                  const detail::DecodedForm& form,
                                                  std::string_view signature,
                                                  ReadWebhook& read) const {
    auto& key = read.key;
    auto event = detail::read_webhook(request, form);
    const auto wrong = event ? detail::fill_event_key(key, *event, signature) : event.error();
    if (wrong) {
        note_account(request, form, key);
        return failed_with(WebhookOutcome::unreadable, *wrong);
    }
    if (const auto* status = std::get_if<StatusCallback>(&*event)) {
        read.error_code = status->error_code;
    }
    if (options.inbox) return process_by_inbox(request, *event, key);
    const bool is_unknown = std::holds_alternative<UnknownWebhook>(*event);
    return is_unknown && options.unknown_may_repeat ? process_repeatable(*event, key)
                                                    : process_once(*event, key);
}

WebhookEnd WebhookHandler::Impl::process_repeatable(WebhookEvent& event,
                                                    const EventKey& key) const {
    const auto bound = options.dedup->bind(key);
    if (!bound) return failed_with(WebhookOutcome::store_failed, bound.error());
    return *bound ? run_here(event, {}) : recut_event();
}

WebhookEnd WebhookHandler::Impl::process_once(WebhookEvent& event, const EventKey& key) const {
    auto claim = desk->claim(key);
    if (!claim) return failed_with(WebhookOutcome::store_failed, claim.error());
    switch (claim->outcome) {
        case ClaimOutcome::claimed:
            break;
        case ClaimOutcome::done:
            return {.outcome = WebhookOutcome::duplicate, .reason = "it was handled before"};
        case ClaimOutcome::recut:
            return recut_event();
        case ClaimOutcome::running:
            return {.outcome = WebhookOutcome::running,
                    .reason = "another request is handling it",
                    .wait = std::chrono::seconds{1}};
    }
    detail::EventTurn turn{*options.dedup, std::move(*claim)};
    auto end = run_here(event, {.lease_lost = turn.lost()});
    if (end.outcome != WebhookOutcome::handled) {
        if (!turn.lost().is_cancelled()) return end;
        return lost_event("the handler failed: " + end.reason);
    }
    const auto finished = turn.finish();
    if (!finished) {
        // The handler ran: the answer must say so. A repetition may run it again.
        end.reason = "handled, but that could not be stored: " + finished.error().what();
        end.hint = finished.error().hint();
    } else if (!*finished) {
        return lost_event("its reply was dropped");
    }
    return end;
}

WebhookEnd WebhookHandler::Impl::process_by_inbox(const WebhookRequest& request,
                                                  WebhookEvent& event, const EventKey& key) const {
    const auto taken = hand_over(request, event, key, options.clock->now(), false);
    if (!taken) return failed_with(WebhookOutcome::store_failed, taken.error());
    switch (*taken) {
        case InboxAnswer::taken:
            return {.outcome = WebhookOutcome::taken_in};
        case InboxAnswer::duplicate:
            return {.outcome = WebhookOutcome::duplicate, .reason = "it was taken in before"};
        case InboxAnswer::recut:
            break;
        case InboxAnswer::full:
            return {.outcome = WebhookOutcome::inbox_full,
                    .reason = "as many events wait in the inbox as may",
                    .hint = "handlers are too slow or too few, or raise InboxOptions::max_waiting",
                    .wait = std::chrono::seconds{1}};
        case InboxAnswer::switched_off:
            return {.outcome = WebhookOutcome::switched_off,
                    .reason = "its account is switched off"};
        case InboxAnswer::account_full:
            return {.outcome = WebhookOutcome::inbox_full,
                    .reason = "as many events of its account wait in the inbox as may",
                    .hint =
                        "its handlers are too slow, or raise "
                        "InboxOptions::max_waiting_per_account",
                    .wait = std::chrono::seconds{1}};
    }
    return recut_event();
}

Result<InboxAnswer> WebhookHandler::Impl::hand_over(const WebhookRequest& request,
                                                    WebhookEvent& event, const EventKey& key,
                                                    TimePoint arrived_at, bool caught_up) const {
    // What it teaches is known before its handler may run, and a recut event teaches nothing.
    if (!state.empty()) {
        const auto seen = options.inbox->look(key);
        if (!seen) return seen.error();
        if (seen->answer == InboxAnswer::taken) {
            if (const auto error = detail::learn_event(state, event, arrived_at)) return *error;
        } else if (seen->answer != InboxAnswer::switched_off) {
            return seen->answer;
        }
    }
    return options.inbox->take({.key = key,
                                .event = event,
                                .method = request.method,
                                .target = request.target,
                                .body = detail::covered_body(request.method, request.body),
                                .arrived_at = arrived_at,
                                .caught_up = caught_up,
                                .has_handler = has_handler(event)});
}

Result<InboxAnswer> WebhookHandler::Impl::take_in(const WebhookRequest& request,
                                                  TimePoint arrived_at) {
    auto event = parse_webhook(request);
    if (!event) return event.error();
    const auto key = event_key(*event, {});
    if (!key) return key.error();
    return hand_over(request, *event, *key, arrived_at, true);
}

Result<MessagingResponse> WebhookHandler::Impl::run(WebhookEvent& event,
                                                    const CancelToken& lease_lost, Turn& turn) {
    return call_handler(event, {.lease_lost = lease_lost}, &turn);
}

WebhookEnd WebhookHandler::Impl::run_here(WebhookEvent& event,
                                          const HandlerContext& context) const {
    if (const auto error = detail::learn_event(state, event, options.clock->now())) {
        return failed_with(WebhookOutcome::store_failed, *error);
    }
    const auto answer = call_handler(event, context, nullptr);
    if (!answer) {
        // A storage of the program's, such as an Outbox, is a store like the handler's own.
        return failed_with(is_store_error(answer.error()) ? WebhookOutcome::store_failed
                                                          : WebhookOutcome::handler_failed,
                           answer.error());
    }
    auto xml = answer->try_xml_for(customer_of(event));
    if (!xml) return failed_with(WebhookOutcome::handler_failed, xml.error());
    return {.outcome = WebhookOutcome::handled, .body = std::move(*xml)};
}

Result<MessagingResponse> WebhookHandler::Impl::call_handler(WebhookEvent& event,
                                                             const HandlerContext& context,
                                                             Turn* turn) const {
    std::exception_ptr thrown;
    std::optional<Error> failure;
    try {
        return dispatch(event, context, turn);
    } catch (const TwilioError& error) {
        thrown = std::current_exception();
        failure = error.error();
    } catch (...) {
        thrown = std::current_exception();
        failure = unnamed_exception("WebhookOptions::on_exception sees it");
    }
    if (options.on_exception) {
        try {
            options.on_exception(thrown);
        } catch (...) {
            failure = failure->with([](ErrorData& data) { data.hint = "on_exception threw, too"; });
        }
    }
    return *std::move(failure);
}

MessagingResponse WebhookHandler::Impl::dispatch(WebhookEvent& event, const HandlerContext& context,
                                                 Turn* turn) const {
    if (auto* message = std::get_if<InboundMessage>(&event)) {
        return dispatch_message(*message, context, turn);
    }
    if (const auto* callback = std::get_if<StatusCallback>(&event)) {
        for (const auto& entry : on_status) {
            if (!entry.status.empty() && callback->status != entry.status) continue;
            entry.handler(*callback, context);
            break;
        }
    } else if (on_unknown) {
        return on_unknown(std::get<UnknownWebhook>(event), context);
    }
    return {};
}

MessagingResponse WebhookHandler::Impl::dispatch_message(InboundMessage& message,
                                                         const HandlerContext& context,
                                                         Turn* turn) const {
    // A word of Twilio's that nobody knows yet must not let a STOP through.
    if (!is_opt_out(message)) {
        message.taken_for_stop =
            std::any_of(is_stop.begin(), is_stop.end(),
                        [&](const InboundFilter& is_word) { return is_word(message); });
    }
    const bool names_only = is_opt_out(message);
    for (const auto& entry : on_message) {
        const bool fits = names_only ? entry.filter.names(message) : entry.filter(message);
        if (!fits) continue;
        return entry.turn_handler ? entry.turn_handler(*turn) : entry.handler(message, context);
    }
    return {};
}

void WebhookHandler::Impl::report(const WebhookEnd& end, const ReadWebhook& read,
                                  MonotonicTime began) const {
    if (!options.observer) return;
    const auto& key = read.key;
    WebhookResultEvent event;
    event.outcome = end.outcome;
    event.http_status = status_of(end.outcome);
    event.kind = key.kind;
    if (is_sid_of_some_kind(key.message_sid)) event.message_sid = key.message_sid;
    if (detail::is_whole_sid(detail::account_sid_kind, key.account_sid)) {
        event.account_sid = key.account_sid;
    }
    event.reason = end.reason;
    event.hint = end.hint;
    event.duration = std::chrono::duration_cast<std::chrono::microseconds>(
        options.clock->monotonic_now() - began);
    if (key.kind == "status") event.message_status = key.status;
    event.error_code = read.error_code;
    options.observer->on_webhook(event);
}

WebhookHandler::WebhookHandler(RequestValidator validator, WebhookOptions options)
    : impl_(std::make_unique<Impl>(std::move(validator), std::move(options))) {}
WebhookHandler::~WebhookHandler() = default;
WebhookHandler::WebhookHandler(WebhookHandler&&) noexcept = default;
WebhookHandler& WebhookHandler::operator=(WebhookHandler&&) noexcept = default;

bool WebhookHandler::has_inbox() const noexcept {
    return impl_->options.inbox != nullptr;
}

void WebhookHandler::add(InboundFilter filter, MessageHandler handler, bool answers) {
    impl_->check_may_add(answers);
    impl_->on_message.push_back({std::move(filter), std::move(handler), {}});
}

void WebhookHandler::add_turn(InboundFilter filter, TurnHandler handler) {
    impl_->check_may_add(false, true);
    impl_->on_message.push_back({std::move(filter), {}, std::move(handler)});
}

void WebhookHandler::add_unknown(UnknownHandler handler, bool answers) {
    impl_->check_may_add(answers);
    impl_->on_unknown = std::move(handler);
}

void WebhookHandler::add_status(std::string_view status, StatusHandler handler) {
    impl_->check_may_add(false);
    impl_->on_status.push_back({std::string{status}, std::move(handler)});
}

std::string WebhookHandler::webhook_url(std::string_view path,
                                        const ConnectionOverrides& overrides) const {
    return try_webhook_url(path, overrides).value();
}

Result<std::string> WebhookHandler::try_webhook_url(std::string_view path,
                                                    const ConnectionOverrides& overrides) const {
    auto asked = overrides;
    if (impl_->options.inbox && !asked.retries && asked.retry_on.empty()) {
        asked.retries = most_webhook_retries;
        asked.retry_on = "all";
    }
    return impl_->options.public_url.try_webhook_url(path, asked);
}

std::size_t WebhookHandler::max_body_bytes() const noexcept {
    return impl_->options.max_body_bytes;
}

WebhookResponse WebhookHandler::handle(const WebhookRequest& request) const {
    const auto began = impl_->options.clock->monotonic_now();
    ReadWebhook read;
    auto end = impl_->process(request, read);
    impl_->report(end, read, began);
    return answer_of(std::move(end), impl_->options.method);
}

}  // namespace twiliowa
