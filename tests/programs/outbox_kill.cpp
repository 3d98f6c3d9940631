// A process with an outbox is killed by SIGKILL at one moment after another: before, within and
// after each of its commits, before each request and after each answer. What comes up then has to
// send every message once: none twice, none not at all, and none is called what it is not. The
// truth is what the emulator, another process, lists.
//
// Usage: outbox_kill [callbacks] [brief], in the environment of an emulator, and, if OUTBOX_ENGINE
// is postgresql, of a server. With callbacks, which another process over the same storage learns
// from, what was sent is known without a person, of identical texts, too; and it is seen to be the
// marker in the callback's URL that does it. In brief: without threads, and fewer at any time.
// Prints how many kills it took.
#include <array>
#include <random>
#include <thread>

#include "outbox_processes.hpp"

namespace {

using namespace outbox_processes;

constexpr int jobs_of_a_run = 4;

constexpr std::array moments{Moment::before_commit, Moment::in_commit, Moment::after_commit,
                             Moment::before_request, Moment::after_answer};
constexpr std::array<const char*, moments.size()> moment_names{
    "before a commit", "within a commit", "after a commit", "before a request", "after an answer"};

/// One life of a program, and what comes up after it, on a storage of its own.
struct Run {
    int number = 0;
    std::string path = {};
    bool twins = false;         ///< All of its jobs have one text.
    std::string callback = {};  ///< Empty: none.
    bool marker = true;

