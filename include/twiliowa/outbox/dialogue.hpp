/// @file
/// What a bot remembers of a conversation: `Dialogue`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/content_client.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/messaging_response.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/turn.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/lease_keeper.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>
#include <twiliowa/webhook/inbound_filter.hpp>
#include <twiliowa/webhook/inbound_message.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace twiliowa {

namespace detail {
struct DialogueRun;
}

/// What a dialogue remembers of a customer.
struct DialogueState {
    int version = 0;        ///< DialogueOptions::version of the program that wrote it.
    std::string step = {};  ///< The step that gets the customer's next message.
    std::map<std::string, std::string, std::less<>> values = {};  ///< What steps have set.
    /// Whether all of it is the same.
    friend bool operator==(const DialogueState&, const DialogueState&) = default;
};

/// A message of a customer, for the step that it reached: what it says, what is remembered, what is
/// answered, and which step is next. Nothing of it happens unless the step returns and the state is
/// written.
///
/// Lives as long as the call of the step, and is for its thread alone.
class DialogueTurn {
public:
    /// Made by the dialogue.
    explicit DialogueTurn(detail::DialogueRun& run) noexcept : run_(run) {}
    DialogueTurn(const DialogueTurn&) = delete;
    DialogueTurn& operator=(const DialogueTurn&) = delete;
    ~DialogueTurn() = default;

    /// What came in.
    const InboundMessage& message() const noexcept;
    /// The step's own name.
    std::string_view step() const noexcept;
    /// What the customer means: of a button or a row that `buttons` or `rows` has sent its title,
    /// of another one its payload (id), else its title; of a text the text, without spaces around
    /// it.
    std::string answer() const;
    /// The answer as a whole number; nullopt if it is none.
    std::optional<std::int64_t> number() const;
    /// Cancelled when another has taken the event: what is asked for here will be dropped.
    const CancelToken& lease_lost() const noexcept;

    /// What a step has set under that name; empty if none has.
    const std::string& get(std::string_view name) const noexcept;
    /// Whether a step has.
    bool has(std::string_view name) const noexcept;
    /// Remembered with the step. Any bytes. All of it, with what undoes this turn and the key, has
    /// 4,096 bytes: see Dialogue::max_bytes.
    void set(std::string_view name, std::string_view value);
    /// The same, in decimal digits.
    void set(std::string_view name, std::int64_t number);
    /// Remembers it no more.
    void unset(std::string_view name);

    /// Replies to who wrote, as the sender that was written to. Replies leave in this order.
    /// @throws InvalidRequestError for what a send would refuse, as far as that is known here, and
    /// 63016 if DialogueOptions::window says that the customer's window is closed.
    void reply(std::string_view text);
    /// The same as its TwiML says: media, `to`, `from` and `action` count, too.
    void reply(const TwimlMessage& message);
    /// Asks, with one to three buttons below (titles of up to 20 characters, each another). The
    /// question is one line of up to 1,024 characters. Goes as one of the contents of `ensure`.
    /// @throws InvalidRequestError as `reply`, and naming `buttons` if there is no such content.
    void buttons(std::string_view question, const TextList& titles);
    /// Asks, with a list of one to ten rows (titles of up to 24 characters) to choose from.
    /// @throws InvalidRequestError as `buttons`.
    void rows(std::string_view question, const TextList& titles);
    /// Any message. With an inbox it is as Turn::enqueue; without one it is sent by
    /// DialogueOptions::client, and `options` do not count.
    void enqueue(const OutboundMessage& message, const JobOptions& options = {});
    /// As Turn::at_commit. @throws InvalidRequestError without an inbox.
    void at_commit(std::function<void(const NativeTransaction&)> work);

    /// Which step gets the customer's next message. Said by nobody: this one again.
    /// @throws InvalidRequestError for a step that the dialogue does not have. The turn then fails,
    /// also if that is caught: the state is as it was, and nothing leaves.
    void next(std::string_view step);
    /// The dialogue is over: what was set is forgotten, and the customer's next message begins a
    /// new one.
    void end();

private:
    detail::DialogueRun& run_;
};

