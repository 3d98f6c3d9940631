/// @file
/// The front door for the files that come with messages: `MediaClient`.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/client_options.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/http/defaults.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Where Twilio is known to keep the files that its API redirects to:
///
/// - `*.twiliocdn.com`: mms.twiliocdn.com holds files that want authentication (Twilio's help
///   article 223183748, "Protect Media Access with HTTP Basic Authentication"), media.twiliocdn.com
///   is met in older URLs;
/// - `s3-external-1.amazonaws.com/media.twiliocdn.com/`: files of accounts that do not enforce
///   authentication (the same article; the bucket as in published URLs of media).
TWILIOWA_EXPORT std::vector<std::string> default_media_hosts();

/// What a download may do. Everything has a default.
struct MediaOptions {
    /// A larger file is an error, at its headers already where they give its size.
    std::size_t max_bytes = defaults::max_media_bytes;
    /// Where the API may redirect to, over https: `host`, `*.domain` (its subdomains),
    /// `host:port`, each with `/path/prefix` if need be. Any other host is refused by name.
    TextList redirect_hosts = default_media_hosts();
    int max_redirects = defaults::max_redirects;
    /// A redirect is never followed to an address outside the public internet (private, loopback,
    /// link-local, multicast, ...), unless this returns true for it (the numeric IP address).
    /// Behind a proxy the address is the proxy's: allow it here if it is a private one.
    std::function<bool(std::string_view)> allow_address = {};
};

/// A file that was downloaded. The texts come from the network; they are empty where it gave
/// nothing usable.
struct MediaDownload {
    std::string content_type = {};  ///< `image/jpeg`
    /// The name the sender gave it; without directories and control characters, but for all that
    /// somebody else's choice.
    std::string file_name = {};
    std::string host = {};   ///< The host that had it.
    std::size_t size = 0;    ///< Bytes.
    std::string bytes = {};  ///< Filled by `download_to_string` only.
};

/// What `download_to_file` does when there is a file of that name.
enum class IfFileExists { refuse, overwrite };

/// Downloads the files of messages: `InboundMedia::url` of a webhook, or `Media::uri` of
/// `MessagesClient::list_media`.
///
/// GET /2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{MediaSid}, and then what the
/// answer redirects to. The credentials go to the API's own host and to a path of that form only,
/// so a URL from a forged webhook cannot carry them away, and never along a redirect. Redirects
/// lead to the hosts of `MediaOptions::redirect_hosts` over https, and to addresses of the public
/// internet (checked on the address connected to). A `ClientOptions::base_url` may be http and
/// anywhere, and may redirect to itself; it relaxes nothing else. Webhooks name
/// https://api.twilio.com however the API is reached: such a URL is asked for at the client's own
/// edge and region, or base URL.
///
/// Idempotent: tried again as the retry policy says, and a few times, half a second to two seconds
/// apart, when there is no such file (404): one that has just come in may take a moment to appear.
/// Once bytes have reached a sink a download is not begun again; a file or a string is begun anew.
///
/// Immutable and cheap to copy; one object may be used from any number of threads at once. Forms,
/// threads and errors are as for MessagesClient, and: InvalidRequestError for a URL that is not the
/// API's and a file that cannot be written; ResponseError for a redirect that is refused (`host()`
/// names its host) and for a file larger than allowed. Errors hold no URL but its host: the rest
/// may be a signature.
class TWILIOWA_EXPORT MediaClient {
public:
    /// Takes the bytes in order; false ends the download with a CancelledError. Runs in the calling
    /// thread, or, in asynchronous forms, on the transport's.
    using Sink = std::function<bool(std::string_view)>;

    /// Give the same options as to MessagesClient, with the same transport, to share connections.
    /// What concerns sending is not looked at. @throws InvalidRequestError naming the option that
    /// is wrong.
    explicit MediaClient(Credentials credentials, const ClientOptions& options = {},
                         MediaOptions media = {});
    /// Asks `provider` for credentials at every call.
    explicit MediaClient(CredentialsProvider provider, const ClientOptions& options = {},
                         MediaOptions media = {});
    static Result<MediaClient> try_create(CredentialsProvider provider,
                                          const ClientOptions& options = {},
                                          MediaOptions media = {});

    MediaDownload download(std::string_view url, Sink sink, const CallOptions& options = {}) const;
    Result<MediaDownload> try_download(std::string_view url, Sink sink,
                                       const CallOptions& options = {}) const;
    void async_download(std::string_view url, Sink sink, Callback<MediaDownload> done,
                        const CallOptions& options = {}) const;

    /// Writes to a new file beside `path`, which gets that name once it is complete and on the
    /// disk: there is never half a file of that name. Its readers are those the umask allows.
    MediaDownload download_to_file(std::string_view url, const std::string& path,
                                   IfFileExists if_exists = IfFileExists::refuse,
                                   const CallOptions& options = {}) const;
    Result<MediaDownload> try_download_to_file(std::string_view url, const std::string& path,
                                               IfFileExists if_exists = IfFileExists::refuse,
                                               const CallOptions& options = {}) const;
    void async_download_to_file(std::string_view url, const std::string& path,
                                Callback<MediaDownload> done,
                                IfFileExists if_exists = IfFileExists::refuse,
                                const CallOptions& options = {}) const;

    /// Into `MediaDownload::bytes`.
    MediaDownload download_to_string(std::string_view url, const CallOptions& options = {}) const;
    Result<MediaDownload> try_download_to_string(std::string_view url,
                                                 const CallOptions& options = {}) const;
    void async_download_to_string(std::string_view url, Callback<MediaDownload> done,
                                  const CallOptions& options = {}) const;

private:
    struct Impl;
    explicit MediaClient(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
    static Result<std::shared_ptr<const Impl>> make_impl(CredentialsProvider provider,
                                                         const ClientOptions& options,
                                                         MediaOptions media);
    std::shared_ptr<const Impl> impl_;
};

}  // namespace twiliowa
