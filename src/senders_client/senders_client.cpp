#include <twiliowa/senders_client.hpp>

#include <string>

#include "call/api_client.hpp"
#include "call/api_error.hpp"
#include "text/json_walk.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view senders_path = "/v2/Channels/Senders";

/// A part of the list, and where it goes on.
struct SenderPage {
    std::vector<ChannelSender> senders = {};
    std::string next = {};
};

Result<PreparedCall> prepare_fetch_sender(const ClientCore& core, const ChannelSenderSid& sid) {
    if (sid.empty()) {
        return Error::invalid_request("ChannelSenderSid", "is empty", "give XE and 32 hex digits");
    }
    return prepare_get(core, core.messaging_origin,
                       std::string{senders_path}.append(1, '/').append(sid.str()));
}

/// `next` is the last page's link, or empty for the first page.
Result<PreparedCall> prepare_list_senders(const ClientCore& core, const std::string& next) {
    if (next.empty()) {
        return prepare_get(core, core.messaging_origin,
                           std::string{senders_path}.append("?Channel=whatsapp&PageSize=100"));
    }
    auto url = same_origin_url(core.messaging_origin, next);
    if (!url) return url.error();
    auto prepared = prepare_get(core, core.messaging_origin, {});
    if (prepared) prepared->operation.url = std::move(*url);
    return prepared;
}

void assign_reason(ChannelSender& sender, std::string_view path, const JsonScalar& value) {
    if (sender.offline_reasons.empty()) return;
    auto& reason = sender.offline_reasons.back();
    if (path == "code") {
        reason.code = value.number ? std::to_string(*value.number) : value.as_text();
    } else if (path == "message") {
        reason.message = value.as_text();
    } else if (path == "more_info") {
        reason.more_info = value.as_text();
    }
}

/// `path` within the sender.
void assign_sender(ChannelSender& sender, std::string_view path, const JsonScalar& value) {
    struct Member {
        std::string_view path;
        std::string ChannelSender::*text;
    };
    static constexpr Member members[] = {
        {"sender_id", &ChannelSender::sender_id},
        {"friendly_name", &ChannelSender::friendly_name},
        {"profile.name", &ChannelSender::display_name},
        {"properties.quality_rating", &ChannelSender::quality_rating},
        {"properties.messaging_limit", &ChannelSender::messaging_limit},
        {"configuration.waba_id", &ChannelSender::waba_id},
        {"webhook.callback_url", &ChannelSender::callback_url},
        {"webhook.callback_method", &ChannelSender::callback_method},
        {"webhook.status_callback_url", &ChannelSender::status_callback_url},
        {"pending_display_name", &ChannelSender::pending_display_name},
    };
    constexpr std::string_view reasons = "offline_reasons[].";
    if (path == "sid") {
        sender.sid = ChannelSenderSid::from_wire(value.as_text());
    } else if (path == "status") {
        sender.status = ChannelSenderStatus{value.as_text()};
    } else if (path == "pending_display_name_status") {
        sender.pending_display_name_status = DisplayNameStatus{value.as_text()};
    } else if (path == "pending_display_name_status_date") {
        sender.pending_display_name_status_date = value.as_date();
    } else if (path.starts_with(reasons)) {
        assign_reason(sender, path.substr(reasons.size()), value);
    } else {
        for (const auto& member : members) {
            if (path == member.path) sender.*member.text = value.as_text();
        }
    }
}

std::optional<Error> read_sender(HttpResponse& answer, ChannelSender& sender) {
    sender = {};
    const bool whole =
        walk_json(answer.body,
                  {.on_value = [&](std::string_view path,
                                   const JsonScalar& value) { assign_sender(sender, path, value); },
                   .on_object =
                       [&](std::string_view path) {
                           if (path == "offline_reasons[]") sender.offline_reasons.emplace_back();
                       }});
    if (whole && !sender.sid.empty()) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a sender");
}

std::optional<Error> read_senders(HttpResponse& answer, SenderPage& page) {
    page = {};
    constexpr std::string_view list = "senders[]";
    bool is_list = false;
    const bool whole = walk_json(
        answer.body, {.on_value =
                          [&](std::string_view path, const JsonScalar& value) {
                              is_list = is_list || path.starts_with("meta.");
                              if (path == "meta.next_page_url") {
                                  page.next = value.as_text();
                              } else if (path.size() > list.size() && path.starts_with(list) &&
                                         !page.senders.empty()) {
                                  assign_sender(page.senders.back(), path.substr(list.size() + 1),
                                                value);
                              }
                          },
                      .on_object =
                          [&](std::string_view path) {
                              if (path == list) page.senders.emplace_back();
                              if (path == "senders[].offline_reasons[]" && !page.senders.empty()) {
                                  page.senders.back().offline_reasons.emplace_back();
                              }
                          }});
    if (whole && is_list) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a list of senders");
}

