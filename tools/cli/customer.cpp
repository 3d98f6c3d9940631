// `twiliowa customer`: what a service keeps about one customer, in the service's store.

#include <CLI/CLI.hpp>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/types/error.hpp>

#include "commands.hpp"
#include "consent.hpp"
#include "context.hpp"
#include "customer_parts.hpp"
#include "customer_state.hpp"
#include "layout.hpp"
#include "masked.hpp"
#include "moment.hpp"

namespace cli {

namespace {

using twiliowa::Address;
using twiliowa::ConversationWindow;
using twiliowa::Customers;
using twiliowa::OptOuts;
using twiliowa::Sender;
using Json = nlohmann::ordered_json;

struct CustomerOptions {
    std::string address = {};
    CustomerPlaces places = {};
    std::string scope = {};
    std::string sender = {};
    bool reveal = false;
    bool yes = false;
    bool make_key = false;
};

std::shared_ptr<CustomerOptions> add_customer_options(CLI::App& app) {
    auto options = std::make_shared<CustomerOptions>();
    app.add_option("ADDRESS", options->address,
                   "A phone number (+447700900123), or a WhatsApp user id (whatsapp:GB.4f1a)")
        ->required();
    add_customer_places(app, options->places);
    app.add_option("--scope", options->scope, "What the service gave as the scope of its options")
        ->type_name("TEXT");
    return options;
}

enum class KeyUse { read, write };

/// What the service has, over its stores.
struct ServiceState {
    ServiceState(const CustomerOptions& options, KeyUse use, Context& context) {
        const auto storages = open_customer_storages(options.places);
        const auto& store = storages.store;
        // One that is made to look would be taken for the service's. Where nothing is known of
        // customers there is no opt-out to outlive them.
        auto key = twiliowa::Secret{"none"};
        if (!storages.knows_customers) {
            // None is needed.
        } else if (use == KeyUse::write || has_customer_key(*store, options.scope)) {
            key = customer_key(*store, options.scope, options.make_key);
        } else {
            context.output.note(
                "TWILIOWA_CUSTOMER_KEY is not set: opt-outs that outlived a forgotten customer are "
                "not found.");
        }
        customers = std::make_shared<Customers>(
            store, twiliowa::CustomersOptions{.scope = options.scope, .key = std::move(key)});
        window = std::make_unique<ConversationWindow>(
            store,
            twiliowa::ConversationWindowOptions{.scope = options.scope, .customers = customers});
        parts = std::make_unique<CustomerParts>(storages, customers, options.places, options.scope);
        opt_outs =
            std::make_unique<OptOuts>(store, twiliowa::OptOutOptions{.scope = options.scope,
                                                                     .customers = customers,
                                                                     .consents = parts->consents});
    }

    Json export_of(const std::string& address) const {
        return Json::parse(customers->export_of(address).value());
    }

