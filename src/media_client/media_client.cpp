#include <twiliowa/media_client.hpp>

#include <utility>

#include "call/api_client.hpp"
#include "media_client/media_fetch.hpp"
#include "media_client/media_target.hpp"
#include "media_client/media_url.hpp"

namespace twiliowa {

std::vector<std::string> default_media_hosts() {
    return {"*.twiliocdn.com", "s3-external-1.amazonaws.com/media.twiliocdn.com/"};
}

namespace detail {
namespace {

constexpr CallKind download_call{
    "media.download", HttpMethod::get,
    "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}"};

using MakeMediaTarget = std::function<Result<std::shared_ptr<MediaTarget>>()>;

MakeMediaTarget into_sink(MediaClient::Sink sink) {
    return [sink = std::move(sink)]() -> Result<std::shared_ptr<MediaTarget>> {
        if (!sink) return Error::invalid_request("sink", "is empty");
        return make_sink_target(sink);
    };
}

MakeMediaTarget into_file(const std::string& path, IfFileExists if_exists) {
    return
        [path, if_exists] { return make_file_target(path, if_exists == IfFileExists::overwrite); };
}

Result<std::shared_ptr<MediaTarget>> into_string() {
    return make_string_target();
}

/// A download that may begin, and what follows its redirects.
struct PreparedDownload {
    PreparedCall call = {};
    std::shared_ptr<MediaFetch> fetch = {};
};

}  // namespace
}  // namespace detail

struct MediaClient::Impl : detail::ApiClient {
    std::shared_ptr<const detail::MediaRules> rules;

    /// Checks everything before the target, which may be a file, is made.
    Result<detail::PreparedDownload> prepare(std::string_view url,
                                             const detail::MakeMediaTarget& make_target) const {
        auto resource = detail::media_resource_url(core->origin_of(detail::ApiProduct::api), url);
        if (!resource) return resource.error();
        auto credentials = core->credentials();
        if (!credentials) return credentials.error();
        auto target = make_target();
        if (!target) return target.error();
        detail::PreparedDownload prepared{
            .call = {.credentials = std::move(*credentials)},
            .fetch = std::make_shared<detail::MediaFetch>(transport, rules, std::move(*target))};
        auto& operation = prepared.call.operation;
        operation.kind = detail::download_call;
        operation.url = resource->text();
        // Trying again is the fetch's affair: it knows what has reached the target.
        operation.verdict = [fetch = prepared.fetch](const Error& error, int attempt) {
            return fetch->verdict(error, attempt);
        };
        return prepared;
    }

    Result<MediaDownload> download(std::string_view url, const detail::MakeMediaTarget& make_target,
                                   const CallOptions& options) const {
        auto prepared = prepare(url, make_target);
        if (!prepared) {
            return detail::refuse_call(*core, detail::download_call, prepared.error(), options);
        }
        auto& [call, fetch] = *prepared;
        auto error = detail::run_blocking(
            *core, *fetch, call.credentials, std::move(call.operation), options,
            [&fetch = fetch](HttpResponse& answer) { return fetch->read(answer); });
        if (error) return std::move(*error);
        return fetch->result();
    }

