/// @file
/// What Twilio's callbacks tell of the jobs of an outbox.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/webhook/status_callback.hpp>

#include "outbox/marker.hpp"
#include "outbox/outbox_core.hpp"

namespace twiliowa::detail {

class CallbackIntake {
public:
    using Work = OutboxStorage::Work;

    explicit CallbackIntake(std::shared_ptr<const OutboxCore> core) noexcept
        : core_(std::move(core)) {}

    /// Takes a callback in. Idempotent, in any order.
    /// @param transact  runs a work in a transaction, after whatever else belongs into it; called
    /// again, after a work that failed and undid it, if an account had to be asked first.
    Result<void> take_in(const StatusCallback& callback,
                         const std::function<Result<void>(const Work&)>& transact) const;

private:
    /// The AccountSid of each account that was asked.
    using AccountSids = std::map<std::string, std::string>;

    /// A callback whose URL says that it is about no attempt of ours.
    Result<void> learn_of_sid(OutboxTransaction& transaction, const StatusCallback& callback,
                              bool is_anothers) const;
    /// @param lacking  an account that is to be asked first; nothing was done then
    Result<void> learn_of_attempt(OutboxTransaction& transaction, const StatusCallback& callback,
                                  const Marker& marker, const AccountSids& account_sids,
                                  std::optional<std::string>& lacking) const;
    /// Signed, ours, and not known: what knew of it is gone, and more with it. Only of the account
    /// that says so: another one's may be made up by who can sign for this one.
    Result<void> notice_lost(OutboxTransaction& transaction, const StatusCallback& callback,
                             const Marker& marker, bool has_job, const AccountSids& account_sids,
                             std::optional<std::string>& lacking) const;

    std::shared_ptr<const OutboxCore> core_;
};

}  // namespace twiliowa::detail