    std::shared_ptr<Customers> customers = {};
    std::unique_ptr<ConversationWindow> window = {};
    std::unique_ptr<CustomerParts> parts = {};
    std::unique_ptr<OptOuts> opt_outs = {};
};

// ---- show

std::vector<Sender> senders_of(const Json& exported, const std::string& asked) {
    std::set<std::string> names;
    if (asked.empty()) {
        for (const auto& part : exported) {
            for (const auto& record : part) {
                if (record.is_object() && record.contains("sender")) {
                    names.insert(record["sender"].get<std::string>());
                }
            }
        }
    } else {
        names.insert(asked);
    }
    std::vector<Sender> senders;
    for (const auto& name : names) senders.push_back(Sender::parse(name).value());
    return senders;
}

std::string text_of_window(const twiliowa::WindowState& window) {
    if (!window.known) return "not known";
    return (window.open ? "open until " : "closed since ") + text_of(window.until);
}

std::string text_of_opt_outs(const twiliowa::OptOutState& state) {
    std::string text;
    const auto add = [&text](bool is_so, std::string_view word) {
        if (is_so) text.append(text.empty() ? "" : ", ").append(word);
    };
    add(state.everything, "everything");
    add(state.blocked, "blocked");
    add(state.marketing, "marketing");
    return text.empty() ? "none" : text;
}

ExitCode show_customer(const CustomerOptions& options, Context& context) {
    const ServiceState state{options, KeyUse::read, context};
    const auto address = Address::parse(options.address).value();
    const auto shown = [&](const std::string& text) {
        return options.reveal ? text : masked(text);
    };
    const auto exported = state.export_of(options.address);
    Json json{{"addresses", Json::array()}, {"senders", Json::array()}};
    for (const auto& each : exported["addresses"]) {
        json["addresses"].push_back(shown(each.get<std::string>()));
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& sender : senders_of(exported, options.sender)) {
        const auto customer = state.customers->linked(sender, address).value();
        const auto window = state.window->state(sender, address).value();
        const auto stopped = state.opt_outs->state(sender, address).value();
        auto linked_json = Json::array();
        std::string linked_text;
        for (const auto& linked : customer.addresses) {
            const auto text = shown(linked.address.wire());
            linked_json.push_back({{"address", text},
                                   {"from", json_of(linked.from)},
                                   {"until", json_of(linked.until)}});
            linked_text.append(linked_text.empty() ? "" : " ").append(text);
        }
        json["senders"].push_back({{"sender", sender.wire()},
                                   {"linked", std::move(linked_json)},
                                   {"window",
                                    {{"known", window.known},
                                     {"open", window.open},
                                     {"until", window.known ? json_of(window.until) : Json{}}}},
                                   {"opt_outs",
                                    {{"everything", stopped.everything},
                                     {"blocked", stopped.blocked},
                                     {"marketing", stopped.marketing}}}});
        rows.push_back(
            {sender.wire(), text_of_window(window), text_of_opt_outs(stopped), linked_text});
    }
    if (rows.empty() && !context.output.is_json()) {
        context.output.note("Nothing is kept; --sender asks for an opt-out that outlived it.");
    }
    context.output.result(json, table({"SENDER", "WINDOW", "OPT-OUTS", "LINKED"}, rows));
    return ExitCode::done;
}

Action declare_show(CLI::App& app) {
    const auto options = add_customer_options(app);
    app.add_option("--sender", options->sender,
                   "Yours: a number or a messaging service (MG...). Default: all that are known")
        ->type_name("SENDER");
    app.add_flag("--reveal", options->reveal, "Whole addresses, instead of +44*******23");
    return [options](Context& context) { return show_customer(*options, context); };
}

// ---- export

Action declare_export(CLI::App& app) {
    const auto options = add_customer_options(app);
    return [options](Context& context) {
        const ServiceState state{*options, KeyUse::read, context};
        const auto json = state.export_of(options->address);
        context.output.result(json,
                              json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
        return ExitCode::done;
    };
}

// ---- forget

std::string words_of(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text.append(text.empty() ? "" : " ").append(name);
    return text;
}

ExitCode forget_customer(const CustomerOptions& options, Context& context) {
    const ServiceState state{options, KeyUse::write, context};
    const auto address = Address::parse(options.address).value();
    if (!options.yes && !agrees("Erase what is kept about " + options.address + "?",
                                "twiliowa customer forget --help")) {
        context.output.note("Nothing was erased.");
        return ExitCode::refused;
    }
    const auto report = state.customers->forget(address).value();
    context.output.result(
        {{"erased", report.erased}, {"kept", report.kept}, {"not_yet", report.not_yet}},
        facts({{"erased", words_of(report.erased)},
               {"kept", words_of(report.kept)},
               {"not yet", words_of(report.not_yet)}}));
    return report.complete() ? ExitCode::done : ExitCode::try_later;
}

Action declare_forget(CLI::App& app) {
    const auto options = add_customer_options(app);
    app.add_flag("--yes", options->yes, "Does not ask; needed where there is no terminal");
    app.add_flag("--make-key", options->make_key,
                 "Where the service has given no key and none is in the store");
    return [options](Context& context) { return forget_customer(*options, context); };
}

constexpr const char* key_details =
    "TWILIOWA_CUSTOMER_KEY of the environment is the CustomersOptions::key of the service, if it "
    "has\none. Jobs, events and consents are found where twiliowa outbox run keeps them, or "
    "where\n--outbox-store and --consent-store say; what is sealed needs TWILIOWA_KEYS; "
    "dialogues by\ntheir names. Not found: what parts of the service's own (PersonalData) keep.";

}  // namespace

std::vector<Command> customer_commands() {
    return {
        {.noun = "customer",
         .verb = "show",
         .summary = "Shows what a service knows of a customer: linked addresses, window, opt-outs",
         .details = key_details,
         .examples = {"twiliowa customer show +447700900123 --store sqlite:state.db",
                      "TWILIOWA_STORE=sqlite:state.db twiliowa customer show +447700900123 "
                      "--sender +14155238886 --reveal"},
         .declare = declare_show},
        {.noun = "customer",
         .verb = "export",
         .summary = "Prints all that is kept about a customer, as JSON with whole addresses",
         .details = key_details,
         .examples = {"twiliowa customer export +447700900123 --store sqlite:state.db",
                      "twiliowa customer export +447700900123 --store sqlite:outbox.db"},
         .declare = declare_export},
        {.noun = "customer",
         .verb = "forget",
         .summary = "Erases what is kept about a customer; an opt-out stays, as a hash",
         .details = std::string{key_details} +
                    "\nAsks before it does. Exit code 0: all is erased; 4: something is not yet, "
                    "do it again.",
         .examples = {"twiliowa customer forget +447700900123 --store sqlite:state.db --yes"},
         .declare = declare_forget}};
}

}  // namespace cli
