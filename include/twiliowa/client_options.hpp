/// @file
/// How a client is set up: `ClientOptions`, the same for every client that sends.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <twiliowa/export.hpp>
#include <twiliowa/http/defaults.hpp>
#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/http/rate_limiter.hpp>
#include <twiliowa/http/retry_policy.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

class ConversationWindow;
class OptOuts;
class Templates;

/// What becomes of a free-form message when nothing is known of the recipient's window.
enum class UnknownWindow {
    send,    ///< It goes: the customer may have written before records were kept.
    refuse,  ///< It is treated as if the window were closed.
};

/// Which environment variables say how a client is set up.
struct EnvironmentNames {
    /// Empty: no sender is read, for clients that do not send.
    TextField sender = "TWILIO_WHATSAPP_NUMBER";
    TextField edge = "TWILIO_EDGE";
    TextField region = "TWILIO_REGION";
    TextField base_url = "TWILIOWA_BASE_URL";
};

/// How a client is set up. Everything has a default.
struct ClientOptions {
    TextField from = {};  ///< Sender of every message that names none: `+14155238886`.
    TextField messaging_service_sid = {};  ///< MG...; the default instead of, or with, `from`.
    TextField status_callback = {};        ///< Default status callback URL.
    /// Twilio's edge ("dublin") and region ("ie1"). One alone implies the other where the pair is
    /// documented; the host always names both.
    TextField edge = {};
    TextField region = {};
    /// Instead of https://api.twilio.com: an emulator, a gateway. http:// is allowed here only.
    TextField base_url = {};
    /// Default: a CurlTransport of its own. Share one between clients to share its connections.
    std::shared_ptr<HttpTransport> transport = {};
    std::chrono::milliseconds timeout = defaults::timeout;
    RetryPolicy retry = {};
    std::shared_ptr<RateLimiter> rate_limiter = {};
    std::shared_ptr<Observer> observer = {};
    /// Where completions of asynchronous calls run. Default: the transport's I/O thread.
    std::function<void(std::function<void()>)> executor = {};
    std::shared_ptr<Clock> clock = {};    ///< Default: the machine's.
    std::function<double()> random = {};  ///< In [0, 1), for jitter. Must be thread-safe.
    std::size_t max_response_bytes = defaults::max_response_bytes;
    /// What is known of the 24-hour window; see state/conversation_window.hpp. With it, a WhatsApp
    /// message without a content_sid is refused before the network when the window is known to be
    /// closed (InvalidRequestError, field "Body", code 63016); its fallback template goes instead
    /// if it has one. A scheduled message is judged by what is known now of the window at
    /// `send_at`. A refusal of Twilio's with 63016 closes the window.
    std::shared_ptr<const ConversationWindow> window = {};
    UnknownWindow unknown_window = UnknownWindow::send;
    /// Who has opted out; see state/opt_outs.hpp. With it, nothing goes to who opted out of its
    /// sender or its messaging service (InvalidRequestError, field "To", code 21610) or blocked it
    /// (63033), no template that is said to be marketing goes to who wants none (63050), nor is one
    /// scheduled. Refusals of Twilio's that mean an opt-out are learnt.
    ///
    /// Both ask their store in the thread that sends, asynchronous forms too. While the store
    /// fails, nothing is sent: the store's error is the result (TransportError, field "store"). A
    /// store that fails to take in a refusal changes nothing about the refusal. A recipient that is
    /// given in `extra` only is not looked up.
    std::shared_ptr<const OptOuts> opt_outs = {};
    /// What is known of the account's templates; see templates.hpp. With it, a message made of a
    /// template is refused before the network (InvalidRequestError) when a variable is missing or
    /// is not the template's ("ContentVariables", 21656), when its text is too long (63021) or its
    /// values hold what WhatsApp refuses (63013), when it was rejected (63040), paused (63041) or
    /// disabled (63042), and when it is not approved, or of a type that goes within the 24-hour
    /// window only, and the window is not known to be open (63016; what `unknown_window` says holds
    /// for it, too). Without it the template's samples go out in place of what is left out.
    ///
    /// A template that is not known is fetched first, within the time of the call (a fallback's if
    /// it has to go); while it cannot be, nothing is sent.
    std::shared_ptr<Templates> templates = {};

    /// Reads the sender (needed, unless `names` has none), edge, region and base URL; the sender
    /// with or without `whatsapp:` before it.
    /// @throws InvalidRequestError naming the variable that is missing or malformed.
    TWILIOWA_EXPORT static ClientOptions from_environment(const EnvironmentNames& names = {});
    TWILIOWA_EXPORT static Result<ClientOptions> try_from_environment(
        const EnvironmentNames& names = {});
};

}  // namespace twiliowa
