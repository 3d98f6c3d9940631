#include <twiliowa/outbox/dialogue.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

#include <twiliowa/state/dedup_store.hpp>

#include "outbox/dialogue_run.hpp"
#include "state/guarded_store.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// How often a step runs again that another write has overtaken.
constexpr int most_reruns = 3;
constexpr std::size_t longest_step_name = 100;
/// How often one who waits for a customer looks.
constexpr std::chrono::milliseconds look_for_customer{200};

/// A message that a dialogue has to do with, and who is responsible for it.
struct DialogueEvent {
    const InboundMessage& message;
    const CancelToken& lease_lost;
    /// Grows with every claim of the event. Nullopt: nobody counts them.
    std::optional<std::int64_t> fence = {};
};

/// What one run has left to do: a state to begin with.
struct DialogueStart {
    DialogueState state = {};
    std::string step = {};
};

/// The customer is one's own until this goes.
class CustomerLease {
public:
    CustomerLease(const DedupStore& dedup, Claim claim) : dedup_(dedup), claim_(std::move(claim)) {}
    CustomerLease(const CustomerLease&) = delete;
    CustomerLease& operator=(const CustomerLease&) = delete;
    /// Where this fails the lease ends by itself.
    ~CustomerLease() { static_cast<void>(dedup_.release(claim_)); }

private:
    const DedupStore& dedup_;
    Claim claim_;
};

Error dialogue_refusal(std::string_view field, std::string_view problem,
                       std::string_view hint = {}) {
    return Error::invalid_request(field, problem, hint);
}

DialogueOptions checked_dialogue(DialogueOptions options) {
    if (options.name.empty()) dialogue_refusal("name", "is empty").raise();
    require_duration("time_out", options.time_out);
    require_duration("wait", options.wait, {});
    if (!options.clock) options.clock = system_clock();
    return options;
}

}  // namespace
}  // namespace detail

struct Dialogue::Impl {
    Impl(std::shared_ptr<Store> store, DialogueOptions given)
        : options(detail::checked_dialogue(std::move(given))),
          // Of the store as it was given: the default lease goes by what it is.
          customers_held(store, {.lease = options.lease, .keeper = options.keeper}),
          memory({detail::guarded_store(std::move(store)), options.scope, options.name},
                 options.customers, options.time_out) {}

    Result<void> add(std::string_view name, Step step, bool is_first);
    /// With an inbox, in its order.
    Result<void> take(Turn& turn) const;
    /// Without one, under a lease.
    Result<MessagingResponse> answer(const InboundMessage& message,
                                     const CancelToken& lease_lost) const;
    Result<detail::DialogueParties> parties_of(std::string_view customer,
                                               std::string_view sender) const;
    Result<std::uint64_t> put(const detail::DialogueParties& parties, const DialogueState& state,
                              bool only_if_under_way) const;

    const DialogueOptions options;
    const DedupStore customers_held;
    const detail::DialogueMemory memory;
    detail::KnownContents contents;
    detail::DialogueSteps steps;
    std::string first_step;
    std::atomic<bool> attached = false;

private:
    enum class Ran { done, overtaken };

    Result<detail::DialogueParties> parties_of(const InboundMessage& message) const;
    Result<void> run(const detail::DialogueEvent& event, const detail::DialogueParties& parties,
                     detail::DialogueCourier& courier) const;
    Result<Ran> run_once(const detail::DialogueEvent& event, const detail::DialogueParties& parties,
                         detail::DialogueCourier& courier, bool is_rerun) const;
    Result<detail::DialogueStart> start_of(const DialogueState& state) const;
    Result<Claim> hold(const std::string& key, const CancelToken& lease_lost) const;
};

Result<void> Dialogue::Impl::add(std::string_view name, Step step, bool is_first) {
    if (attached) {
        return detail::dialogue_refusal("step", "comes too late", "add all steps before attach");
    }
    if (name.empty() || name.size() > detail::longest_step_name) {
        return detail::dialogue_refusal("step", "has a name that is not 1 to 100 bytes long");
    }
    if (!step) return detail::dialogue_refusal("step", "is an empty function");
    if (is_first && !first_step.empty()) {
        return detail::dialogue_refusal("first", "is there already", "a dialogue has one");
    }
    if (!steps.emplace(name, std::move(step)).second) {
        return detail::dialogue_refusal("step", "has the name of another");
    }
    if (is_first) first_step = name;
    return {};
}

Result<detail::DialogueParties> Dialogue::Impl::parties_of(const InboundMessage& message) const {
    detail::DialogueParties parties{Sender{Address::from_wire(message.to)},
                                    Address::from_wire(message.from)};
    if (parties.sender.empty()) return detail::dialogue_refusal("To", "is no address");
    if (parties.customer.empty()) return detail::dialogue_refusal("From", "is no address");
    return parties;
}