constexpr Verb<ChannelSender, const ChannelSenderSid&> fetch_sender_verb{
    {"senders.fetch", HttpMethod::get, "/v2/Channels/Senders/{Sid}", ApiProduct::messaging},
    prepare_fetch_sender,
    read_sender};
constexpr Verb<SenderPage, const std::string&> list_senders_verb{
    {"senders.list", HttpMethod::get, "/v2/Channels/Senders", ApiProduct::messaging},
    prepare_list_senders,
    read_senders};

/// Puts pages together. A list that leads in a circle is not walked for ever.
class SenderWalk {
public:
    /// Whether the walk goes on, at `next`; or what is wrong with the page.
    Result<bool> take(SenderPage page) {
        constexpr int most_pages = 1'000;
        for (auto& sender : page.senders) senders_.push_back(std::move(sender));
        if (page.next.empty()) return false;
        if (page.next == next_ || ++pages_ == most_pages) {
            return endless_list("leads back to the page it is on, or on and on");
        }
        next_ = std::move(page.next);
        return true;
    }
    const std::string& next() const noexcept { return next_; }
    std::vector<ChannelSender>& senders() noexcept { return senders_; }

private:
    std::vector<ChannelSender> senders_;
    std::string next_;
    int pages_ = 0;
};

}  // namespace
}  // namespace detail

struct SendersClient::Impl : detail::ApiClient {
    /// Goes on with the list without keeping the client alive.
    static void walk(const std::weak_ptr<const Impl>& weak,
                     const std::shared_ptr<detail::SenderWalk>& walk_so_far,
                     Callback<std::vector<ChannelSender>> done, const CallOptions& options,
                     MonotonicTime deadline);
};

void SendersClient::Impl::walk(const std::weak_ptr<const Impl>& weak,
                               const std::shared_ptr<detail::SenderWalk>& walk_so_far,
                               Callback<std::vector<ChannelSender>> done,
                               const CallOptions& options, MonotonicTime deadline) {
    const auto impl = weak.lock();
    if (!impl) return done(detail::client_destroyed());
    auto on_page = [weak, walk_so_far, done = std::move(done), options,
                    deadline](Result<detail::SenderPage> page) {
        if (!page) return done(page.error());
        const auto goes_on = walk_so_far->take(std::move(*page));
        if (!goes_on) return done(goes_on.error());
        if (!*goes_on) return done(std::move(walk_so_far->senders()));
        walk(weak, walk_so_far, done, options, deadline);
    };
    impl->start(detail::list_senders_verb, std::move(on_page),
                detail::options_until(*impl->core, deadline, options), walk_so_far->next());
}

SendersClient::SendersClient(Credentials credentials, const ClientOptions& options)
    : SendersClient(detail::always(std::move(credentials)), options) {}

SendersClient::SendersClient(CredentialsProvider provider, const ClientOptions& options)
    : SendersClient(try_create(std::move(provider), options).value()) {}

SendersClient::SendersClient(const detail::ApiClient& api)
    : SendersClient(std::make_shared<const Impl>(Impl{api})) {}

Result<SendersClient> SendersClient::try_create(CredentialsProvider provider,
                                                const ClientOptions& options) {
    auto made = detail::ApiClient::create(std::move(provider), options);
    if (!made) return made.error();
    return SendersClient(std::make_shared<const Impl>(Impl{std::move(*made)}));
}

ChannelSender SendersClient::fetch(const ChannelSenderSid& sid, const CallOptions& options) const {
    return try_fetch(sid, options).value();
}
Result<ChannelSender> SendersClient::try_fetch(const ChannelSenderSid& sid,
                                               const CallOptions& options) const {
    return impl_->run(detail::fetch_sender_verb, options, sid);
}
void SendersClient::async_fetch(const ChannelSenderSid& sid, Callback<ChannelSender> done,
                                const CallOptions& options) const {
    impl_->start(detail::fetch_sender_verb, std::move(done), options, sid);
}

std::vector<ChannelSender> SendersClient::list(const CallOptions& options) const {
    return try_list(options).value();
}

Result<std::vector<ChannelSender>> SendersClient::try_list(const CallOptions& options) const {
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    detail::SenderWalk walk;
    for (;;) {
        auto page = impl_->run(detail::list_senders_verb,
                               detail::options_until(core, deadline, options), walk.next());
        if (!page) return page.error();
        const auto goes_on = walk.take(std::move(*page));
        if (!goes_on) return goes_on.error();
        if (!*goes_on) return std::move(walk.senders());
    }
}

void SendersClient::async_list(Callback<std::vector<ChannelSender>> done,
                               const CallOptions& options) const {
    const auto& core = *impl_->core;
    Impl::walk(impl_, std::make_shared<detail::SenderWalk>(), std::move(done), options,
               detail::deadline_of(core, options, core.clock->monotonic_now()));
}

}  // namespace twiliowa
