// Several processes with outboxes, beside an emulator in another process, whose list is the truth:
// one that stands still between what it has written down and the network, workers that share a
// storage, and outboxes and a plain client that share a sender.
//
// Usage: outbox_workers stopped | strangers | shared [jobs [workers]], in the environment of an
// emulator, and, if OUTBOX_ENGINE is postgresql, of a server.
#include <array>
#include <random>

#include "outbox_processes.hpp"

namespace {

using namespace outbox_processes;

constexpr const char* customer = "+447700900123";
/// As the outbox has it: the time of a send, and 30 s.
constexpr std::chrono::seconds lease = 5s + 30s;

MessagesClient plain_client() {
    return MessagesClient{Credentials::from_environment(), ClientOptions::from_environment()};
}

/// SIDs by body.
std::multimap<std::string, std::string> messages_of(const MessagesClient& client) {
    std::multimap<std::string, std::string> messages;
    for (const auto& message : client.list({.page_size = 1000})) {
        messages.emplace(message.body, message.sid.str());
    }
    return messages;
}

/// Works, and lets time pass, until nothing is left to be looked for.
void settle(Program& program) {
    for (int round = 0; round < 100; ++round) {
        const auto report = program.outbox->run_until_idle();
        const auto counts = program.outbox->counts();
        const bool leased = counts.of(JobState::sending) > 0;
        if (!leased && counts.of(JobState::unknown) == 0) return;
        std::chrono::nanoseconds step = lease + 1s;
        if (!leased && report.next_due) {
            step = std::max<std::chrono::nanoseconds>(*report.next_due - program.clock->now(), 1ms);
        }
        program.clock->forward(step);
    }
    fail("what is unknown does not stay so");
}

// ---- Standing still

/// Where a worker stands still, and what becomes of what it sends when it goes on.
struct Stop {
    const char* name;
    Moment moment;
    Loss loss;
};
constexpr std::array stops{
    Stop{"at the network, and is answered", Moment::before_request, Loss::none},
    Stop{"at the network, and hears no answer", Moment::before_request, Loss::answer},
    Stop{"at the network, and nothing gets there", Moment::before_request, Loss::request},
    Stop{"after its commit", Moment::after_commit, Loss::none}};

/// The child: sends what there is, and stands still on its way.
int work_and_stop(const std::string& path, const std::string& clock, const Stop& stop, int count) {
    ProgramOptions options;
    options.clock = clock_in_file(clock);
    options.wire.fate = std::make_shared<Fate>(stop.moment, count, SIGSTOP);
    options.wire.on_create = [loss = stop.loss] { return loss; };
    Program program{path, std::move(options)};
    program.outbox->run_until_idle();
    return 0;
}

std::int64_t revision_of(Program& program, const JobId& id) {
    std::int64_t revision = 0;
    const auto read = [&](OutboxTransaction& transaction) -> Result<void> {
        const auto jobs = transaction.load(std::span{&id, 1});
        if (!jobs) return jobs.error();
        revision = jobs->at(0).revision;
        return {};
    };
    program.storage->transact(read).value();
    return revision;
}

void stand_still(const Folder& folder, std::size_t number, bool held) {
    const auto& stop = stops.at(number);
    const auto name = std::to_string(number) + (held ? "-held" : "");
    const auto path = folder.file(name + ".db");
    const auto clock = folder.file(name + ".clock");
    ProgramOptions options;
    options.clock = clock_in_file(clock);
    Program other{path, std::move(options)};
    auto& outbox = *other.outbox;
    const std::string body = "Text of a worker that stops, " + name;
    const auto id = outbox.enqueue(OutboundText{.to = customer, .body = body}).id;
    const auto job = [&] { return outbox.try_find(id).value().value(); };
    const auto sent = [&] { return messages_of(*other.client).count(body); };
    const auto sid = [&] { return messages_of(*other.client).find(body)->second; };

    // The commit that matters is the one after which the job is being sent.
    std::unique_ptr<Child> worker;
    for (int count = 1; count <= 10 && job().state != JobState::sending; ++count) {
        worker = std::make_unique<Child>(std::vector<std::string>{
            "stop", path, clock, std::to_string(number), std::to_string(count)});
        worker->await_stop();
    }
    if (job().state != JobState::sending) fail("a worker stops while it sends");
    other.clock->forward(2 * lease + 10s);
    outbox.run_until_idle();
    if (job().state != JobState::unknown) fail("another worker takes over, and does not send");
    if (held) settle(other);
    const auto before = revision_of(other, id);
    const auto state = job().state;
    if (state != (held ? JobState::held : JobState::unknown) || sent() != 0) {
        fail("nothing was sent, and nobody says that it was");
    }

    worker->signal(SIGCONT);
    if (worker->wait() != 0) fail("a worker that goes on ends well");
    if (stop.moment == Moment::after_commit) {
        // Its time was over: it did not send, and says so, which is certain.
        if (sent() != 0 || job().attempts.at(0).state != AttemptState::not_sent) {
            fail("whose time is over sends no more");
        }
        if (held) outbox.resolve(id, Resolution::not_sent());
        for (int round = 0; round < 5 && !is_sent(job().state); ++round) {
            other.clock->forward(20s);
            outbox.run_until_idle();
        }
        if (job().attempts.size() != 2) fail("it is sent by a further attempt");
    } else if (stop.loss == Loss::none) {
        // Too late, and true all the same.
        if (job().evidence != Evidence::answer) fail("a late answer proves the send");
    } else {
        if (revision_of(other, id) != before || job().state != state) {
            fail("what ends too late changes nothing");
        }
        settle(other);
        // What is held waits for a person, who looks.
        if (held && sent() == 1) outbox.resolve(id, Resolution::sent(MessageSid::from_wire(sid())));
    }
    const std::size_t expected = stop.loss == Loss::request ? 0 : 1;
    if (sent() != expected) fail("it is sent once at most");
    if (is_sent(job().state) != (expected == 1)) fail("it is called what it is");
    if (expected == 1 && sid() != job().sid.str()) fail("it has its own SID");
    if (!job().doubles.empty()) fail("nothing is called a double");
    std::printf("a worker that stands still %s, when the job is %s: as it should be\n", stop.name,
                std::string{to_string(state)}.c_str());
    std::fflush(stdout);
}

int stand_still_everywhere() {
    const Folder folder{"outbox_stopped"};
    for (std::size_t number = 0; number < stops.size(); ++number) {
        for (const bool held : {false, true}) stand_still(folder, number, held);
    }
    return 0;
}

// ---- One storage

/// The child: a worker, until nothing is left. Says how many messages it has sent.
int work_until_empty(const std::string& path) {
    std::atomic<int> sent{0};
    ProgramOptions options;
    options.send_timeout = 30s;
    options.wire.on_create = [&] {
        ++sent;
        return Loss::none;
    };
    Program program{path, std::move(options)};
    program.outbox->start();
    // The counts would not tell of jobs that two have taken.
    const auto has = [&](JobState state) {
        return !program.outbox->list({.state = state, .limit = 1}).empty();
    };
    const auto empty = [&] { return !has(JobState::ready) && !has(JobState::sending); };
    if (!eventually(empty, 30min, 50ms)) fail("a queue gets empty");
    program.outbox->stop();
    say(std::to_string(sent));
    return 0;
}

std::string body_of(int workers, int job) {
    return "Text " + std::to_string(job) + " of " + std::to_string(workers) + " workers";
}

/// So many workers on one storage: each job is taken by one of them, and sent once.
void share(int workers, int jobs) {
    const Folder folder{"outbox_shared"};
    const auto path = folder.file("jobs.db");
    Program program{path};
    constexpr int batch = 500;
    for (int first = 0; first < jobs; first += batch) {
        std::vector<NewJob> some;
        for (int job = first; job < std::min(first + batch, jobs); ++job) {
            some.push_back({OutboundText{.to = customer, .body = body_of(workers, job)},
                            {.key = std::to_string(job)}});
        }
        for (const auto& taken : program.outbox->enqueue_all(some)) {
            static_cast<void>(taken.value());
        }
    }
    const auto begun = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<Child>> children;
    for (int worker = 0; worker < workers; ++worker) {
        children.push_back(std::make_unique<Child>(std::vector<std::string>{"work", path}));
    }
    int sent = 0;
    long kilobytes = 0;
    for (auto& child : children) {
        std::string said;
        if (child->wait(&said) != 0) fail("a worker ends well");
        if (std::stoi(said) == 0) fail("each worker has its part");
        sent += std::stoi(said);
        kilobytes = std::max(kilobytes, child->kilobytes());
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    if (sent != jobs) fail("each job is taken once: " + std::to_string(sent) + " were");

    std::map<std::string, std::string> there;
    for (auto& [body, sid] : messages_of(*program.client)) {
        if (!body.ends_with(" of " + std::to_string(workers) + " workers")) continue;
        if (!there.emplace(body, sid).second) fail("each is sent once: " + body);
    }
    if (static_cast<int>(there.size()) != jobs) fail("each is sent");
    JobFilter filter{.limit = 1000};
    int seen = 0;
    while (true) {
        const auto some = program.outbox->list(filter);
        for (const auto& job : some) {
            filter.after = job.sequence;
            if (job.state != JobState::accepted || job.attempts.size() != 1 ||
                there.at(body_of(workers, std::stoi(job.key))) != job.sid.str()) {
                fail("each is accepted, as itself, in one attempt: " + job.key);
            }
            ++seen;
        }
        if (some.size() < filter.limit) break;
    }
    if (seen != jobs) fail("no job is lost");
    std::printf(
        "%d workers on one storage: %d jobs, 0 doubles, %.0f a second, at most %ld MB each\n",
        workers, jobs, jobs / took.count(), kilobytes / 1024);
    std::fflush(stdout);
}

// ---- One sender

constexpr int texts = 24;
constexpr std::size_t outboxes = 2;

std::string text_of(const std::string& round, int number) {
    return "The same text of all in round " + round + ", number " + std::to_string(number);
}

/// What becomes of the n-th message of an outbox: never three in a row, or it would pause. Of some
/// texts the plain client's alone gets there.
Loss loss_of(int outbox, int message) {
    const int turn = outbox == 0 ? message % 4 : message % 3;
    if (turn == 1) return Loss::answer;
    return turn == (outbox == 0 ? 3 : 2) ? Loss::request : Loss::none;
}

/// A child: one of the outboxes. Sends, and says which messages are its own.
int send_beside_others(const std::string& path, const std::string& clock, int number,
                       const std::string& callback, const std::string& round) {
    ProgramOptions options;
    options.callback = callback;
    options.clock = clock_in_file(clock);
    int created = 0;
    options.wire.on_create = [&] { return loss_of(number, created++); };
    options.wire.on_created = [](std::string_view sid) { say(std::string{sid}); };
    Program program{path, std::move(options)};
    for (int text = 0; text < texts; ++text) {
        program.outbox->enqueue(OutboundText{.to = customer, .body = text_of(round, text)},
                                {.key = std::to_string(text)});
    }
    program.outbox->run_until_idle();
    return 0;
}

/// A child: looks, as time passes.
int look(const std::string& path, const std::string& clock, bool to_the_end) {
    ProgramOptions options;
    options.clock = clock_in_file(clock);
    Program program{path, std::move(options)};
    if (to_the_end) {
        settle(program);
        return 0;
    }
    for (const auto step : {6s, 35s, 140s}) {
        program.clock->forward(step);
        program.outbox->run_until_idle();
    }
    return 0;
}

/// A child: a program that knows of no outbox.
int send_plainly(const std::string& callback, const std::string& round) {
    auto options = ClientOptions::from_environment();
    options.status_callback = callback;
    const MessagesClient client{Credentials::from_environment(), options};
    for (int text = 0; text < texts; ++text) {
        say(client.send_text({.to = customer, .body = text_of(round, text)}).sid.str());
    }
    return 0;
}

std::set<std::string> lines_of(const std::string& text) {
    std::set<std::string> lines;
    for (std::size_t begin = 0, end = text.find('\n'); end != std::string::npos;
         begin = end + 1, end = text.find('\n', begin)) {
        lines.insert(text.substr(begin, end - begin));
    }
    return lines;
}

/// @param callbacks_first  whether Twilio's callbacks come before its list shows anything, or after
/// it has misled whoever looked.
void share_a_sender(bool callbacks_first) {
    const Folder folder{"outbox_strangers"};
    Emulator emulator;
    Receiver receiver;
    receiver.withhold();
    emulator.post("lists", R"({"lag_seconds": 3600})");
    const std::string round = callbacks_first ? "1" : "2";
    const auto clock = folder.file("clock");
    const auto path = [&](std::size_t outbox) {
        return folder.file(std::to_string(outbox) + ".db");
    };
    std::vector<std::unique_ptr<Program>> learners;
    std::vector<std::shared_ptr<Outbox>> pupils;
    for (std::size_t outbox = 0; outbox < outboxes; ++outbox) {
        ProgramOptions options;
        options.clock = clock_in_file(clock);
        learners.push_back(std::make_unique<Program>(path(outbox), std::move(options)));
        pupils.push_back(learners.back()->outbox);
    }
    receiver.teach(pupils);

    // All at once, and some of what they hear is lost.
    std::vector<std::unique_ptr<Child>> senders;
    for (std::size_t outbox = 0; outbox < outboxes; ++outbox) {
        senders.push_back(std::make_unique<Child>(std::vector<std::string>{
            "beside", path(outbox), clock, std::to_string(outbox), receiver.url(), round}));
    }
    senders.push_back(
        std::make_unique<Child>(std::vector<std::string>{"plain", receiver.url(), round}));
    std::vector<std::set<std::string>> own;
    std::set<std::string> all;
    for (auto& sender : senders) {
        std::string said;
        if (sender->wait(&said) != 0) fail("who sends ends well");
        own.push_back(lines_of(said));
        all.insert(own.back().begin(), own.back().end());
    }
    if (own.at(outboxes).size() != texts) fail("the plain client is answered");

    const auto look_all = [&](bool to_the_end) {
        std::vector<std::unique_ptr<Child>> lookers;
        for (std::size_t outbox = 0; outbox < outboxes; ++outbox) {
            lookers.push_back(std::make_unique<Child>(std::vector<std::string>{
                "look", path(outbox), clock, to_the_end ? "end" : "soon"}));
        }
        for (auto& looker : lookers) {
            if (looker->wait() != 0) fail("who looks ends well");
        }
    };
    // The callbacks come late, twice, and in no order; everybody is told of all of them.
    const auto tell_all = [&] {
        const auto told = [&] {
            return std::all_of(all.begin(), all.end(),
                               [&](const auto& sid) { return receiver.has_heard(sid); });
        };
        if (!eventually(told, 30s)) fail("Twilio tells of every message");
        auto callbacks = receiver.release();
        callbacks.insert(callbacks.end(), callbacks.begin(), callbacks.end());
        std::shuffle(callbacks.begin(), callbacks.end(), std::mt19937{12});
        for (const auto& callback : callbacks) {
            for (const auto& pupil : pupils) pupil->learn(callback);
        }
    };
    look_all(false);
    for (const auto& pupil : pupils) {
        if (pupil->counts().of(JobState::unknown) == 0) fail("a list may lag");
    }
    if (callbacks_first) tell_all();
    emulator.post("lists", R"({"lag_seconds": 0})");
    look_all(true);
    if (!callbacks_first) {
        tell_all();
        look_all(true);
    }
    const auto check_own = [&] {
        for (std::size_t outbox = 0; outbox < outboxes; ++outbox) {
            std::set<std::string> sids;
            for (const auto& job : pupils.at(outbox)->list()) {
                if (!job.doubles.empty()) fail("nobody's message is called a double");
                if (is_sent(job.state)) sids.insert(job.sid.str());
            }
            if (sids != own.at(outbox)) fail("each outbox knows its own messages, and no other's");
        }
    };
    check_own();

    // What never left is held; then it goes.
    std::int64_t held = 0;
    for (const auto& pupil : pupils) {
        const auto counts = pupil->counts();
        held += counts.of(JobState::held);
        if (count_sent(counts) + counts.of(JobState::held) != texts) fail("nothing is lost");
        for (const auto& job : pupil->list({.state = JobState::held})) {
            pupil->resolve(job.id, Resolution::not_sent());
        }
        pupil->run_until_idle();
        if (count_sent(pupil->counts()) != texts) fail("all of them are sent");
    }
    std::map<std::string, int> sent;
    for (const auto& message : plain_client().list({.to = customer, .page_size = 1000})) {
        ++sent[message.body];
    }
    for (int text = 0; text < texts; ++text) {
        if (sent[text_of(round, text)] != static_cast<int>(outboxes + 1)) {
            fail("each is sent once by each");
        }
    }
    std::printf(
        "two outboxes and a plain client on one sender, callbacks %s the list: %d "
        "identical texts each, %lld that did not leave, each message known to its own\n",
        callbacks_first ? "before" : "after", texts, static_cast<long long>(held));
    std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    const auto verb = words.empty() ? std::string{} : words[0];
    const auto number = [&](std::size_t i) { return std::stoi(words.at(i)); };
    if (verb == "stopped") return stand_still_everywhere();
    if (verb == "strangers") {
        for (const bool callbacks_first : {true, false}) share_a_sender(callbacks_first);
        return 0;
    }
    if (verb == "shared") {
        const int jobs = words.size() > 1 ? number(1) : 5'000;
        if (words.size() > 2) {
            share(number(2), jobs);
        } else {
            for (const int workers : {2, 4}) share(workers, jobs);
        }
        return 0;
    }
    // The processes that these begin.
    if (verb == "stop") {
        return work_and_stop(words.at(1), words.at(2),
                             stops.at(static_cast<std::size_t>(number(3))), number(4));
    }
    if (verb == "work") return work_until_empty(words.at(1));
    if (verb == "beside") {
        return send_beside_others(words.at(1), words.at(2), number(3), words.at(4), words.at(5));
    }
    if (verb == "look") return look(words.at(1), words.at(2), words.at(3) == "end");
    if (verb == "plain") return send_plainly(words.at(1), words.at(2));
    std::fprintf(stderr, "usage: outbox_workers stopped | strangers | shared [jobs [workers]]\n");
    return 2;
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
