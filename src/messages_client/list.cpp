#include <utility>

#include <twiliowa/types/address.hpp>

#include "call/api_error.hpp"
#include "call/list_walk.hpp"
#include "messages_client/impl.hpp"
#include "messages_client/message_codec.hpp"
#include "text/dates.hpp"
#include "text/form.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {
namespace detail {
namespace {

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

Result<PreparedCall> prepare_list(const ClientCore& core, const MessageFilter& filter) {
    if (filter.page_size < 1 || filter.page_size > 1000) {
        return Error::invalid_request("PageSize", "is not between 1 and 1000", {}, 20007);
    }
    std::string query;
    if (auto added = append_address_filter(query, "To", filter.to); !added) return added.error();
    if (auto added = append_address_filter(query, "From", filter.from); !added)
        return added.error();
    append_day_filter(query, "DateSent", filter.sent_on);
    append_day_filter(query, "DateSent<", filter.sent_before);
    append_day_filter(query, "DateSent>", filter.sent_after);
    append_form_field(query, "PageSize", std::to_string(filter.page_size));
    return prepare(core, Repeat::harmless, ".json?" + query);
}

Result<PreparedCall> prepare_next(const ClientCore& core, const std::string& next) {
    return prepare_link(core, ApiProduct::api, next);
}

std::optional<Error> read_page(HttpResponse& answer, Page<Message>& page) {
    page = {};
    if (decode_message_page(answer.body, page) == Decoded::complete) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a list of messages");
}

constexpr Verb<Page<Message>, const MessageFilter&> list_page_verb{list_call, prepare_list,
                                                                   read_page};
constexpr Verb<Page<Message>, const std::string&> next_page_verb{list_call, prepare_next,
                                                                 read_page};

}  // namespace
}  // namespace detail

Page<Message> MessagesClient::list_page(const MessageFilter& filter,
                                        const CallOptions& options) const {
    return try_list_page(filter, options).value();
}

Result<Page<Message>> MessagesClient::try_list_page(const MessageFilter& filter,
                                                    const CallOptions& options) const {
    return impl_->run(detail::list_page_verb, options, filter);
}

void MessagesClient::async_list_page(const MessageFilter& filter, Callback<Page<Message>> done,
                                     const CallOptions& options) const {
    impl_->start(detail::list_page_verb, std::move(done), options, filter);
}

Page<Message> MessagesClient::next_page(const Page<Message>& page,
                                        const CallOptions& options) const {
    return try_next_page(page, options).value();
}

Result<Page<Message>> MessagesClient::try_next_page(const Page<Message>& page,
                                                    const CallOptions& options) const {
    if (page.next.empty()) return Page<Message>{};
    auto following = impl_->run(detail::next_page_verb, options, page.next);
    return detail::further_than(page.next, std::move(following));
}

void MessagesClient::async_next_page(const Page<Message>& page, Callback<Page<Message>> done,
                                     const CallOptions& options) const {
    if (page.next.empty()) {
        return detail::complete_known(*impl_->core, impl_->transport,
                                      [done = std::move(done)] { done(Page<Message>{}); });
    }
    auto further = [next = page.next, done = std::move(done)](Result<Page<Message>> following) {
        done(detail::further_than(next, std::move(following)));
    };
    impl_->start(detail::next_page_verb, std::move(further), options, page.next);
}

MessageResults MessagesClient::try_list(MessageFilter filter, const CallOptions& options) const {
    return MessageResults(
        detail::pages_of<Message>([client = *this, filter = std::move(filter),
                                   options] { return client.try_list_page(filter, options); },
                                  [client = *this, options](const Page<Message>& page) {
                                      return client.try_next_page(page, options);
                                  }));
}

MessageRange MessagesClient::list(MessageFilter filter, const CallOptions& options) const {
    return MessageRange(try_list(std::move(filter), options));
}

void MessagesClient::Impl::walk(const std::shared_ptr<const Impl>& impl,
                                const MessageFilter& filter,
                                std::function<bool(Page<Message>&)> visit, Callback<void> done,
                                const CallOptions& options, std::optional<MonotonicTime> deadline) {
    auto next = [weak = std::weak_ptr<const Impl>(impl), options, deadline](
                    const Page<Message>& page, Callback<Page<Message>> on_page) {
        auto alive = weak.lock();
        if (!alive) return on_page(detail::client_destroyed());
        const auto left =
            deadline ? detail::options_until(*alive->core, *deadline, options) : options;
        MessagesClient(std::move(alive)).async_next_page(page, std::move(on_page), left);
    };
    const auto walk = std::make_shared<detail::AsyncWalk<Message>>(
        std::move(next), std::move(visit), std::move(done));
    MessagesClient(impl).async_list_page(
        filter, [walk](Result<Page<Message>> page) { walk->on_page(std::move(page)); }, options);
}

void MessagesClient::async_list(const MessageFilter& filter,
                                std::function<bool(Message)> on_message, Callback<void> done,
                                const CallOptions& options) const {
    Impl::walk(impl_, filter, detail::each_item(std::move(on_message)), std::move(done), options,
               {});
}

}  // namespace twiliowa
