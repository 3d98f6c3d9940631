/// @file
/// The answer to a webhook: TwiML. `MessagingResponse`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// One reply. Empty members are left out.
struct TwimlMessage {
    TextField body = {};             ///< At most 1600 characters (code points).
    TextList media = {};             ///< URLs. WhatsApp takes one, SMS ten.
    TextField to = {};               ///< As on the wire (+44... is SMS). Default: who wrote.
    TextField from = {};             ///< Default: to whom was written.
    TextField action = {};           ///< URL for the reply's status callbacks.
    TextField method = {};           ///< Of those callbacks: `POST` or `GET`.
    TextField status_callback = {};  ///< Twilio prefers `action`.
};

/// What Twilio shall do in answer to an inbound message: send messages, or ask another URL. Plain
/// data, not synchronised. Source: Twilio's TwiML for Programmable Messaging.
///
/// @code
/// MessagingResponse{"Thank you!"}.xml()
/// // <?xml version="1.0" encoding="UTF-8"?><Response><Message><Body>Thank you!</Body>...
/// @endcode
///
/// Any text may be given: markup is escaped, characters that XML 1.0 does not allow are dropped,
/// bytes that are not UTF-8 become U+FFFD.
class TWILIOWA_EXPORT MessagingResponse {
public:
    /// Twilio refuses more (error 11750).
    static constexpr std::size_t max_bytes = std::size_t{64} * 1024;

    /// Says nothing: `<Response/>`.
    MessagingResponse() noexcept = default;
    /// Replies with one text.
    explicit MessagingResponse(std::string_view text) { message(text); }

    /// Adds a reply. Each becomes a message of its own, in this order.
    MessagingResponse& message(std::string_view body);
    MessagingResponse& message(TwimlMessage message);
    /// Hands over to the TwiML at `url`; what is added after it is never reached.
    MessagingResponse& redirect(std::string_view url, std::string_view method = {});

    bool empty() const noexcept { return verbs_.empty(); }
    /// The replies, in their order.
    std::vector<TwimlMessage> messages() const;
    /// Whether it hands over to another URL.
    bool redirects() const noexcept;

    /// The document, on one line. @throws InvalidRequestError naming what Twilio would refuse: a
    /// reply with neither body nor media, with a body that is too long (field Body, code 21617) or
    /// with too many media (MediaUrl, 21623), and a document larger than `max_bytes`.
    std::string xml() const;
    Result<std::string> try_xml() const;
    /// The same in answer to `customer`, the webhook's From. To WhatsApp (`whatsapp:...`) more than
    /// one media URL is refused, too, as the others would be dropped. TwimlMessage::to, if given,
    /// counts instead of `customer`.
    Result<std::string> try_xml_for(std::string_view customer) const;

private:
    struct Verb {
        TwimlMessage message;
        std::string redirect_url;
        std::string redirect_method;
        bool is_redirect = false;
    };
    std::vector<Verb> verbs_;
};

}  // namespace twiliowa
