// What the library has, put together for this shop. Everything is in one database.
#pragma once

#include <memory>
#include <string>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/consents.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/webhook/public_url.hpp>

#include "notifications.hpp"
#include "support/log.hpp"

namespace shop {

inline constexpr const char* twilio_path = "/twilio";

/// All that the process that serves and the workers share. main.cpp lists the settings.
class Shop {
public:
    Shop();

    const twiliowa::Sealer sealer;
    const support::Log log;
    const std::shared_ptr<twiliowa::MetricsObserver> metrics;
    const std::shared_ptr<twiliowa::Observer> observer;  ///< Both.
    const std::string sender;                            ///< On WhatsApp.
    const std::string country;  ///< Whose numbers are written without a country code.
    const Notifications notifications;
    const twiliowa::PublicUrl public_url;
    const std::shared_ptr<twiliowa::Store> store;  ///< No number can be read in it.
    const std::shared_ptr<const twiliowa::Customers> customers;
    const std::shared_ptr<const twiliowa::Consents> consents;
    const std::shared_ptr<const twiliowa::OptOuts> opt_outs;
    const std::shared_ptr<const twiliowa::ConversationWindow> window;
    const twiliowa::Credentials credentials;
    const twiliowa::ClientOptions client_options;
    const std::shared_ptr<const twiliowa::SendingRules> rules;
    twiliowa::Outbox outbox;
    twiliowa::Campaigns campaigns;

private:
    twiliowa::MetricSource source_;
};

}  // namespace shop
