#include "outbox/outbox_personal_data.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace twiliowa::detail {
namespace {

class OutboxPersonalData final : public PersonalData {
public:
    explicit OutboxPersonalData(std::shared_ptr<const OutboxCore> core) : core_(std::move(core)) {}

    std::string_view name() const noexcept override { return "outbox"; }

    Result<Forgotten> forget(std::span<const CustomerConversation> of) const override {
        Forgotten forgotten;
        const auto done = for_each(
            of, [&] { forgotten = {}; },
            [&](OutboxTransaction& transaction, StoredJob& job) -> Result<void> {
                // Without its customer a callback could not be told to be another's.
                if (!is_final(job.state)) {
                    forgotten.not_yet = true;
                    return {};
                }
                job.payload.clear();
                job.customer.clear();
                job.order_key.clear();
                return transaction.rewrite(job);
            });
        if (!done) return done.error();
        return forgotten;
    }

    Result<std::string> export_of(std::span<const CustomerConversation> of) const override {
        auto list = nlohmann::json::array();
        const auto done = for_each(
            of, [&] { list = nlohmann::json::array(); },
            [&](OutboxTransaction&, StoredJob& stored) -> Result<void> {
                const auto job = core_->codec.view(stored);
                nlohmann::json entry{{"id", job.id.str()},
                                     {"key", job.key},
                                     {"state", std::string{to_string(job.state)}},
                                     {"sid", job.sid.str()},
                                     {"created_at", seconds_of(job.created_at)}};
                if (job.message) {
                    entry["to"] = std::string{job.message->to};
                    entry["body"] = std::string{job.message->body};
                    entry["content_sid"] = std::string{job.message->content_sid};
                    auto variables = nlohmann::json::object();
                    for (const auto& [variable, value] : job.message->content_variables.entries()) {
                        variables[variable] = value;
                    }
                    entry["variables"] = std::move(variables);
                }
                list.push_back(std::move(entry));
                return {};
            });
        if (!done) return done.error();
        return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    static std::int64_t seconds_of(TimePoint time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    }

    /// Every job for one of the addresses, from when it was theirs. A storage may begin anew.
    template <class Begin, class Work>
    Result<void> for_each(std::span<const CustomerConversation> of, Begin begin, Work work) const {
        return core_->storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
            begin();
            for (const auto& conversation : of) {
                for (const auto& linked : conversation.customer.addresses) {
                    auto done = for_each(transaction, conversation.sender, linked, work);
                    if (!done) return done;
                }
            }
            return {};
        });
    }

    template <class Work>
    Result<void> for_each(OutboxTransaction& transaction, const Sender& sender,
                          const LinkedAddress& linked, Work& work) const {
        auto customers = core_->codec.customers_of(linked.address);
        if (!customers) return customers.error();
        JobFilter filter{.sender = sender.wire(), .customers = std::move(*customers), .limit = 200};
        while (true) {
            auto jobs = transaction.list(filter);
            if (!jobs) return jobs.error();
            for (auto& job : *jobs) {
                filter.after = job.sequence;
                if (!linked.held(job.created_at)) continue;
                if (auto done = work(transaction, job); !done) return done;
            }
            if (jobs->size() < filter.limit) return {};
        }
    }

    std::shared_ptr<const OutboxCore> core_;
};

}  // namespace

std::shared_ptr<const PersonalData> outbox_personal_data(std::shared_ptr<const OutboxCore> core) {
    return std::make_shared<OutboxPersonalData>(std::move(core));
}

}  // namespace twiliowa::detail
