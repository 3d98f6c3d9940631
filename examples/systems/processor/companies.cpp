#include "companies.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "support/members.hpp"

namespace processor {

namespace wa = twiliowa;

Companies::Companies(std::shared_ptr<SecretStore> secrets, wa::ClientOptions options,
                     wa::PublicUrl public_url)
    : secrets_(std::move(secrets)),
      options_(std::move(options)),
      public_url_(std::move(public_url)) {}

wa::Result<std::shared_ptr<const Company>> Companies::make(const std::string& id,
                                                           std::string_view secret) const {
    auto credentials = wa::Credentials::try_from_json(secret);
    if (!credentials) return credentials.error();
    auto template_sid =
        support::text_at(nlohmann::json::parse(secret, nullptr, false), "twilio_template_sid");
    if (!template_sid) return template_sid.error();
    auto options = options_;
    // Twilio asks again for what could not be taken in. The path tells the company, whose token
    // signs it.
    options.status_callback =
        public_url_.webhook_url("/status/" + id, {.retries = 5, .retry_on = "all"});
    options.templates = std::make_shared<wa::Templates>(wa::ContentClient{*credentials, options});
    return std::make_shared<const Company>(Company{*credentials, std::move(*template_sid),
                                                   options.templates,
                                                   wa::MessagesClient{*credentials, options}});
}

const Companies::Known& Companies::ask(std::string_view id) {
    const auto now = std::chrono::steady_clock::now();
    auto found = known_.find(id);
    if (found != known_.end() && now - found->second.asked_at < secret_kept) return found->second;
    const std::string name{id};
    const auto secret = secrets_->get(name);
    // Ids come from jobs: those of no secret are not kept.
    if (found == known_.end()) {
        if (known_.size() > 10'000) known_.clear();
        found = known_.try_emplace(name).first;
    }
    auto& known = found->second;
    known.asked_at = now;
    if (!secret) {
        known.problem = secret.error();
        return known;
    }
    known.problem.reset();
    if (known.company && known.secret.reveal() == secret->reveal()) return known;
    auto company = make(name, secret->reveal());
    if (!company) {
        known.problem = company.error();
        return known;
    }
    known.before = std::exchange(known.company, std::move(*company));
    known.secret = *secret;
    return known;
}

wa::Result<std::shared_ptr<const Company>> Companies::get(std::string_view id) {
    const std::lock_guard lock{mutex_};
    const auto& known = ask(id);
    if (known.problem) return *known.problem;
    return known.company;
}

wa::OutboxAccount Companies::account(std::string_view id) {
    const auto company = get(id);
    if (company) return (*company)->client;
    return company.error().kind() == wa::ErrorKind::not_found ? wa::OutboxAccount::unknown()
                                                              : wa::OutboxAccount::switched_off();
}

std::vector<wa::SigningKey> Companies::signing_keys(std::string_view id,
                                                    std::string_view account_sid) {
    const std::lock_guard lock{mutex_};
    const auto& known = ask(id);
    std::vector<wa::SigningKey> keys;
    for (const auto& company : {known.company, known.before}) {
        if (!company || company->credentials.account_sid().str() != account_sid) continue;
        keys.push_back({company->credentials.password()});
    }
    return keys;
}

}  // namespace processor
