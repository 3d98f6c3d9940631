#include <twiliowa/webhook_handler.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "net/url.hpp"
#include "request_validator/hmac.hpp"
#include "text/form.hpp"
#include "types/duration_bound.hpp"
#include "webhook/webhook_fields.hpp"
#include "webhook_handler/peer_limiter.hpp"

namespace twiliowa {

namespace {

constexpr std::string_view message_kind = "message";
constexpr std::string_view status_kind = "status";
constexpr std::string_view unknown_kind = "unknown";
constexpr std::size_t longest_status = 32;

/// A callback does not say when its message was sent. What the customer wrote in this time before
/// it counts as later than the refusal it reports: a reply refused here for no reason is worse than
/// one more refusal by WhatsApp.
constexpr std::chrono::minutes longest_way_back{15};

/// What is known of an answer before it is one.
struct WebhookEnd {
    WebhookOutcome outcome = WebhookOutcome::handled;
    std::string reason = {};
    std::string hint = {};
    std::string body = {};         ///< TwiML.
    std::chrono::seconds wait{0};  ///< For a Retry-After.
};

/// What to call an event, and what to remember it by.
struct EventIdentity {
    std::string_view kind = {};
    std::string account_sid = {};
    std::string message_sid = {};
    std::string status = {};
};

/// Of what is signed: sorted, without the seams between names and values.
std::string digest_of(WebhookParameters parameters) {
    std::sort(parameters.begin(), parameters.end());
    std::string signed_text;
    for (const auto& [name, value] : parameters) signed_text.append(name).append(value);
    const auto hex = detail::sha256_hex(signed_text);
    return {hex.begin(), hex.end()};
}

EventIdentity identify(const WebhookEvent& event) {
    if (const auto* message = std::get_if<InboundMessage>(&event)) {
        return {message_kind, message->account_sid.str(), message->sid.str(), {}};
    }
    if (const auto* callback = std::get_if<StatusCallback>(&event)) {
        return {status_kind, callback->account_sid.str(), callback->sid.str(),
                callback->status.str()};
    }
    const auto& unknown = std::get<UnknownWebhook>(event);
    return {unknown_kind, unknown.account_sid.str(), unknown.sid.str(),
            digest_of(unknown.parameters)};
}

/// A signature covers names and values one after the other, not where one ends and the next begins:
/// what was signed can be cut differently. What tells events apart must not allow it.
std::optional<Error> doubtful_identity(const EventIdentity& identity) {
    if (identity.kind == unknown_kind) return std::nullopt;
    if (identity.account_sid.empty()) {
        return Error::invalid_request("AccountSid", "the webhook has no readable AccountSid",
                                      "Twilio sends one with every message and status");
    }
    const bool is_word = std::all_of(identity.status.begin(), identity.status.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    });
    if (!is_word || identity.status.size() > longest_status) {
        return Error::invalid_request("MessageStatus", "the status is not a word in lower case");
    }
    return std::nullopt;
}

/// The account that a request names, where RequestValidator looks for it.
std::string stated_account(const WebhookRequest& request) {
    constexpr std::string_view name = "AccountSid";
    if (request.method != "GET") {
        const auto form = detail::parse_form(request.body);
        if (const auto sid = detail::find_parameter(form, name); !sid.empty()) {
            return std::string{sid};
        }
    }
    const auto query = detail::parse_form(detail::query_of(request.target));
    return std::string{detail::find_parameter(query, name)};
}

/// Whoever is replied to where the reply does not say.
std::string_view customer_of(const WebhookEvent& event) noexcept {
    if (const auto* message = std::get_if<InboundMessage>(&event)) return message->from;
    if (const auto* unknown = std::get_if<UnknownWebhook>(&event)) {
        return detail::find_parameter(unknown->parameters, "From");
    }
    return {};
}

/// Asking for it can fail like the store behind it.
template <class State>
Result<std::shared_ptr<State>> state_of(const PerAccount<State>& states, const AccountSid& account,
                                        std::string_view option) {
    try {
        return states.of(account.str());
    } catch (const TwilioError& error) {
        return error.error();
    } catch (...) {
        return store_error("is not known: the function in WebhookOptions::" + std::string{option} +
                           " threw an exception");
    }
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

/// On the wire a bare number is SMS; for Address it is WhatsApp.
bool is_sms(std::string_view wire) noexcept {
    return wire.starts_with('+');
}

std::string state_address(const std::string& wire) {
    return is_sms(wire) ? "sms:" + wire : wire;
}

int status_of(WebhookOutcome outcome) noexcept {
    switch (outcome) {
        case WebhookOutcome::handled:
        case WebhookOutcome::duplicate:
            return 200;
        case WebhookOutcome::unreadable:
            return 400;
        case WebhookOutcome::bad_signature:
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
            return 503;
    }
    return 500;
}

WebhookEnd failed_with(WebhookOutcome outcome, const Error& error) {
    return {outcome, error.what(), error.hint(), {}, {}};
}

/// The outside learns the status, and nothing else.
WebhookResponse answer_of(const WebhookEnd& end) {
    WebhookResponse response;
    response.status = status_of(end.outcome);
    if (response.status == 200) {
        response.headers.emplace_back("Content-Type", "text/xml; charset=utf-8");
        response.body = end.body.empty() ? MessagingResponse{}.xml() : end.body;
        return response;
    }
    response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    if (end.outcome == WebhookOutcome::bad_method)
        response.headers.emplace_back("Allow", "POST, GET");
    if (end.wait.count() > 0) {
        response.headers.emplace_back("Retry-After", std::to_string(end.wait.count()));
    }
    return response;
}

}  // namespace

struct WebhookHandler::Impl {
    struct MessageEntry {
        InboundFilter filter;
        MessageHandler handler;
    };
    struct StatusEntry {
        std::string status;  // empty: any
        StatusHandler handler;
    };

