/// @file
/// The account's WhatsApp senders: `SendersClient`.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/client_options.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/channel_sender.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

namespace detail {
struct ApiClient;
struct SetupCheck;
}  // namespace detail

/// Reads the account's WhatsApp senders: status, quality rating, messaging limit, why one is
/// offline. Changes nothing.
///
/// GET https://messaging.twilio.com/v2/Channels/Senders?Channel=whatsapp and .../{Sid}. Idempotent.
///
/// Immutable and cheap to copy; one object may be used from any number of threads at once. Forms,
/// threads and errors are as for MessagesClient.
class TWILIOWA_EXPORT SendersClient {
public:
    /// Give the same options as to MessagesClient, with the same transport, to share connections.
    /// What concerns sending is not looked at. @throws InvalidRequestError naming the option that
    /// is wrong.
    explicit SendersClient(Credentials credentials, const ClientOptions& options = {});
    /// Asks `provider` for credentials at every call.
    explicit SendersClient(CredentialsProvider provider, const ClientOptions& options = {});
    static Result<SendersClient> try_create(CredentialsProvider provider,
                                            const ClientOptions& options = {});

    /// One sender.
    ChannelSender fetch(const ChannelSenderSid& sid, const CallOptions& options = {}) const;
    Result<ChannelSender> try_fetch(const ChannelSenderSid& sid,
                                    const CallOptions& options = {}) const;
    void async_fetch(const ChannelSenderSid& sid, Callback<ChannelSender> done,
                     const CallOptions& options = {}) const;

    /// All of them, page after page; the time of `options` is for the whole.
    std::vector<ChannelSender> list(const CallOptions& options = {}) const;
    Result<std::vector<ChannelSender>> try_list(const CallOptions& options = {}) const;
    void async_list(Callback<std::vector<ChannelSender>> done,
                    const CallOptions& options = {}) const;

private:
    friend struct detail::SetupCheck;
    struct Impl;
    explicit SendersClient(const detail::ApiClient& api);
    explicit SendersClient(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

}  // namespace twiliowa
