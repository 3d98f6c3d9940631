#include <twiliowa/outbox/durable_inbox.hpp>

#include <span>
#include <utility>

#include <twiliowa/types/address.hpp>

#include "outbox/catch_up.hpp"
#include "outbox/inbox_core.hpp"
#include "outbox/inbox_engine.hpp"
#include "outbox/inbox_personal_data.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr int most_workers = 1'000;
constexpr std::chrono::seconds shortest_lease{1};
constexpr std::size_t read_at_once = 200;
constexpr std::size_t purged_events_at_once = 100;

Result<void> check_senders(const TextList& senders) {
    for (const auto& sender : senders) {
        const auto address = Address::parse(sender);
        if (address && !address->phone_number().empty()) continue;
        return Error::invalid_request("catch_up_senders", "holds what is no number of a sender",
                                      "Twilio lists what came to a number: whatsapp:+447700900123, "
                                      "or sms:+447700900123; of a messaging service give each");
    }
    return {};
}

Result<void> check_inbox_options(const InboxOptions& options) {
    const auto wrong = [](std::string_view field, std::string_view problem) {
        return Error::invalid_request(field, problem);
    };
    if (options.workers < 1 || options.workers > most_workers) {
        return wrong("workers", "is not between 1 and 1000");
    }
    if (auto problem = wrong_duration("lease", options.lease, shortest_lease)) return *problem;
    if (options.max_tries < 1) return wrong("max_tries", "is less than 1");
    if (auto problem = wrong_duration("pauses", options.pauses, {})) return *problem;
    if (options.max_waiting < 0) return wrong("max_waiting", "is negative");
    if (options.max_waiting_per_account < 0) {
        return wrong("max_waiting_per_account", "is negative");
    }
    if (options.workers_per_account < 0 || options.workers_per_account > options.workers) {
        return wrong("workers_per_account", "is negative, or more than workers");
    }
    const std::pair<std::string_view, std::chrono::milliseconds> kept[] = {
        {"payload_kept", options.payload_kept},
        {"events_kept", options.events_kept},
        {"keys_kept", options.keys_kept}};
    for (const auto& [field, time] : kept) {
        if (time.count() < 0) return wrong(field, "is negative");
    }
    return check_senders(options.catch_up_senders);
}

std::shared_ptr<InboxCore> make_inbox_core(std::shared_ptr<OutboxStorage> storage, Outbox* outbox,
                                           InboxOptions options) {
    if (!storage) Error::invalid_request("storage", "is null").raise();
    check_inbox_options(options).value();
    auto core = std::make_shared<InboxCore>(std::move(storage), outbox, std::move(options));
    core->transact([](OutboxTransaction&, InboxTransaction&) { return Result<void>{}; }).value();
    return core;
}

}  // namespace
}  // namespace detail

InboxClients::InboxClients(std::vector<MessagesClient> clients) : clients_(std::move(clients)) {}
InboxClients::InboxClients(std::initializer_list<MessagesClient> clients) : clients_(clients) {}

struct DurableInbox::Impl {
    explicit Impl(std::shared_ptr<detail::InboxCore> made) : core(std::move(made)), engine(core) {
        if (!core->options.customers) return;
        personal_data = detail::inbox_personal_data(core);
        core->options.customers->add_part(personal_data);
    }

    template <class Event>
    Result<bool> decide(std::int64_t sequence, Event event) {
        auto applied = core->apply_to(sequence, std::move(event));
        if (applied) engine.wake();
        return applied;
    }

    const std::shared_ptr<detail::InboxCore> core;
    detail::InboxEngine engine;
    std::shared_ptr<const PersonalData> personal_data = {};  ///< Null without customers.
};

DurableInbox::DurableInbox(Outbox& outbox, InboxOptions options)
    : impl_(std::make_unique<Impl>(detail::make_inbox_core(
          detail::OutboxParts::of(outbox).core->storage, &outbox, std::move(options)))) {}
DurableInbox::DurableInbox(std::shared_ptr<OutboxStorage> storage, InboxOptions options)
    : impl_(std::make_unique<Impl>(
          detail::make_inbox_core(std::move(storage), nullptr, std::move(options)))) {}
DurableInbox::~DurableInbox() = default;

Result<InboxLook> DurableInbox::look(const EventKey& key) {
    return impl_->core->look(key);
}

Result<InboxAnswer> DurableInbox::take(const InboxDelivery& delivery) {
    auto answer = impl_->core->take(delivery);
    if (answer && *answer == InboxAnswer::taken) impl_->engine.wake();
    return answer;
}

bool DurableInbox::can_reply() const noexcept {
    return impl_->core->can_reply();
}

bool DurableInbox::is_running() const noexcept {
    return impl_->engine.is_running();
}

Result<void> DurableInbox::attach(InboxHandler& handler) {
    return impl_->engine.attach(handler);
}

void DurableInbox::detach(InboxHandler& handler) noexcept {
    impl_->engine.detach(handler);
}

Result<std::vector<InboxEvent>> DurableInbox::try_list(const InboxFilter& filter) {
    std::vector<InboxEvent> found;
    const auto done =
        impl_->core->transact([&](OutboxTransaction&, InboxTransaction& inbox) -> Result<void> {
            found.clear();
            const auto events = inbox.list(filter);
            if (!events) return events.error();
            for (const auto& event : *events) found.push_back(impl_->core->codec.view(event));
            return {};
        });
    if (!done) return done.error();
    return found;
}

