/// @file
/// A job between what a program says of it and what a storage keeps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/address.hpp>

namespace twiliowa::detail {

/// Refuses, by the name of `on_unknown`, what cannot be reckoned with.
Result<void> check_policy(const OnUnknown& policy);

/// Refuses, by its name, an `expires_at` that has passed. Apart from `JobCodec::encode`: of a job
/// that is handed over again it says nothing.
Result<void> check_in_time(const JobOptions& options, TimePoint now);

/// Refuses, by the name of `by` or `why`, what is no name and no reason.
Result<void> check_resolution(const Resolution& resolution);

/// What a message that leaves it open is sent as.
struct JobDefaults {
    std::string from = {};
    std::string messaging_service_sid = {};
};

/// Checks, writes and reads jobs: in the clear, or sealed. Immutable.
class JobCodec {
public:
    JobCodec(OnUnknown on_unknown, std::optional<Sealer> sealer);

    /// A job that is checked as its send will be, field by field, and names its sender itself.
    Result<StoredJob> encode(OutboundMessage message, const JobOptions& options,
                             const JobDefaults& defaults, const JobId& id, TimePoint now) const;
    /// Makes a whole job of a row that another program put in: of what it says, as `encode` does.
    Result<StoredJob> complete(const StoredJob& row, const JobDefaults& defaults) const;
    /// What a payload holds.
    struct Content {
        OutboundMessage message = {};
        std::string key = {};
        std::string order_key = {};
        std::string time_zone = {};
        std::vector<Fallback> fallbacks = {};
    };
    /// An error if it was erased, or cannot be read.
    Result<Content> read(const StoredJob& job) const;
    /// The message of it.
    Result<OutboundMessage> message_of(const StoredJob& job) const;
    /// What cannot be opened is left out.
    Job view(const StoredJob& job) const;

    /// Whether it was put in sealed, or is kept so.
    static bool is_sealed(const StoredJob& row);
    /// Whether it is kept in the way that `encode` would keep it now.
    Result<bool> is_sealed_as_now(const StoredJob& job) const;

    /// Whether Twilio takes that URL for status callbacks; an empty one is none.
    Result<void> check_callback(const std::string& url) const;

    /// What `StoredJob::key` may be for a key: by each key of the ring, the newest first.
    Result<std::vector<std::string>> keys_of(std::string_view tenant, std::string_view key) const;
    /// What `StoredJob::customer` may be for that address; both ways of writing a number give the
    /// same.
    Result<std::vector<std::string>> customers_of(const Address& address) const;
    /// Whether a job's content, known by its hash, is that of `job`.
    Result<bool> is_same_content(const StoredJob& job, const std::string& content_hash) const;
    /// Whether a job is for that address; nullopt if it cannot be told, as of a number and a user
    /// id.
    Result<std::optional<bool>> is_for(const StoredJob& job, const Address& address) const;

private:
    Result<void> check(const OutboundMessage& message) const;
    Result<std::vector<Fallback>> whole_fallbacks(const OutboundMessage& message,
                                                  const JobOptions& options) const;
    Result<std::string> write_payload(std::string json, std::string_view fallbacks, const JobId& id,
                                      const JobOptions& options) const;
    Result<std::vector<std::string>> content_hashes(const Content& content) const;
    Result<std::string> hidden(std::string_view value, std::string_view purpose) const;
    Result<std::vector<std::string>> all_hidden(std::string_view value,
                                                std::string_view purpose) const;

    OnUnknown on_unknown_;
    std::optional<Sealer> sealer_;
    MessagesClient checker_;           ///< Sends nothing: it knows the rules.
    MessagesClient fallback_checker_;  ///< The same, for messages with a fallback.
};

}  // namespace twiliowa::detail
