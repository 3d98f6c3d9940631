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
//     PROCESSOR_PORT          where Twilio's reports come in, by way of a proxy that ends TLS
//     PROCESSOR_PUBLIC_URL    how Twilio reaches it
//     PROCESSOR_VISIBILITY, PROCESSOR_PAUSE, PROCESSOR_DELIVERIES, PROCESSOR_WORKERS: seconds that
//     a
//         job is kept from others (30), and from everybody after a failure (10); deliveries before
//         it is given up (5); jobs that are worked on at once (2)
//     TWILIOWA_BASE_URL       an emulator, instead of Twilio
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/types/error.hpp>

#include "companies.hpp"
#include "conversation_record.hpp"
#include "job_queue.hpp"
#include "log.hpp"
#include "status_server.hpp"
#include "worker.hpp"

namespace wa = twiliowa;
using namespace processor;

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
        wa::Error::invalid_request(name, "this environment variable is not set").raise();
    }
    return value;
}

int number(const char* name, int otherwise) {
    const char* const value = std::getenv(name);
    if (value == nullptr) return otherwise;
    char* end = nullptr;
    const long read = std::strtol(value, &end, 10);
    if (*value == '\0' || *end != '\0' || read < 1 || read > 65'535) {
        wa::Error::invalid_request(name, "is no number between 1 and 65535").raise();
    }
    return static_cast<int>(read);
}

std::string path_of(const char* name) {
    return variable("PROCESSOR_DIRECTORY") + '/' + name;
}

wa::Sealer open_sealer() {
    return wa::Sealer{[] { return wa::KeyRing::try_from_file(path_of("keys")); }};
}

wa::ClientOptions client_options(const std::shared_ptr<wa::Observer>& observer) {
    auto options = wa::ClientOptions::from_environment({.sender = {}});  // Each job names its own.
    options.transport = std::make_shared<wa::CurlTransport>();
    options.rate_limiter = wa::token_bucket({.per_second = 80});
    options.observer = observer;
    return options;
}

void work_until(const std::stop_token& stop, Worker& worker, const Log& log) {
    constexpr std::chrono::milliseconds look_again{200};
    while (!stop.stop_requested()) {
        bool worked = false;
        try {
            worked = worker.work_once();
        } catch (const std::exception& error) {
            log.line("queue failed", {{"problem", error.what()}});
        }
        if (!worked) std::this_thread::sleep_for(look_again);
    }
}

int work() {
    // Every thread leaves them to this one.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    const auto sealer = open_sealer();
    const Log log{sealer};
    const auto observer = std::make_shared<CallLog>(log);
    const auto public_url = wa::PublicUrl::fixed(variable("PROCESSOR_PUBLIC_URL"));
    Companies companies{std::make_shared<FolderSecretStore>(path_of("secrets")),
                        client_options(observer), public_url};
    SqliteJobQueue queue{path_of("queue.db")};
    const auto database = path_of("processor.db");
    wa::Outbox outbox{std::make_shared<wa::SqliteOutbox>(database),
                      {.client = [&](std::string_view id) { return companies.account(id); },
                       .send_timeout = std::chrono::seconds{10},
                       .sealer = sealer}};
    ConversationRecord record{database, sealer};
    StandInModel model;
    WorkerOptions options;
    options.visibility = std::chrono::seconds{number("PROCESSOR_VISIBILITY", 30)};
    options.pause_after_failure = std::chrono::seconds{number("PROCESSOR_PAUSE", 10)};
    options.max_deliveries = number("PROCESSOR_DELIVERIES", 5);
    Worker worker{queue, companies, model, record, outbox, log, options};
    outbox.on_outcome([&](const wa::JobOutcome& outcome) { worker.on_outcome(outcome); });

    const StatusServer server{
        number("PROCESSOR_PORT", 8080), public_url, companies, outbox, record, observer};
    outbox.start();
    {
        std::vector<std::jthread> threads;
        for (int i = number("PROCESSOR_WORKERS", 2); i > 0; --i) {
            threads.emplace_back(
                [&](const std::stop_token& stop) { work_until(stop, worker, log); });
        }
        log.line("works", {});
        int signal = 0;
        sigwait(&ends, &signal);
    }
    outbox.drain(std::chrono::seconds{15});
    outbox.stop();
    log.line("ended", {});
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
    ConversationRecord record{database, open_sealer()};
    for (const auto& each : record.all()) {
        std::cout << each.job_id << '\t' << each.message_sid << '\t' << each.status << '\t'
                  << each.thread_id << '\t' << each.body << '\n';
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (words.empty()) return work();
    if (words[0] == "add" && words.size() == 2) return add(words[1]);
    if (words.size() == 1 && words[0] == "jobs") return show_jobs();
    if (words.size() == 1 && words[0] == "dead") return show_dead_letters();
    if (words.size() == 1 && words[0] == "record") return show_record();
    std::cerr << "processor: knows add ID, jobs, dead and record\n";
    return 2;
} catch (const std::exception& error) {
    std::cerr << "processor: " << error.what() << '\n';
    return 1;
}
