/// @file
/// std::future over the asynchronous verbs. Opt-in, header-only.
///
/// @code
/// auto sent = as_future(client, &MessagesClient::async_send_text,
///                       {.to = "+447700900123", .body = "On its way"});
/// Message message = sent.get();  // or throws the TwilioError
/// @endcode
#pragma once

#include <exception>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include <twiliowa/adapters/completion.hpp>
#include <twiliowa/messages_client.hpp>

namespace twiliowa {

/// The result of `start`, which is given the callback to pass to an asynchronous verb:
/// `as_future<Message>([&](auto done) { client.async_send(message, done); })`.
///
/// `get()` returns the value or throws the TwilioError; never std::future_error for a broken
/// promise. The future may be dropped: unlike std::async's, its destructor does not wait, and the
/// call goes on. What `start` itself throws leaves this function.
///
/// Do not wait for a future inside a completion: the thread that would fulfil it is the one
/// waiting.
template <class T, class Start>
[[nodiscard]] std::future<T> as_future(Start&& start) {
    std::promise<T> promise;
    auto future = promise.get_future();
    detail::start_call<T>(std::forward<Start>(start),
                          [promise = std::move(promise)](Result<T> result) mutable {
                              try {
                                  if constexpr (std::is_void_v<T>) {
                                      result.value();
                                      promise.set_value();
                                  } else {
                                      promise.set_value(std::move(result).value());
                                  }
                              } catch (...) {
                                  promise.set_exception(std::current_exception());
                              }
                          });
    return future;
}

/// The same for a verb that takes one argument, its callback and the options.
template <class T, class Argument>
[[nodiscard]] std::future<T> as_future(const MessagesClient& client,
                                       void (MessagesClient::*verb)(Argument, Callback<T>,
                                                                    const CallOptions&) const,
                                       std::type_identity_t<Argument> argument,
                                       const CallOptions& options = {}) {
    return as_future<T>([&](Callback<T> done) {
        (client.*verb)(std::forward<Argument>(argument), std::move(done), options);
    });
}

}  // namespace twiliowa