    Impl(RequestValidator request_validator, WebhookOptions webhook_options);

    WebhookEnd process(const WebhookRequest& request, EventIdentity& identity) const;
    WebhookEnd process_verified(const WebhookRequest& request, EventIdentity& identity) const;
    WebhookEnd run(const WebhookEvent& event) const;
    MessagingResponse dispatch(const WebhookEvent& event) const;
    std::optional<Error> learn(const WebhookEvent& event) const;
    void report(const WebhookEnd& end, const EventIdentity& identity, MonotonicTime began) const;

    RequestValidator validator;
    WebhookOptions options;
    std::unique_ptr<detail::PeerLimiter> limiter;
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
    if (!options.dedup) {
        options.dedup = std::make_shared<DedupStore>(
            std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = options.clock}));
    }
}

WebhookEnd WebhookHandler::Impl::process(const WebhookRequest& request,
                                         EventIdentity& identity) const {
    using std::chrono::ceil;
    using std::chrono::seconds;
    if (limiter) {
        const auto wait = limiter->wait_for(request.peer, options.clock->monotonic_now());
        if (wait.count() > 0) {
            return {WebhookOutcome::too_many,
                    "the peer sent more requests than it may",
                    "raise requests_per_peer if Twilio is the peer",
                    {},
                    ceil<seconds>(wait)};
        }
    }
    if (request.body.size() > options.max_body_bytes) {
        return {WebhookOutcome::too_large,
                "the body is larger than " + std::to_string(options.max_body_bytes) + " bytes",
                "raise max_body_bytes if Twilio sent it",
                {},
                {}};
    }
    if (request.method != "POST" && request.method != "GET") {
        return {WebhookOutcome::bad_method, "the method is neither POST nor GET", {}, {}, {}};
    }
    const auto url = options.public_url.url_of(request);
    if (!url) return failed_with(WebhookOutcome::unreadable, url.error());

    const auto verdict = validator.check({
        .method = request.method,
        .url = *url,
        .content_type = find_header(request.headers, "Content-Type"),
        .body = request.body,
        .signature = find_header(request.headers, "X-Twilio-Signature"),
        .key_id = find_header(request.headers, "X-Twilio-Signature-Key-Sid"),
    });
    if (!verdict) {
        if (options.observer) identity.account_sid = stated_account(request);
        return {outcome_of(verdict.reason),
                std::string{to_string(verdict.reason)},
                std::string{verdict.hint},
                {},
                {}};
    }
    return process_verified(request, identity);
}

