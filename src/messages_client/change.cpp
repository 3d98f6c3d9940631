#include <utility>

#include "call/api_error.hpp"
#include "messages_client/impl.hpp"
#include "text/form.hpp"

namespace twiliowa {
namespace detail {
namespace {

Result<Prepared> with_form(Result<Prepared> prepared, std::string_view name,
                           std::string_view value) {
    if (prepared) append_form_field(prepared->operation.body, name, value);
    return prepared;
}

Result<Prepared> prepare_cancel(const CallEnvironment& environment, const MessageSid& sid) {
    return with_form(prepare_for_message(environment, HttpMethod::post, Repeat::idempotent, sid),
                     "Status", "canceled");
}

Result<Prepared> prepare_redact(const CallEnvironment& environment, const MessageSid& sid) {
    return with_form(prepare_for_message(environment, HttpMethod::post, Repeat::idempotent, sid),
                     "Body", "");
}

Result<Prepared> prepare_remove(const CallEnvironment& environment, const MessageSid& sid) {
    return prepare_for_message(environment, HttpMethod::delete_, Repeat::idempotent, sid);
}

Result<Prepared> prepare_feedback(const CallEnvironment& environment, const MessageSid& sid,
                                  bool confirmed) {
    return with_form(prepare_for_message(environment, HttpMethod::post, Repeat::duplicates, sid,
                                         "/Feedback.json"),
                     "Outcome", confirmed ? "confirmed" : "unconfirmed");
}

/// On another of Twilio's hosts; names no account in its path.
Result<Prepared> prepare_typing_indicator(const CallEnvironment& environment,
                                          const MessageSid& sid) {
    auto prepared = prepare_for_message(environment, HttpMethod::post, Repeat::idempotent, sid);
    if (!prepared) return prepared;
    auto& operation = prepared->operation;
    operation.origin = &environment.messaging_origin;
    operation.url = environment.messaging_origin.base + "/v2/Indicators/Typing.json";
    append_form_field(operation.body, "channel", "whatsapp");
    append_form_field(operation.body, "messageId", sid.str());
    return prepared;
}

Result<Prepared> prepare_remove_media(const CallEnvironment& environment, const MessageSid& sid,
                                      const MediaSid& media) {
    if (media.empty()) {
        return Error::invalid_request("MediaSid", "is empty", "give ME and 32 hex digits");
    }
    return prepare_for_message(environment, HttpMethod::delete_, Repeat::idempotent, sid,
                               "/Media/" + media.str() + ".json");
}

/// Of an answer with nothing to read.
std::optional<Error> accept(const HttpResponse&) {
    return std::nullopt;
}

}  // namespace
}  // namespace detail

Message MessagesClient::cancel(const MessageSid& sid, const CallOptions& options) const {
    return try_cancel(sid, options).value();
}
Result<Message> MessagesClient::try_cancel(const MessageSid& sid,
                                           const CallOptions& options) const {
    return impl_->run("messages.cancel", detail::prepare_cancel(*impl_->environment, sid),
                      detail::read_message, options);
}
void MessagesClient::async_cancel(const MessageSid& sid, Callback<Message> done,
                                  const CallOptions& options) const {
    impl_->start("messages.cancel", detail::prepare_cancel(*impl_->environment, sid),
                 detail::read_message, std::move(done), options);
}

Message MessagesClient::redact(const MessageSid& sid, const CallOptions& options) const {
    return try_redact(sid, options).value();
}
Result<Message> MessagesClient::try_redact(const MessageSid& sid,
                                           const CallOptions& options) const {
    return impl_->run("messages.redact", detail::prepare_redact(*impl_->environment, sid),
                      detail::read_message, options);
}
void MessagesClient::async_redact(const MessageSid& sid, Callback<Message> done,
                                  const CallOptions& options) const {
    impl_->start("messages.redact", detail::prepare_redact(*impl_->environment, sid),
                 detail::read_message, std::move(done), options);
}

void MessagesClient::remove(const MessageSid& sid, const CallOptions& options) const {
    try_remove(sid, options).value();
}
Result<void> MessagesClient::try_remove(const MessageSid& sid, const CallOptions& options) const {
    return impl_->run("messages.remove", detail::prepare_remove(*impl_->environment, sid),
                      detail::accept, options);
}
void MessagesClient::async_remove(const MessageSid& sid, Callback<void> done,
                                  const CallOptions& options) const {
    impl_->start("messages.remove", detail::prepare_remove(*impl_->environment, sid),
                 detail::accept, std::move(done), options);
}

void MessagesClient::feedback(const MessageSid& sid, bool confirmed,
                              const CallOptions& options) const {
    try_feedback(sid, confirmed, options).value();
}
Result<void> MessagesClient::try_feedback(const MessageSid& sid, bool confirmed,
                                          const CallOptions& options) const {
    return impl_->run("messages.feedback",
                      detail::prepare_feedback(*impl_->environment, sid, confirmed), detail::accept,
                      options);
}
void MessagesClient::async_feedback(const MessageSid& sid, Callback<void> done, bool confirmed,
                                    const CallOptions& options) const {
    impl_->start("messages.feedback", detail::prepare_feedback(*impl_->environment, sid, confirmed),
                 detail::accept, std::move(done), options);
}

void MessagesClient::send_typing_indicator(const MessageSid& received,
                                           const CallOptions& options) const {
    try_send_typing_indicator(received, options).value();
}
Result<void> MessagesClient::try_send_typing_indicator(const MessageSid& received,
                                                       const CallOptions& options) const {
    return impl_->run("messages.typing",
                      detail::prepare_typing_indicator(*impl_->environment, received),
                      detail::refused_success, options);
}
void MessagesClient::async_send_typing_indicator(const MessageSid& received, Callback<void> done,
                                                 const CallOptions& options) const {
    impl_->start("messages.typing", detail::prepare_typing_indicator(*impl_->environment, received),
                 detail::refused_success, std::move(done), options);
}

void MessagesClient::remove_media(const MessageSid& message, const MediaSid& media,
                                  const CallOptions& options) const {
    try_remove_media(message, media, options).value();
}
Result<void> MessagesClient::try_remove_media(const MessageSid& message, const MediaSid& media,
                                              const CallOptions& options) const {
    return impl_->run("media.remove",
                      detail::prepare_remove_media(*impl_->environment, message, media),
                      detail::accept, options);
}
void MessagesClient::async_remove_media(const MessageSid& message, const MediaSid& media,
                                        Callback<void> done, const CallOptions& options) const {
    impl_->start("media.remove", detail::prepare_remove_media(*impl_->environment, message, media),
                 detail::accept, std::move(done), options);
}

}  // namespace twiliowa
