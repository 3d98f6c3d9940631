/// @file
/// What every client of the API is made of.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

#include <twiliowa/client_options.hpp>
#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/types/credentials.hpp>

#include "call/verb.hpp"

namespace twiliowa::detail {

/// Core and transport, and the two ways to carry out a verb.
struct ApiClient {
    std::shared_ptr<const ClientCore> core = {};
    std::shared_ptr<HttpTransport> transport = {};

    static Result<ApiClient> create(CredentialsProvider provider, const ClientOptions& options) {
        auto core = make_client_core(std::move(provider), options);
        if (!core) return core.error();
        return ApiClient{std::move(*core),
                         options.transport ? options.transport : std::make_shared<CurlTransport>()};
    }

    /// The blocking form of a verb.
    template <class T, class... Parameters, class... Arguments>
    Result<T> run(const Verb<T, Parameters...>& verb, const CallOptions& options,
                  Arguments&&... arguments) const {
        return run_verb(verb, *core, *transport,
                        verb.prepare(*core, std::forward<Arguments>(arguments)...), options);
    }

    /// Its asynchronous form.
    template <class T, class... Parameters, class Done, class... Arguments>
    void start(const Verb<T, Parameters...>& verb, Done done, const CallOptions& options,
               Arguments&&... arguments) const {
        start_verb(verb, core, transport,
                   verb.prepare(*core, std::forward<Arguments>(arguments)...), std::move(done),
                   options);
    }
};

/// The credentials, and a call of `path` at the product's host.
inline Result<PreparedCall> prepare_at(const ClientCore& core, ApiProduct product,
                                       std::string_view path) {
    auto credentials = core.credentials();
    if (!credentials) return credentials.error();
    PreparedCall prepared{.credentials = std::move(*credentials)};
    prepared.operation.url = core.origin_of(product).base;
    prepared.operation.url += path;
    return prepared;
}

/// A call of a link that an answer of the product's gave.
inline Result<PreparedCall> prepare_link(const ClientCore& core, ApiProduct product,
                                         std::string_view link) {
    auto url = same_origin_url(core.origin_of(product), link);
    if (!url) return url.error();
    auto credentials = core.credentials();
    if (!credentials) return credentials.error();
    PreparedCall prepared{.credentials = std::move(*credentials)};
    prepared.operation.url = std::move(*url);
    return prepared;
}

/// `/2010-04-01/Accounts/{AccountSid}` and what follows it: the account is that of the credentials.
inline Result<PreparedCall> prepare_of_account(const ClientCore& core,
                                               std::initializer_list<std::string_view> rest) {
    auto credentials = core.credentials();
    if (!credentials) return credentials.error();
    PreparedCall prepared{.credentials = std::move(*credentials)};
    auto& url = prepared.operation.url;
    std::size_t size = core.origin_of(ApiProduct::api).base.size() + 60;
    for (const auto part : rest) size += part.size();
    url.reserve(size);
    url.append(core.origin_of(ApiProduct::api).base)
        .append("/2010-04-01/Accounts/")
        .append(prepared.credentials.account_sid().str());
    for (const auto part : rest) url.append(part);
    return prepared;
}

/// A provider of the same credentials every time.
inline CredentialsProvider always(Credentials credentials) {
    return [credentials = std::move(credentials)] { return Result<Credentials>(credentials); };
}

}  // namespace twiliowa::detail