std::vector<InboxEvent> DurableInbox::list(const InboxFilter& filter) {
    return try_list(filter).value();
}

Result<std::optional<InboxEvent>> DurableInbox::try_find(std::int64_t sequence) {
    std::optional<InboxEvent> found;
    const auto done =
        impl_->core->transact([&](OutboxTransaction&, InboxTransaction& inbox) -> Result<void> {
            found.reset();
            const auto events = inbox.load(std::span{&sequence, 1});
            if (!events) return events.error();
            if (!events->empty()) found = impl_->core->codec.view(events->front());
            return {};
        });
    if (!done) return done.error();
    return found;
}

std::optional<InboxEvent> DurableInbox::find(std::int64_t sequence) {
    return try_find(sequence).value();
}

Result<InboxCounts> DurableInbox::try_counts() {
    InboxCounts counts;
    const auto done = impl_->core->transact(
        [&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
            auto by_state = inbox.counts();
            if (!by_state) return by_state.error();
            const auto oldest = inbox.oldest_waiting();
            if (!oldest) return oldest.error();
            counts = {std::move(*by_state), *oldest, transaction.now()};
            return {};
        });
    if (!done) return done.error();
    return counts;
}

InboxCounts DurableInbox::counts() {
    return try_counts().value();
}

Result<bool> DurableInbox::try_retry(std::int64_t sequence) {
    return impl_->decide(sequence, [](detail::InboxMachine& machine) { return machine.retry(); });
}

bool DurableInbox::retry(std::int64_t sequence) {
    return try_retry(sequence).value();
}

Result<bool> DurableInbox::try_drop(std::int64_t sequence) {
    return impl_->decide(sequence, [](detail::InboxMachine& machine) { return machine.drop({}); });
}

bool DurableInbox::drop(std::int64_t sequence) {
    return try_drop(sequence).value();
}

Result<std::int64_t> DurableInbox::try_purge(TimePoint unchanged_since, bool keys) {
    std::int64_t removed = 0;
    while (true) {
        std::int64_t some = 0;
        const auto done = impl_->core->transact([&](OutboxTransaction& transaction,
                                                    InboxTransaction& inbox) -> Result<void> {
            const auto gone =
                inbox.purge(unchanged_since, keys ? std::optional{transaction.now()} : std::nullopt,
                            detail::purged_events_at_once);
            if (!gone) return gone.error();
            some = *gone;
            return {};
        });
        if (!done) return done.error();
        removed += some;
        if (some < static_cast<std::int64_t>(detail::purged_events_at_once)) return removed;
    }
}

Result<std::int64_t> DurableInbox::try_reseal() {
    std::int64_t sealed = 0;
    InboxFilter filter{.limit = detail::read_at_once};
    while (true) {
        std::int64_t some = 0;
        std::size_t read = 0;
        auto last = filter.after;
        const auto done =
            impl_->core->transact([&](OutboxTransaction&, InboxTransaction& inbox) -> Result<void> {
                some = 0;
                const auto events = inbox.list(filter);
                if (!events) return events.error();
                read = events->size();
                for (const auto& event : *events) {
                    last = event.sequence;
                    // Who has it writes it down soon.
                    if (event.state == InboxState::running) continue;
                    auto anew = impl_->core->codec.resealed(event);
                    if (!anew) return anew.error();
                    if (!*anew) continue;
                    if (auto written = inbox.rewrite(**anew); !written) return written;
                    ++some;
                }
                return {};
            });
        if (!done) return done.error();
        sealed += some;
        filter.after = last;
        if (read < filter.limit) return sealed;
    }
}

CatchUpReport DurableInbox::catch_up(TimePoint since, const CancelToken& cancel) {
    return try_catch_up(since, cancel).value();
}

Result<CatchUpReport> DurableInbox::try_catch_up(TimePoint since, const CancelToken& cancel) {
    const auto& clients = impl_->core->options.clients;
    if (clients.empty()) {
        return Error::invalid_request("clients", "are not given",
                                      "give InboxOptions::clients one for each account");
    }
    auto report = impl_->engine.with_handler([&](InboxHandler& handler) {
        return detail::without_exceptions(
            [&] { return detail::catch_up(*impl_->core, since, handler, cancel); });
    });
    impl_->engine.wake();
    return report;
}

std::shared_ptr<const PersonalData> DurableInbox::personal_data() const {
    return detail::inbox_personal_data(impl_->core);
}

void DurableInbox::start() {
    impl_->engine.start().value();
}

bool DurableInbox::drain(std::chrono::milliseconds at_most) {
    return impl_->engine.drain(at_most);
}

void DurableInbox::stop() {
    impl_->engine.stop();
}

Result<InboxIdleReport> DurableInbox::try_run_until_idle() {
    return impl_->engine.with_handler([&](InboxHandler& handler) -> Result<InboxIdleReport> {
        InboxIdleReport report;
        while (true) {
            auto claims = impl_->core->claim({.messages = 1, .all = 1}, {});
            if (!claims) return claims.error();
            report.next_due = claims->next_due;
            if (claims->claimed.empty()) return report;
            const auto tried =
                impl_->core->try_event(handler, std::move(claims->claimed.front()), {});
            const auto outcome = impl_->core->settle(tried);
            if (!outcome) return outcome.error();
            ++(*outcome == InboxOutcome::handled ? report.handled : report.failed);
        }
    });
}

InboxIdleReport DurableInbox::run_until_idle() {
    return try_run_until_idle().value();
}

}  // namespace twiliowa