WebhookEnd WebhookHandler::Impl::process_verified(const WebhookRequest& request,
                                                  EventIdentity& identity) const {
    const auto event = parse_webhook(request);
    if (!event) {
        if (options.observer) identity.account_sid = stated_account(request);
        return failed_with(WebhookOutcome::unreadable, event.error());
    }
    identity = identify(*event);
    if (const auto error = doubtful_identity(identity)) {
        return failed_with(WebhookOutcome::unreadable, *error);
    }
    // Nothing to know it by: only its handler can tell a repetition.
    if (identity.message_sid.empty()) return run(*event);

    const auto claim = options.dedup->claim({.account_sid = identity.account_sid,
                                             .message_sid = identity.message_sid,
                                             .kind = std::string{identity.kind},
                                             .status = identity.status});
    if (!claim) return failed_with(WebhookOutcome::store_failed, claim.error());
    if (claim->outcome == ClaimOutcome::done) {
        return {WebhookOutcome::duplicate, "it was handled before", {}, {}, {}};
    }
    if (claim->outcome == ClaimOutcome::running) {
        return {WebhookOutcome::running,
                "another request is handling it",
                {},
                {},
                std::chrono::seconds{1}};
    }
    auto end = run(*event);
    if (end.outcome != WebhookOutcome::handled) {
        // Where this fails the lease ends by itself.
        static_cast<void>(options.dedup->release(*claim));
        return end;
    }
    if (const auto finished = options.dedup->finish(*claim); !finished) {
        // The handler ran: the answer must say so. A repetition may run it again.
        end.reason = "handled, but that could not be stored: " + finished.error().what();
        end.hint = finished.error().hint();
    }
    return end;
}

WebhookEnd WebhookHandler::Impl::run(const WebhookEvent& event) const {
    if (const auto error = learn(event)) return failed_with(WebhookOutcome::store_failed, *error);
    WebhookEnd end;
    std::exception_ptr thrown;
    try {
        auto xml = dispatch(event).try_xml_for(customer_of(event));
        if (!xml) return failed_with(WebhookOutcome::handler_failed, xml.error());
        end.body = std::move(*xml);
    } catch (const TwilioError& error) {
        thrown = std::current_exception();
        end = failed_with(WebhookOutcome::handler_failed, error.error());
    } catch (...) {
        thrown = std::current_exception();
        end = {WebhookOutcome::handler_failed,
               "the handler threw an exception",
               "WebhookOptions::on_exception sees it",
               {},
               {}};
    }
    if (thrown && options.on_exception) {
        try {
            options.on_exception(thrown);
        } catch (...) {
            end.hint = "on_exception threw, too";
        }
    }
    return end;
}

