#include <twiliowa/content_client.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "call/api_client.hpp"
#include "call/list_walk.hpp"
#include "content_client/approval_poll.hpp"
#include "content_client/content_verbs.hpp"
#include "content_client/upsert_plan.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {

std::string_view to_string(ContentUpsert::Action action) noexcept {
    switch (action) {
        case ContentUpsert::Action::unchanged:
            return "unchanged";
        case ContentUpsert::Action::updated:
            return "updated";
        case ContentUpsert::Action::created:
            return "created";
    }
    return "unknown";
}

struct ContentClient::Impl : detail::ApiClient {};

namespace detail {
namespace {

/// Twilio does not say why it refuses a change: this is the reason in nearly every case.
Result<ContentTemplate> explained(Result<ContentTemplate> updated) {
    if (updated || updated.error().kind() != ErrorKind::api ||
        updated.error().http_status() >= 500) {
        return updated;
    }
    return updated.error().with([](ErrorData& data) {
        data.hint =
            "only a template that was never submitted can be changed: create one under a new "
            "name, as upsert does";
    });
}

using ContentPage = Page<ContentTemplate>;
using ContentClientRef = std::shared_ptr<const ApiClient>;

/// The pages of a list or a search, of a client that the range keeps alive.
template <class Next, class First>
ContentResults content_pages(const ContentClientRef& client, const Next& next_verb,
                             const CallOptions& options, First first) {
    return ContentResults(pages_of<ContentTemplate>(
        [client, options, first = std::move(first)] { return first(*client, options); },
        [client, options, &next_verb](const ContentPage& page) {
            return further_than(page.next, client->run(next_verb, options, page.next));
        }));
}

/// Walks a list from its first page, which `first` starts to fetch.
template <class First>
void walk_contents(const ContentClientRef& client, const PageVerb<ContentTemplate>& next_verb,
                   AsyncWalk<ContentTemplate>::Visit visit, Callback<void> done,
                   const CallOptions& options, std::optional<MonotonicTime> deadline, First first) {
    const auto left = [deadline](const ApiClient& alive, const CallOptions& of_call) {
        return deadline ? options_until(*alive.core, *deadline, of_call) : of_call;
    };
    auto next = [weak = std::weak_ptr<const ApiClient>(client), options, left, &next_verb](
                    const ContentPage& page, Callback<ContentPage> on_page) {
        const auto alive = weak.lock();
        if (!alive) return on_page(client_destroyed());
        auto further = [link = page.next,
                        on_page = std::move(on_page)](Result<ContentPage> following) {
            on_page(further_than(link, std::move(following)));
        };
        alive->start(next_verb, std::move(further), left(*alive, options), page.next);
    };
    const auto walk = std::make_shared<AsyncWalk<ContentTemplate>>(
        std::move(next), std::move(visit), std::move(done));
    first(
        *client, [walk](Result<ContentPage> page) { walk->on_page(std::move(page)); },
        left(*client, options));
}

/// Starts to fetch the first page of the whole list.
void start_contents(const ApiClient& client, Callback<ContentPage> on_page,
                    const CallOptions& options) {
    client.start(list_contents_verb, std::move(on_page), options, std::string{});
}

// ---- Waiting for an approval.

/// The time of one question, which the whole wait bounds.
CallOptions question_options(const ClientCore& core, const ApprovalPoll& poll,
                             const CallOptions& options) {
    const auto question = deadline_of(core, options, core.clock->monotonic_now());
    return options_until(core, std::min(question, poll.deadline()), options);
}

/// Asks, waits and asks again, without keeping the client alive.
class ApprovalWalk : public std::enable_shared_from_this<ApprovalWalk> {
public:
    ApprovalWalk(const ContentClientRef& client, ContentSid sid, const ApprovalWait& wait,
                 CallOptions options, Callback<ContentApproval> done)
        : client_(client),
          sid_(std::move(sid)),
          options_(std::move(options)),
          done_(std::move(done)),
          poll_(wait, client->core->clock->monotonic_now()) {}