Result<detail::DialogueParties> Dialogue::Impl::parties_of(std::string_view customer,
                                                           std::string_view sender) const {
    if (sender.empty() && options.from.empty()) {
        return detail::dialogue_refusal("sender", "is not given",
                                        "name yours, or give DialogueOptions::from");
    }
    return detail::DialogueParties::parse(sender.empty() ? options.from : sender, customer);
}

/// What the next step begins with.
Result<detail::DialogueStart> Dialogue::Impl::start_of(const DialogueState& stored) const {
    auto state = stored;
    const bool has_ended = state.step.empty();
    if (!has_ended && (state.version != options.version || !steps.contains(state.step))) {
        const auto refused = [](std::string_view problem, std::string_view hint) {
            return store_error(problem, hint);
        };
        if (options.convert) {
            auto converted = options.convert(state);
            if (!converted) {
                return refused("holds a dialogue that DialogueOptions::convert cannot go on with",
                               "it is left as it is");
            }
            state = std::move(*converted);
            if (!steps.contains(state.step)) {
                return detail::dialogue_refusal("convert", "names no step of this dialogue");
            }
        } else if (state.version > options.version) {
            return refused("holds a dialogue of a later version of the program",
                           "let that program go on with it, or give DialogueOptions::convert");
        } else {
            state.step = first_step;
        }
    }
    if (has_ended) state = {.step = first_step};
    state.version = options.version;
    auto step = state.step;
    return detail::DialogueStart{std::move(state), std::move(step)};
}

Result<Dialogue::Impl::Ran> Dialogue::Impl::run_once(const detail::DialogueEvent& event,
                                                     const detail::DialogueParties& parties,
                                                     detail::DialogueCourier& courier,
                                                     bool is_rerun) const {
    auto found = memory.find(parties);
    if (!found) return found.error();
    const auto& record = found->record;
    const auto& sid = event.message.sid.str();
    auto before = record.state;
    const auto handled = std::find(record.handled.begin(), record.handled.end(), sid);
    if (!sid.empty() && handled != record.handled.end()) {
        // Its answers have left, or others have been given since.
        if (handled != record.handled.begin() || !record.before) return Ran::done;
        // It was handled, and its answers may not have left: by a process that has died, unless
        // the claim that wrote it is younger than this one.
        if (is_rerun || (event.fence && record.fence >= *event.fence)) {
            return store_error("holds what another has made of the message",
                               "another process has taken it");
        }
        before = *record.before;
    }
    auto start = start_of(before);
    if (!start) return start.error();
    detail::DialogueRun run{options,          steps,   contents,    event.message,          parties,
                            event.lease_lost, courier, start->step, std::move(start->state)};
    DialogueTurn turn{run};
    steps.find(start->step)->second(turn);
    if (run.fault) return *run.fault;
    if (auto may_leave = courier.check(); !may_leave) return may_leave.error();

    detail::DialogueRecord next{.state = std::move(run.state),
                                .written = options.clock->now(),
                                .handled = {},
                                .fence = event.fence.value_or(0)};
    if (!courier.is_at_most_once()) next.before = std::move(before);
    if (!sid.empty()) next.handled.push_back(sid);
    for (const auto& each : record.handled) {
        if (each != sid && next.handled.size() < detail::most_handled_messages) {
            next.handled.push_back(each);
        }
    }
    const auto written = memory.write(parties, *found, next);
    if (!written) return written.error();
    if (*written == 0) return Ran::overtaken;
    const auto left = courier.hand_over([this_memory = memory, found = std::move(*found),
                                         version = *written] { this_memory.undo(found, version); });
    if (!left) return left.error();
    return Ran::done;
}

Result<void> Dialogue::Impl::run(const detail::DialogueEvent& event,
                                 const detail::DialogueParties& parties,
                                 detail::DialogueCourier& courier) const {
    for (int reruns = 0; reruns <= detail::most_reruns; ++reruns) {
        const auto ran = run_once(event, parties, courier, reruns > 0);
        if (!ran) return ran.error();
        if (*ran == Ran::done) return {};
        courier.drop();
    }
    return store_error("was changed by others each time that the step had run",
                       "the message is taken up again");
}

Result<void> Dialogue::Impl::take(Turn& turn) const {
    const auto parties = parties_of(turn.message());
    if (!parties) return parties.error();
    auto& state = detail::TurnParts::of(turn);
    detail::InboxCourier courier{state};
    return run({turn.message(), turn.lease_lost(), state.fence}, *parties, courier);
}

Result<Claim> Dialogue::Impl::hold(const std::string& key, const CancelToken& lease_lost) const {
    const EventKey customer{.message_sid = key, .kind = "turn"};
    const auto until = options.clock->monotonic_now() + options.wait;
    while (true) {
        auto claim = customers_held.claim(customer);
        if (!claim || claim->outcome == ClaimOutcome::claimed) return claim;
        const auto now = options.clock->monotonic_now();
        if (now >= until || lease_lost.is_cancelled()) {
            return store_error("says that another message of the customer is being handled",
                               "have Twilio try again, or give the handler an inbox");
        }
        options.clock->sleep_until(std::min<MonotonicTime>(until, now + detail::look_for_customer),
                                   lease_lost);
    }
}

