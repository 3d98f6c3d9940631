#include <twiliowa/check_setup.hpp>

#include <memory>
#include <utility>

#include <twiliowa/account_client.hpp>
#include <twiliowa/senders_client.hpp>

#include "check_setup/setup_report.hpp"
#include "messages_client/impl.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {

namespace detail {

/// Asks what the report wants to know, through clients that share core and transport of one.
struct SetupCheck {
    using Impl = MessagesClient::Impl;

    MessagesClient messages;
    AccountClient accounts;
    SendersClient senders;

    explicit SetupCheck(const std::shared_ptr<const Impl>& impl)
        : messages(impl), accounts(*impl), senders(*impl) {}

    /// A check that goes on without keeping the client alive.
    struct UnderWay {
        std::weak_ptr<const Impl> impl;
        SetupReport report;
        Callback<std::vector<SetupFinding>> done;
        CallOptions options;
        MonotonicTime deadline;
    };

    static SetupOfClient setup_of(const Impl& impl, std::string_view callback_url) {
        const auto credentials = impl.core->credentials();
        return {.from = impl.defaults.from,
                .has_messaging_service = !impl.defaults.messaging_service_sid.empty(),
                .has_api_key = credentials && credentials->username().starts_with("SK"),
                .callback_url = std::string{callback_url}};
    }

    /// Any message will do.
    static MessageFilter one_message() {
        MessageFilter filter;
        filter.page_size = 1;
        return filter;
    }

    static std::vector<SetupFinding> run(const MessagesClient& client,
                                         std::string_view callback_url, const CallOptions& options);
    static void start(const MessagesClient& client, std::string_view callback_url,
                      Callback<std::vector<SetupFinding>> done, const CallOptions& options);
    static void go_on(const std::shared_ptr<UnderWay>& check);
};

std::vector<SetupFinding> SetupCheck::run(const MessagesClient& client,
                                          std::string_view callback_url,
                                          const CallOptions& options) {
    const SetupCheck ask{client.impl_};
    const auto& core = *client.impl_->core;
    const auto deadline = deadline_of(core, options, core.clock->monotonic_now());
    SetupReport report{setup_of(*client.impl_, callback_url)};
    for (;;) {
        const auto rest = options_until(core, deadline, options);
        switch (report.next()) {
            case SetupReport::Question::account:
                report.take(ask.accounts.try_fetch(rest));
                break;
            case SetupReport::Question::messages:
                report.take(ask.messages.try_list_page(one_message(), rest));
                break;
            case SetupReport::Question::balance:
                report.take(ask.accounts.try_balance(rest));
                break;
            case SetupReport::Question::senders:
                report.take(ask.senders.try_list(rest));
                break;
            case SetupReport::Question::none:
                return report.finish();
        }
    }
}

void SetupCheck::start(const MessagesClient& client, std::string_view callback_url,
                       Callback<std::vector<SetupFinding>> done, const CallOptions& options) {
    const auto& core = *client.impl_->core;
    go_on(std::make_shared<UnderWay>(
        UnderWay{client.impl_, SetupReport{setup_of(*client.impl_, callback_url)}, std::move(done),
                 options, deadline_of(core, options, core.clock->monotonic_now())}));
}

void SetupCheck::go_on(const std::shared_ptr<UnderWay>& check) {
    const auto impl = check->impl.lock();
    if (!impl) return check->done(client_destroyed());
    const SetupCheck ask{impl};
    const auto rest = options_until(*impl->core, check->deadline, check->options);
    const auto on_answer = [check](auto answer) {
        check->report.take(answer);
        go_on(check);
    };
    switch (check->report.next()) {
        case SetupReport::Question::account:
            return ask.accounts.async_fetch(on_answer, rest);
        case SetupReport::Question::messages:
            return ask.messages.async_list_page(one_message(), on_answer, rest);
        case SetupReport::Question::balance:
            return ask.accounts.async_balance(on_answer, rest);
        case SetupReport::Question::senders:
            return ask.senders.async_list(on_answer, rest);
        case SetupReport::Question::none:
            return check->done(check->report.finish());
    }
}

}  // namespace detail

std::string_view to_string(SetupLevel level) noexcept {
    switch (level) {
        case SetupLevel::ok:
            return "ok";
        case SetupLevel::warning:
            return "warning";
        case SetupLevel::wrong:
            return "wrong";
    }
    return "unknown";
}

std::vector<SetupFinding> check_setup(const MessagesClient& client, std::string_view callback_url,
                                      const CallOptions& options) {
    return detail::SetupCheck::run(client, callback_url, options);
}

void async_check_setup(const MessagesClient& client, std::string_view callback_url,
                       Callback<std::vector<SetupFinding>> done, const CallOptions& options) {
    detail::SetupCheck::start(client, callback_url, std::move(done), options);
}

}  // namespace twiliowa