/// How a dialogue is set up. Everything has a default.
struct DialogueOptions {
    /// Part of every key: dialogues of one store have different names.
    TextField name = "dialogue";
    /// Which program's steps these are. Raise it when a step of the same name means something else
    /// than before.
    int version = 1;
    /// How long after the customer's last message the dialogue is remembered: then the next one
    /// begins anew. The store's clock decides.
    std::chrono::milliseconds time_out{std::chrono::hours{24}};
    /// Makes of a state that another program has written (another version, or a step that this one
    /// does not have) one to go on with; nullopt: it cannot, the event fails, and the state stays.
    /// Without it a state of a later version fails so, and any other begins again at the first
    /// step, with the values that it had.
    std::function<std::optional<DialogueState>(const DialogueState&)> convert = {};
    /// Your sender, for `state_of`, `begin` and `end` where none is given.
    TextField from = {};
    /// Part of every key. As that of `customers`.
    TextField scope = {};
    /// Who is behind an address: a dialogue that began under a number goes on under a user id. Then
    /// it is part of `Customers::forget` and `export_of`, as `dialogue` and its name.
    std::shared_ptr<const Customers> customers = {};
    /// Replies are refused here when it says that the customer's window is closed, and jobs of an
    /// outbox expire when it closes.
    std::shared_ptr<const ConversationWindow> window = {};
    /// Sends `buttons`, `rows` and `enqueue` where the handler has no inbox.
    std::optional<MessagesClient> client = {};
    /// How long a turn without an inbox holds its customer, without being renewed. Default: as
    /// DedupOptions::lease.
    std::optional<std::chrono::milliseconds> lease = {};
    /// Renews that lease.
    std::shared_ptr<LeaseKeeper> keeper = {};
    /// How long a turn without an inbox waits for another one of its customer.
    std::chrono::milliseconds wait{5'000};
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
};

/// Which contents `Dialogue::ensure` sees to.
struct DialogueContents {
    int buttons = 3;                   ///< For 1 to so many buttons; at most 3.
    int rows = 10;                     ///< For 1 to so many rows; at most 10.
    TextField rows_button = "Choose";  ///< What opens the rows; up to 20 characters.
    /// Their names begin with it: `twiliowa_buttons_2`, `twiliowa_rows_7`. Programs of one account
    /// that have another `rows_button` need another one.
    TextField name = "twiliowa";
};

/// A conversation in named steps, remembered for each customer in a Store: over restarts, and with
/// any number of processes. A message reaches the step that the one before has named.
///
/// @code
/// Dialogue dialogue{store};
/// dialogue.first("hello", [](DialogueTurn& t) {
///     t.reply("How old is the player?");
///     t.next("age");
/// });
/// dialogue.step("age", [](DialogueTurn& t) {
///     if (!t.number()) return t.reply("A number, please.");
///     t.buttons("Which team?", {"Red", "Blue"});
///     t.next("team");
/// });
/// dialogue.step("team", [](DialogueTurn& t) {
///     t.reply("Welcome to " + t.answer());
///     t.end();
/// });
/// dialogue.ensure(content_client);
/// dialogue.attach(handler);
/// @endcode
///
/// With a handler that has an inbox, a customer's messages are taken in their order, and what a
/// step answers becomes jobs of its outbox, once: also if the process dies between the writing of
/// the state and that of the jobs, since the step then runs again on the state that it began with.
/// Without one a turn holds a lease of its customer. Replies that are texts leave in the answer to
/// Twilio; with `buttons`, `rows` or `enqueue` all leave by DialogueOptions::client, at most once.
/// Steps run at least once. docs/dialogues.md says what is guaranteed.
///
/// A step that another write has overtaken runs again on what is remembered now, up to three times;
/// then the turn fails with a store's error.
///
/// Add the steps, then attach it; from then on it is safe to use from any thread, and steps run in
/// several at once.
class Dialogue {
public:
    /// What is remembered of one customer, with its key and what undoes the last turn. A turn that
    /// would need more fails, naming `state`.
    static constexpr std::size_t max_bytes = 4'096;
    /// What handles a message that reaches it.
    using Step = std::function<void(DialogueTurn&)>;

    /// @throws InvalidRequestError if `store` is null, or naming the option that is wrong.
    explicit Dialogue(std::shared_ptr<Store> store, DialogueOptions options = {});
    Dialogue(const Dialogue&) = delete;
    Dialogue& operator=(const Dialogue&) = delete;
    ~Dialogue();

    /// The step that a customer's first message reaches.
    /// @throws InvalidRequestError for a name that is empty, too long (100 bytes) or there, a
    /// second first step, an empty function, and after `attach`. So `step`.
    Dialogue& first(std::string_view name, Step step);
    /// A step that another one names with `next`.
    Dialogue& step(std::string_view name, Step step);

    /// Sees to it that the contents of `buttons` and `rows` exist, and learns their SIDs. At
    /// start-up: one list, and for each that is missing a `ContentClient::upsert`. Once for each
    /// account that the handler serves.
    void ensure(const ContentClient& client, const DialogueContents& contents = {},
                const CallOptions& options = {});
    Result<void> try_ensure(const ContentClient& client, const DialogueContents& contents = {},
                            const CallOptions& options = {});

    /// Takes the messages for which the filter says yes. The handler keeps what it needs.
    /// @throws InvalidRequestError without a first step, and what `WebhookHandler::on` refuses.
    void attach(WebhookHandler& handler, const InboundFilter& filter = inbound::any());

    /// What is remembered of a customer; nullopt: no dialogue is under way.
    std::optional<DialogueState> state_of(std::string_view customer,
                                          std::string_view sender = {}) const;
    Result<std::optional<DialogueState>> try_state_of(std::string_view customer,
                                                      std::string_view sender = {}) const;
    /// The customer's next message reaches that step, with these values; whatever was before is
    /// forgotten. For who writes first, with a template.
    /// @throws InvalidRequestError for a step that is not there.
    void begin(std::string_view customer, std::string_view step,
               const std::map<std::string, std::string, std::less<>>& values = {},
               std::string_view sender = {});
    Result<void> try_begin(std::string_view customer, std::string_view step,
                           const std::map<std::string, std::string, std::less<>>& values = {},
                           std::string_view sender = {});
    /// The dialogue is over: the customer's next message begins a new one. Whether one was under
    /// way.
    bool end(std::string_view customer, std::string_view sender = {});
    Result<bool> try_end(std::string_view customer, std::string_view sender = {});

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace twiliowa
