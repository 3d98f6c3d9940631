/// @file
/// A transport that tells a test of each message before it leaves.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/messages_client.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace outbox_test {

struct WatchedTransport final : twiliowa::HttpTransport {
    explicit WatchedTransport(std::shared_ptr<twiliowa::HttpTransport> behind)
        : inner(std::move(behind)) {}

    twiliowa::Result<twiliowa::HttpResponse> send(const twiliowa::HttpRequest& request,
                                                  const twiliowa::CallContext& context) override {
        if (request.method == twiliowa::HttpMethod::post && before) {
            const auto at = request.body.find("Body=") + 5;
            before(request.body.substr(at, request.body.find('&', at) - at));
        }
        return inner->send(request, context);
    }

    const std::shared_ptr<twiliowa::HttpTransport> inner;
    /// Given the text, in the form's encoding.
    std::function<void(const std::string& text)> before = {};
};

/// What a service sends by from now on.
struct WatchedClient {
    explicit WatchedClient(Service& service) {
        auto options = service.fake->client_options();
        transport = std::make_shared<WatchedTransport>(options.transport);
        options.transport = transport;
        options.retry.max_attempts = 1;
        client = std::make_unique<MessagesClient>(service.fake->credentials(), options);
        service.options.client = [sends = client.get()](std::string_view) {
            return OutboxAccount{*sends};
        };
    }

    std::shared_ptr<WatchedTransport> transport;
    std::unique_ptr<MessagesClient> client;
};

}  // namespace outbox_test
