/// @file
/// The URL that Twilio called, which is not always the one that this server was reached by.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace twiliowa {

/// How Twilio is to call a webhook. By default it tries again only when it could not connect, and
/// once; a server that is restarted loses messages then. `{.retries = 3, .retry_on = "all"}` gives
/// `#rc=3&rp=all`. What is not set is left to Twilio.
struct ConnectionOverrides {
    std::optional<std::chrono::milliseconds> connect_timeout = {};  ///< 100 to 10000 ms (5000).
    std::optional<std::chrono::milliseconds> read_timeout = {};     ///< 100 to 15000 ms (15000).
    std::optional<std::chrono::milliseconds> total_timeout = {};    ///< 100 to 15000 ms (15000).
    std::optional<int> retries = {};                                ///< 0 to 5 (1).
    /// Which failures are tried again: `4xx`, `5xx`, `ct` (connecting), `rt` (reading), several of
    /// them with commas, or `all` (`ct`).
    TextField retry_on = {};
    /// Where Twilio calls from: ashburn, dublin, frankfurt, sao-paulo, singapore, sydney, tokyo,
    /// umatilla (ashburn).
    TextField edge = {};
};

/// As the fragment of a webhook's URL, `#rc=3&rp=all`; empty if nothing is set. Twilio neither
/// sends nor signs it.
/// Errors: InvalidRequestError naming the member that is out of its range.
TWILIOWA_EXPORT Result<std::string> connection_fragment(const ConnectionOverrides& overrides);

/// What PublicUrl believes of the headers that listed proxies send, beside X-Forwarded-Proto, -Host
/// and -Port. A client's own header passes through every proxy that does not know it: choose none
/// that yours do not set.
struct ProxyHeaders {
    /// Forwarded (RFC 7239) instead of X-Forwarded-*.
    bool forwarded = false;
    /// X-Forwarded-Prefix, the path that a proxy took away. Counts beside either: Forwarded has
    /// nothing for it.
    bool prefix = false;
    /// The only hosts that a request may be made to, whoever names them. With their port where the
    /// URL has one, whichever header it comes from; that of the scheme (443, 80) may be left out.
    /// Empty: any.
    TextList hosts = {};
};

/// How the outside world reaches this server; with it, a request's URL as Twilio called and signed
/// it. Immutable, copies are cheap, safe to use from any thread at once.
class TWILIOWA_EXPORT PublicUrl {
public:
    /// At this address, whatever the request says: the safest choice, and the one that works behind
    /// any proxy. The base may have a path; a request's target is put behind it, so it is what a
    /// proxy takes away: with `https://example.com/hooks`, a request for `/whatsapp?a=1` was made
    /// to `https://example.com/hooks/whatsapp?a=1`. User name and password, if they are in the URL
    /// that Twilio has, belong here too.
    /// @throws InvalidRequestError if it is no http or https URL, or has a query or a fragment.
    static PublicUrl fixed(std::string_view base_url);
    static Result<PublicUrl> try_fixed(std::string_view base_url);
    /// At this address, behind proxies of these addresses or networks, which say who the client is
    /// (`client_of`), and nothing else: of `headers` only `forwarded` counts.
    /// @throws InvalidRequestError as `fixed` and `behind_proxies`.
    static PublicUrl fixed(std::string_view base_url, const TextList& peers,
                           const ProxyHeaders& headers = {});
    static Result<PublicUrl> try_fixed(std::string_view base_url, const TextList& peers,
                                       const ProxyHeaders& headers = {});

    /// Behind proxies of these addresses or networks (`10.0.0.7`, `10.0.0.0/8`, `fd00::/8`), which
    /// say where the request was made to: in X-Forwarded-Proto, -Host and -Port, or in what
    /// `headers` chooses. Of several hops counts the outermost that a listed proxy vouches for.
    /// From any other peer these headers are ignored, and the URL is as received. What the proxies
    /// themselves pass on unchecked cannot be told from what they say: have them set each of these
    /// headers that they do not remove.
    /// @throws InvalidRequestError naming the entry that is neither, or if there is none.
    static PublicUrl behind_proxies(const TextList& peers, const ProxyHeaders& headers = {});
    static Result<PublicUrl> try_behind_proxies(const TextList& peers,
                                                const ProxyHeaders& headers = {});

    /// As received: WebhookRequest::scheme, and the Host header, which is whatever the client says.
    /// With `hosts` (`bot.example.com`, `bot.example.com:8443`) no other is taken; any without.
    static PublicUrl as_received(TextList hosts = {});

    /// The URL that the request was made to.
    /// Errors: InvalidRequestError naming what cannot be used: the target, the Host header, the
    /// scheme, a host that is not among those allowed, or a forwarded header. Forwarded and
    /// X-Forwarded-* that name different hosts or schemes are refused, whichever counts: one of
    /// them is not the proxy's. The scheme's own port, written or not, is no difference.
    Result<std::string> url_of(const WebhookRequest& request) const;

    /// The address that the request came from, without a port: the connection's peer, and if that
    /// is a listed proxy, the client that it names in X-Forwarded-For, or in Forwarded where that
    /// is chosen. Of several hops counts the last that is no listed proxy: whatever stands before
    /// it the client may have written. The peer where the header is missing, or that hop is no
    /// address. From any other peer the header is ignored.
    std::string client_of(const WebhookRequest& request) const;

    /// The URL to give to Twilio for a path (and query) of this server. Needs a fixed base.
    /// @throws InvalidRequestError
    std::string webhook_url(std::string_view path, const ConnectionOverrides& overrides = {}) const;
    Result<std::string> try_webhook_url(std::string_view path,
                                        const ConnectionOverrides& overrides = {}) const;

private:
    struct Settings;
    explicit PublicUrl(std::shared_ptr<const Settings> settings) noexcept
        : settings_(std::move(settings)) {}
    std::shared_ptr<const Settings> settings_;
};

}  // namespace twiliowa
