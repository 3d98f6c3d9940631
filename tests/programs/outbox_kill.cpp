// A process with an outbox is killed by SIGKILL at one moment after another: before, within and
// after each of its commits, before each request and after each answer. What comes up then has to
// send every message once: none twice, none not at all, and none is called what it is not. Four
// programs do so at once. The truth is what the emulator, another process, lists.
//
// Usage: outbox_kill [callbacks] [brief] [alone], in the environment of an emulator, and, if
// OUTBOX_ENGINE is postgresql, of a server. With callbacks, which another process over the same
// storage learns from, what was sent is known without a person, of identical texts, too; and it is
// seen to be the marker in the callback's URL that does it. In brief: without threads, and fewer at
// any time. Alone, with nothing else on the machine, 19 of 20 kills at any time end without a
// person. Prints how many kills it took.
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "outbox_processes.hpp"

namespace {

using namespace outbox_processes;

constexpr int jobs_of_a_run = 5;
/// So often is died at each moment: five messages have as many commits, and half as many requests.
constexpr int least_kills = 10;
/// Programs that run, and die, at once, each on a storage of its own.
constexpr std::size_t lanes = 4;
/// What each of them is told by.
using Receivers = std::deque<Receiver>;

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
            const auto there = static_cast<int>(listed(*program.client, recipient_of(run)).size());
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
    const auto there = listed(*program.client, recipient_of(run));
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
    eventually([&] { return listed(client, recipient_of(run)).size() >= requests; }, 500ms);
    const auto messages = listed(client, recipient_of(run));
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

std::atomic<int> run_number{0};

Run next_run(const Folder& folder) {
    Run run;
    run.number = ++run_number;
    run.path = folder.file(std::to_string(run.number) + ".db");
    return run;
}

/// Calls `work` on as many threads as programs die at once; what they do it with is `lane`'s.
void at_once(const std::function<void(std::size_t lane)>& work, std::size_t programs = lanes) {
    std::vector<std::thread> threads;
    for (std::size_t lane = 0; lane < programs; ++lane) threads.emplace_back(work, lane);
    for (auto& thread : threads) thread.join();
}

/// A moment at which programs die: the first time that it is passed, the second, and so on.
struct KillsAtMoment {
    bool threads;
    std::size_t moment;
    std::atomic<int> next{1};
    std::atomic<bool> passed_less{false};  ///< One lived: it is not passed so often.
    std::atomic<int> kills{0};
    std::atomic<int> with_person{0};

    std::string name() const {
        return std::string{moment_names[moment]} + (threads ? ", on threads" : "");
    }
};

/// One program, which dies the next time, and what comes up after it.
/// @param receiver  null: without callbacks
void kill_once(const Folder& folder, const MessagesClient& client, Receiver* receiver, bool twins,
               KillsAtMoment& at, int count) {
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
                  {at.threads ? "1" : "0", std::to_string(at.moment), std::to_string(count)}),
        wrote);
    const bool died = was_killed(status);
    if (!died && status != 0) fail("a program that is not killed ends well");
    LastWords words;
    words.read_all(wrote);
    if (receiver != nullptr) await_callbacks(client, *receiver, run, words);
    const auto held =
        recover_in_child(run, jobs_of_a_run, words.promised,
                         at.name() + ", the " + std::to_string(count) + ". of its kind");
    if (receiver != nullptr) receiver->teach({});
    learner.reset();
    remove_storage(run.path);
    if (!died) {
        at.passed_less = true;
        return;
    }
    ++at.kills;
    if (held > 0) ++at.with_person;
}

/// @param receivers  one for each lane; empty: without callbacks
void kill_at_every_moment(const Folder& folder, Receivers& receivers, bool twins, bool brief) {
    const MessagesClient client{Credentials::from_environment(), ClientOptions::from_environment()};
    std::deque<KillsAtMoment> all;
    for (const bool threads : {false, true}) {
        if (threads && brief) break;
        for (std::size_t m = 0; m < moments.size(); ++m) {
            const bool is_of_commits = moments[m] < Moment::before_request;
            for (int round = 0; round < (is_of_commits ? 1 : 2); ++round) {
                all.emplace_back(threads, m);
            }
        }
    }
    at_once([&](std::size_t lane) {
        auto* const receiver = receivers.empty() ? nullptr : &receivers[lane];
        for (auto& at : all) {
            // On threads the number of commits is not the same each time, and grows while it waits.
            const int most = at.threads ? 12 : 1'000;
            while (!at.passed_less) {
                const int count = at.next++;
                if (count > most) break;
                kill_once(folder, client, receiver, twins, at, count);
            }
        }
    });
    int kills = 0;
    int with_person = 0;
    std::map<std::string, int> at_moments;
    for (const auto& at : all) {
        at_moments[at.name()] += at.kills;
        kills += at.kills;
        with_person += at.with_person;
    }
    for (const auto& [name, times] : at_moments) {
        std::printf("%s: %d kills\n", name.c_str(), times);
        if (times < least_kills) fail("each moment is died at ten times");
    }
    std::printf(
        "%d kills: every message once; after %d of them a person had to say that one had "
        "not left\n",
        kills, with_person);
    std::fflush(stdout);
}

/// Kills at any time a program that hands over twins and sends them, with the answers to some under
/// way. Whether nobody had to decide anything.
bool kill_at_any_time(const Folder& folder, const MessagesClient& client, Receiver& receiver,
                      bool marker, std::mt19937& random) {
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
    const auto held = recover_in_child(run, words.promised + 1, words.promised, "at any time");
    receiver.teach({});
    remove_storage(run.path);
    return held == 0;
}

/// The share of kills that end without a person.
double kill_at_any_time(const Folder& folder, Receivers& receivers, bool marker, int kills,
                        unsigned seed, bool alone) {
    const MessagesClient client{Credentials::from_environment(), ClientOptions::from_environment()};
    std::atomic<int> begun{0};
    std::atomic<int> without_person{0};
    const auto kill = [&](std::size_t lane) {
        std::mt19937 random{seed + static_cast<unsigned>(lane)};
        while (begun++ < kills) {
            if (kill_at_any_time(folder, client, receivers[lane], marker, random)) ++without_person;
        }
    };
    at_once(kill, alone ? 1 : lanes);
    const double share = 100.0 * without_person / kills;
    std::printf("at any time, identical texts, %s: %d kills, %.0f %% without a person\n",
                marker ? "with the marker in the callback's URL" : "without the marker", kills,
                share);
    std::fflush(stdout);
    return share;
}

int kill_with_callbacks(const Folder& folder, bool brief, bool alone) {
    Receivers receivers(lanes);
    for (const bool twins : {false, true}) {
        // What is known of twins is known of others.
        if (brief && !twins) continue;
        std::printf("with callbacks, %s:\n", twins ? "identical texts" : "each text once");
        kill_at_every_moment(folder, receivers, twins, brief);
    }
    const auto seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    // Whoever reached Twilio needs no person, however slow the machine is: recover() sees to that.
    // The slower it is, the more of the kills come between the commit and the first byte, and
    // twenty say little of a share.
    const double least = brief ? 40 : alone ? 95 : 85;
    if (kill_at_any_time(folder, receivers, true, brief ? 20 : 100, seed, alone) < least) {
        fail("at least " + std::to_string(static_cast<int>(least)) +
             " of 100 kills end without a person");
    }
    if (!brief && kill_at_any_time(folder, receivers, false, 10, seed, alone) >= least) {
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
        if (callbacks) return kill_with_callbacks(folder, brief, asks_for("alone"));
        Receivers none;
        kill_at_every_moment(folder, none, false, brief);
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
