// What other programs may ask a system for, in JSON.
#pragma once

#include <httplib.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <twiliowa/http/rate_limiter.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/secret.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

#include "log.hpp"

namespace support {

using Json = nlohmann::ordered_json;

struct ApiOptions {
    twiliowa::Secret key = {};  ///< What requests have in `x-api-key`.
    /// In place of it, where several may ask: whose bearer token that is; nullopt: nobody's.
    std::function<std::optional<std::string>(std::string_view token)> owner_of = {};
    std::size_t max_body_bytes = std::size_t{64} * 1024;
    /// For those with the key, and for those without it: these use up nothing of the others'.
    std::shared_ptr<twiliowa::RateLimiter> limiter = {};
};

struct Answer {
    int status = 200;
    Json body = {};
    std::string recipient = {};  ///< Whom it is about, as the log says it.
    std::string text = {};       ///< In place of `body`, in this `type`.
    std::string type = "application/json";
    twiliowa::HttpHeaders headers = {};
};

/// `{"field", "problem"}`
Answer refuse(int status, std::string_view field, std::string_view problem);

/// A request that has passed: with the key, and not one too many.
struct Call {
    std::string_view body;
    std::string owner = {};  ///< As ApiOptions::owner_of says.
    std::string name = {};   ///< What stands in the path where its pattern has parentheses.
    std::string idempotency_key = {};

    /// The body; throws InvalidRequestError if it is no JSON object.
    nlohmann::json object() const;
    /// For JobOptions::key, the same for a request that is repeated: by its Idempotency-Key, else
    /// by what makes it one, `natural`, of which a hash is left. Throws InvalidRequestError.
    std::string job_key(std::string_view kind, std::string_view natural) const;
};

/// What a handler throws is answered: InvalidRequestError with 400, `{"field", "problem"}`, or with
/// 409 where something else is there already, 404 where nothing is, 429 where too much of a
/// tenant's waits; all else with 503. Thread-safe once it serves.
class Api {
public:
    using Ask = std::function<Answer(const Call&)>;
    Api(const Log& log, ApiOptions options) : log_(log), options_(std::move(options)) {}

    /// @param pattern  as of httplib: `/messages/([0-9a-f]{20})`
    void on(const std::string& method, const std::string& pattern, Ask ask);
    /// After the last `on`. It lives as long as the server.
    void serve(httplib::Server& server) const;

private:
    using Asks = std::map<std::string, Ask>;  ///< By their methods.
    twiliowa::WebhookResponse answer(const std::string& pattern, const Asks& asks,
                                     const twiliowa::WebhookRequest& request,
                                     std::string name) const;
    /// @param owner  of its token, if it has one that is known
    std::optional<Answer> refusal(const Asks& asks, const twiliowa::WebhookRequest& request,
                                  std::string& owner) const;

    const Log& log_;
    ApiOptions options_;
    std::map<std::string, Asks> asks_ = {};  ///< By their patterns.
};

}  // namespace support