Result<MessagingResponse> Dialogue::Impl::answer(const InboundMessage& message,
                                                 const CancelToken& lease_lost) const {
    const auto parties = parties_of(message);
    if (!parties) return parties.error();
    const auto found = memory.find(*parties);
    if (!found) return found.error();
    auto claim = hold(found->key, lease_lost);
    if (!claim) return claim.error();
    const detail::CustomerLease lease{customers_held, std::move(*claim)};
    detail::AnswerCourier courier{message, options.client};
    const auto ran = run({message, lease_lost, {}}, *parties, courier);
    if (!ran) return ran.error();
    return std::move(courier).response();
}

/// Writes a state from outside of a turn. The version; 0: nothing was to be written.
Result<std::uint64_t> Dialogue::Impl::put(const detail::DialogueParties& parties,
                                          const DialogueState& state,
                                          bool only_if_under_way) const {
    constexpr int max_rounds = 10'000;  // whoever loses one lost it to a change that was made
    for (int round = 0; round < max_rounds; ++round) {
        const auto found = memory.find(parties);
        if (!found) return found.error();
        if (only_if_under_way && found->record.state.step.empty()) return std::uint64_t{0};
        detail::DialogueRecord next{.state = state,
                                    .written = options.clock->now(),
                                    .handled = found->record.handled,
                                    .fence = found->record.fence};
        auto written = memory.write(parties, *found, next);
        if (!written || *written != 0) return written;
    }
    return store_error("never takes a change", "check its compare_and_set");
}

Dialogue::Dialogue(std::shared_ptr<Store> store, DialogueOptions options)
    : impl_(std::make_shared<Impl>(std::move(store), std::move(options))) {}
Dialogue::~Dialogue() = default;

Dialogue& Dialogue::first(std::string_view name, Step step) {
    impl_->add(name, std::move(step), true).value();
    return *this;
}

Dialogue& Dialogue::step(std::string_view name, Step step) {
    impl_->add(name, std::move(step), false).value();
    return *this;
}

void Dialogue::ensure(const ContentClient& client, const DialogueContents& contents,
                      const CallOptions& options) {
    try_ensure(client, contents, options).value();
}

Result<void> Dialogue::try_ensure(const ContentClient& client, const DialogueContents& contents,
                                  const CallOptions& options) {
    return impl_->contents.ensure(client, contents, options);
}

void Dialogue::attach(WebhookHandler& handler, const InboundFilter& filter) {
    if (impl_->first_step.empty()) {
        detail::dialogue_refusal("first", "is missing",
                                 "say which step a customer's first message reaches")
            .raise();
    }
    if (handler.has_inbox()) {
        handler.on(filter, [impl = impl_](Turn& turn) { impl->take(turn).value(); });
    } else {
        handler.on(filter,
                   [impl = impl_](const InboundMessage& message, const HandlerContext& context) {
                       return impl->answer(message, context.lease_lost).value();
                   });
    }
    impl_->attached = true;
}

Result<std::optional<DialogueState>> Dialogue::try_state_of(std::string_view customer,
                                                            std::string_view sender) const {
    const auto parties = impl_->parties_of(customer, sender);
    if (!parties) return parties.error();
    auto found = impl_->memory.find(*parties);
    if (!found) return found.error();
    if (found->record.state.step.empty()) return std::optional<DialogueState>{};
    return std::optional<DialogueState>{std::move(found->record.state)};
}

std::optional<DialogueState> Dialogue::state_of(std::string_view customer,
                                                std::string_view sender) const {
    return try_state_of(customer, sender).value();
}

Result<void> Dialogue::try_begin(std::string_view customer, std::string_view step,
                                 const std::map<std::string, std::string, std::less<>>& values,
                                 std::string_view sender) {
    if (!impl_->steps.contains(step)) {
        return detail::dialogue_refusal("step", "is no step of this dialogue");
    }
    const auto parties = impl_->parties_of(customer, sender);
    if (!parties) return parties.error();
    const auto put =
        impl_->put(*parties, {impl_->options.version, std::string{step}, values}, false);
    if (!put) return put.error();
    return {};
}

void Dialogue::begin(std::string_view customer, std::string_view step,
                     const std::map<std::string, std::string, std::less<>>& values,
                     std::string_view sender) {
    try_begin(customer, step, values, sender).value();
}

Result<bool> Dialogue::try_end(std::string_view customer, std::string_view sender) {
    const auto parties = impl_->parties_of(customer, sender);
    if (!parties) return parties.error();
    const auto put = impl_->put(*parties, {}, true);
    if (!put) return put.error();
    return *put != 0;
}

bool Dialogue::end(std::string_view customer, std::string_view sender) {
    return try_end(customer, sender).value();
}

}  // namespace twiliowa
