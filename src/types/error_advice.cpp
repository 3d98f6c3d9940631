#include <twiliowa/types/error_advice.hpp>

#include <algorithm>
#include <array>

namespace twiliowa {

namespace detail {

namespace {

constexpr auto make_error_catalogue() {
    using enum ErrorCategory;
    using enum RetryAdvice;
    return std::to_array<ErrorAdvice>({
        // Webhooks and the TwiML that answers them.
        {11200, webhook, after_fix, "Twilio could not fetch your webhook",
         "check that the URL is reachable from outside and answers 2xx in time"},
        {11750, webhook, after_fix, "the webhook's TwiML answer is too large",
         "keep the TwiML answer below 64 kB"},
        {12100, webhook, after_fix, "the webhook's answer is not well-formed TwiML",
         "answer with valid XML, or with an empty body"},
        {12300, webhook, after_fix, "the webhook's answer has an unsuitable Content-Type",
         "answer TwiML as text/xml"},
        {14101, webhook, after_fix, "a reply's \"to\" is not valid",
         "leave it out: the reply goes to whoever wrote"},
        {14102, webhook, after_fix, "a reply's \"from\" is not valid",
         "leave it out: the reply comes from the address that was written to"},
        {14103, webhook, after_fix, "a reply's text is not valid",
         "give it a text of at most 1600 characters"},
        {14107, webhook, after_fix, "two numbers answer each other in a loop",
         "do not reply automatically to automatic replies"},
        {14109, webhook, after_fix, "one answer holds too many replies",
         "answer with fewer messages, and send the others through the API"},
        {14111, webhook, after_fix, "a trial account's reply goes to a number that is not verified",
         "verify the number in the Console, or upgrade the account"},

        // The platform and the credentials.
        {20001, invalid_request, after_fix, "the request has parameters that are not known",
         "remove or correct the parameters' names"},
        {20003, authentication, after_fix, "the credentials were not accepted",
         "check SID and secret, the region they belong to, and that the account is active"},
        {20004, invalid_request, after_fix, "the HTTP method does not fit the resource",
         "use a method that the resource documents"},
        {20005, account, after_fix, "the account is not active",
         "see in the Twilio Console why it was suspended or closed"},
        {20006, authentication, after_fix, "these credentials have no access to the resource",
         "use credentials of the account that owns it, with the needed permissions"},
        {20007, invalid_request, after_fix, "the page size is too large", "ask for smaller pages"},
        {20008, authentication, after_fix, "test credentials cannot use this resource",
         "use live credentials"},
        {20101, authentication, after_fix, "the access token is not valid",
         "fetch a new token; if that fails too, check the client's credentials"},
        {20104, authentication, after_fix, "the access token has run out", "fetch a new token"},
        {20107, authentication, after_fix, "the access token's signature does not match",
         "sign the token with the secret that belongs to its key"},
        {20151, authentication, after_fix, "authentication did not succeed",
         "check the credentials and the account they belong to"},
        {20403, authentication, after_fix, "the credentials are not allowed to do this",
         "use a key with the needed permissions; test credentials reach few resources"},
        {20404, not_found, after_fix, "no such resource in this account",
         "check the SID, the account and the region"},
        {20409, invalid_request, after_fix, "the request conflicts with the resource's state",
         "fetch the resource and decide anew"},
        {20410, not_found, never, "the resource is gone for good", "forget its SID"},
        {20413, invalid_request, after_fix, "the request body is too large",
         "make the request smaller"},
        {20422, invalid_request, after_fix, "a parameter has a value that is not allowed",
         "correct the parameter that Twilio's message names"},
        {20423, invalid_request, after_fix, "a SID is malformed or of the wrong kind",
         "check the SID's prefix and its 32 hexadecimal digits"},
        {20426, invalid_request, after_fix, "the server wants another protocol",
         "use HTTPS with a current TLS version"},
        {20429, throttled, with_backoff, "too many requests at once",
         "repeat after growing, jittered pauses and lower the concurrency; nothing was processed"},
        {20500, ambiguous, check_first, "Twilio failed while handling the request",
         "look for the message before sending it again: it may exist"},
        {20503, ambiguous, check_first, "the service was not available",
         "look for the message before sending it again: it may exist"},
        {20504, ambiguous, check_first, "a system behind the API did not answer in time",
         "look for the message before sending it again: it may exist"},

        // Requests to send.
        {21205, invalid_request, after_fix, "a URL is malformed", "pass an absolute http(s) URL"},
        {21211, recipient, after_fix, "the recipient's number is not valid",
         "correct the number: E.164, with + and country code"},
        {21212, sender, after_fix, "the sender's number is not valid",
         "use a sender of this account, in E.164 with its channel prefix"},
        {21218, invalid_request, after_fix, "the application SID is not valid",
         "pass an application SID of this account, or none"},
        {21408, account, after_fix, "the account may not send to the recipient's region",
         "enable the region in the account's geographic permissions"},
        {21602, invalid_request, after_fix, "the message has no body",
         "give the message a text, a media URL or a template"},
        {21603, invalid_request, after_fix, "the message has no sender",
         "set a sender address or a Messaging Service"},
        {21604, invalid_request, after_fix, "the message has no recipient",
         "set the recipient's address"},
        {21606, sender, after_fix, "the sender cannot send messages to this destination",
         "use a sender of this account that can message on the recipient's channel"},
        {21608, recipient, after_fix, "a trial account can only write to verified numbers",
         "verify the recipient's number in the Console, or upgrade the account"},
        {21609, invalid_request, after_fix, "the status callback URL is not valid",
         "pass an absolute http(s) URL that can be reached from outside"},
        {21610, opted_out, never, "the recipient has unsubscribed from this sender",
         "suppress the recipient until they opt in again"},
        {21611, throttled, later, "the sender's queue is full",
         "pause this sender until its queue has drained, then go slower"},
        {21612, recipient, after_fix, "this sender cannot reach this recipient",
         "check that both are on the same channel, or use another sender"},
        {21614, recipient, never, "the recipient's number is not a mobile number",
         "ask the recipient for a mobile number"},
        {21617, invalid_request, after_fix, "the text is too long",
         "keep it within 1600 characters, or split it"},
        {21618, invalid_request, after_fix, "the text cannot be sent",
         "look for unusual or invalid characters in it"},
        {21619, invalid_request, after_fix, "the message is empty",
         "give the message a text, a media URL or a template"},
        {21620, invalid_request, after_fix, "a media URL is not valid",
         "pass absolute http(s) URLs that need no login"},
        {21623, invalid_request, after_fix, "the message has too many media files",
         "send one media file per WhatsApp message"},
        {21624, invalid_request, after_fix, "the validity period is not valid",
         "choose a number of seconds within the documented range"},
        {21654, invalid_request, after_fix, "variables were given without a template",
         "set the template's SID too"},
        {21655, template_, after_fix, "the template's SID is not valid",
         "check that the template exists in this account: HX and 32 hexadecimal digits"},
        {21656, template_, after_fix, "the template's variables are not valid",
         "pass a JSON object with a non-empty text for each variable the template declares"},
        {21657, sender, after_fix, "the sender ID is not valid",
         "use a registered sender of this account"},
        {21658, invalid_request, after_fix, "a parameter is too long",
         "shorten the parameter that Twilio's message names"},
        {21659, sender, after_fix, "the sender is not a Twilio number or not for this country",
         "use a sender that Twilio hosts and that may write to the recipient's country"},
        {21660, sender, after_fix, "the sender belongs to another account",
         "use the credentials of the account that owns the sender"},
        {21661, sender, after_fix, "the sender cannot send text messages",
         "use a number with messaging, or write the sender with its channel prefix"},
        {21701, sender, after_fix, "no such Messaging Service",
         "check the MG SID and the account it belongs to"},
        {21702, sender, after_fix, "the Messaging Service cannot send new messages now",
         "see in the Twilio Console why, or use another service"},
        {21703, sender, after_fix, "the Messaging Service has no sender for this message",
         "add a sender of the recipient's channel to the service"},
        {21704, sender, after_fix, "the Messaging Service has no sender at all",
         "add a sender to the service"},
        {21705, sender, after_fix, "the Messaging Service is not valid",
         "check the MG SID and the service's settings"},
        {21730, ambiguous, check_first, "the system is under maintenance",
         "wait, then look for the message before sending it again"},
        {21910, invalid_request, after_fix, "sender and recipient are on different channels",
         "write both with the whatsapp: prefix, or neither"},

        // Delivery.
        {30001, throttled, later, "too many messages were waiting in the queue",
         "send more slowly, and this one again as a new message"},
        {30002, account, after_fix, "the account was suspended while the message waited",
         "see in the Twilio Console why it was suspended"},
        {30003, recipient, as_new_message, "the recipient's phone cannot be reached",
         "it may be off or out of range: try again much later"},
        {30004, recipient, never, "the message was blocked on its way",
         "do not repeat it: the recipient or their carrier does not take it"},
        {30005, recipient, never, "the recipient's number is not known",
         "check the number; it may no longer be in service"},
        {30006, recipient, never, "a landline, or a carrier that cannot be reached",
         "ask the recipient for a mobile number"},
        {30007, policy, never, "the message was filtered as unwanted",
         "change the content and check it against the messaging policies"},
        {30008, provider, as_new_message, "delivery failed for an unknown reason",
         "try once or twice more, after a pause; then give up"},
        {30016, invalid_request, after_fix, "sender and recipient are on different channels",
         "write both with the whatsapp: prefix, or neither"},
        {30017, provider, as_new_message, "the carrier's network is congested",
         "try again later, a few times at most"},
        {30019, invalid_request, after_fix, "the content is too large for the carrier",
         "shorten the text or use a smaller file"},
        {30020, provider, as_new_message, "Twilio failed to schedule the message",
         "send it again after a pause, a few times at most"},
        {30021, provider, as_new_message, "the Messaging Service failed internally",
         "send it again after a pause, a few times at most"},
        {30029, invalid_request, after_fix, "the content retention setting is not valid",
         "use a documented value, or leave it out"},
        {30030, invalid_request, after_fix, "the address retention setting is not valid",
         "use a documented value, or leave it out"},
        {30036, expired, as_new_message, "the message outlived its validity period",
         "send it again only if it still matters; allow more time or send more slowly"},
        {30037, account, after_fix, "the account may not send messages",
         "ask Twilio to have outbound messaging enabled"},
        {30044, account, after_fix, "the text is too long for a trial account",
         "shorten the text, or upgrade the account"},
        {30400, invalid_request, after_fix, "the message's parameters are not valid",
         "check the parameters, alone and in combination"},
        {30409, not_found, never, "the message can no longer be canceled",
         "fetch it: it has been sent or has ended already"},
        {30410, provider, as_new_message, "the provider did not answer in time",
         "it may have arrived all the same; try again after a pause, a few times at most"},

        // Scheduling.
        {35114, invalid_request, after_fix, "the time to send at is missing or malformed",
         "give the time in ISO 8601, in UTC"},
        {35115, invalid_request, after_fix, "the time to send at is past or too near",
         "choose a later time, or send now"},
        {35117, invalid_request, after_fix, "the time to send at is out of range",
         "choose a time within the window that scheduling allows"},
        {35118, invalid_request, after_fix, "a scheduled message needs a Messaging Service",
         "send it through a Messaging Service"},
        {35125, throttled, later, "too many messages are scheduled",
         "wait until some were sent, or cancel some"},

        {37000, recipient, after_fix, "the recipient has not allowed calls",
         "ask the recipient for permission, and call when it is given"},

        {57012, webhook, after_fix, "a webhook's signature is not valid",
         "check which auth token and which public URL the signature is computed with"},

        // WhatsApp and other channels.
        {63001, sender, after_fix, "the channel did not accept the sender's credentials",
         "check the sender's registration in the Console"},
        {63002, sender, after_fix, "the channel does not know the sender",
         "check the sender's address and its registration"},
        {63003, recipient, after_fix, "the channel does not know the recipient",
         "check the number: it is malformed or has no WhatsApp"},
        {63005, content, after_fix, "the channel did not take the content",
         "check text, buttons and media against WhatsApp's limits"},
        {63006, content, after_fix, "the content could not be put into the channel's form",
         "check the template's structure and its variables"},
        {63007, sender, after_fix, "no such sender on this channel",
         "check the address and its prefix, that the sender is online, the account and the region"},
        {63008, sender, after_fix, "the sender's channel is not set up properly",
         "check the sender's settings in the Console; else ask Twilio's support"},
        {63009, provider, as_new_message, "the channel's provider answered with an error",
         "send it again after a pause, a few times at most"},
        {63010, provider, as_new_message, "Twilio failed while processing the message",
         "send it again after a pause, a few times at most"},
        {63011, content, after_fix, "the message could not be processed as it is",
         "check its content and parameters before sending it again"},
        {63012, provider, as_new_message, "the channel's provider failed internally",
         "send it again after a pause, a few times at most"},
        {63013, content, after_fix, "the content breaks a rule of the channel",
         "look in the variables for line breaks, tabs or more than four spaces in a row"},
        {63014, recipient, never, "something the recipient did blocks the message",
         "do not repeat it: the recipient may have blocked the sender"},
        {63015, recipient, after_fix, "the recipient has not joined the sandbox",
         "have them send the sandbox's join code; it must be renewed every few days"},
        {63016, window, after_fix, "free-form text outside the session window",
         "send an approved template, or wait until the recipient writes"},
        {63017, throttled, later, "the account and its subaccounts send too fast",
         "lower the rate over all of them, then send again as a new message"},
        {63018, throttled, later, "the sender reached a limit of the channel",
         "slow this sender down; if it is Meta's messaging limit, wait up to 24 hours"},
        {63019, media, after_fix, "the media file could not be downloaded",
         "check that the URL needs no login and answers GET and HEAD with the right type and size"},
        {63020, sender, after_fix, "the Meta business account is not connected to Twilio",
         "accept the open invitation in Meta Business Manager"},
        {63021, content, after_fix, "the channel finds the content invalid",
         "keep a template with its variables within 1024 characters; check the media's type"},
        {63022, sender, after_fix, "the sender's display name has no valid certificate",
         "have the display name approved or renewed"},
        {63023, provider, as_new_message, "the channel gave an error without a class",
         "try once more at most, after a pause"},
        {63024, recipient, never, "the recipient cannot take this message",
         "check the number and that it uses a current WhatsApp"},
        {63025, media, after_fix, "the channel has this media file already",
         "send the file under another URL"},
        {63026, policy, never, "the sender's messages were flagged as spam",
         "stop this campaign, then review consent, content and the sender's quality rating"},
        {63027, template_, after_fix, "the template does not exist in this language",
         "have this language approved, or use one that is"},
        {63028, template_, after_fix, "the number of variables does not fit the template",
         "give exactly the variables that the template declares"},
        {63029, template_, after_fix, "the recipient's phone could not load the template",
         "check the template's approval and language; else use another one"},
        {63030, content, after_fix, "a parameter does not suit this kind of message",
         "remove what the channel does not support for it"},
        {63031, invalid_request, after_fix, "sender and recipient are the same",
         "write to another address than the sender's"},
        {63032, recipient, never, "WhatsApp withholds messages from this user",
         "skip this user: Meta has them in an experiment"},
        {63033, opted_out, never, "the recipient blocked the sender or opted out",
         "suppress the recipient until they write to you again"},
        {63034, media, after_fix, "the media file is too large",
         "use a smaller file; limits differ by kind of media"},
        {63035, sender, after_fix, "the RCS sender may not do this",
         "check the RCS sender's permissions and approval"},
        {63036, recipient, later, "the recipient cannot be reached by RCS now",
         "use another channel, or try again later"},
        {63037, info, never, "the media upload to the channel had a problem",
         "nothing to do: Twilio tries again by itself"},
        {63038, daily_limit, next_day, "the account used up its messages for the day",
         "stop sending until the next day, or have the limit raised"},
        {63039, throttled, later, "Meta warns: too many messages outside the 24-hour window",
         "send fewer templates for a while, or Meta limits the sender"},
        {63040, template_, after_fix, "the template was rejected",
         "change it as the reason for the rejection says, and submit it again"},
        {63041, template_, after_fix, "the template is paused for poor feedback",
         "use another template; this one may become active again"},
        {63042, template_, after_fix, "the template was disabled",
         "use another template: this one stays out of use"},
        {63046, info, never, "the template was approved", "nothing to do"},
        {63049, delayed, later, "Meta held back this marketing message",
         "try again hours later, at growing intervals; never to numbers in the United States"},
        {63050, opted_out, never, "the recipient wants no marketing messages",
         "send this recipient no marketing until they opt in again"},
        {63051, sender, after_fix, "the sender or its business account is locked",
         "see in Meta's WhatsApp Manager why, and ask for a review there"},
        {63052, info, never, "a template in the old form was used",
         "move it to a content template when convenient"},
        {63053, template_, later, "the template is still being synchronized",
         "wait at least ten minutes, then send again as a new message"},
        {63054, template_, after_fix, "the template is not available",
         "check its approval and that it belongs to the sender's business account"},
        {63055, template_, after_fix, "this sending path takes marketing templates only",
         "use a marketing template, or send in the ordinary way"},
        {63056, sender, after_fix, "the business account's type is not eligible",
         "see which account types Meta allows for this feature"},
        {63057, throttled, later, "templates were submitted too fast",
         "wait, then submit them more slowly"},
        {63058, recipient, never, "the business may not write to this country",
         "leave out recipients there, or reach them on another channel"},
        {63059, sender, after_fix, "the number moved to another business account",
         "register the number again, or send from its new account"},
        {63062, sender, after_fix, "the terms for marketing messages are not accepted",
         "accept Meta's terms in Business Manager"},
        {63100, invalid_request, after_fix, "the sender's data are not valid",
         "correct the field that Twilio's message names"},
        {63104, sender, after_fix, "the business account has as many numbers as it may",
         "have Meta raise the limit, or take a number out"},
        {63105, invalid_request, after_fix, "the channel does not support this action",
         "check which actions the sender's channel has"},
        {63110, sender, after_fix, "the sender could not be registered",
         "check the number, its verification code and the business account"},
        {63111, sender, after_fix, "no such sender or business account",
         "check their ids, and that Twilio has access to them"},
        {63112, sender, after_fix, "Meta disabled the business account",
         "appeal in Meta Business Manager"},

        {92002, template_, after_fix, "the template has more variables than are allowed",
         "declare fewer variables, or shorten their examples"},
        {92005, template_, after_fix, "the template's SID is missing", "set the template's SID"},
        {92006, template_, after_fix, "the template's SID is not valid",
         "check that the template exists in this account: HX and 32 hexadecimal digits"},
        {92007, template_, after_fix, "the template's variables are not valid",
         "pass a JSON object with a non-empty text for each variable the template declares"},

        // Meta's own.
        {139200, sender, after_fix, "Meta blocked Direct Send",
         "see in Meta's WhatsApp Manager why, and send in the ordinary way until it is lifted"},
    });
}

constexpr auto error_catalogue_table = make_error_catalogue();

constexpr bool error_catalogue_is_sound() {
    for (std::size_t i = 0; i < error_catalogue_table.size(); ++i) {
        const auto& entry = error_catalogue_table[i];
        if (entry.title.empty() || entry.advice.empty()) return false;
        if (i > 0 && error_catalogue_table[i - 1].code >= entry.code) return false;
    }
    return true;
}
static_assert(error_catalogue_is_sound(), "sorted by code, each code once, nothing left empty");

/// What the first digits tell about a code that is not in the catalogue.
struct ErrorCodeRange {
    int first = 0;
    int last = 0;
    ErrorAdvice advice = {};
};

// The categories say no more than the range does, and none invites an automatic retry.
constexpr auto error_code_ranges = std::to_array<ErrorCodeRange>({
    {11000,
     11999,
     {0, ErrorCategory::webhook, RetryAdvice::after_fix,
      "a code for fetching webhooks, not in the catalogue",
      "look it up in Twilio's error reference and check your endpoint"}},
    {12000,
     12999,
     {0, ErrorCategory::webhook, RetryAdvice::after_fix, "a code for TwiML, not in the catalogue",
      "look it up in Twilio's error reference and check your endpoint's answers"}},
    {14000,
     14999,
     {0, ErrorCategory::webhook, RetryAdvice::after_fix,
      "a code for replies by TwiML, not in the catalogue",
      "look it up in Twilio's error reference and check your endpoint's answers"}},
    {20000,
     20499,
     {0, ErrorCategory::invalid_request, RetryAdvice::after_fix,
      "a platform code for requests, not in the catalogue",
      "look it up in Twilio's error reference and check request and credentials"}},
    {20500,
     20599,
     {0, ErrorCategory::ambiguous, RetryAdvice::check_first,
      "a platform code for server failures, not in the catalogue",
      "look for the message before sending it again: it may exist"}},
    {20600,
     20999,
     {0, ErrorCategory::unknown, RetryAdvice::never, "a platform code that is not in the catalogue",
      "look it up in Twilio's error reference before trying again"}},
    {21000,
     21999,
     {0, ErrorCategory::invalid_request, RetryAdvice::after_fix,
      "a code for refused requests, not in the catalogue",
      "look it up in Twilio's error reference and check the request"}},
    {30000,
     30999,
     {0, ErrorCategory::unknown, RetryAdvice::never, "a delivery code that is not in the catalogue",
      "look it up in Twilio's error reference before sending again"}},
    {35000,
     35999,
     {0, ErrorCategory::invalid_request, RetryAdvice::after_fix,
      "a scheduling code that is not in the catalogue",
      "look it up in Twilio's error reference and check the request"}},
    {63000,
     63999,
     {0, ErrorCategory::unknown, RetryAdvice::never, "a channel code that is not in the catalogue",
      "look it up in Twilio's error reference before sending again"}},
    {92000,
     92999,
     {0, ErrorCategory::template_, RetryAdvice::after_fix,
      "a content code that is not in the catalogue",
      "look it up in Twilio's error reference and check the template"}},
});

constexpr ErrorAdvice error_code_of_no_range{
    0, ErrorCategory::unknown, RetryAdvice::never, "a code that is not in the catalogue",
    "look it up in Twilio's error reference before trying again"};

}  // namespace

}  // namespace detail

ErrorAdvice advise(int code) noexcept {
    if (code == 0) return {};
    const auto& table = detail::error_catalogue_table;
    const auto entry =
        std::lower_bound(table.begin(), table.end(), code,
                         [](const ErrorAdvice& known, int wanted) { return known.code < wanted; });
    if (entry != table.end() && entry->code == code) return *entry;
    const auto range = std::find_if(
        detail::error_code_ranges.begin(), detail::error_code_ranges.end(),
        [code](const detail::ErrorCodeRange& r) { return r.first <= code && code <= r.last; });
    auto advice =
        range == detail::error_code_ranges.end() ? detail::error_code_of_no_range : range->advice;
    advice.code = code;
    return advice;
}

std::span<const ErrorAdvice> error_catalogue() noexcept {
    return detail::error_catalogue_table;
}

std::string_view to_string(ErrorCategory category) noexcept {
    switch (category) {
        case ErrorCategory::unknown:
            return "unknown";
        case ErrorCategory::authentication:
            return "authentication";
        case ErrorCategory::account:
            return "account";
        case ErrorCategory::invalid_request:
            return "invalid_request";
        case ErrorCategory::not_found:
            return "not_found";
        case ErrorCategory::recipient:
            return "recipient";
        case ErrorCategory::opted_out:
            return "opted_out";
        case ErrorCategory::sender:
            return "sender";
        case ErrorCategory::template_:
            return "template";
        case ErrorCategory::content:
            return "content";
        case ErrorCategory::media:
            return "media";
        case ErrorCategory::window:
            return "window";
        case ErrorCategory::throttled:
            return "throttled";
        case ErrorCategory::daily_limit:
            return "daily_limit";
        case ErrorCategory::ambiguous:
            return "ambiguous";
        case ErrorCategory::provider:
            return "provider";
        case ErrorCategory::delayed:
            return "delayed";
        case ErrorCategory::expired:
            return "expired";
        case ErrorCategory::policy:
            return "policy";
        case ErrorCategory::webhook:
            return "webhook";
        case ErrorCategory::info:
            return "info";
    }
    return "unknown";
}

std::string_view to_string(RetryAdvice retry) noexcept {
    switch (retry) {
        case RetryAdvice::never:
            return "never";
        case RetryAdvice::after_fix:
            return "after_fix";
        case RetryAdvice::with_backoff:
            return "with_backoff";
        case RetryAdvice::later:
            return "later";
        case RetryAdvice::next_day:
            return "next_day";
        case RetryAdvice::as_new_message:
            return "as_new_message";
        case RetryAdvice::check_first:
            return "check_first";
    }
    return "unknown";
}

}  // namespace twiliowa
