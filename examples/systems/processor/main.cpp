// A channel processor: it takes jobs from a queue, has a language model write what a template says,
// and sends it for one of many companies. README.md says how to run it.
//
//     processor               works, until SIGTERM or Ctrl-C
//     processor add ID        puts a job into the queue: a context object, on standard input
//     processor jobs          what waits: id and deliveries
//     processor dead          the dead letters: id and reason
//     processor record        the conversations: job, SID, status, thread, text
//
// In the environment:
//     PROCESSOR_DIRECTORY     queue.db, processor.db, the folder secrets, and keys
//     PROCESSOR_PORT          /status, where Twilio's reports come in by way of a proxy that ends
//     TLS,
//                             and /metrics
//     PROCESSOR_PUBLIC_URL    how Twilio reaches it
//     PROCESSOR_VISIBILITY, PROCESSOR_PAUSE  seconds that a job is kept from others (30), more than
//                             the model takes, and from everybody after a failure (10)
//     PROCESSOR_DELIVERIES    before a job is given up (5)
//     PROCESSOR_WORKERS       jobs that are worked on at once (2)
//     LOG_LEVEL, LOG_FORMAT   info, text: support/log.hpp
//     TWILIOWA_BASE_URL       an emulator, instead of Twilio
#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/types/error.hpp>

#include "companies.hpp"
#include "conversation_record.hpp"
#include "job_queue.hpp"
#include "status_reports.hpp"
#include "support/keys.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"
#include "worker.hpp"

namespace wa = twiliowa;
using namespace processor;
using support::number_setting;
using support::setting;

namespace {

std::string path_of(const char* name) {
    return setting("PROCESSOR_DIRECTORY") + '/' + name;
}

wa::ClientOptions client_options(const std::shared_ptr<wa::Observer>& observer) {
    auto options = wa::ClientOptions::from_environment({.sender = {}});  // Each job names its own.
    options.transport = std::make_shared<wa::CurlTransport>();
    options.rate_limiter = wa::token_bucket({.per_second = 80});
    options.observer = observer;
    return options;
}

int work() {
    const support::StopSignals stop;
    const auto sealer = support::open_sealer(path_of("keys"));
    const support::Log log{sealer};
    const auto metrics = std::make_shared<wa::MetricsObserver>();
    const auto observer = log.observer_with(metrics);
    const auto public_url = wa::PublicUrl::fixed(setting("PROCESSOR_PUBLIC_URL"));
    Companies companies{std::make_shared<FolderSecretStore>(path_of("secrets")),
                        client_options(observer), public_url};
    SqliteJobQueue queue{path_of("queue.db")};
    const auto database = path_of("processor.db");
    wa::Outbox outbox{std::make_shared<wa::SqliteOutbox>(database),
                      {.client = [&](std::string_view id) { return companies.account(id); },
                       .send_timeout = std::chrono::seconds{10},
                       .sealer = sealer,
                       .observer = observer}};
    ConversationRecord record{database, sealer};
    StandInModel model;
    const Worker worker{
        queue,
        companies,
        model,
        record,
        outbox,
        log,
        {.visibility = std::chrono::seconds{number_setting("PROCESSOR_VISIBILITY", "30")},
         .pause_after_failure = std::chrono::seconds{number_setting("PROCESSOR_PAUSE", "10")},
         .max_deliveries = number_setting("PROCESSOR_DELIVERIES", "5")}};
    outbox.on_outcome([&](const wa::JobOutcome& outcome) { worker.on_outcome(outcome); });
    support::WebServer server;
    const auto own = support::serve_metrics(server, metrics, outbox);
    serve_reports(server, {public_url, companies, outbox, record, observer});
    support::Workers workers{number_setting("PROCESSOR_WORKERS", "2"), log, "job_queue_failed",
                             std::chrono::milliseconds{200}, [&] { return worker.work_once(); }};
    support::Service{.log = log,
                     .stop = stop,
                     .server = server,
                     .port = number_setting("PROCESSOR_PORT", "8080"),
                     .outbox = &outbox,
                     .workers = &workers}
        .run();
    return 0;
}

int add(const std::string& id) {
    SqliteJobQueue{path_of("queue.db")}.send(
        id, std::string{std::istreambuf_iterator<char>{std::cin}, {}});
    return 0;
}

int show_jobs() {
    for (const auto& job : SqliteJobQueue{path_of("queue.db")}.waiting()) {
        std::cout << job.id << '\t' << job.deliveries << '\n';
    }
    return 0;
}

int show_dead_letters() {
    for (const auto& letter : SqliteJobQueue{path_of("queue.db")}.dead_letters()) {
        std::cout << letter.id << '\t' << letter.reason << '\n';
    }
    return 0;
}

int show_record() {
    const auto database = path_of("processor.db");
    const wa::SqliteOutbox outbox{database};
    ConversationRecord record{database, support::open_sealer(path_of("keys"))};
    for (const auto& each : record.all()) {
        std::cout << each.job_id << '\t' << each.message_sid << '\t' << each.status << '\t'
                  << each.thread_id << '\t' << each.body << '\n';
    }
    return 0;
}

}  // namespace

int main(int count, char** words) {
    return support::run_command("processor", count, words,
                                {{"", [](const std::string&) { return work(); }},
                                 {"add ID", add},
                                 {"jobs", [](const std::string&) { return show_jobs(); }},
                                 {"dead", [](const std::string&) { return show_dead_letters(); }},
                                 {"record", [](const std::string&) { return show_record(); }}});
}