/// What the state says of this event is kept before the handler asks for it. A store that fails
/// stops the event, to be repeated; an address that the state cannot read does not.
std::optional<Error> WebhookHandler::Impl::learn(const WebhookEvent& event) const {
    std::optional<Error> failure;
    const auto note = [&failure](const auto& result) {
        if (!result && is_store_error(result.error())) failure = result.error();
    };
    const auto* message = std::get_if<InboundMessage>(&event);
    const auto* callback = std::get_if<StatusCallback>(&event);
    if (message == nullptr && callback == nullptr) return std::nullopt;

    const auto& account = message != nullptr ? message->account_sid : callback->account_sid;
    const auto window = state_of(options.window, account, "window");
    if (!window) return window.error();
    const auto opt_outs = state_of(options.opt_outs, account, "opt_outs");
    if (!opt_outs) return opt_outs.error();

    const auto now = options.clock->now();
    if (message != nullptr) {
        const auto customer = state_address(message->from);
        for (const auto& sender : {state_address(message->to), message->messaging_service_sid}) {
            if (sender.empty()) continue;
            if (*window && !is_sms(message->from)) {
                note((*window)->record_inbound(sender, customer, now));
            }
            if (*opt_outs) {
                note((*opt_outs)->learn_inbound(sender, customer, message->opt_out_type.str(),
                                                message->body, now));
            }
        }
    } else {
        const auto customer = state_address(callback->to);
        const auto sent_at = now - longest_way_back;
        for (const auto& sender :
             {state_address(callback->from), callback->messaging_service_sid}) {
            if (sender.empty()) continue;
            const int code = callback->error_code;
            if (*window) note((*window)->learn_error(sender, customer, code, sent_at));
            if (*opt_outs) note((*opt_outs)->learn_error(sender, customer, code, sent_at));
        }
    }
    return failure;
}

MessagingResponse WebhookHandler::Impl::dispatch(const WebhookEvent& event) const {
    if (const auto* message = std::get_if<InboundMessage>(&event)) {
        for (const auto& entry : on_message) {
            if (entry.filter(*message)) return entry.handler(*message);
        }
    } else if (const auto* callback = std::get_if<StatusCallback>(&event)) {
        for (const auto& entry : on_status) {
            if (!entry.status.empty() && callback->status != entry.status) continue;
            entry.handler(*callback);
            break;
        }
    } else if (on_unknown) {
        return on_unknown(std::get<UnknownWebhook>(event));
    }
    return {};
}

void WebhookHandler::Impl::report(const WebhookEnd& end, const EventIdentity& identity,
                                  MonotonicTime began) const {
    if (!options.observer) return;
    WebhookResultEvent event;
    event.outcome = end.outcome;
    event.http_status = status_of(end.outcome);
    event.kind = identity.kind;
    event.message_sid = identity.message_sid;
    if (AccountSid::parse(identity.account_sid)) event.account_sid = identity.account_sid;
    event.reason = end.reason;
    event.hint = end.hint;
    event.duration = std::chrono::duration_cast<std::chrono::microseconds>(
        options.clock->monotonic_now() - began);
    options.observer->on_webhook(event);
}

WebhookHandler::WebhookHandler(RequestValidator validator, WebhookOptions options)
    : impl_(std::make_unique<Impl>(std::move(validator), std::move(options))) {}
WebhookHandler::~WebhookHandler() = default;
WebhookHandler::WebhookHandler(WebhookHandler&&) noexcept = default;
WebhookHandler& WebhookHandler::operator=(WebhookHandler&&) noexcept = default;

void WebhookHandler::add(InboundFilter filter, MessageHandler handler) {
    impl_->on_message.push_back({std::move(filter), std::move(handler)});
}

void WebhookHandler::add_unknown(UnknownHandler handler) {
    impl_->on_unknown = std::move(handler);
}

WebhookHandler& WebhookHandler::on_status(StatusHandler handler) {
    return on_status({}, std::move(handler));
}

WebhookHandler& WebhookHandler::on_status(std::string_view status, StatusHandler handler) {
    impl_->on_status.push_back({std::string{status}, std::move(handler)});
    return *this;
}

WebhookResponse WebhookHandler::handle(const WebhookRequest& request) const {
    const auto began = impl_->options.clock->monotonic_now();
    EventIdentity identity;
    const auto end = impl_->process(request, identity);
    impl_->report(end, identity, began);
    return answer_of(end);
}

}  // namespace twiliowa
