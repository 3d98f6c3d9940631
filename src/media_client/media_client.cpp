#include <twiliowa/media_client.hpp>

#include <utility>

#include <twiliowa/http/curl_transport.hpp>

#include "call/client_core.hpp"
#include "media_client/media_fetch.hpp"
#include "media_client/media_target.hpp"
#include "media_client/media_url.hpp"

namespace twiliowa {

struct MediaClient::Impl {
    std::shared_ptr<const detail::CallEnvironment> environment;
    std::shared_ptr<HttpTransport> transport;
    std::shared_ptr<const detail::MediaRules> rules;
};

std::vector<std::string> default_media_hosts() {
    return {"*.twiliocdn.com", "s3-external-1.amazonaws.com/media.twiliocdn.com/"};
}

namespace detail {
namespace {

struct PreparedDownload {
    Credentials credentials = {};
    Operation operation = {};
    std::shared_ptr<MediaTarget> target = {};
};

using MakeMediaTarget = std::function<Result<std::shared_ptr<MediaTarget>>()>;

constexpr std::string_view operation_name = "media.download";

/// Checks everything before the target, which may be a file, is made.
Result<PreparedDownload> prepare_download(const CallEnvironment& environment, std::string_view url,
                                          const MakeMediaTarget& make_target) {
    auto resource = media_resource_url(environment.origin, url);
    if (!resource) return resource.error();
    auto credentials = environment.credentials();
    if (!credentials) return credentials.error();
    auto target = make_target();
    if (!target) return target.error();
    PreparedDownload prepared{.credentials = std::move(*credentials), .target = std::move(*target)};
    prepared.operation.name = operation_name;
    prepared.operation.url = resource->text();
    return prepared;
}

/// Trying again is the fetch's affair: it knows what has reached the target.
void heed_fetch(Operation& operation, const std::shared_ptr<MediaFetch>& fetch) {
    operation.verdict = [fetch](const Error& error, int attempt) {
        return fetch->verdict(error, attempt);
    };
}

Result<MediaDownload> run_download(const CallEnvironment& environment,
                                   const std::shared_ptr<HttpTransport>& transport,
                                   const std::shared_ptr<const MediaRules>& rules,
                                   std::string_view url, const MakeMediaTarget& make_target,
                                   const CallOptions& options) {
    auto prepared = prepare_download(environment, url, make_target);
    if (!prepared) {
        environment.tell_refused(operation_name, prepared.error());
        return prepared.error();
    }
    const auto fetch = std::make_shared<MediaFetch>(transport, rules, std::move(prepared->target));
    heed_fetch(prepared->operation, fetch);
    auto error =
        run_blocking(environment, *fetch, prepared->credentials, std::move(prepared->operation),
                     options, [&fetch](HttpResponse& answer) { return fetch->accept(answer); });
    if (error) return std::move(*error);
    return fetch->result();
}

void start_download(const std::shared_ptr<const CallEnvironment>& environment,
                    const std::shared_ptr<HttpTransport>& transport,
                    const std::shared_ptr<const MediaRules>& rules, std::string_view url,
                    const MakeMediaTarget& make_target, Callback<MediaDownload> done,
                    const CallOptions& options) {
    const bool asynchronous = dynamic_cast<AsyncHttpTransport*>(transport.get()) != nullptr;
    auto prepared = asynchronous ? prepare_download(*environment, url, make_target)
                                 : Result<PreparedDownload>(transport_is_not_asynchronous());
    if (!prepared) {
        environment->tell_refused(operation_name, prepared.error());
        complete_later(*environment, transport,
                       [done = std::move(done), error = prepared.error()] { done(error); });
        return;
    }
    const auto fetch = std::make_shared<MediaFetch>(transport, rules, std::move(prepared->target));
    heed_fetch(prepared->operation, fetch);
    run_async(
        environment, fetch, prepared->credentials, std::move(prepared->operation), options,
        [fetch](HttpResponse& answer) { return fetch->accept(answer); },
        [fetch, done = std::move(done)](std::optional<Error> error) {
            if (!error) return done(fetch->result());
            fetch->discard();
            done(std::move(*error));
        });
}

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

}  // namespace
}  // namespace detail

Result<std::shared_ptr<const MediaClient::Impl>> MediaClient::make_impl(
    CredentialsProvider provider, const ClientOptions& options, MediaOptions media) {
    auto environment = detail::make_call_environment(std::move(provider), options);
    if (!environment) return environment.error();
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
    rules->clock = (*environment)->clock;
    if (!options.base_url.empty()) {
        rules->own_host = detail::parse_media_url((*environment)->origin.base);
    }
    auto impl = std::make_shared<Impl>();
    impl->environment = std::move(*environment);
    impl->transport = options.transport ? options.transport : std::make_shared<CurlTransport>();
    impl->rules = std::move(rules);
    return std::shared_ptr<const Impl>(std::move(impl));
}

MediaClient::MediaClient(Credentials credentials, const ClientOptions& options, MediaOptions media)
    : MediaClient(CredentialsProvider([credentials = std::move(credentials)] {
                      return Result<Credentials>(credentials);
                  }),
                  options, std::move(media)) {}

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
    return detail::run_download(*impl_->environment, impl_->transport, impl_->rules, url,
                                detail::into_sink(std::move(sink)), options);
}
void MediaClient::async_download(std::string_view url, Sink sink, Callback<MediaDownload> done,
                                 const CallOptions& options) const {
    detail::start_download(impl_->environment, impl_->transport, impl_->rules, url,
                           detail::into_sink(std::move(sink)), std::move(done), options);
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
    return detail::run_download(*impl_->environment, impl_->transport, impl_->rules, url,
                                detail::into_file(path, if_exists), options);
}
void MediaClient::async_download_to_file(std::string_view url, const std::string& path,
                                         Callback<MediaDownload> done, IfFileExists if_exists,
                                         const CallOptions& options) const {
    detail::start_download(impl_->environment, impl_->transport, impl_->rules, url,
                           detail::into_file(path, if_exists), std::move(done), options);
}

MediaDownload MediaClient::download_to_string(std::string_view url,
                                              const CallOptions& options) const {
    return try_download_to_string(url, options).value();
}
Result<MediaDownload> MediaClient::try_download_to_string(std::string_view url,
                                                          const CallOptions& options) const {
    return detail::run_download(*impl_->environment, impl_->transport, impl_->rules, url,
                                detail::into_string, options);
}
void MediaClient::async_download_to_string(std::string_view url, Callback<MediaDownload> done,
                                           const CallOptions& options) const {
    detail::start_download(impl_->environment, impl_->transport, impl_->rules, url,
                           detail::into_string, std::move(done), options);
}

}  // namespace twiliowa
