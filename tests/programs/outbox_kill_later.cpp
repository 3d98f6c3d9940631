// What an outbox does after it has sent: it looks for what it does not know, sweeps what time has
// ended, learns from callbacks, erases what it need not keep. Four processes over one storage do
// that at once, and each kills itself by SIGKILL when it passes one moment for the n-th time. What
// comes up then knows of every message what it is, and nothing is sent again. The truth is what the
// emulator, another process, lists.
//
// Usage: outbox_kill_later [brief|whole], in the environment of an emulator, and, if OUTBOX_ENGINE
// is postgresql, of a server. The first four times that a moment is passed; in brief the first two;
// whole: all of them. Prints how many kills it took.
#include <array>

#include "outbox_processes.hpp"

namespace {

using namespace outbox_processes;

constexpr int jobs_of_a_run = 4;
constexpr std::size_t at_once = 4;

/// What is done by the processes that die.
enum class Step { look, sweep, learn, erase };
constexpr std::array<const char*, 4> step_names{"look", "sweep", "learn", "erase"};

struct Run {
    Step step = Step::look;
    int number = 0;
    std::string path = {};
    std::string callback = {};             ///< Empty: none.
    std::vector<std::string> learnt = {};  ///< `sid status to marker`, what Twilio has told.

    std::vector<std::string> words(const char* verb, std::vector<std::string> more) const {
        std::vector<std::string> words{verb, step_names[static_cast<std::size_t>(step)],
                                       std::to_string(number), path, callback};
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(), learnt.begin(), learnt.end());
        return words;
    }
    /// @param more  how many words there are between
    static Run of(const std::vector<std::string>& words, std::size_t more) {
        Run run;
        const auto name = std::find(step_names.begin(), step_names.end(), words.at(1));
        run.step = static_cast<Step>(name - step_names.begin());
        run.number = std::stoi(words.at(2));
        run.path = words.at(3);
        run.callback = words.at(4);
        run.learnt.assign(words.begin() + static_cast<std::ptrdiff_t>(5 + more), words.end());
        return run;
    }
};

