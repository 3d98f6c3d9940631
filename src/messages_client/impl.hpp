#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <twiliowa/messages_client.hpp>

#include "call/call_driver.hpp"
#include "messages_client/outbound_checks.hpp"
#include "messages_client/send_gate.hpp"
#include "messages_client/verb.hpp"

namespace twiliowa {

struct MessagesClient::Impl {
    std::shared_ptr<const detail::CallEnvironment> environment;
    std::shared_ptr<HttpTransport> transport;
    detail::OutboundDefaults defaults;
    std::shared_ptr<const detail::SendGate> gate;  ///< Null if there is nothing to ask.

    /// The blocking form of a verb. `name` is a literal, for the observer.
    template <class T>
    Result<T> run(std::string_view name, Result<detail::Prepared> prepared,
                  detail::ReadAnswer<T> read, const CallOptions& options) const {
        if (!prepared) return refuse(name, prepared.error());
        prepared->operation.name = name;
        T value{};
        auto error = detail::run_blocking(
            *environment, *transport, prepared->credentials, std::move(prepared->operation),
            options, [&value, read](HttpResponse& answer) { return read(answer, value); });
        if (error) return std::move(*error);
        return value;
    }

    Result<void> run(std::string_view name, Result<detail::Prepared> prepared,
                     detail::CheckAnswer check, const CallOptions& options) const {
        if (!prepared) return refuse(name, prepared.error());
        prepared->operation.name = name;
        auto error = detail::run_blocking(*environment, *transport, prepared->credentials,
                                          std::move(prepared->operation), options, check);
        if (error) return std::move(*error);
        return {};
    }

    /// Its asynchronous form.
    template <class T, class Done>
    void start(std::string_view name, Result<detail::Prepared> prepared, detail::ReadAnswer<T> read,
               Done done, const CallOptions& options) const {
        if (!prepared) return refuse_later(name, prepared.error(), std::move(done));
        prepared->operation.name = name;
        const auto value = std::make_shared<T>();
        detail::run_async(
            environment, transport, prepared->credentials, std::move(prepared->operation), options,
            [value, read](HttpResponse& answer) { return read(answer, *value); },
            [value, done = std::move(done)](std::optional<Error> error) {
                if (error) return done(std::move(*error));
                done(std::move(*value));
            });
    }

    void start(std::string_view name, Result<detail::Prepared> prepared, detail::CheckAnswer check,
               Callback<void> done, const CallOptions& options) const {
        if (!prepared) return refuse_later(name, prepared.error(), std::move(done));
        prepared->operation.name = name;
        detail::run_async(environment, transport, prepared->credentials,
                          std::move(prepared->operation), options, check,
                          [done = std::move(done)](std::optional<Error> error) {
                              if (error) return done(std::move(*error));
                              done({});
                          });
    }

    /// The end of a call that was refused before it began.
    Error refuse(std::string_view name, const Error& error) const {
        environment->tell_refused(name, error);
        return error;
    }

    /// `done` is never called by the call itself.
    template <class Done>
    void refuse_later(std::string_view name, const Error& error, Done done) const {
        complete_later([done = std::move(done), error = refuse(name, error)] { done(error); });
    }

    template <class Task>
    void complete_later(Task task) const {
        detail::complete_later(*environment, transport, std::move(task));
    }
};

}  // namespace twiliowa
