/// @file
/// `co_await` over the asynchronous verbs. Opt-in, header-only; brings no task type of its own, so
/// it works inside any coroutine.
///
/// @code
/// Message message = co_await awaitable(client, &MessagesClient::async_send_text, text);
/// Result<Message> result = co_await try_awaitable(client, &MessagesClient::async_send_text, text);
/// @endcode
#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <twiliowa/adapters/completion.hpp>
#include <twiliowa/messages_client.hpp>

namespace twiliowa {

/// What `awaitable` and `try_awaitable` return; `co_await` it once.
///
/// The call begins with the `co_await`. The coroutine resumes on the thread that completes the call
/// (the transport's I/O thread, or the client's executor), so it must not block there; or without
/// suspending if the completion comes inside the initiating call. What `start` itself throws leaves
/// the `co_await`. A coroutine destroyed while it waits does not stop the call: its result is
/// dropped. Destroying it while another thread is resuming it is an error, as it always is.
template <class T, class Start, bool Throws>
class [[nodiscard]] Awaitable {
public:
    explicit Awaitable(Start start) : start_(std::move(start)) {}
    Awaitable(const Awaitable&) = delete;
    Awaitable& operator=(const Awaitable&) = delete;
    ~Awaitable() {
        if (shared_) shared_->progress.store(Progress::abandoned);
    }

    bool await_ready() const noexcept { return false; }

    /// Not inlined: clang before 17 may otherwise keep its locals in the coroutine's frame, which
    /// can be gone before it returns.
    [[gnu::noinline]] bool await_suspend(std::coroutine_handle<> waiting) {
        // Kept here too: once the call has begun, another thread may resume the coroutine, and with
        // it destroy this object, as soon as `progress` says that it waits.
        const auto shared = std::make_shared<Shared>();
        shared->waiting = waiting;
        detail::start_call<T>(std::move(start_), [shared](Result<T> result) {
            shared->result.emplace(std::move(result));
            auto expected = Progress::started;
            // Still inside await_suspend: let it go on without suspending.
            if (shared->progress.compare_exchange_strong(expected, Progress::completed)) return;
            if (expected != Progress::waiting) return;
            if (shared->progress.compare_exchange_strong(expected, Progress::completed)) {
                shared->waiting.resume();
            }
        });
        shared_ = shared;
        auto expected = Progress::started;
        return shared->progress.compare_exchange_strong(expected, Progress::waiting);
    }

    auto await_resume() {
        Result<T> result = std::move(*shared_->result);
        if constexpr (!Throws) {
            return result;
        } else {
            return std::move(result).value();
        }
    }

private:
    enum class Progress { started, waiting, completed, abandoned };
    struct Shared {
        std::atomic<Progress> progress{Progress::started};
        std::coroutine_handle<> waiting = {};
        std::optional<Result<T>> result = {};
    };

    Start start_;
    std::shared_ptr<Shared> shared_;
};

/// The result of `start`, which is given the callback to pass to an asynchronous verb:
/// `co_await awaitable<Message>([&](auto done) { client.async_send(message, done); })`.
/// Gives the value, or throws the TwilioError.
template <class T, class Start>
Awaitable<T, Start, true> awaitable(Start start) {
    return Awaitable<T, Start, true>(std::move(start));
}

/// The same, giving a Result<T>; throws no TwilioError.
template <class T, class Start>
Awaitable<T, Start, false> try_awaitable(Start start) {
    return Awaitable<T, Start, false>(std::move(start));
}

namespace detail {

/// A verb and what it is called with, kept until the `co_await`.
template <class T, class Argument>
struct BoundVerb {
    MessagesClient client;
    void (MessagesClient::*verb)(Argument, Callback<T>, const CallOptions&) const;
    std::remove_cvref_t<Argument> argument;
    CallOptions options;

    void operator()(Callback<T> done) {
        (client.*verb)(std::forward<Argument>(argument), std::move(done), options);
    }
};

}  // namespace detail

/// The same for a verb that takes one argument, its callback and the options.
template <class T, class Argument>
auto awaitable(const MessagesClient& client,
               void (MessagesClient::*verb)(Argument, Callback<T>, const CallOptions&) const,
               std::type_identity_t<std::remove_cvref_t<Argument>> argument,
               CallOptions options = {}) {
    return awaitable<T>(
        detail::BoundVerb<T, Argument>{client, verb, std::move(argument), std::move(options)});
}

/// The same, giving a Result<T>.
template <class T, class Argument>
auto try_awaitable(const MessagesClient& client,
                   void (MessagesClient::*verb)(Argument, Callback<T>, const CallOptions&) const,
                   std::type_identity_t<std::remove_cvref_t<Argument>> argument,
                   CallOptions options = {}) {
    return try_awaitable<T>(
        detail::BoundVerb<T, Argument>{client, verb, std::move(argument), std::move(options)});
}

}  // namespace twiliowa
