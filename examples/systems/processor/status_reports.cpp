#include "status_reports.hpp"

#include <map>
#include <mutex>
#include <string>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace processor {

namespace wa = twiliowa;

namespace {

wa::WebhookHandler make_handler(const ReportParts& parts, const std::string& id) {
    wa::WebhookHandler handler{wa::RequestValidator{[parts, id](const wa::KeyQuery& query) {
                                   return parts.companies.signing_keys(id, query.account_sid);
                               }},
                               {.public_url = parts.public_url, .observer = parts.observer}};
    handler.on_status([parts, id](const wa::StatusCallback& callback) {
        parts.outbox.learn(callback);
        parts.record.report(id, callback.sid, callback.status, callback.error_code);
    });
    return handler;
}

/// One each, made when it is first asked for.
struct Handlers {
    std::mutex mutex = {};
    std::map<std::string, wa::WebhookHandler> of = {};
};

}  // namespace

void serve_reports(httplib::Server& server, const ReportParts& parts) {
    wa::serve_webhooks(server, "/status/([A-Za-z0-9_-]{1,100})",
                       [parts, handlers = std::make_shared<Handlers>()](
                           const wa::WebhookRequest& request, const httplib::Request& from) {
                           const std::string id = from.matches[1];
                           // A secret that is not in order at present says nothing of what was sent
                           // before.
                           const auto company = parts.companies.get(id);
                           if (!company && company.error().kind() == wa::ErrorKind::not_found) {
                               return wa::WebhookResponse{.status = 404, .headers = {}, .body = {}};
                           }
                           std::unique_lock lock{handlers->mutex};
                           auto found = handlers->of.find(id);
                           if (found == handlers->of.end()) {
                               found = handlers->of.emplace(id, make_handler(parts, id)).first;
                           }
                           lock.unlock();
                           return found->second.handle(request);
                       });
}

}  // namespace processor