    void start_download(std::string_view url, const detail::MakeMediaTarget& make_target,
                        Callback<MediaDownload> done, const CallOptions& options) const {
        // Asked first, so that no file is made for nothing.
        const bool asynchronous = dynamic_cast<AsyncHttpTransport*>(transport.get()) != nullptr;
        auto prepared =
            asynchronous
                ? prepare(url, make_target)
                : Result<detail::PreparedDownload>(detail::transport_is_not_asynchronous());
        if (!prepared) {
            return detail::refuse_call_async(*core, transport, detail::download_call,
                                             prepared.error(), options, std::move(done));
        }
        auto& [call, fetch] = *prepared;
        detail::run_async(
            core, fetch, call.credentials, std::move(call.operation), options,
            [fetch = fetch](HttpResponse& answer) { return fetch->read(answer); },
            [fetch = fetch, done = std::move(done)](std::optional<Error> error) {
                if (!error) return done(fetch->result());
                fetch->discard();
                done(std::move(*error));
            });
    }
};

Result<std::shared_ptr<const MediaClient::Impl>> MediaClient::make_impl(
    CredentialsProvider provider, const ClientOptions& options, MediaOptions media) {
    auto made = detail::ApiClient::create(std::move(provider), options);
    if (!made) return made.error();
    const auto& core = *made->core;
    if (media.max_bytes < 1) return Error::invalid_request("max_bytes", "is less than 1");
    if (media.max_redirects < 0) return Error::invalid_request("max_redirects", "is negative");
    for (const auto& rule : media.redirect_hosts) {
        if (!detail::is_redirect_rule(rule)) {
            return Error::invalid_request("redirect_hosts", "has an entry that is no host",
                                          "such as files.example.com or *.example.com:8443");
        }
    }
    auto rules = std::make_shared<detail::MediaRules>();
    rules->options = std::move(media);
    rules->clock = core.clock;
    if (!options.base_url.empty()) {
        rules->own_host = detail::parse_media_url(core.origin_of(detail::ApiProduct::api).base);
    }
    return std::make_shared<const Impl>(Impl{std::move(*made), std::move(rules)});
}

MediaClient::MediaClient(Credentials credentials, const ClientOptions& options, MediaOptions media)
    : MediaClient(detail::always(std::move(credentials)), options, std::move(media)) {}

MediaClient::MediaClient(CredentialsProvider provider, const ClientOptions& options,
                         MediaOptions media)
    : impl_(make_impl(std::move(provider), options, std::move(media)).value()) {}

Result<MediaClient> MediaClient::try_create(CredentialsProvider provider,
                                            const ClientOptions& options, MediaOptions media) {
    auto impl = make_impl(std::move(provider), options, std::move(media));
    if (!impl) return impl.error();
    return MediaClient(std::move(*impl));
}

MediaDownload MediaClient::download(std::string_view url, Sink sink,
                                    const CallOptions& options) const {
    return try_download(url, std::move(sink), options).value();
}
Result<MediaDownload> MediaClient::try_download(std::string_view url, Sink sink,
                                                const CallOptions& options) const {
    return impl_->download(url, detail::into_sink(std::move(sink)), options);
}
void MediaClient::async_download(std::string_view url, Sink sink, Callback<MediaDownload> done,
                                 const CallOptions& options) const {
    impl_->start_download(url, detail::into_sink(std::move(sink)), std::move(done), options);
}

MediaDownload MediaClient::download_to_file(std::string_view url, const std::string& path,
                                            IfFileExists if_exists,
                                            const CallOptions& options) const {
    return try_download_to_file(url, path, if_exists, options).value();
}
Result<MediaDownload> MediaClient::try_download_to_file(std::string_view url,
                                                        const std::string& path,
                                                        IfFileExists if_exists,
                                                        const CallOptions& options) const {
    return impl_->download(url, detail::into_file(path, if_exists), options);
}
void MediaClient::async_download_to_file(std::string_view url, const std::string& path,
                                         Callback<MediaDownload> done, IfFileExists if_exists,
                                         const CallOptions& options) const {
    impl_->start_download(url, detail::into_file(path, if_exists), std::move(done), options);
}

MediaDownload MediaClient::download_to_string(std::string_view url,
                                              const CallOptions& options) const {
    return try_download_to_string(url, options).value();
}
Result<MediaDownload> MediaClient::try_download_to_string(std::string_view url,
                                                          const CallOptions& options) const {
    return impl_->download(url, detail::into_string, options);
}
void MediaClient::async_download_to_string(std::string_view url, Callback<MediaDownload> done,
                                           const CallOptions& options) const {
    impl_->start_download(url, detail::into_string, std::move(done), options);
}

}  // namespace twiliowa
