#include <utility>

#include "call/api_error.hpp"
#include "messages_client/impl.hpp"
#include "text/form.hpp"

namespace twiliowa {
namespace detail {
namespace {

Result<PreparedCall> with_form(Result<PreparedCall> prepared, std::string_view name,
                               std::string_view value) {
    if (prepared) append_form_field(prepared->operation.body, name, value);
    return prepared;
}

Result<PreparedCall> prepare_cancel(const ClientCore& core, const MessageSid& sid) {
    return with_form(prepare_for_message(core, Repeat::idempotent, sid), "Status", "canceled");
}

Result<PreparedCall> prepare_redact(const ClientCore& core, const MessageSid& sid) {
    return with_form(prepare_for_message(core, Repeat::idempotent, sid), "Body", "");
}

Result<PreparedCall> prepare_remove(const ClientCore& core, const MessageSid& sid) {
    return prepare_for_message(core, Repeat::idempotent, sid);
}

Result<PreparedCall> prepare_feedback(const ClientCore& core, const MessageSid& sid,
                                      bool confirmed) {
    return with_form(prepare_for_message(core, Repeat::duplicates, sid, "/Feedback.json"),
                     "Outcome", confirmed ? "confirmed" : "unconfirmed");
}

/// On another of Twilio's hosts; names no account in its path.
Result<PreparedCall> prepare_typing_indicator(const ClientCore& core, const MessageSid& sid) {
    auto prepared = prepare_for_message(core, Repeat::idempotent, sid);
    if (!prepared) return prepared;
    auto& operation = prepared->operation;
    operation.url = core.origin_of(ApiProduct::messaging).base + "/v2/Indicators/Typing.json";
    append_form_field(operation.body, "channel", "whatsapp");
    append_form_field(operation.body, "messageId", sid.str());
    return prepared;
}

Result<PreparedCall> prepare_remove_media(const ClientCore& core, const MessageSid& sid,
                                          const MediaSid& media) {
    if (media.empty()) {
        return Error::invalid_request("MediaSid", "is empty", "give ME and 32 hex digits");
    }
    return prepare_for_message(core, Repeat::idempotent, sid, "/Media/" + media.str() + ".json");
}

constexpr Verb<Message, const MessageSid&> cancel_verb{
    {"messages.cancel", HttpMethod::post, message_path}, prepare_cancel, read_message};
constexpr Verb<Message, const MessageSid&> redact_verb{
    {"messages.redact", HttpMethod::post, message_path}, prepare_redact, read_message};
constexpr Verb<void, const MessageSid&> remove_verb{
    {"messages.remove", HttpMethod::delete_, message_path}, prepare_remove, read_nothing};
constexpr Verb<void, const MessageSid&, bool> feedback_verb{
    {"messages.feedback", HttpMethod::post,
     "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Feedback.json"},
    prepare_feedback,
    read_nothing};
constexpr Verb<void, const MessageSid&> typing_verb{
    {"messages.typing", HttpMethod::post, "/v2/Indicators/Typing.json", ApiProduct::messaging},
    prepare_typing_indicator,
    refused_success};
constexpr Verb<void, const MessageSid&, const MediaSid&> remove_media_verb{
    {"media.remove", HttpMethod::delete_,
     "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}.json"},
    prepare_remove_media,
    read_nothing};

}  // namespace
}  // namespace detail

Message MessagesClient::cancel(const MessageSid& sid, const CallOptions& options) const {
    return try_cancel(sid, options).value();
}
Result<Message> MessagesClient::try_cancel(const MessageSid& sid,
                                           const CallOptions& options) const {
    return impl_->run(detail::cancel_verb, options, sid);
}
void MessagesClient::async_cancel(const MessageSid& sid, Callback<Message> done,
                                  const CallOptions& options) const {
    impl_->start(detail::cancel_verb, std::move(done), options, sid);
}

Message MessagesClient::redact(const MessageSid& sid, const CallOptions& options) const {
    return try_redact(sid, options).value();
}
Result<Message> MessagesClient::try_redact(const MessageSid& sid,
                                           const CallOptions& options) const {
    return impl_->run(detail::redact_verb, options, sid);
}
void MessagesClient::async_redact(const MessageSid& sid, Callback<Message> done,
                                  const CallOptions& options) const {
    impl_->start(detail::redact_verb, std::move(done), options, sid);
}

void MessagesClient::remove(const MessageSid& sid, const CallOptions& options) const {
    try_remove(sid, options).value();
}
Result<void> MessagesClient::try_remove(const MessageSid& sid, const CallOptions& options) const {
    return impl_->run(detail::remove_verb, options, sid);
}
void MessagesClient::async_remove(const MessageSid& sid, Callback<void> done,
                                  const CallOptions& options) const {
    impl_->start(detail::remove_verb, std::move(done), options, sid);
}

void MessagesClient::feedback(const MessageSid& sid, bool confirmed,
                              const CallOptions& options) const {
    try_feedback(sid, confirmed, options).value();
}
Result<void> MessagesClient::try_feedback(const MessageSid& sid, bool confirmed,
                                          const CallOptions& options) const {
    return impl_->run(detail::feedback_verb, options, sid, confirmed);
}
void MessagesClient::async_feedback(const MessageSid& sid, Callback<void> done, bool confirmed,
                                    const CallOptions& options) const {
    impl_->start(detail::feedback_verb, std::move(done), options, sid, confirmed);
}

void MessagesClient::send_typing_indicator(const MessageSid& received,
                                           const CallOptions& options) const {
    try_send_typing_indicator(received, options).value();
}
Result<void> MessagesClient::try_send_typing_indicator(const MessageSid& received,
                                                       const CallOptions& options) const {
    return impl_->run(detail::typing_verb, options, received);
}
void MessagesClient::async_send_typing_indicator(const MessageSid& received, Callback<void> done,
                                                 const CallOptions& options) const {
    impl_->start(detail::typing_verb, std::move(done), options, received);
}

void MessagesClient::remove_media(const MessageSid& message, const MediaSid& media,
                                  const CallOptions& options) const {
    try_remove_media(message, media, options).value();
}
Result<void> MessagesClient::try_remove_media(const MessageSid& message, const MediaSid& media,
                                              const CallOptions& options) const {
    return impl_->run(detail::remove_media_verb, options, message, media);
}
void MessagesClient::async_remove_media(const MessageSid& message, const MediaSid& media,
                                        Callback<void> done, const CallOptions& options) const {
    impl_->start(detail::remove_media_verb, std::move(done), options, message, media);
}

}  // namespace twiliowa