    void ask() {
        const auto client = client_.lock();
        if (!client) return done_(client_destroyed());
        client->start(
            fetch_approval_verb,
            [self = shared_from_this()](const Result<ContentApproval>& answer) {
                self->on_answer(answer);
            },
            question_options(*client->core, poll_, options_), sid_);
    }

private:
    void on_answer(const Result<ContentApproval>& answer) {
        const auto client = client_.lock();
        if (!client) return done_(client_destroyed());
        auto step = poll_.on_answer(answer, client->core->clock->monotonic_now());
        if (step.result) return done_(std::move(*step.result));
        // The question went out on a transport that is asynchronous.
        auto& transport = static_cast<AsyncHttpTransport&>(*client->transport);
        asked_ = false;
        cancellation_ = options_.cancel.on_cancel(
            [weak = weak_from_this(), of = std::weak_ptr<HttpTransport>(client->transport),
             clock = client->core->clock] {
                const auto self = weak.lock();
                const auto alive = of.lock();
                if (!self || !alive) return;
                static_cast<AsyncHttpTransport&>(*alive).call_at(clock->monotonic_now(),
                                                                 [self] { self->ask_once(); });
            });
        transport.call_at(step.ask_at, [self = shared_from_this()] { self->ask_once(); });
    }
    /// Whether its time has come or it was cancelled, which the question then finds.
    void ask_once() {
        if (!asked_.exchange(true)) ask();
    }

    std::weak_ptr<const ApiClient> client_;
    ContentSid sid_;
    CallOptions options_;
    Callback<ContentApproval> done_;
    ApprovalPoll poll_;
    std::atomic<bool> asked_{true};
    CancelRegistration cancellation_;
};

// ---- Upserting.

/// Carries out a plan, without keeping the client alive.
class UpsertWalk : public std::enable_shared_from_this<UpsertWalk> {
public:
    UpsertWalk(const ContentClientRef& client, UpsertPlan plan, const CallOptions& options,
               Callback<ContentUpsert> done)
        : client_(client),
          plan_(std::move(plan)),
          options_(options),
          deadline_(deadline_of(*client->core, options, client->core->clock->monotonic_now())),
          done_(std::move(done)) {}

    void obey(UpsertPlan::Step step) {
        using Do = UpsertPlan::Step::Do;
        if (step.what == Do::finish) return done_(std::move(*step.result));
        const auto client = client_.lock();
        if (!client) return done_(plan_.failure(client_destroyed()));
        const auto left = options_until(*client->core, deadline_, options_);
        auto self = shared_from_this();
        switch (step.what) {
            case Do::look:
                return look(client);
            case Do::update:
                return client->start(
                    update_content_verb,
                    [self](Result<ContentTemplate> updated) {
                        self->obey(self->plan_.on_updated(explained(std::move(updated))));
                    },
                    left, step.sid, step.definition);
            case Do::create:
                return client->start(
                    create_content_verb,
                    [self](Result<ContentTemplate> created) {
                        self->obey(self->plan_.on_created(std::move(created)));
                    },
                    left, step.definition);
            case Do::finish:
                return;
        }
    }

private:
    void look(const ContentClientRef& client) {
        plan_.look_again();
        walk_contents(
            client, list_contents_verb,
            each_item<ContentTemplate>([self = shared_from_this()](ContentTemplate content) {
                self->plan_.see(std::move(content));
                return true;
            }),
            [self = shared_from_this()](const Result<void>& seen) {
                if (!seen) return self->done_(self->plan_.failure(seen.error()));
                self->obey(self->plan_.decide());
            },
            options_, deadline_, start_contents);
    }

    std::weak_ptr<const ApiClient> client_;
    UpsertPlan plan_;
    CallOptions options_;
    MonotonicTime deadline_;
    Callback<ContentUpsert> done_;
};

}  // namespace
}  // namespace detail

ContentClient::ContentClient(Credentials credentials, const ClientOptions& options)
    : ContentClient(detail::always(std::move(credentials)), options) {}

ContentClient::ContentClient(CredentialsProvider provider, const ClientOptions& options)
    : ContentClient(try_create(std::move(provider), options).value()) {}

Result<ContentClient> ContentClient::try_create(CredentialsProvider provider,
                                                const ClientOptions& options) {
    auto made = detail::ApiClient::create(std::move(provider), options);
    if (!made) return made.error();
    return ContentClient(std::make_shared<const Impl>(Impl{std::move(*made)}));
}

