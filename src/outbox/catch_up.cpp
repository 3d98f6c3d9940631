#include "outbox/catch_up.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/event_key.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/message.hpp>

#include "text/form.hpp"

namespace twiliowa::detail {
namespace {

constexpr int listed_page = 1'000;

TimePoint time_of(const Message& message) {
    return message.date_sent.value_or(message.date_created.value_or(TimePoint{}));
}

/// Whether it was taken in before: then its files need not be asked for.
Result<bool> is_known(const InboxCore& core, const Message& message) {
    InboundMessage inbound;
    inbound.sid = message.sid;
    inbound.account_sid = AccountSid::from_wire(message.account_sid);
    const auto key = event_key(inbound, {});
    if (!key) return key.error();
    const auto seen = core.look(*key);
    if (!seen) return seen.error();
    return seen->answer == InboxAnswer::duplicate;
}

/// Where the file itself is: its metadata have `.json` behind that.
std::string media_url_of(const MessagesClient& client, const Media& media) {
    std::string_view path = media.uri;
    if (path.ends_with(".json")) path.remove_suffix(5);
    return client.url_of(path);
}

/// As the webhook would have been, as far as the list knows.
WebhookRequest request_of(const MessagesClient& client, const Message& message,
                          const std::vector<Media>& media) {
    WebhookRequest request;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    const auto add = [&](std::string_view name, std::string_view value) {
        append_form_field(request.body, name, value);
    };
    add("MessageSid", message.sid.str());
    add("AccountSid", message.account_sid);
    if (!message.messaging_service_sid.empty()) {
        add("MessagingServiceSid", message.messaging_service_sid);
    }
    add("From", message.from);
    add("To", message.to);
    add("Body", message.body);
    add("NumMedia", std::to_string(media.size()));
    for (std::size_t i = 0; i < media.size(); ++i) {
        add("MediaUrl" + std::to_string(i), media_url_of(client, media[i]));
        add("MediaContentType" + std::to_string(i), media[i].content_type);
    }
    return request;
}

Result<void> catch_up_one(const InboxCore& core, const MessagesClient& client,
                          const Message& message, InboxHandler& handler, const CancelToken& cancel,
                          CatchUpReport& report) {
    std::vector<Media> media;
    if (message.num_media.value_or(0) > 0) {
        const auto known = is_known(core, message);
        if (!known) return known.error();
        if (*known) return {};
        auto listed = client.try_list_media(message.sid, {.cancel = cancel});
        if (!listed) return listed.error();
        media = std::move(*listed);
    }
    const auto taken = handler.take_in(request_of(client, message, media), time_of(message));
    if (!taken) return taken.error();
    if (*taken == InboxAnswer::account_full) {
        return Error::invalid_request("max_waiting_per_account",
                                      "is reached: too many events of the account wait",
                                      "catch up again when some of them are handled");
    }
    if (*taken == InboxAnswer::full) {
        return Error::invalid_request("max_waiting", "is reached: too many events wait",
                                      "catch up again when some of them are handled");
    }
    if (*taken == InboxAnswer::taken) ++report.taken;
    return {};
}

/// To whom the messages are that are asked for; an empty text: to anybody.
std::set<std::string> caught_up_senders(const InboxCore& core) {
    std::set<std::string> senders;
    for (const auto& sender : core.options.catch_up_senders) {
        if (const auto address = Address::parse(sender)) senders.insert(address->text());
    }
    if (senders.empty()) senders.emplace();
    return senders;
}

/// What a client lists as received since then, the oldest first; times are whole seconds.
Result<std::vector<Message>> received_since(const InboxCore& core, const MessagesClient& client,
                                            TimePoint since, const CancelToken& cancel) {
    std::vector<Message> received;
    for (const auto& sender : caught_up_senders(core)) {
        const auto first = static_cast<std::ptrdiff_t>(received.size());
        for (const auto& listed :
             client.try_list({.to = sender, .sent_after = since, .page_size = listed_page},
                             {.cancel = cancel})) {
            if (!listed) return listed.error();
            if (listed->direction != Direction::inbound || time_of(*listed) < since) continue;
            received.push_back(*listed);
        }
        // The newest comes first in a list, and the oldest is to be handled first.
        std::reverse(received.begin() + first, received.end());
    }
    std::stable_sort(received.begin(), received.end(),
                     [](const auto& a, const auto& b) { return time_of(a) < time_of(b); });
    return received;
}

Result<void> catch_up_account(const InboxCore& core, const MessagesClient& client, TimePoint since,
                              InboxHandler& handler, const CancelToken& cancel,
                              CatchUpReport& report) {
    const auto account = client.try_account_sid();
    if (!account) return account.error();
    if (core.account(account->str()) == InboxAccount::switched_off) return {};
    const auto messages = received_since(core, client, since, cancel);
    if (!messages) return messages.error();
    report.listed += static_cast<int>(messages->size());
    for (const auto& message : *messages) {
        if (cancel.is_cancelled()) {
            return Error{{.kind = ErrorKind::cancelled,
                          .effect = Effect::none,
                          .summary = "cancelled while messages were taken in"}};
        }
        if (auto taken = catch_up_one(core, client, message, handler, cancel, report); !taken) {
            return taken;
        }
    }
    return {};
}

}  // namespace

Result<CatchUpReport> catch_up(const InboxCore& core, TimePoint since, InboxHandler& handler,
                               const CancelToken& cancel) {
    CatchUpReport report;
    std::optional<Error> failure;
    for (const auto& client : core.options.clients.now()) {
        auto read = catch_up_account(core, client, since, handler, cancel, report);
        if (read) continue;
        if (cancel.is_cancelled()) return read.error();
        // Whose list cannot be read keeps nobody else's back.
        if (!failure) failure = read.error();
    }
    if (failure) return *failure;
    return report;
}

}  // namespace twiliowa::detail
