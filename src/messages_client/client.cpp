#include <utility>

#include <twiliowa/types/address.hpp>

#include "messages_client/impl.hpp"
#include "net/url.hpp"
#include "types/hmac.hpp"

namespace twiliowa {

Result<std::shared_ptr<const MessagesClient::Impl>> MessagesClient::make_impl(
    CredentialsProvider provider, ClientOptions options) {
    auto impl = std::make_shared<Impl>();
    if (!options.from.empty()) {
        auto from = Address::parse(options.from, "from");
        if (!from) return from.error();
        impl->defaults.from = std::move(*from);
    }
    if (!options.messaging_service_sid.empty()) {
        auto service = MessagingServiceSid::parse(options.messaging_service_sid);
        if (!service) return service.error();
        impl->defaults.messaging_service_sid = std::move(*service);
    }
    const auto url_problem = detail::web_url_problem(options.status_callback);
    if (!options.status_callback.empty() && !url_problem.empty()) {
        return Error::invalid_request("status_callback", url_problem);
    }
    auto made = detail::ApiClient::create(std::move(provider), options);
    if (!made) return made.error();
    static_cast<detail::ApiClient&>(*impl) = std::move(*made);

    if (options.window || options.opt_outs || options.templates) {
        const bool refuse_unknown = options.unknown_window == UnknownWindow::refuse;
        impl->gate = std::make_shared<const detail::SendGate>(detail::SendGate{
            std::move(options.window), std::move(options.opt_outs),
            options.templates ? detail::TemplateCache::of(*options.templates) : nullptr,
            refuse_unknown});
    }
    impl->defaults.status_callback = std::move(options.status_callback);
    return std::shared_ptr<const Impl>(std::move(impl));
}

MessagesClient::MessagesClient(Credentials credentials, ClientOptions options)
    : MessagesClient(detail::always(std::move(credentials)), std::move(options)) {}

MessagesClient::MessagesClient(CredentialsProvider provider, ClientOptions options)
    : impl_(make_impl(std::move(provider), std::move(options)).value()) {}

Result<MessagesClient> MessagesClient::try_create(CredentialsProvider provider,
                                                  ClientOptions options) {
    auto impl = make_impl(std::move(provider), std::move(options));
    if (!impl) return impl.error();
    return MessagesClient(std::move(*impl));
}

Result<MessagesClient> MessagesClient::try_from_environment() {
    auto credentials = Credentials::try_from_environment();
    if (!credentials) return credentials.error();
    auto options = ClientOptions::try_from_environment();
    if (!options) return options.error();
    return try_create(detail::always(std::move(*credentials)), std::move(*options));
}

MessagesClient MessagesClient::from_environment() {
    return try_from_environment().value();
}

SendDefaults MessagesClient::send_defaults() const {
    const auto& defaults = impl_->defaults;
    return {.from = defaults.from.wire(),
            .messaging_service_sid = defaults.messaging_service_sid.str(),
            .status_callback = defaults.status_callback,
            .may_duplicate = impl_->core->retry.retry_may_duplicate};
}

std::string MessagesClient::url_of(std::string_view path) const {
    return std::string{impl_->core->origin_of(detail::ApiProduct::api).base}.append(path);
}

Result<AccountSid> MessagesClient::try_account_sid() const {
    return impl_->core->credentials().transform(
        [](const Credentials& credentials) { return credentials.account_sid(); });
}

Result<std::string> MessagesClient::try_credentials_mark() const {
    return impl_->core->credentials().transform([](const Credentials& credentials) {
        // Of the path's account, too: a main account's token opens several.
        const auto login = detail::sha256_hex(credentials.authorization().reveal());
        const auto hash =
            detail::sha256_hex("credentials mark\n" + credentials.account_sid().str() + '\n' +
                               std::string{login.begin(), login.end()});
        return std::string{hash.begin(), hash.begin() + 32};
    });
}

}  // namespace twiliowa
