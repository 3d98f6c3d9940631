#include <twiliowa/senders_client.hpp>

#include <string>

#include "call/api_client.hpp"
#include "call/api_error.hpp"
#include "call/list_walk.hpp"
#include "text/json_walk.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view senders_path = "/v2/Channels/Senders";

Result<PreparedCall> prepare_fetch_sender(const ClientCore& core, const ChannelSenderSid& sid) {
    if (sid.empty()) {
        return Error::invalid_request("ChannelSenderSid", "is empty", "give XE and 32 hex digits");
    }
    return prepare_at(core, ApiProduct::messaging,
                      std::string{senders_path}.append(1, '/').append(sid.str()));
}

/// `next` is the last page's link, or empty for the first page.
Result<PreparedCall> prepare_list_senders(const ClientCore& core, const std::string& next) {
    if (!next.empty()) return prepare_link(core, ApiProduct::messaging, next);
    return prepare_at(core, ApiProduct::messaging,
                      std::string{senders_path}.append("?Channel=whatsapp&PageSize=100"));
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

std::optional<Error> read_senders(HttpResponse& answer, Page<ChannelSender>& page) {
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
                                         !page.items.empty()) {
                                  assign_sender(page.items.back(), path.substr(list.size() + 1),
                                                value);
                              }
                          },
                      .on_object =
                          [&](std::string_view path) {
                              if (path == list) page.items.emplace_back();
                              if (path == "senders[].offline_reasons[]" && !page.items.empty()) {
                                  page.items.back().offline_reasons.emplace_back();
                              }
                          }});
    if (whole && is_list) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a list of senders");
}

constexpr Verb<ChannelSender, const ChannelSenderSid&> fetch_sender_verb{
    {"senders.fetch", HttpMethod::get, "/v2/Channels/Senders/{Sid}", ApiProduct::messaging},
    prepare_fetch_sender,
    read_sender};
constexpr Verb<Page<ChannelSender>, const std::string&> list_senders_verb{
    {"senders.list", HttpMethod::get, "/v2/Channels/Senders", ApiProduct::messaging},
    prepare_list_senders,
    read_senders};

}  // namespace
}  // namespace detail

struct SendersClient::Impl : detail::ApiClient {};

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
    return detail::collect_pages<ChannelSender>(*impl_, detail::list_senders_verb, options);
}

void SendersClient::async_list(Callback<std::vector<ChannelSender>> done,
                               const CallOptions& options) const {
    detail::collect_pages_async<ChannelSender>(impl_, detail::list_senders_verb, std::move(done),
                                               options);
}

}  // namespace twiliowa
