#include <utility>

#include <twiliowa/types/address.hpp>

#include "call/api_error.hpp"
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
    auto url = same_origin_url(core.origin, next);
    if (!url) return url.error();
    auto prepared = prepare(core, Repeat::harmless, {});
    if (prepared) prepared->operation.url = std::move(*url);
    return prepared;
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

using VisitPage = std::function<bool(Page<Message>&)>;

/// Walks a list page by page without keeping the client alive.
class AsyncWalk : public std::enable_shared_from_this<AsyncWalk> {
public:
    using Next = std::function<void(const Page<Message>&, Callback<Page<Message>>)>;

    /// @param next   starts the fetch of the page after the one given, or fails when it cannot
    /// @param visit  takes a page; false ends the walk
    AsyncWalk(Next next, VisitPage visit, Callback<void> done)
        : next_(std::move(next)), visit_(std::move(visit)), done_(std::move(done)) {}

    void on_page(Result<Page<Message>> page) {
        if (!page) return done_(page.error());
        if (const auto goes_on = empty_.count(*page); !goes_on) return done_(goes_on.error());
        if (!visit_(*page) || page->next.empty()) return done_({});
        next_(*page, [self = shared_from_this()](Result<Page<Message>> following) {
            self->on_page(std::move(following));
        });
    }

private:
    Next next_;
    EmptyPages empty_;
    VisitPage visit_;
    Callback<void> done_;
};

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
    const auto walk =
        std::make_shared<detail::AsyncWalk>(std::move(next), std::move(visit), std::move(done));
    MessagesClient(impl).async_list_page(
        filter, [walk](Result<Page<Message>> page) { walk->on_page(std::move(page)); }, options);
}

void MessagesClient::async_list(const MessageFilter& filter,
                                std::function<bool(Message)> on_message, Callback<void> done,
                                const CallOptions& options) const {
    Impl::walk(impl_, filter,
               [on_message = std::move(on_message)](Page<Message>& page) {
                   for (auto& message : page.items) {
                       if (!on_message(std::move(message))) return false;
                   }
                   return true;
               },
               std::move(done), options, {});
}

}  // namespace twiliowa