ContentTemplate ContentClient::create(const ContentDefinition& definition,
                                      const CallOptions& options) const {
    return try_create(definition, options).value();
}
Result<ContentTemplate> ContentClient::try_create(const ContentDefinition& definition,
                                                  const CallOptions& options) const {
    return impl_->run(detail::create_content_verb, options, definition);
}
void ContentClient::async_create(const ContentDefinition& definition,
                                 Callback<ContentTemplate> done, const CallOptions& options) const {
    impl_->start(detail::create_content_verb, std::move(done), options, definition);
}

ContentTemplate ContentClient::fetch(const ContentSid& sid, const CallOptions& options) const {
    return try_fetch(sid, options).value();
}
Result<ContentTemplate> ContentClient::try_fetch(const ContentSid& sid,
                                                 const CallOptions& options) const {
    return impl_->run(detail::fetch_content_verb, options, sid);
}
void ContentClient::async_fetch(const ContentSid& sid, Callback<ContentTemplate> done,
                                const CallOptions& options) const {
    impl_->start(detail::fetch_content_verb, std::move(done), options, sid);
}

ContentRange ContentClient::list(const CallOptions& options) const {
    return ContentRange(try_list(options));
}
ContentResults ContentClient::try_list(const CallOptions& options) const {
    return detail::content_pages(impl_, detail::list_contents_verb, options,
                                 [](const detail::ApiClient& client, const CallOptions& of_call) {
                                     return client.run(detail::list_contents_verb, of_call,
                                                       std::string{});
                                 });
}
void ContentClient::async_list(std::function<bool(ContentTemplate)> on_template,
                               Callback<void> done, const CallOptions& options) const {
    detail::walk_contents(impl_, detail::list_contents_verb,
                          detail::each_item(std::move(on_template)), std::move(done), options, {},
                          detail::start_contents);
}

ContentRange ContentClient::search(ContentFilter filter, const CallOptions& options) const {
    return ContentRange(try_search(std::move(filter), options));
}
ContentResults ContentClient::try_search(ContentFilter filter, const CallOptions& options) const {
    return detail::content_pages(
        impl_, detail::next_contents_verb, options,
        [filter = std::move(filter)](const detail::ApiClient& client, const CallOptions& of_call) {
            return client.run(detail::search_contents_verb, of_call, filter);
        });
}
void ContentClient::async_search(ContentFilter filter,
                                 std::function<bool(ContentTemplate)> on_template,
                                 Callback<void> done, const CallOptions& options) const {
    detail::walk_contents(
        impl_, detail::next_contents_verb, detail::each_item(std::move(on_template)),
        std::move(done), options, {},
        [&filter](const detail::ApiClient& client, Callback<detail::ContentPage> on_page,
                  const CallOptions& of_call) {
            client.start(detail::search_contents_verb, std::move(on_page), of_call, filter);
        });
}

ContentTemplate ContentClient::update(const ContentSid& sid, const ContentDefinition& definition,
                                      const CallOptions& options) const {
    return try_update(sid, definition, options).value();
}
Result<ContentTemplate> ContentClient::try_update(const ContentSid& sid,
                                                  const ContentDefinition& definition,
                                                  const CallOptions& options) const {
    return detail::explained(impl_->run(detail::update_content_verb, options, sid, definition));
}
void ContentClient::async_update(const ContentSid& sid, const ContentDefinition& definition,
                                 Callback<ContentTemplate> done, const CallOptions& options) const {
    auto explain = [done = std::move(done)](Result<ContentTemplate> updated) {
        done(detail::explained(std::move(updated)));
    };
    impl_->start(detail::update_content_verb, std::move(explain), options, sid, definition);
}

void ContentClient::remove(const ContentSid& sid, bool delete_in_waba,
                           const CallOptions& options) const {
    try_remove(sid, delete_in_waba, options).value();
}
Result<void> ContentClient::try_remove(const ContentSid& sid, bool delete_in_waba,
                                       const CallOptions& options) const {
    return impl_->run(detail::remove_content_verb, options, sid, delete_in_waba);
}
void ContentClient::async_remove(const ContentSid& sid, Callback<void> done, bool delete_in_waba,
                                 const CallOptions& options) const {
    impl_->start(detail::remove_content_verb, std::move(done), options, sid, delete_in_waba);
}

