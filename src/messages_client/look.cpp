#include <utility>

#include "call/api_error.hpp"
#include "messages_client/impl.hpp"
#include "messages_client/message_codec.hpp"

namespace twiliowa {
namespace detail {
namespace {

Result<PreparedCall> prepare_fetch(const ClientCore& core, const MessageSid& sid) {
    return prepare_for_message(core, Repeat::harmless, sid);
}

Result<PreparedCall> prepare_list_media(const ClientCore& core, const MessageSid& sid) {
    return prepare_for_message(core, Repeat::harmless, sid, "/Media.json");
}

std::optional<Error> read_media(HttpResponse& answer, std::vector<Media>& media) {
    Page<Media> page;
    const bool complete = decode_media_page(answer.body, page) == Decoded::complete;
    media = std::move(page.items);
    if (complete) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a list of media");
}

constexpr Verb<Message, const MessageSid&> fetch_verb{
    {"messages.fetch", HttpMethod::get, message_path}, prepare_fetch, read_message};
constexpr Verb<std::vector<Media>, const MessageSid&> list_media_verb{
    {"media.list", HttpMethod::get,
     "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media.json"},
    prepare_list_media,
    read_media};

}  // namespace
}  // namespace detail

Message MessagesClient::fetch(const MessageSid& sid, const CallOptions& options) const {
    return try_fetch(sid, options).value();
}

Result<Message> MessagesClient::try_fetch(const MessageSid& sid, const CallOptions& options) const {
    return impl_->run(detail::fetch_verb, options, sid);
}

void MessagesClient::async_fetch(const MessageSid& sid, Callback<Message> done,
                                 const CallOptions& options) const {
    impl_->start(detail::fetch_verb, std::move(done), options, sid);
}

std::vector<Media> MessagesClient::list_media(const MessageSid& sid,
                                              const CallOptions& options) const {
    return try_list_media(sid, options).value();
}
Result<std::vector<Media>> MessagesClient::try_list_media(const MessageSid& sid,
                                                          const CallOptions& options) const {
    return impl_->run(detail::list_media_verb, options, sid);
}
void MessagesClient::async_list_media(const MessageSid& sid, Callback<std::vector<Media>> done,
                                      const CallOptions& options) const {
    impl_->start(detail::list_media_verb, std::move(done), options, sid);
}

}  // namespace twiliowa
