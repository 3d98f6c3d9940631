#include <twiliowa/messages_client.hpp>

#include <utility>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/types/address.hpp>

#include "detail/api_error.hpp"
#include "detail/call_driver.hpp"
#include "detail/client_environment.hpp"
#include "detail/dates.hpp"
#include "detail/environment.hpp"
#include "detail/form.hpp"
#include "detail/message_codec.hpp"
#include "detail/outbound_checks.hpp"
#include "detail/reconcile.hpp"
#include "detail/send_gate.hpp"
#include "detail/unsent_error.hpp"

namespace twiliowa {

struct MessagesClient::Impl {
    std::shared_ptr<const detail::CallEnvironment> environment;
    std::shared_ptr<HttpTransport> transport;
    detail::OutboundDefaults defaults;
    std::shared_ptr<const detail::SendGate> gate;  ///< Null if there is nothing to ask.
};

namespace detail {
namespace {

/// An operation and who carries it out; what a verb's three forms share.
struct Prepared {
    Credentials credentials = {};
    Operation operation = {};
};

/// The value of a verb that has none.
struct Nothing {};

template <class T>
using ReadAnswer = std::optional<Error> (*)(HttpResponse&, T&);

/// `/2010-04-01/Accounts/{AccountSid}/Messages` plus `rest`, and the credentials for it.
Result<Prepared> prepare(const CallEnvironment& environment, std::string_view name,
                         HttpMethod method, Repeat repeat, std::string_view rest) {
    auto credentials = environment.credentials();
    if (!credentials) return credentials.error();
    const auto& account = credentials->account_sid();
    if (account.empty()) {
        return Error::invalid_request("credentials", "are missing",
                                      "Credentials::from_environment() reads them");
    }
    Prepared prepared;
    prepared.credentials = std::move(*credentials);
    auto& operation = prepared.operation;
    operation.name = name;
    operation.method = method;
    operation.repeat = repeat;
    operation.url.reserve(environment.origin.base.size() + 70 + rest.size());
    operation.url.append(environment.origin.base)
        .append("/2010-04-01/Accounts/")
        .append(account.str())
        .append("/Messages")
        .append(rest);
    return prepared;
}

/// `/{Sid}` and what follows it; refuses a SID that was never set.
Result<Prepared> prepare_for_message(const CallEnvironment& environment, std::string_view name,
                                     HttpMethod method, Repeat repeat, const MessageSid& sid,
                                     std::string_view rest = ".json") {
    if (sid.empty()) {
        return Error::invalid_request("MessageSid", "is empty", "give SM or MM and 32 hex digits");
    }
    return prepare(environment, name, method, repeat, '/' + sid.str() + std::string(rest));
}

Result<Prepared> with_form(Result<Prepared> prepared, std::string_view name,
                           std::string_view value) {
    if (prepared) append_form_field(prepared->operation.body, name, value);
    return prepared;
}

/// As an OutboundMessage it would merely be one without content.
Result<void> names_template(const OutboundTemplate& message) {
    if (!message.content_sid.empty()) return {};
    return Error::invalid_request("ContentSid", "is empty",
                                  "give the template's SID: HX and 32 hex digits", 21655);
}

/// `message` checked, or, where the gate wants it so, its fallback, which is put into `fallback`.
Result<CheckedOutbound> admit_outbound(const OutboundMessage& message,
                                       const OutboundDefaults& defaults, TimePoint now,
                                       const SendGate* gate,
                                       std::optional<OutboundMessage>& fallback) {
    auto checked = check_outbound(message, defaults, now);
    if (!checked || gate == nullptr) return checked;
    const auto way = gate->admit(*checked);
    if (!way) return way.error();
    if (*way == SendGate::Way::as_it_is) return checked;
    fallback = fallback_of(message);
    return check_outbound(*fallback, defaults, now);
}

/// `note` is filled in for the gate, if there is one.
Result<Prepared> prepare_send(const CallEnvironment& environment, const OutboundDefaults& defaults,
                              const OutboundMessage& message, const SendGate* gate,
                              SendNote& note) {
    const auto now = environment.clock->now();
    std::optional<OutboundMessage> fallback;
    const auto checked = admit_outbound(message, defaults, now, gate, fallback);
    if (!checked) return checked.error();
    if (gate != nullptr) note = note_of(*checked, now);
    auto prepared =
        prepare(environment, "messages.create", HttpMethod::post, Repeat::duplicates, ".json");
    if (!prepared) return prepared;
    prepared->operation.body = encode_outbound(*checked);
    if (environment.rate_limiter) prepared->operation.rate_key = checked->sender();
    return prepared;
}

Result<void> append_address_filter(std::string& query, std::string_view name,
                                   const std::string& value) {
    if (value.empty()) return {};
    const auto address = Address::parse(value, name);
    if (!address) return address.error();
    append_form_field(query, name, address->wire());
    return {};
}

void append_day_filter(std::string& query, std::string_view name,
                       const std::optional<TimePoint>& day) {
    if (day) append_form_field(query, name, format_date_utc(*day));
}

Result<Prepared> prepare_list(const CallEnvironment& environment, const MessageFilter& filter) {
    if (filter.page_size < 1 || filter.page_size > 1000) {
        return Error::invalid_request("PageSize", "is not between 1 and 1000", {}, 20007);
    }
    std::string query;
    if (auto good = append_address_filter(query, "To", filter.to); !good) return good.error();
    if (auto good = append_address_filter(query, "From", filter.from); !good) return good.error();
    append_day_filter(query, "DateSent", filter.sent_on);
    append_day_filter(query, "DateSent<", filter.sent_before);
    append_day_filter(query, "DateSent>", filter.sent_after);
    append_form_field(query, "PageSize", std::to_string(filter.page_size));
    return prepare(environment, "messages.list", HttpMethod::get, Repeat::harmless,
                   ".json?" + query);
}

Result<Prepared> prepare_next(const CallEnvironment& environment, const std::string& next) {
    auto url = same_origin_url(environment.origin, next);
    if (!url) return url.error();
    auto prepared = prepare(environment, "messages.list", HttpMethod::get, Repeat::harmless, {});
    if (prepared) prepared->operation.url = std::move(*url);
    return prepared;
}

/// The answer to a create: whoever reads a SID knows that the message exists, whatever else is
/// missing or wrong.
std::optional<Error> read_created(HttpResponse& answer, Message& message) {
    decode_message(answer.body, message);
    if (message.sid.empty()) message.sid = find_message_sid(answer.body);
    if (!message.sid.empty()) return std::nullopt;
    return unreadable_answer(answer, "the answer has no message SID");
}

std::optional<Error> read_message(HttpResponse& answer, Message& message) {
    message = {};  // an earlier attempt may have left something
    if (decode_message(answer.body, message) == Decoded::complete) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a message");
}

std::optional<Error> read_page(HttpResponse& answer, Page<Message>& page) {
    page = {};
    if (decode_message_page(answer.body, page) == Decoded::complete) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a list of messages");
}

/// The page that `next` led to, unless it leads there again.
Result<Page<Message>> further_than(std::string_view next, Result<Page<Message>> page) {
    if (page && page->next == next) return endless_list("leads back to the page it is on");
    return page;
}

/// Counts pages without a message, of which a sound list has few.
class EmptyPages {
public:
    /// Whether the walk goes on after `page`.
    Result<void> count(const Page<Message>& page) {
        in_a_row_ = page.items.empty() ? in_a_row_ + 1 : 0;
        if (in_a_row_ < most) return {};
        return endless_list("leads from one empty page to the next, 100 times");
    }

private:
    static constexpr int most = 100;
    int in_a_row_ = 0;
};

std::optional<Error> read_media(HttpResponse& answer, std::vector<Media>& media) {
    Page<Media> page;
    const bool complete = decode_media_page(answer.body, page) == Decoded::complete;
    media = std::move(page.items);
    if (complete) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a list of media");
}

std::optional<Error> read_success(HttpResponse& answer, Nothing&) {
    return refused_success(answer);
}

std::optional<Error> read_nothing(HttpResponse&, Nothing&) {
    return std::nullopt;
}

/// The blocking form of a verb.
template <class T>
Result<T> run(const CallEnvironment& environment, HttpTransport& transport,
              Result<Prepared> prepared, ReadAnswer<T> read, const CallOptions& options) {
    if (!prepared) return prepared.error();
    T value{};
    auto error =
        run_blocking(environment, transport, prepared->credentials, std::move(prepared->operation),
                     options, [&value, read](HttpResponse& answer) { return read(answer, value); });
    if (error) return std::move(*error);
    return value;
}

/// Its asynchronous form.
template <class T, class Done>
void start(const std::shared_ptr<const CallEnvironment>& environment,
           const std::shared_ptr<HttpTransport>& transport, Result<Prepared> prepared,
           ReadAnswer<T> read, Done done, const CallOptions& options) {
    if (!prepared) {
        complete_later(*environment, transport,
                       [done = std::move(done), error = prepared.error()] { done(error); });
        return;
    }
    const auto value = std::make_shared<T>();
    run_async(
        environment, transport, prepared->credentials, std::move(prepared->operation), options,
        [value, read](HttpResponse& answer) { return read(answer, *value); },
        [value, done = std::move(done)](std::optional<Error> error) {
            if (error) return done(std::move(*error));
            done(std::move(*value));
        });
}

Result<void> without_value(const Result<Nothing>& result) {
    if (!result) return result.error();
    return {};
}

auto without_value(Callback<void> done) {
    return [done = std::move(done)](const Result<Nothing>& result) { done(without_value(result)); };
}

}  // namespace
}  // namespace detail

// ---- Options and construction

Result<ClientOptions> ClientOptions::try_from_environment() {
    ClientOptions options;
    options.from = detail::environment_variable("TWILIO_WHATSAPP_NUMBER");
    options.edge = detail::environment_variable("TWILIO_EDGE");
    options.region = detail::environment_variable("TWILIO_REGION");
    options.base_url = detail::environment_variable("TWILIOWA_BASE_URL");
    if (options.from.empty()) {
        return Error::invalid_request("TWILIO_WHATSAPP_NUMBER", "environment variable is not set",
                                      "set it to your WhatsApp sender: +<country code><number>");
    }
    if (auto from = Address::parse(options.from, "TWILIO_WHATSAPP_NUMBER"); !from) {
        return from.error();
    }
    const auto origin = detail::api_origin("api", options.edge, options.region, options.base_url);
    if (!origin) {
        auto data = origin.error().data();
        if (data.field == "edge") data.field = "TWILIO_EDGE";
        if (data.field == "region") data.field = "TWILIO_REGION";
        if (data.field == "base_url") data.field = "TWILIOWA_BASE_URL";
        return Error{std::move(data)};
    }
    return options;
}

ClientOptions ClientOptions::from_environment() {
    return try_from_environment().value();
}

Result<std::shared_ptr<const MessagesClient::Impl>> MessagesClient::make_impl(
    CredentialsProvider provider, ClientOptions options) {
    const auto refuse_option = [](std::string field, std::string problem) {
        return Error::invalid_request(std::move(field), std::move(problem));
    };
    auto impl = std::make_shared<Impl>();
    if (!options.from.empty()) {
        auto from = Address::parse(options.from, "from");
        if (!from) return from.error();
        impl->defaults.from = std::move(*from);
    }
    if (!options.messaging_service_sid.empty()) {
        auto sid = MessagingServiceSid::parse(options.messaging_service_sid);
        if (!sid) return sid.error();
    }
    std::string_view url_problem;
    if (!options.status_callback.empty() &&
        !detail::is_web_url(options.status_callback, url_problem)) {
        return refuse_option("status_callback", std::string(url_problem));
    }
    auto environment = detail::make_call_environment(std::move(provider), options);
    if (!environment) return environment.error();

    if (options.window || options.opt_outs) {
        const bool refuse_unknown = options.unknown_window == UnknownWindow::refuse;
        impl->gate = std::make_shared<const detail::SendGate>(detail::SendGate{
            std::move(options.window), std::move(options.opt_outs), refuse_unknown});
    }
    impl->defaults.messaging_service_sid = std::move(options.messaging_service_sid);
    impl->defaults.status_callback = std::move(options.status_callback);
    impl->environment = std::move(*environment);
    impl->transport =
        options.transport ? std::move(options.transport) : std::make_shared<CurlTransport>();
    return std::shared_ptr<const Impl>(std::move(impl));
}

MessagesClient::MessagesClient(Credentials credentials, ClientOptions options)
    : MessagesClient(CredentialsProvider([credentials = std::move(credentials)] {
                         return Result<Credentials>(credentials);
                     }),
                     std::move(options)) {}

MessagesClient::MessagesClient(CredentialsProvider provider, ClientOptions options)
    : impl_(make_impl(std::move(provider), std::move(options)).value()) {}

Result<MessagesClient> MessagesClient::try_create(CredentialsProvider provider,
                                                  ClientOptions options) {
    auto impl = make_impl(std::move(provider), std::move(options));
    if (!impl) return impl.error();
    return MessagesClient(std::move(*impl));
}

Result<MessagesClient> MessagesClient::try_from_environment() {
    auto credentials = Credentials::try_from_environment();
    if (!credentials) return credentials.error();
    auto options = ClientOptions::try_from_environment();
    if (!options) return options.error();
    return try_create([credentials = std::move(*credentials)] { return Result(credentials); },
                      std::move(*options));
}

MessagesClient MessagesClient::from_environment() {
    return try_from_environment().value();
}

// ---- Sending

Result<void> MessagesClient::check(const OutboundMessage& message) const {
    std::optional<OutboundMessage> fallback;
    const auto checked = detail::admit_outbound(
        message, impl_->defaults, impl_->environment->clock->now(), impl_->gate.get(), fallback);
    if (!checked) return checked.error();
    return {};
}

Result<Message> MessagesClient::try_send(const OutboundMessage& message,
                                         const CallOptions& options) const {
    detail::SendNote note;
    auto prepared = detail::prepare_send(*impl_->environment, impl_->defaults, message,
                                         impl_->gate.get(), note);
    auto sent = detail::run<Message>(*impl_->environment, *impl_->transport, std::move(prepared),
                                     detail::read_created, options);
    if (impl_->gate && !sent) impl_->gate->learn(note, sent.error());
    return sent;
}

void MessagesClient::async_send(const OutboundMessage& message, Callback<Message> done,
                                const CallOptions& options) const {
    detail::SendNote note;
    auto prepared = detail::prepare_send(*impl_->environment, impl_->defaults, message,
                                         impl_->gate.get(), note);
    if (impl_->gate) {
        done = [gate = impl_->gate, note = std::move(note),
                done = std::move(done)](Result<Message> sent) {
            if (!sent) gate->learn(note, sent.error());
            done(std::move(sent));
        };
    }
    detail::start<Message>(impl_->environment, impl_->transport, std::move(prepared),
                           detail::read_created, std::move(done), options);
}

Message MessagesClient::send(const OutboundMessage& message, const CallOptions& options) const {
    return try_send(message, options).value();
}

Message MessagesClient::send_template(OutboundTemplate message, const CallOptions& options) const {
    return try_send_template(std::move(message), options).value();
}
Result<Message> MessagesClient::try_send_template(OutboundTemplate message,
                                                  const CallOptions& options) const {
    if (const auto named = detail::names_template(message); !named) return named.error();
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_template(OutboundTemplate message, Callback<Message> done,
                                         const CallOptions& options) const {
    if (const auto named = detail::names_template(message); !named) {
        detail::complete_later(*impl_->environment, impl_->transport,
                               [done = std::move(done), error = named.error()] { done(error); });
        return;
    }
    async_send(std::move(message), std::move(done), options);
}

Message MessagesClient::send_text(OutboundText message, const CallOptions& options) const {
    return send(std::move(message), options);
}
Result<Message> MessagesClient::try_send_text(OutboundText message,
                                              const CallOptions& options) const {
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_text(OutboundText message, Callback<Message> done,
                                     const CallOptions& options) const {
    async_send(std::move(message), std::move(done), options);
}

Message MessagesClient::send_media(OutboundMedia message, const CallOptions& options) const {
    return send(std::move(message), options);
}
Result<Message> MessagesClient::try_send_media(OutboundMedia message,
                                               const CallOptions& options) const {
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_media(OutboundMedia message, Callback<Message> done,
                                      const CallOptions& options) const {
    async_send(std::move(message), std::move(done), options);
}

Message MessagesClient::send_location(OutboundLocation message, const CallOptions& options) const {
    return send(std::move(message), options);
}
Result<Message> MessagesClient::try_send_location(OutboundLocation message,
                                                  const CallOptions& options) const {
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_location(OutboundLocation message, Callback<Message> done,
                                         const CallOptions& options) const {
    async_send(std::move(message), std::move(done), options);
}

// ---- Looking

Message MessagesClient::fetch(const MessageSid& sid, const CallOptions& options) const {
    return try_fetch(sid, options).value();
}

namespace detail {
namespace {

Result<Prepared> prepare_fetch(const CallEnvironment& environment, const MessageSid& sid) {
    return prepare_for_message(environment, "messages.fetch", HttpMethod::get, Repeat::harmless,
                               sid);
}

}  // namespace
}  // namespace detail

Result<Message> MessagesClient::try_fetch(const MessageSid& sid, const CallOptions& options) const {
    return detail::run<Message>(*impl_->environment, *impl_->transport,
                                detail::prepare_fetch(*impl_->environment, sid),
                                detail::read_message, options);
}

void MessagesClient::async_fetch(const MessageSid& sid, Callback<Message> done,
                                 const CallOptions& options) const {
    detail::start<Message>(impl_->environment, impl_->transport,
                           detail::prepare_fetch(*impl_->environment, sid), detail::read_message,
                           std::move(done), options);
}

Page<Message> MessagesClient::list_page(const MessageFilter& filter,
                                        const CallOptions& options) const {
    return try_list_page(filter, options).value();
}

Result<Page<Message>> MessagesClient::try_list_page(const MessageFilter& filter,
                                                    const CallOptions& options) const {
    return detail::run<Page<Message>>(*impl_->environment, *impl_->transport,
                                      detail::prepare_list(*impl_->environment, filter),
                                      detail::read_page, options);
}

void MessagesClient::async_list_page(const MessageFilter& filter, Callback<Page<Message>> done,
                                     const CallOptions& options) const {
    detail::start<Page<Message>>(impl_->environment, impl_->transport,
                                 detail::prepare_list(*impl_->environment, filter),
                                 detail::read_page, std::move(done), options);
}

Page<Message> MessagesClient::next_page(const Page<Message>& page,
                                        const CallOptions& options) const {
    return try_next_page(page, options).value();
}

Result<Page<Message>> MessagesClient::try_next_page(const Page<Message>& page,
                                                    const CallOptions& options) const {
    if (page.next.empty()) return Page<Message>{};
    auto following = detail::run<Page<Message>>(
        *impl_->environment, *impl_->transport,
        detail::prepare_next(*impl_->environment, page.next), detail::read_page, options);
    return detail::further_than(page.next, std::move(following));
}

void MessagesClient::async_next_page(const Page<Message>& page, Callback<Page<Message>> done,
                                     const CallOptions& options) const {
    if (page.next.empty()) {
        detail::complete_later(*impl_->environment, impl_->transport,
                               [done = std::move(done)] { done(Page<Message>{}); });
        return;
    }
    auto further = [next = page.next, done = std::move(done)](Result<Page<Message>> following) {
        done(detail::further_than(next, std::move(following)));
    };
    detail::start<Page<Message>>(impl_->environment, impl_->transport,
                                 detail::prepare_next(*impl_->environment, page.next),
                                 detail::read_page, std::move(further), options);
}

MessageResults MessagesClient::try_list(MessageFilter filter, const CallOptions& options) const {
    return MessageResults(*this, std::move(filter), options);
}

MessageRange MessagesClient::list(MessageFilter filter, const CallOptions& options) const {
    return MessageRange(try_list(std::move(filter), options));
}

MessageResults::MessageResults(MessagesClient client, MessageFilter filter, CallOptions options)
    : client_(std::move(client)), filter_(std::move(filter)), options_(std::move(options)) {}

MessageResults::iterator MessageResults::begin() {
    load(client_.try_list_page(filter_, options_));
    return iterator{this};
}

void MessageResults::advance() {
    if (!*current_) {  // the failure was the last element
        current_.reset();
    } else if (++index_ < page_.items.size()) {
        current_ = std::move(page_.items[index_]);
    } else {
        load(client_.try_next_page(page_, options_));
    }
}

void MessageResults::load(Result<Page<Message>> page) {
    // A page may be empty and still have a successor.
    detail::EmptyPages empty;
    while (page && page->items.empty() && !page->next.empty()) {
        if (const auto goes_on = empty.count(*page); !goes_on) {
            page = goes_on.error();
            break;
        }
        page_ = std::move(*page);
        page = client_.try_next_page(page_, options_);
    }
    index_ = 0;
    if (!page) {
        current_ = page.error();
        return;
    }
    page_ = std::move(*page);
    current_.reset();
    if (!page_.items.empty()) current_ = std::move(page_.items.front());
}

MessageRange::iterator::iterator(MessageResults::iterator it) : it_(it) {
    if (it_ != std::default_sentinel) static_cast<void>((*it_).value());
}

MessageRange::iterator& MessageRange::iterator::operator++() {
    ++it_;
    if (it_ != std::default_sentinel) static_cast<void>((*it_).value());
    return *this;
}

namespace detail {
namespace {

/// Walks a list page by page without keeping the client alive.
template <class Visit>
class AsyncWalk : public std::enable_shared_from_this<AsyncWalk<Visit>> {
public:
    using Next = std::function<void(const Page<Message>&, Callback<Page<Message>>)>;

    /// @param next   starts the fetch of the page after the one given, or fails when it cannot
    /// @param visit  takes a page; false ends the walk
    AsyncWalk(Next next, Visit visit, Callback<void> done)
        : next_(std::move(next)), visit_(std::move(visit)), done_(std::move(done)) {}

    void on_page(Result<Page<Message>> page) {
        if (!page) return done_(page.error());
        if (const auto goes_on = empty_.count(*page); !goes_on) return done_(goes_on.error());
        if (!visit_(*page) || page->next.empty()) return done_({});
        next_(*page, [self = this->shared_from_this()](Result<Page<Message>> following) {
            self->on_page(std::move(following));
        });
    }

private:
    Next next_;
    EmptyPages empty_;
    Visit visit_;
    Callback<void> done_;
};

}  // namespace
}  // namespace detail

template <class Visit>
void MessagesClient::walk(const MessageFilter& filter, Visit visit, Callback<void> done,
                          const CallOptions& options, std::optional<MonotonicTime> deadline) const {
    auto next = [weak = std::weak_ptr<const Impl>(impl_), options, deadline](
                    const Page<Message>& page, Callback<Page<Message>> on_page) {
        auto impl = weak.lock();
        if (!impl) return on_page(detail::client_destroyed());
        const auto left =
            deadline ? detail::until(*impl->environment, *deadline, options) : options;
        MessagesClient(std::move(impl)).async_next_page(page, std::move(on_page), left);
    };
    const auto walk = std::make_shared<detail::AsyncWalk<Visit>>(std::move(next), std::move(visit),
                                                                 std::move(done));
    async_list_page(
        filter, [walk](Result<Page<Message>> page) { walk->on_page(std::move(page)); }, options);
}

void MessagesClient::async_list(const MessageFilter& filter,
                                std::function<bool(Message)> on_message, Callback<void> done,
                                const CallOptions& options) const {
    walk(filter,
         [on_message = std::move(on_message)](Page<Message>& page) {
             for (auto& message : page.items) {
                 if (!on_message(std::move(message))) return false;
             }
             return true;
         },
         std::move(done), options, {});
}

Reconciliation MessagesClient::reconcile(const OutboundMessage& message, TimePoint attempted_at,
                                         const ReconcileOptions& where,
                                         const CallOptions& options) const {
    return try_reconcile(message, attempted_at, where, options).value();
}

Result<Reconciliation> MessagesClient::try_reconcile(const OutboundMessage& message,
                                                     TimePoint attempted_at,
                                                     const ReconcileOptions& where,
                                                     const CallOptions& options) const {
    auto search = detail::ReconcileSearch::create(message, impl_->defaults, attempted_at, where);
    if (!search) return search.error();
    const auto& environment = *impl_->environment;
    const auto deadline =
        detail::deadline_of(environment, options, environment.clock->monotonic_now());
    auto page = try_list_page(search->filter(), options);
    while (page && search->look_at(*page) && !page->next.empty()) {
        page = try_next_page(*page, detail::until(environment, deadline, options));
    }
    if (!page) return page.error();
    return search->conclusion();
}

void MessagesClient::async_reconcile(const OutboundMessage& message, TimePoint attempted_at,
                                     Callback<Reconciliation> done, const ReconcileOptions& where,
                                     const CallOptions& options) const {
    auto created = detail::ReconcileSearch::create(message, impl_->defaults, attempted_at, where);
    if (!created) {
        detail::complete_later(*impl_->environment, impl_->transport,
                               [done = std::move(done), error = created.error()] { done(error); });
        return;
    }
    const auto search = std::make_shared<detail::ReconcileSearch>(std::move(*created));
    walk(
        search->filter(), [search](const Page<Message>& page) { return search->look_at(page); },
        [search, done = std::move(done)](const Result<void>& walked) {
            if (!walked) return done(walked.error());
            done(search->conclusion());
        },
        options,
        detail::deadline_of(*impl_->environment, options,
                            impl_->environment->clock->monotonic_now()));
}

// ---- Changing

namespace detail {
namespace {

Result<Prepared> prepare_cancel(const CallEnvironment& environment, const MessageSid& sid) {
    return with_form(prepare_for_message(environment, "messages.cancel", HttpMethod::post,
                                         Repeat::idempotent, sid),
                     "Status", "canceled");
}

Result<Prepared> prepare_redact(const CallEnvironment& environment, const MessageSid& sid) {
    return with_form(prepare_for_message(environment, "messages.redact", HttpMethod::post,
                                         Repeat::idempotent, sid),
                     "Body", "");
}

Result<Prepared> prepare_remove(const CallEnvironment& environment, const MessageSid& sid) {
    return prepare_for_message(environment, "messages.remove", HttpMethod::delete_,
                               Repeat::idempotent, sid);
}

Result<Prepared> prepare_feedback(const CallEnvironment& environment, const MessageSid& sid,
                                  bool confirmed) {
    return with_form(prepare_for_message(environment, "messages.feedback", HttpMethod::post,
                                         Repeat::duplicates, sid, "/Feedback.json"),
                     "Outcome", confirmed ? "confirmed" : "unconfirmed");
}

/// On another of Twilio's hosts; names no account in its path.
Result<Prepared> prepare_typing_indicator(const CallEnvironment& environment,
                                          const MessageSid& sid) {
    auto prepared = prepare_for_message(environment, "messages.typing", HttpMethod::post,
                                        Repeat::idempotent, sid);
    if (!prepared) return prepared;
    auto& operation = prepared->operation;
    operation.origin = &environment.messaging_origin;
    operation.url = environment.messaging_origin.base + "/v2/Indicators/Typing.json";
    append_form_field(operation.body, "channel", "whatsapp");
    append_form_field(operation.body, "messageId", sid.str());
    return prepared;
}

Result<Prepared> prepare_list_media(const CallEnvironment& environment, const MessageSid& sid) {
    return prepare_for_message(environment, "media.list", HttpMethod::get, Repeat::harmless, sid,
                               "/Media.json");
}

Result<Prepared> prepare_remove_media(const CallEnvironment& environment, const MessageSid& sid,
                                      const MediaSid& media) {
    if (media.empty()) {
        return Error::invalid_request("MediaSid", "is empty", "give ME and 32 hex digits");
    }
    return prepare_for_message(environment, "media.remove", HttpMethod::delete_, Repeat::idempotent,
                               sid, "/Media/" + media.str() + ".json");
}

}  // namespace
}  // namespace detail

Message MessagesClient::cancel(const MessageSid& sid, const CallOptions& options) const {
    return try_cancel(sid, options).value();
}
Result<Message> MessagesClient::try_cancel(const MessageSid& sid,
                                           const CallOptions& options) const {
    return detail::run<Message>(*impl_->environment, *impl_->transport,
                                detail::prepare_cancel(*impl_->environment, sid),
                                detail::read_message, options);
}
void MessagesClient::async_cancel(const MessageSid& sid, Callback<Message> done,
                                  const CallOptions& options) const {
    detail::start<Message>(impl_->environment, impl_->transport,
                           detail::prepare_cancel(*impl_->environment, sid), detail::read_message,
                           std::move(done), options);
}

Message MessagesClient::redact(const MessageSid& sid, const CallOptions& options) const {
    return try_redact(sid, options).value();
}
Result<Message> MessagesClient::try_redact(const MessageSid& sid,
                                           const CallOptions& options) const {
    return detail::run<Message>(*impl_->environment, *impl_->transport,
                                detail::prepare_redact(*impl_->environment, sid),
                                detail::read_message, options);
}
void MessagesClient::async_redact(const MessageSid& sid, Callback<Message> done,
                                  const CallOptions& options) const {
    detail::start<Message>(impl_->environment, impl_->transport,
                           detail::prepare_redact(*impl_->environment, sid), detail::read_message,
                           std::move(done), options);
}

void MessagesClient::remove(const MessageSid& sid, const CallOptions& options) const {
    try_remove(sid, options).value();
}
Result<void> MessagesClient::try_remove(const MessageSid& sid, const CallOptions& options) const {
    return detail::without_value(detail::run<detail::Nothing>(
        *impl_->environment, *impl_->transport, detail::prepare_remove(*impl_->environment, sid),
        detail::read_nothing, options));
}
void MessagesClient::async_remove(const MessageSid& sid, Callback<void> done,
                                  const CallOptions& options) const {
    detail::start<detail::Nothing>(
        impl_->environment, impl_->transport, detail::prepare_remove(*impl_->environment, sid),
        detail::read_nothing, detail::without_value(std::move(done)), options);
}

void MessagesClient::feedback(const MessageSid& sid, bool confirmed,
                              const CallOptions& options) const {
    try_feedback(sid, confirmed, options).value();
}
Result<void> MessagesClient::try_feedback(const MessageSid& sid, bool confirmed,
                                          const CallOptions& options) const {
    return detail::without_value(
        detail::run<detail::Nothing>(*impl_->environment, *impl_->transport,
                                     detail::prepare_feedback(*impl_->environment, sid, confirmed),
                                     detail::read_nothing, options));
}
void MessagesClient::async_feedback(const MessageSid& sid, Callback<void> done, bool confirmed,
                                    const CallOptions& options) const {
    detail::start<detail::Nothing>(impl_->environment, impl_->transport,
                                   detail::prepare_feedback(*impl_->environment, sid, confirmed),
                                   detail::read_nothing, detail::without_value(std::move(done)),
                                   options);
}

void MessagesClient::send_typing_indicator(const MessageSid& received,
                                           const CallOptions& options) const {
    try_send_typing_indicator(received, options).value();
}
Result<void> MessagesClient::try_send_typing_indicator(const MessageSid& received,
                                                       const CallOptions& options) const {
    return detail::without_value(detail::run<detail::Nothing>(
        *impl_->environment, *impl_->transport,
        detail::prepare_typing_indicator(*impl_->environment, received), detail::read_success,
        options));
}
void MessagesClient::async_send_typing_indicator(const MessageSid& received, Callback<void> done,
                                                 const CallOptions& options) const {
    detail::start<detail::Nothing>(impl_->environment, impl_->transport,
                                   detail::prepare_typing_indicator(*impl_->environment, received),
                                   detail::read_success, detail::without_value(std::move(done)),
                                   options);
}

std::vector<Media> MessagesClient::list_media(const MessageSid& sid,
                                              const CallOptions& options) const {
    return try_list_media(sid, options).value();
}
Result<std::vector<Media>> MessagesClient::try_list_media(const MessageSid& sid,
                                                          const CallOptions& options) const {
    return detail::run<std::vector<Media>>(*impl_->environment, *impl_->transport,
                                           detail::prepare_list_media(*impl_->environment, sid),
                                           detail::read_media, options);
}
void MessagesClient::async_list_media(const MessageSid& sid, Callback<std::vector<Media>> done,
                                      const CallOptions& options) const {
    detail::start<std::vector<Media>>(impl_->environment, impl_->transport,
                                      detail::prepare_list_media(*impl_->environment, sid),
                                      detail::read_media, std::move(done), options);
}

void MessagesClient::remove_media(const MessageSid& message, const MediaSid& media,
                                  const CallOptions& options) const {
    try_remove_media(message, media, options).value();
}
Result<void> MessagesClient::try_remove_media(const MessageSid& message, const MediaSid& media,
                                              const CallOptions& options) const {
    return detail::without_value(detail::run<detail::Nothing>(
        *impl_->environment, *impl_->transport,
        detail::prepare_remove_media(*impl_->environment, message, media), detail::read_nothing,
        options));
}
void MessagesClient::async_remove_media(const MessageSid& message, const MediaSid& media,
                                        Callback<void> done, const CallOptions& options) const {
    detail::start<detail::Nothing>(
        impl_->environment, impl_->transport,
        detail::prepare_remove_media(*impl_->environment, message, media), detail::read_nothing,
        detail::without_value(std::move(done)), options);
}

}  // namespace twiliowa
