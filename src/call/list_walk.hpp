/// @file
/// Walking lists that come page by page.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/types/page.hpp>
#include <twiliowa/types/result.hpp>

#include "call/api_client.hpp"
#include "call/api_error.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa::detail {

/// The page that `next` led to, unless it leads there again.
template <class T>
Result<Page<T>> further_than(std::string_view next, Result<Page<T>> page) {
    if (page && page->next == next) return endless_list("leads back to the page it is on");
    return page;
}

/// Counts pages without an item, of which a sound list has few.
class EmptyPages {
public:
    /// Whether the walk goes on after a page.
    Result<void> count(bool is_empty) {
        in_a_row_ = is_empty ? in_a_row_ + 1 : 0;
        if (in_a_row_ < most) return {};
        return endless_list("leads from one empty page to the next, 100 times");
    }

private:
    static constexpr int most = 100;
    int in_a_row_ = 0;
};

/// All items of a list that is handed over as a whole, and no more pages than a sound one has.
template <class T>
class Collected {
public:
    /// Takes a page; says whether the walk goes on.
    Result<bool> take(Page<T> page) {
        for (auto& item : page.items) items_.push_back(std::move(item));
        if (page.next.empty()) return false;
        if (page.next == next_ || ++pages_ == most_pages) {
            return endless_list("leads back to the page it is on, or on and on");
        }
        next_ = std::move(page.next);
        return true;
    }
    /// The link of the page that is due; empty at first.
    const std::string& next() const noexcept { return next_; }
    std::vector<T>& items() noexcept { return items_; }

private:
    static constexpr int most_pages = 1'000;
    std::vector<T> items_;
    std::string next_;
    int pages_ = 0;
};

/// A verb that fetches the page of a link, the first for an empty one.
template <class T>
using PageVerb = Verb<Page<T>, const std::string&>;

/// Fetches all pages. The time of `options` is for the whole.
template <class T>
Result<std::vector<T>> collect_pages(const ApiClient& client, const PageVerb<T>& verb,
                                     const CallOptions& options) {
    const auto& core = *client.core;
    const auto deadline = deadline_of(core, options, core.clock->monotonic_now());
    Collected<T> collected;
    for (;;) {
        auto page = client.run(verb, options_until(core, deadline, options), collected.next());
        if (!page) return page.error();
        const auto goes_on = collected.take(std::move(*page));
        if (!goes_on) return goes_on.error();
        if (!*goes_on) return std::move(collected.items());
    }
}

/// The same, asynchronously, without keeping the client alive.
template <class T>
void collect_pages_async(const std::weak_ptr<const ApiClient>& weak, const PageVerb<T>& verb,
                         Callback<std::vector<T>> done, const CallOptions& options,
                         std::shared_ptr<Collected<T>> so_far = std::make_shared<Collected<T>>(),
                         std::optional<MonotonicTime> until = {}) {
    const auto client = weak.lock();
    if (!client) return done(client_destroyed());
    const auto& core = *client->core;
    const auto deadline = until ? *until : deadline_of(core, options, core.clock->monotonic_now());
    auto on_page = [weak, &verb, so_far, done = std::move(done), options,
                    deadline](Result<Page<T>> page) {
        if (!page) return done(page.error());
        const auto goes_on = so_far->take(std::move(*page));
        if (!goes_on) return done(goes_on.error());
        if (!*goes_on) return done(std::move(so_far->items()));
        collect_pages_async<T>(weak, verb, done, options, so_far, deadline);
    };
    client->start(verb, std::move(on_page), options_until(core, deadline, options), so_far->next());
}

/// The pages of a list that hold something, each after the one before.
/// @param first  fetches the first page
/// @param next  fetches the page after the one given
template <class T, class First, class Next>
typename ListResults<T>::PageSource pages_of(First first, Next next) {
    return [first = std::move(first), next = std::move(next)](const Page<T>* before) {
        EmptyPages empty;
        Result<Page<T>> page = before == nullptr ? first() : next(*before);
        while (page && page->items.empty() && !page->next.empty()) {
            if (const auto goes_on = empty.count(true); !goes_on)
                return Result<Page<T>>(goes_on.error());
            page = next(*page);
        }
        return page;
    };
}

/// Walks a list page by page without keeping the client alive.
template <class T>
class AsyncWalk : public std::enable_shared_from_this<AsyncWalk<T>> {
public:
    using Next = std::function<void(const Page<T>&, Callback<Page<T>>)>;
    using Visit = std::function<bool(Page<T>&)>;

    /// @param next   starts the fetch of the page after the one given, or fails when it cannot
    /// @param visit  takes a page; false ends the walk
    AsyncWalk(Next next, Visit visit, Callback<void> done)
        : next_(std::move(next)), visit_(std::move(visit)), done_(std::move(done)) {}

    void on_page(Result<Page<T>> page) {
        if (!page) return done_(page.error());
        if (const auto goes_on = empty_.count(page->items.empty()); !goes_on) {
            return done_(goes_on.error());
        }
        if (!visit_(*page) || page->next.empty()) return done_({});
        next_(*page, [self = this->shared_from_this()](Result<Page<T>> following) {
            self->on_page(std::move(following));
        });
    }

private:
    Next next_;
    EmptyPages empty_;
    Visit visit_;
    Callback<void> done_;
};

/// For a visit of AsyncWalk: gives each item to `on_item` until that returns false.
template <class T>
typename AsyncWalk<T>::Visit each_item(std::function<bool(T)> on_item) {
    return [on_item = std::move(on_item)](Page<T>& page) {
        for (auto& item : page.items) {
            if (!on_item(std::move(item))) return false;
        }
        return true;
    };
}

}  // namespace twiliowa::detail
