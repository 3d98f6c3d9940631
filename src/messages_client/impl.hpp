#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <twiliowa/messages_client.hpp>

#include "detail/call_driver.hpp"
#include "detail/outbound_checks.hpp"
#include "detail/send_gate.hpp"
#include "messages_client/verb.hpp"

namespace twiliowa {

struct MessagesClient::Impl {
    std::shared_ptr<const detail::CallEnvironment> environment;
    std::shared_ptr<HttpTransport> transport;
    detail::OutboundDefaults defaults;
    std::shared_ptr<const detail::SendGate> gate;  ///< Null if there is nothing to ask.

    /// The blocking form of a verb.
    template <class T>
    Result<T> run(Result<detail::Prepared> prepared, detail::ReadAnswer<T> read,
                  const CallOptions& options) const {
        if (!prepared) return prepared.error();
        T value{};
        auto error = detail::run_blocking(
            *environment, *transport, prepared->credentials, std::move(prepared->operation),
            options, [&value, read](HttpResponse& answer) { return read(answer, value); });
        if (error) return std::move(*error);
        return value;
    }

    Result<void> run(Result<detail::Prepared> prepared, detail::CheckAnswer check,
                     const CallOptions& options) const {
        if (!prepared) return prepared.error();
        auto error = detail::run_blocking(*environment, *transport, prepared->credentials,
                                          std::move(prepared->operation), options, check);
        if (error) return std::move(*error);
        return {};
    }

    /// Its asynchronous form.
    template <class T, class Done>
    void start(Result<detail::Prepared> prepared, detail::ReadAnswer<T> read, Done done,
               const CallOptions& options) const {
        if (!prepared) return fail_later(std::move(done), prepared.error());
        const auto value = std::make_shared<T>();
        detail::run_async(
            environment, transport, prepared->credentials, std::move(prepared->operation), options,
            [value, read](HttpResponse& answer) { return read(answer, *value); },
            [value, done = std::move(done)](std::optional<Error> error) {
                if (error) return done(std::move(*error));
                done(std::move(*value));
            });
    }

    void start(Result<detail::Prepared> prepared, detail::CheckAnswer check, Callback<void> done,
               const CallOptions& options) const {
        if (!prepared) return fail_later(std::move(done), prepared.error());
        detail::run_async(environment, transport, prepared->credentials,
                          std::move(prepared->operation), options, check,
                          [done = std::move(done)](std::optional<Error> error) {
                              if (error) return done(std::move(*error));
                              done({});
                          });
    }

    /// For what is refused before it starts: `done` is never called by the call itself.
    template <class Done>
    void fail_later(Done done, Error error) const {
        complete_later([done = std::move(done), error = std::move(error)] { done(error); });
    }

    template <class Task>
    void complete_later(Task task) const {
        detail::complete_later(*environment, transport, std::move(task));
    }
};

}  // namespace twiliowa