ContentApproval ContentClient::submit(const ContentSid& sid, const ApprovalRequest& request,
                                      const CallOptions& options) const {
    return try_submit(sid, request, options).value();
}
Result<ContentApproval> ContentClient::try_submit(const ContentSid& sid,
                                                  const ApprovalRequest& request,
                                                  const CallOptions& options) const {
    return impl_->run(detail::submit_content_verb, options, sid, request);
}
void ContentClient::async_submit(const ContentSid& sid, const ApprovalRequest& request,
                                 Callback<ContentApproval> done, const CallOptions& options) const {
    impl_->start(detail::submit_content_verb, std::move(done), options, sid, request);
}

ContentApproval ContentClient::fetch_approval(const ContentSid& sid,
                                              const CallOptions& options) const {
    return try_fetch_approval(sid, options).value();
}
Result<ContentApproval> ContentClient::try_fetch_approval(const ContentSid& sid,
                                                          const CallOptions& options) const {
    return impl_->run(detail::fetch_approval_verb, options, sid);
}
void ContentClient::async_fetch_approval(const ContentSid& sid, Callback<ContentApproval> done,
                                         const CallOptions& options) const {
    impl_->start(detail::fetch_approval_verb, std::move(done), options, sid);
}

ContentApproval ContentClient::wait_until_approved(const ContentSid& sid, const ApprovalWait& wait,
                                                   const CallOptions& options) const {
    return try_wait_until_approved(sid, wait, options).value();
}

Result<ContentApproval> ContentClient::try_wait_until_approved(const ContentSid& sid,
                                                               const ApprovalWait& wait,
                                                               const CallOptions& options) const {
    if (auto wrong = detail::ApprovalPoll::wrong_times(wait)) {
        return detail::refuse_call(*impl_->core, detail::fetch_approval_verb.kind, *wrong, options);
    }
    auto& clock = *impl_->core->clock;
    detail::ApprovalPoll poll{wait, clock.monotonic_now()};
    for (;;) {
        const auto answer =
            try_fetch_approval(sid, detail::question_options(*impl_->core, poll, options));
        auto step = poll.on_answer(answer, clock.monotonic_now());
        if (step.result) return std::move(*step.result);
        clock.sleep_until(step.ask_at, options.cancel);
    }
}

void ContentClient::async_wait_until_approved(const ContentSid& sid, Callback<ContentApproval> done,
                                              const ApprovalWait& wait,
                                              const CallOptions& options) const {
    if (auto wrong = detail::ApprovalPoll::wrong_times(wait)) {
        return detail::refuse_call_async(*impl_->core, impl_->transport,
                                         detail::fetch_approval_verb.kind, *wrong, options,
                                         std::move(done));
    }
    std::make_shared<detail::ApprovalWalk>(impl_, sid, wait, options, std::move(done))->ask();
}

ContentUpsert ContentClient::upsert(const ContentDefinition& definition,
                                    const CallOptions& options) const {
    return try_upsert(definition, options).value();
}

Result<ContentUpsert> ContentClient::try_upsert(const ContentDefinition& definition,
                                                const CallOptions& options) const {
    using Do = detail::UpsertPlan::Step::Do;
    detail::UpsertPlan plan{definition};
    if (auto wrong = plan.wrong_definition()) {
        return detail::refuse_call(*impl_->core, detail::create_content_verb.kind, *wrong, options);
    }
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    const auto left = [&] { return detail::options_until(core, deadline, options); };
    detail::UpsertPlan::Step step{Do::look};
    while (step.what != Do::finish) {
        if (step.what == Do::look) {
            plan.look_again();
            auto seen =
                detail::collect_pages<ContentTemplate>(*impl_, detail::list_contents_verb, left());
            if (!seen) return plan.failure(seen.error());
            for (auto& content : *seen) plan.see(std::move(content));
            step = plan.decide();
        } else if (step.what == Do::update) {
            step = plan.on_updated(try_update(step.sid, step.definition, left()));
        } else {
            step = plan.on_created(try_create(step.definition, left()));
        }
    }
    return std::move(*step.result);
}

void ContentClient::async_upsert(const ContentDefinition& definition, Callback<ContentUpsert> done,
                                 const CallOptions& options) const {
    detail::UpsertPlan plan{definition};
    if (auto wrong = plan.wrong_definition()) {
        return detail::refuse_call_async(*impl_->core, impl_->transport,
                                         detail::create_content_verb.kind, *wrong, options,
                                         std::move(done));
    }
    std::make_shared<detail::UpsertWalk>(impl_, std::move(plan), options, std::move(done))
        ->obey({detail::UpsertPlan::Step::Do::look});
}

}  // namespace twiliowa
