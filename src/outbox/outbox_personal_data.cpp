#include "outbox/outbox_personal_data.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "outbox/chain_steps.hpp"
#include "outbox/job_pages.hpp"
#include "state/entries.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::size_t personal_jobs_at_once = 200;

class OutboxPersonalData final : public PersonalData {
public:
    explicit OutboxPersonalData(std::shared_ptr<const OutboxCore> core) : core_(std::move(core)) {}

    std::string_view name() const noexcept override { return "outbox"; }

    /// Asked by the job's customer alone, which is an index of its own.
    Result<std::vector<Sender>> senders_of(std::span<const Address> addresses) const override {
        std::vector<std::string> wires;
        const auto done = core_->transact([&](OutboxTransaction& transaction) {
            wires.clear();
            return list_senders(transaction, addresses, wires);
        });
        if (!done) return done.error();
        std::vector<Sender> senders;
        senders.reserve(wires.size());
        for (const auto& wire : wires) senders.push_back(sender_from_wire(wire));
        return senders;
    }

    Result<Forgotten> forget(std::span<const CustomerConversation> of) const override {
        Forgotten forgotten;
        const auto done = for_each(
            of, [&] { forgotten = {}; },
            [&](OutboxTransaction& transaction, StoredJob& job, bool is_needed) -> Result<void> {
                // Without its customer a callback could not be told to be another's.
                if (is_needed || !is_final(job.state)) {
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
            [&](OutboxTransaction&, StoredJob& stored, bool) -> Result<void> {
                const auto job = core_->codec.view(stored);
                nlohmann::json entry{{"id", job.id.str()},
                                     {"key", job.key},
                                     {"state", std::string{to_string(job.state)}},
                                     {"sid", job.sid.str()},
                                     {"created_at", seconds_of(job.created_at)}};
                if (job.message) {
                    entry["to"] = std::string{job.message->to};
                    entry.update(texts_of(*job.message));
                }
                for (const auto& fallback : job.fallbacks) {
                    entry["fallbacks"].push_back(texts_of(fallback.message));
                }
                list.push_back(std::move(entry));
                return {};
            });
        if (!done) return done.error();
        return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

private:
    static nlohmann::json texts_of(const OutboundMessage& message) {
        auto variables = nlohmann::json::object();
        for (const auto& [variable, value] : message.content_variables.entries()) {
            variables[variable] = value;
        }
        return {{"body", std::string{message.body}},
                {"content_sid", std::string{message.content_sid}},
                {"variables", std::move(variables)}};
    }

    Result<void> list_senders(OutboxTransaction& transaction, std::span<const Address> addresses,
                              std::vector<std::string>& wires) const {
        JobFilter filter{.limit = personal_jobs_at_once};
        for (const auto& address : addresses) {
            auto customers = core_->codec.customers_of(address);
            if (!customers) return customers.error();
            filter.customers.insert(filter.customers.end(), customers->begin(), customers->end());
        }
        return for_each_job(transaction, std::move(filter), [&](const StoredJob& job) {
            const bool is_known = std::find(wires.begin(), wires.end(), job.sender) != wires.end();
            if (!is_known) wires.push_back(job.sender);
            return Result<void>{};
        });
    }

    static std::int64_t seconds_of(TimePoint time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    }

    /// Every job for one of the addresses, from when it was theirs. A storage may begin anew.
    template <class Begin, class Work>
    Result<void> for_each(std::span<const CustomerConversation> of, Begin begin, Work work) const {
        return core_->transact([&](OutboxTransaction& transaction) -> Result<void> {
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
        return for_each_job(transaction,
                            {.sender = sender.wire(),
                             .customers = std::move(*customers),
                             .limit = personal_jobs_at_once},
                            [&](StoredJob& job) -> Result<void> {
                                if (!linked.held(job.created_at)) return {};
                                const auto done = with_chain(transaction, job, work);
                                return done ? Result<void>{} : done.error();
                            });
    }

    /// What followed it went to the same person, by another road. The last step first: each is
    /// found by what the one before it holds, which is needed until the last is final. Whether it
    /// still is.
    template <class Work>
    Result<bool> with_chain(OutboxTransaction& transaction, StoredJob& job, Work& work) const {
        auto next = next_step_of(*core_, transaction, job);
        if (!next) return next.error();
        bool is_needed = false;
        if (*next) {
            auto later = with_chain(transaction, **next, work);
            if (!later) return later;
            is_needed = *later;
        }
        if (auto done = work(transaction, job, is_needed); !done) return done.error();
        return is_needed || !is_final(job.state);
    }

    std::shared_ptr<const OutboxCore> core_;
};

}  // namespace

std::shared_ptr<const PersonalData> outbox_personal_data(std::shared_ptr<const OutboxCore> core) {
    return std::make_shared<OutboxPersonalData>(std::move(core));
}

}  // namespace twiliowa::detail