    std::vector<std::string> words() const {
        return {std::to_string(number), path, twins ? "1" : "0", callback, marker ? "1" : "0"};
    }
    static Run of(const std::vector<std::string>& words) {
        return {std::stoi(words.at(1)), words.at(2), words.at(3) == "1", words.at(4),
                words.at(5) == "1"};
    }
};

std::vector<std::string> order_for(const char* verb, const Run& run,
                                   const std::vector<std::string>& more) {
    std::vector<std::string> words{verb};
    for (auto& word : run.words()) words.push_back(std::move(word));
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

std::string recipient_of(const Run& run) {
    return "+447700" + std::to_string(100'000 + run.number);
}
std::string key_of(const Run& run, int job) {
    return "run-" + std::to_string(run.number) + "-job-" + std::to_string(job);
}
OutboundText message_of(const Run& run, int job) {
    return {.to = recipient_of(run), .body = "Text of " + key_of(run, run.twins ? 0 : job)};
}

ProgramOptions options_of(const Run& run, std::shared_ptr<Fate> fate = std::make_shared<Fate>()) {
    ProgramOptions options;
    options.callback = run.callback;
    options.wire.fate = std::move(fate);
    options.wire.marker = run.marker;
    // Who counts them knows when there is nothing more to come.
    if (run.callback.empty()) return options;
    options.wire.on_create = [] {
        say("request");
        return Loss::none;
    };
    return options;
}

/// Hands over and sends, until it dies or all is done.
int work(const Run& run, bool threads, Moment moment, int count) {
    Program program{run.path, options_of(run, std::make_shared<Fate>(moment, count))};
    for (int job = 0; job < jobs_of_a_run; ++job) {
        program.outbox->enqueue(message_of(run, job), {.key = key_of(run, job)});
        // What is said here has been promised.
        say("promised");
    }
    if (!threads) {
        program.outbox->run_until_idle();
        return 0;
    }
    program.outbox->start();
    while (count_sent(program.outbox->counts()) < jobs_of_a_run) {
        std::this_thread::sleep_for(1ms);
    }
    program.outbox->stop();
    return 0;
}

/// Hands over a message now and then, until it is killed. Twilio's answer takes its time.
int stream(const Run& run) {
    auto options = options_of(run);
    options.wire.answer_delay = 160ms;
    Program program{run.path, std::move(options)};
    program.outbox->start();
    for (int job = 0;; ++job) {
        program.outbox->enqueue(message_of(run, job), {.key = key_of(run, job)});
        say("promised");
        std::this_thread::sleep_for(120ms);
    }
}

std::map<std::string, std::string> listed(const MessagesClient& client, const Run& run) {
    std::map<std::string, std::string> bodies;
    for (const auto& message : client.list({.to = recipient_of(run), .page_size = 1000})) {
        bodies.emplace(message.sid.str(), message.body);
    }
    return bodies;
}

/// Comes up again after the death, and looks what there is. Says how many jobs a person had to
/// decide about.
int recover(const Run& run, int jobs, int promised) {
    auto options = options_of(run);
    options.wire.on_create = {};
    Program program{run.path, std::move(options)};
    auto& outbox = *program.outbox;
    for (int job = 0; job < jobs; ++job) {
        const auto known = outbox.find("", key_of(run, job));
        if (job < promised && !known) fail("what was promised is there: " + key_of(run, job));
        outbox.enqueue(message_of(run, job), {.key = key_of(run, job)});
    }
    std::set<JobId> asked;
    for (int round = 0; round < 100; ++round) {
        const auto report = outbox.run_until_idle();
        const auto counts = outbox.counts();
        const auto held = static_cast<int>(counts.of(JobState::held));
        if (held > 0 && count_sent(counts) + held == jobs) {
            // A person looks: what nothing shows was not sent.
            const auto there = static_cast<int>(listed(*program.client, run).size());
            const bool can_tell = run.marker && (!run.callback.empty() || !run.twins);
            if (can_tell && there + held != jobs) {
                fail("what was sent is known, nobody is asked: " + std::to_string(there) + " of " +
                     std::to_string(jobs) + " were sent, and " + std::to_string(held) +
                     " are held");
            }
            auto unsent = jobs - there;
            for (const auto& job : outbox.list({.state = JobState::held})) {
                asked.insert(job.id);
                // Of twins nobody can say which; as many as are missing go.
                if (unsent-- > 0) {
                    outbox.resolve(job.id, Resolution::not_sent());
                } else {
                    outbox.resolve(job.id, Resolution::drop());
                }
            }
            continue;
        }
        if (count_sent(counts) + counts.of(JobState::dead) == jobs) break;
        std::chrono::nanoseconds step = 61s;
        if (report.next_due) {
            step =
                std::max<std::chrono::nanoseconds>(step, *report.next_due - program.clock->now());
        }
        program.clock->forward(step);
    }
    const auto there = listed(*program.client, run);
    if (static_cast<int>(there.size()) != jobs) {
        fail("each is sent once: " + std::to_string(there.size()) + " messages of " +
             std::to_string(jobs) + " jobs");
    }
    std::set<std::string> sids;
    for (int job = 0; job < jobs; ++job) {
        const auto known = outbox.find("", key_of(run, job)).value();
        const bool dropped = known.state == JobState::dead && asked.contains(known.id);
        if (!known.doubles.empty()) fail(key_of(run, job) + " went twice");
        if (dropped) continue;
        if (!is_sent(known.state)) {
            fail(key_of(run, job) + " is " + std::string{to_string(known.state)});
        }
        const auto message = there.find(known.sid.str());
        if (message == there.end() || message->second != message_of(run, job).body ||
            !sids.insert(known.sid.str()).second) {
            fail(key_of(run, job) + " has another's SID");
        }
    }
    say(std::to_string(asked.size()));
    return 0;
}

/// What a run whose program has died wrote before.
struct LastWords {
    int promised = 0;
    int requests = 0;

    void read(const std::string& line) {
        if (line == "promised") ++promised;
        if (line == "request") ++requests;
    }
    void read_all(const std::string& text) {
        for (std::size_t begin = 0; begin < text.size();) {
            const auto end = text.find('\n', begin);
            if (end == std::string::npos) break;
            read(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }
};

/// What has reached Twilio is told of: waits for all of it.
void await_callbacks(const MessagesClient& client, const Receiver& receiver, const Run& run,
                     const LastWords& words) {
    // What left may be a moment on its way; the last request may not have left at all.
    const auto requests = static_cast<std::size_t>(words.requests);
    eventually([&] { return listed(client, run).size() >= requests; }, 200ms);
    const auto messages = listed(client, run);
    const auto all = [&] {
        return std::all_of(messages.begin(), messages.end(),
                           [&](const auto& message) { return receiver.has_heard(message.first); });
    };
    if (!eventually(all, 20s)) fail("Twilio tells of every message");
}

/// Comes up again; how many jobs a person had to decide about.
int recover_in_child(const Run& run, int jobs, int promised, const std::string& after) {
    std::string said;
    if (run_self(order_for("recover", run, {std::to_string(jobs), std::to_string(promised)}),
                 said) != 0) {
        fail("all is well after a death " + after);
    }
    return std::stoi(said);
}

int run_number = 0;

Run next_run(const Folder& folder) {
    Run run;
    run.number = ++run_number;
    run.path = folder.file(std::to_string(run.number) + ".db");
    return run;
}

/// @param receiver  null: without callbacks
int kill_at_every_moment(const Folder& folder, Receiver* receiver, bool twins, bool brief) {
    const MessagesClient client{Credentials::from_environment(), ClientOptions::from_environment()};
    int kills = 0;
    int with_person = 0;
    for (const bool threads : {false, true}) {
        if (threads && brief) break;
        for (std::size_t m = 0; m < moments.size(); ++m) {
            int at_moment = 0;
            // On threads the number of commits is not the same each time, and grows while it waits.
            const int most = threads ? 12 : 1'000;
            for (int count = 1; count <= most; ++count) {
                auto run = next_run(folder);
                run.twins = twins;
                std::optional<Program> learner;
                if (receiver != nullptr) {
                    run.callback = receiver->url();
                    learner.emplace(run.path);
                    receiver->teach({learner->outbox});
                }
                std::string wrote;
                const int status = run_self(
                    order_for("work", run,
                              {threads ? "1" : "0", std::to_string(m), std::to_string(count)}),
                    wrote);
                const bool died = was_killed(status);
                if (!died && status != 0) fail("a program that is not killed ends well");
                LastWords words;
                words.read_all(wrote);
                if (receiver != nullptr) await_callbacks(client, *receiver, run, words);
                const auto held = recover_in_child(run, jobs_of_a_run, words.promised,
                                                   std::string{moment_names[m]} + ", the " +
                                                       std::to_string(count) + ". of its kind" +
                                                       (threads ? ", on threads" : ""));
                if (receiver != nullptr) receiver->teach({});
                learner.reset();
                remove_storage(run.path);
                if (!died) break;
                if (held > 0) ++with_person;
                ++kills;
                ++at_moment;
            }
            std::printf("%s%s: %d kills\n", moment_names[m], threads ? ", on threads" : "",
                        at_moment);
            std::fflush(stdout);
            if (at_moment < 4) fail("there were as many moments as jobs");
        }
    }
    std::printf(
        "%d kills: every message once; after %d of them a person had to say that one had "
        "not left\n",
        kills, with_person);
    return kills;
}

/// Kills at any time a program that hands over twins and sends them, with the answers to some under
/// way. The share of kills that end without a person.
double kill_at_any_time(const Folder& folder, Receiver& receiver, bool marker, int kills,
                        std::mt19937& random) {
    const MessagesClient client{Credentials::from_environment(), ClientOptions::from_environment()};
    int without_person = 0;
    for (int kill = 0; kill < kills; ++kill) {
        auto run = next_run(folder);
        run.twins = true;
        run.callback = receiver.url();
        run.marker = marker;
        const Program learner{run.path};
        receiver.teach({learner.outbox});
        LastWords words;
        std::string wrote;
        {
            Child child{order_for("stream", run, {})};
            const auto first = child.line(20s);
            if (!first) fail("a program hands over");
            words.read(*first);
            const auto end =
                std::chrono::steady_clock::now() +
                std::chrono::milliseconds{std::uniform_int_distribution<int>{60, 420}(random)};
            for (auto left = end - std::chrono::steady_clock::now(); left.count() > 0;
                 left = end - std::chrono::steady_clock::now()) {
                const auto line = child.line(std::chrono::ceil<std::chrono::milliseconds>(left));
                if (line) words.read(*line);
            }
            child.signal(SIGKILL);
            if (!was_killed(child.wait(&wrote))) fail("it lives until it is killed");
        }
        words.read_all(wrote);
        await_callbacks(client, receiver, run, words);
        // The last may have been taken in, and not said so any more.
        if (recover_in_child(run, words.promised + 1, words.promised, "at any time") == 0) {
            ++without_person;
        }
        receiver.teach({});
        remove_storage(run.path);
    }
    const double share = 100.0 * without_person / kills;
    std::printf("at any time, identical texts, %s: %d kills, %.0f %% without a person\n",
                marker ? "with the marker in the callback's URL" : "without the marker", kills,
                share);
    std::fflush(stdout);
    return share;
}

int kill_with_callbacks(const Folder& folder, bool brief) {
    Receiver receiver;
    for (const bool twins : {false, true}) {
        // What is known of twins is known of others.
        if (brief && !twins) continue;
        std::printf("with callbacks, %s:\n", twins ? "identical texts" : "each text once");
        kill_at_every_moment(folder, &receiver, twins, brief);
    }
    const auto seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    std::mt19937 random{seed};
    // Twenty say little of a share, and the slower the machine, the more of them come between the
    // commit and the first byte.
    if (brief) {
        if (kill_at_any_time(folder, receiver, true, 20, random) >= 70) return 0;
        fail("most kills end without a person");
    }
    constexpr double least = 95;
    if (kill_at_any_time(folder, receiver, true, 100, random) < least) {
        fail("19 of 20 kills end without a person");
    }
    if (kill_at_any_time(folder, receiver, false, 10, random) >= least) {
        fail("it is the marker that tells");
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    const auto asks_for = [&](std::string_view word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    const bool brief = asks_for("brief");
    const bool callbacks = asks_for("callbacks");
    if (words.empty() || brief || callbacks) {
        const Folder folder{"outbox_kill"};
        if (callbacks) return kill_with_callbacks(folder, brief);
        kill_at_every_moment(folder, nullptr, false, brief);
        return 0;
    }
    const auto run = Run::of(words);
    const auto number = [&](std::size_t i) { return std::stoi(words.at(i)); };
    if (words[0] == "work") {
        return work(run, number(6) != 0, moments.at(static_cast<std::size_t>(number(7))),
                    number(8));
    }
    if (words[0] == "stream") return stream(run);
    return recover(run, number(6), number(7));
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
