// What the shop's back end may ask for, and who may. README.md lists the requests.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/secret.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

#include "shop.hpp"

namespace shop {

/// Thread-safe.
class Api {
public:
    static constexpr std::size_t max_body_bytes = std::size_t{64} * 1024 * 1024;

    /// @param key  what requests have in `x-api-key`.
    Api(Shop& shop, twiliowa::Secret key);
    /// @param path  without what follows `?`.
    twiliowa::WebhookResponse answer(const twiliowa::WebhookRequest& request,
                                     std::string_view path) const;

private:
    struct Answer {
        int status = 200;
        std::string body = {};
        std::string recipient = {};  ///< Whom it is about, as the log says it.
        std::string type = "application/json";
    };
    struct Call {
        std::string_view body = {};
        std::string name = {};  ///< What stands in the path for `*`.
        std::string idempotency_key = {};
    };
    using Ask = std::function<Answer(const Call&)>;
    struct Route {
        std::string asked;  ///< `GET /campaigns/*`
        Ask ask;
    };

    void serve_notifications();
    void serve_customers();
    void serve_campaigns();
    void serve_people();
    void on(std::string asked, Ask ask) { routes_.push_back({std::move(asked), std::move(ask)}); }
    const Route* route(const std::string& method, std::string_view path, Call& call) const;
    static Answer refusal(const twiliowa::Error& error);

    Shop& shop_;
    twiliowa::Secret key_;
    std::vector<Route> routes_ = {};
};

}  // namespace shop
