/// @file
/// What an observer is told of a transaction of an outbox, once it is committed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/observer.hpp>

namespace twiliowa::detail {

/// How a job stood, as far as what became of it can be told from that.
struct JobMark {
    JobMark() noexcept = default;
    explicit JobMark(const StoredJob& job) noexcept;

    JobState state = JobState::ready;
    bool suspect = false;
    int looks = 0;
    std::size_t attempts = 0;
    std::size_t unsent = 0;  ///< Attempts that did nothing.
    TimePoint not_before = {};
};

/// Gathered by what happens within one transaction, and told when it has ended. An outbox without
/// an observer has none.
class OutboxNews {
public:
    /// Null: nobody is told.
    static OutboxNews* of(const OutboxTransaction& transaction) noexcept {
        return transaction.news_;
    }
    /// That transaction's news are gathered here, as long as this lives.
    class Gathering {
    public:
        Gathering(OutboxTransaction& transaction, OutboxNews& news) noexcept
            : transaction_(transaction) {
            transaction_.news_ = &news;
        }
        ~Gathering() { transaction_.news_ = nullptr; }
        Gathering(const Gathering&) = delete;
        Gathering& operator=(const Gathering&) = delete;

    private:
        OutboxTransaction& transaction_;
    };

    void enqueued(const StoredJob& job, TimePoint now);
    void adopted(const StoredJob& job, TimePoint now);
    /// @param outcomes  what its handler is told of
    void changed(const JobMark& before, const StoredJob& job, std::span<const Outcome> outcomes,
                 TimePoint now);
    void refused_as_full(const OutboxFullEvent& event) { full_.push_back(event); }
    void paused(const Pause& pause, bool by_itself);
    void resumed(Pause::Of of, std::string_view name, bool by_itself);
    /// @param before  nullopt: it is new
    void campaign_changed(std::optional<CampaignState> before, const StoredCampaign& campaign);
    /// One that runs has nothing under way any more, or has again.
    void campaign_ended(const std::string& id, bool is_over);
    /// Campaigns that may have come to their end by this, or away from it; by id, whether one runs
    /// since this.
    using Endings = std::map<std::string, bool>;
    const Endings& endings() const noexcept { return endings_; }

    /// @param committed  if it was not, only what was refused is told
    void tell(Observer& observer, bool committed) const;

private:
    struct OfJob {
        JobChange change = JobChange::enqueued;
        JobId job = {};
        std::optional<JobState> before = {};
        JobState state = JobState::ready;
        DeadReason reason = DeadReason::none;
        Evidence evidence = Evidence::none;
        std::string problem = {};
        std::string account = {};
        std::string tag = {};
        std::string campaign = {};
        Lane lane = Lane::normal;
        std::string message_sid = {};
        int error_code = 0;
        std::size_t attempts = 0;
        int looks = 0;
        std::chrono::milliseconds since_created{0};
        std::chrono::milliseconds wait{0};
    };
    struct OfPause {
        bool paused = false;
        Pause pause = {};
        bool by_itself = false;
    };
    struct OfCampaign {
        std::string id = {};
        std::string_view before = {};
        std::string_view phase = {};
        std::string problem = {};
    };

    void add(JobChange change, std::optional<JobState> before, const StoredJob& job, TimePoint now);
    static void tell_of(Observer& observer, const OfJob& news);
    static void tell_of(Observer& observer, const OfPause& news);
    static void tell_of(Observer& observer, const OfCampaign& news);

    std::vector<std::variant<OfJob, OfPause, OfCampaign>> news_ = {};  ///< In the order of events.
    std::vector<OutboxFullEvent> full_ = {};
    std::map<std::string, std::int64_t> suspects_ = {};  ///< How many, by what was noticed.
    Endings endings_ = {};
};

/// `outbox`, `account`, `sender`, `tenant`.
std::string_view name_of(Pause::Of of) noexcept;

/// A sender as observers are told of it: a messaging service; empty instead of a number.
std::string_view told_sender(std::string_view sender) noexcept;

}  // namespace twiliowa::detail
