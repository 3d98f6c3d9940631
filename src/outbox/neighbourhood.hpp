/// @file
/// What else an outbox has for a job's customer: whose a message is that Twilio's list shows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/sid.hpp>

#include "outbox/job_codec.hpp"

namespace twiliowa::detail {

/// The jobs for one customer.
class Neighbourhood {
public:
    /// Others that may have sent what the job may have.
    struct Twins {
        bool twin = false;        ///< There is one that Twilio's list may show alike.
        bool look_alike = false;  ///< And one that is another message all the same.
    };

    /// Takes in a job, or what has become of it.
    void take(const StoredJob& job, const JobCodec& codec);
    /// Whether a job other than that one has that message, a double counting, too.
    bool is_others(const std::string& sid, const JobId& job) const;
    Twins twins_of(const StoredJob& job, const JobCodec& codec) const;
    /// Adds every message that they have.
    void collect_sids(std::vector<MessageSid>& sids) const;

private:
    /// Jobs of one content that may have been sent, and whose message nobody knows.
    struct Doubtful {
        std::optional<OutboundMessage> message = {};  ///< Nullopt: it cannot be read.
        /// With the accounts in whose lists each may be: AC...
        std::map<JobId, std::set<std::string>> jobs = {};
    };

    std::map<std::string, Doubtful> doubtful_ = {};  ///< By content hash.
    std::set<std::pair<std::string, JobId>> owners_ = {};
    std::map<JobId, std::vector<std::string>> sids_of_ = {};
};

/// Neighbourhoods within one transaction, each read once: of a thousand jobs for one customer the
/// thousandth must not read all the others anew.
class Neighbourhoods {
public:
    Result<std::shared_ptr<const Neighbourhood>> around(OutboxTransaction& transaction,
                                                        const StoredJob& job,
                                                        const JobCodec& codec);
    /// The transaction has changed it.
    void changed(const StoredJob& job, const JobCodec& codec);

private:
    std::map<std::string, std::shared_ptr<Neighbourhood>> by_customer_ = {};
};

}  // namespace twiliowa::detail