std::string recipient_of(const Run& run) {
    return "+447701" + std::to_string(100'000 + run.number);
}
std::string key_of(int job) {
    return "job-" + std::to_string(job);
}
std::string text_of(const Run& run, int job) {
    return "Text " + std::to_string(job) + " of run " + std::to_string(run.number);
}
/// The last one of a sweep waits for its time, and expires.
bool expires(const Run& run, int job) {
    return run.step == Step::sweep && job == jobs_of_a_run - 1;
}
int sent_of(const Run& run) {
    if (run.step == Step::erase) return 0;
    return run.step == Step::sweep ? jobs_of_a_run - 1 : jobs_of_a_run;
}

/// Hands over and sends; what it leaves behind is what the step begins with.
int prepare(const Run& run) {
    ProgramOptions options;
    options.callback = run.callback;
    if (run.step == Step::look || run.step == Step::learn) {
        options.wire.on_create = [] { return Loss::answer; };
    }
    if (run.step == Step::sweep) {
        // All have left, and no answer was noted.
        options.wire.fate = std::make_shared<Fate>(Moment::after_answer, sent_of(run));
        options.wire.answer_delay = 60s;
    }
    Program program{run.path, std::move(options)};
    for (int job = 0; job < jobs_of_a_run; ++job) {
        JobOptions with{.key = key_of(job)};
        if (expires(run, job)) {
            with.not_before = program.clock->now() + 1h;
            with.expires_at = program.clock->now() + 2h;
        }
        const auto taken = program.outbox->enqueue(
            OutboundText{.to = recipient_of(run), .body = text_of(run, job)}, with);
        if (run.step == Step::erase) program.outbox->cancel(taken.id);
    }
    program.outbox->run_until_idle();
    return 0;
}

std::vector<std::string> words_in(const std::string& line) {
    std::vector<std::string> words(1);
    for (const char c : line) {
        if (c == ' ') {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    return words;
}

void learn(Outbox& outbox, const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
        const auto words = words_in(line);
        StatusCallback callback;
        callback.sid = MessageSid::parse(words.at(0)).value();
        callback.account_sid = Credentials::from_environment().account_sid();
        callback.status = MessageStatus{words.at(1)};
        callback.to = words.at(2);
        callback.query.emplace_back("twj", words.at(3));
        outbox.learn(callback);
    }
}

/// Whether a job is what it has to become.
bool is_done(const Run& run, int number, const Job& job) {
    if (run.step == Step::erase) return job.state == JobState::cancelled && !job.message;
    if (expires(run, number)) return job.reason == DeadReason::expired;
    return is_sent(job.state);
}
bool are_done(const Run& run, Outbox& outbox) {
    for (int job = 0; job < jobs_of_a_run; ++job) {
        if (!is_done(run, job, outbox.find("", key_of(job)).value())) return false;
    }
    return true;
}

/// The step itself, until all is done.
void carry_out(const Run& run, Program& program) {
    auto& outbox = *program.outbox;
    if (run.step == Step::learn) learn(outbox, run.learnt);
    if (run.step == Step::sweep) program.clock->forward(3h);
    if (run.step == Step::erase) program.clock->forward(std::chrono::hours{24 * 8});
    if (run.step == Step::erase) {
        // Its threads do that when they have nothing else to do.
        outbox.start();
        static_cast<void>(eventually([&] { return are_done(run, outbox); }, 20s));
        return outbox.stop();
    }
    for (int round = 0; round < 100 && !are_done(run, outbox); ++round) {
        const auto report = outbox.run_until_idle();
        std::chrono::nanoseconds step = 61s;
        if (report.next_due) {
            step =
                std::max<std::chrono::nanoseconds>(step, *report.next_due - program.clock->now());
        }
        program.clock->forward(step);
    }
}

int work(const Run& run, Moment moment, int count) {
    ProgramOptions options;
    options.callback = run.callback;
    options.wire.fate = std::make_shared<Fate>(moment, count);
    Program program{run.path, std::move(options)};
    carry_out(run, program);
    return 0;
}

/// Comes up after all of them have died.
int recover(const Run& run) {
    ProgramOptions options;
    options.callback = run.callback;
    Program program{run.path, std::move(options)};
    auto& outbox = *program.outbox;
    carry_out(run, program);
    const auto there = listed(*program.client, recipient_of(run));
    if (static_cast<int>(there.size()) != sent_of(run)) {
        fail("each is sent once: " + std::to_string(there.size()) + " messages");
    }
    std::set<std::string> sids;
    for (int job = 0; job < jobs_of_a_run; ++job) {
        const auto known = outbox.find("", key_of(job)).value();
        if (!known.doubles.empty()) fail(key_of(job) + " went twice");
        if (!is_done(run, job, known)) {
            fail("nobody is asked: " + key_of(job) + " is " + std::string{to_string(known.state)});
        }
        if (!is_sent(known.state)) continue;
        const auto message = there.find(known.sid.str());
        if (message == there.end() || message->second != text_of(run, job) ||
            !sids.insert(known.sid.str()).second) {
            fail(key_of(job) + " has another's SID");
        }
    }
    const auto counts = outbox.counts();
    std::int64_t sum = 0;
    for (const auto state :
         {JobState::ready, JobState::claimed, JobState::sending, JobState::unknown, JobState::held,
          JobState::accepted, JobState::delivered, JobState::undelivered, JobState::dead,
          JobState::cancelled}) {
        sum += counts.of(state);
    }
    if (sum != jobs_of_a_run) fail("the counts are the jobs: " + std::to_string(sum));
    return 0;
}

/// What Twilio tells of the messages of a run.
std::vector<std::string> told(Receiver& receiver, const MessagesClient& client, const Run& run) {
    const auto messages = listed(client, recipient_of(run));
    const auto all = [&] {
        return std::all_of(messages.begin(), messages.end(),
                           [&](const auto& message) { return receiver.has_heard(message.first); });
    };
    if (!eventually(all, 20s)) fail("Twilio tells of every message");
    std::vector<std::string> lines;
    for (const auto& callback : receiver.release()) {
        lines.push_back(callback.sid.str() + ' ' + callback.status.str() + ' ' + callback.to + ' ' +
                        std::string{callback.query_parameter("twj")});
    }
    return lines;
}

int kill_at_every_moment(const Folder& folder, Step step, int most) {
    const MessagesClient client{Credentials::from_environment(), ClientOptions::from_environment()};
    static int number = 0;
    int kills = 0;
    for (std::size_t m = 0; m < moments.size(); ++m) {
        int at_moment = 0;
        for (int count = 1; count <= most; ++count) {
            Run run{.step = step, .number = ++number};
            run.path = folder.file(std::to_string(run.number) + ".db");
            std::optional<Receiver> receiver;
            if (step == Step::learn) {
                receiver.emplace();
                receiver->withhold();
                run.callback = receiver->url();
            }
            std::string wrote;
            const auto status = run_self(run.words("prepare", {}), wrote);
            if (status != 0 && !was_killed(status)) fail("there is something to begin with");
            if (receiver) run.learnt = told(*receiver, client, run);
            std::vector<std::unique_ptr<Child>> workers;
            for (std::size_t i = 0; i < at_once; ++i) {
                workers.push_back(std::make_unique<Child>(
                    run.words("work", {std::to_string(m), std::to_string(count)})));
            }
            int died = 0;
            for (const auto& worker : workers) {
                const auto ended = worker->wait();
                if (was_killed(ended)) ++died;
                if (!was_killed(ended) && ended != 0) fail("who is not killed ends well");
            }
            if (run_self(run.words("recover", {}), wrote) != 0) {
                fail(std::string{"all is well after deaths "} + moment_names[m] + ", the " +
                     std::to_string(count) + ". of its kind");
            }
            remove_storage(run.path);
            if (died == 0) break;
            at_moment += died;
        }
        std::printf("%s, %s: %d kills\n", step_names[static_cast<std::size_t>(step)],
                    moment_names[m], at_moment);
        std::fflush(stdout);
        kills += at_moment;
    }
    return kills;
}

}  // namespace

int main(int count, char** arguments) try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (words.empty() || words[0] == "brief" || words[0] == "whole") {
        const Folder folder{"outbox_kill_later"};
        int most = 4;
        if (!words.empty()) most = words[0] == "brief" ? 2 : 1'000;
        // At each step ten times, and more.
        constexpr int least = 10;
        int sum = 0;
        for (const auto step : {Step::look, Step::sweep, Step::learn, Step::erase}) {
            const auto kills = kill_at_every_moment(folder, step, most);
            if (kills < least) fail("there were ten kills");
            sum += kills;
        }
        std::printf("%d kills: every message once, and all is known of it\n", sum);
        return 0;
    }
    if (words[0] == "prepare") return prepare(Run::of(words, 0));
    if (words[0] == "recover") return recover(Run::of(words, 0));
    return work(Run::of(words, 2), moments.at(static_cast<std::size_t>(std::stoi(words.at(5)))),
                std::stoi(words.at(6)));
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
