// Programs that hand over, workers and the receiver of callbacks share an outbox, and one of them
// is killed by SIGKILL every 50 to 500 ms, while Twilio answers badly and its callbacks get lost,
// come twice, late and in another order. Then all that is left is settled, and what has to hold of
// an outbox is looked at. The truth is what the emulator, another process, lists. On PostgreSQL the
// server dies now and then, too, and comes back.
//
// Usage: outbox_soak [seconds] [seed], in the environment of an emulator with the senders below,
// and, if OUTBOX_ENGINE is postgresql, of a server. Prints figures, a line for each thing that has
// to hold, and fails if one does not.
#include <fcntl.h>

#include <array>
#include <fstream>
#include <random>
#include <thread>

#include "outbox_processes.hpp"

namespace {

using namespace outbox_processes;

constexpr std::array senders{"+447700900101", "+447700900102", "+447700900103", "+447700900104"};
constexpr int enqueuers = 2;
constexpr int workers = 3;
constexpr int handed_over_at_once = 20;
constexpr std::chrono::milliseconds pause_between_batches{600};
constexpr std::int64_t most_waiting = 200;
constexpr int in_flight = 8;
constexpr int customers = 90;
/// Every fifth job has a twin among the next ones: the same text to the same customer.
constexpr int jobs_of_a_group = 10;

std::string key_of(int enqueuer, int job) {
    return std::to_string(enqueuer) + "-" + std::to_string(job);
}

OutboundText message_of(int enqueuer, int job) {
    const int group = job / jobs_of_a_group;
    const bool twin = job % 5 == 0;
    OutboundText message;
    message.to = "+4477009000" + std::to_string(10 + group % customers);
    message.from = senders.at(static_cast<std::size_t>(group) % senders.size());
    message.body =
        twin ? "Twin of group " + key_of(enqueuer, group) : "Text of job " + key_of(enqueuer, job);
    return message;
}

// ---- The processes

/// Asks until the storage answers: on its way there a server may be gone for a while.
template <class Ask>
auto patiently(const Ask& ask) {
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    while (true) {
        auto answer = ask();
        if (answer || !is_store_error(answer.error()) ||
            std::chrono::steady_clock::now() > give_up) {
            return std::move(answer).value();
        }
        std::this_thread::sleep_for(20ms);
    }
}

/// Hands over from a number on. Says up to where it has been answered.
[[noreturn]] void hand_over(const std::string& path, int enqueuer, int first, bool once) {
    Program program{path};
    for (int job = first;; job += handed_over_at_once) {
        std::vector<NewJob> some;
        for (int i = job; i < job + handed_over_at_once; ++i) {
            some.push_back({message_of(enqueuer, i), {.key = key_of(enqueuer, i)}});
        }
        for (const auto& taken : patiently([&] { return program.outbox->try_enqueue_all(some); })) {
            static_cast<void>(taken.value());
        }
        say(std::to_string(job + handed_over_at_once));
        if (once) std::exit(0);
        // Not more than such workers can do: what is behind is told of late, and looked for.
        std::this_thread::sleep_for(pause_between_batches);
        const auto counts = [&] { return program.outbox->try_counts(); };
        while (patiently(counts).of(JobState::ready) > most_waiting) {
            std::this_thread::sleep_for(20ms);
        }
    }
}

ProgramOptions sending_to(const std::string& callback) {
    ProgramOptions options;
    options.callback = callback;
    options.concurrency = in_flight;
    // Longer than the emulator's slowest answer.
    options.send_timeout = 10s;
    return options;
}

[[noreturn]] void work(const std::string& path, const std::string& callback) {
    Program program{path, sending_to(callback)};
    program.outbox->start();
    while (true) ::pause();
}

/// Writes down of which message it has learnt, when it has.
[[noreturn]] void receive(const std::string& path, int port, const std::string& heard) {
    Program program{path};
    const int file = ::open(heard.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    Receiver receiver{port};
    receiver.on_learnt([file](const StatusCallback& callback) {
        const auto line = callback.sid.str() + '\n';
        if (::write(file, line.data(), line.size()) < 0) std::_Exit(2);
    });
    receiver.teach({program.outbox});
    while (true) ::pause();
}

/// Does all that is left, while time passes as quickly as that goes.
int settle(const std::string& path, const std::string& callback) {
    Program program{path, sending_to(callback)};
    for (int round = 0; round < 400; ++round) {
        const auto report = program.outbox->run_until_idle();
        const auto counts = program.outbox->counts();
        const bool leased = counts.of(JobState::sending) > 0;
        if (!leased && counts.of(JobState::ready) + counts.of(JobState::unknown) == 0) return 0;
        // In ever larger steps: each job is looked for at a moment of its own.
        auto step = std::max<std::chrono::nanoseconds>(
            61s, std::chrono::nanoseconds{*program.clock->ahead / 10});
        if (!leased && report.next_due) {
            step =
                std::max<std::chrono::nanoseconds>(step, *report.next_due - program.clock->now());
        }
        program.clock->forward(step);
    }
    fail("what is left can be settled");
}

// ---- Who begins and kills them

enum class Role { enqueuer, worker, receiver };

class Soak {
public:
    Soak(std::chrono::seconds time, unsigned seed) : time_(time), random_(seed) {
        for (auto& job : next_job_) job = 0;
        port_ = twiliowa::test::free_port();
    }

    int run() {
        set_faults();
        // Whoever opens it first makes its tables; the others find them.
        { const Program first{path_}; }
        begin_all();
        kill_for_the_time();
        end_load();
        note_counts("when the load ended");
        settle_all();
        look_at_all();
        return failed_ == 0 ? 0 : 1;
    }

private:
    struct Process {
        Role role;
        int number;
        std::unique_ptr<Child> child;
    };

    std::string callback() const {
        return "http://127.0.0.1:" + std::to_string(port_) + "/status#rc=5&rp=all";
    }

    void set_faults() {
        for (const auto* const fault : {"close-after", "500-after", "truncated", "slow"}) {
            emulator_.post("fault",
                           std::string{R"({"fault": ")"} + fault + R"(", "probability": 0.05})");
        }
        emulator_.post("webhook_faults",
                       R"({"dropped": 0.2, "doubled": 0.2, "late": 0.2, "reordered": 0.2})");
        emulator_.post("limits", R"({"messages_per_second": null})");
    }

    std::unique_ptr<Child> begin(Role role, int number) const {
        std::vector<std::string> words;
        if (role == Role::enqueuer) {
            words = {"hand_over", path_, std::to_string(number),
                     std::to_string(next_job_.at(static_cast<std::size_t>(number))), "on"};
        } else if (role == Role::worker) {
            words = {"work", path_, callback()};
        } else {
            words = {"receive", path_, std::to_string(port_), heard_};
        }
        return std::make_unique<Child>(words);
    }
    void begin_all() {
        processes_.push_back({Role::receiver, 0, begin(Role::receiver, 0)});
        for (int i = 0; i < enqueuers; ++i) {
            processes_.push_back({Role::enqueuer, i, begin(Role::enqueuer, i)});
        }
        for (int i = 0; i < workers; ++i) {
            processes_.push_back({Role::worker, i, begin(Role::worker, i)});
        }
    }

    void note_promise(int enqueuer, const std::string& line) {
        next_job_.at(static_cast<std::size_t>(enqueuer)) = std::stoi(line);
    }
    void listen(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) {
            for (auto& process : processes_) {
                if (process.role != Role::enqueuer) continue;
                while (const auto line = process.child->line(5ms)) {
                    note_promise(process.number, *line);
                }
            }
        }
    }
    void kill(Process& process) {
        std::string last_words;
        process.child->signal(SIGKILL);
        if (!was_killed(process.child->wait(&last_words))) {
            fail("each lives until it is killed");
        }
        if (process.role == Role::enqueuer) {
            for (std::size_t begin = 0, end = last_words.find('\n'); end != std::string::npos;
                 begin = end + 1, end = last_words.find('\n', begin)) {
                note_promise(process.number, last_words.substr(begin, end - begin));
            }
        }
        if (process.role == Role::worker) {
            kilobytes_ = std::max(kilobytes_, process.child->kilobytes());
        }
    }
    void kill_for_the_time() {
        const auto end = std::chrono::steady_clock::now() + time_;
        auto told = std::chrono::steady_clock::now() + 60s;
        while (std::chrono::steady_clock::now() < end) {
            listen(std::chrono::milliseconds{std::uniform_int_distribution<int>{50, 500}(random_)});
            // Twilio repeats a callback five times, a second after the other: whoever receives them
            // is not killed each second.
            constexpr int receiver_of = 20;
            const bool receiver = std::uniform_int_distribution<int>{1, receiver_of}(random_) == 1;
            strike_server();
            auto& victim = processes_.at(receiver ? 0
                                                  : std::uniform_int_distribution<std::size_t>{
                                                        1, processes_.size() - 1}(random_));
            kill(victim);
            ++kills_[victim.role];
            victim.child = begin(victim.role, victim.number);
            if (std::chrono::steady_clock::now() < told) continue;
            told += 60s;
            std::printf("%lld s left, %d kills, %d jobs\n",
                        static_cast<long long>(std::chrono::ceil<std::chrono::seconds>(
                                                   end - std::chrono::steady_clock::now())
                                                   .count()),
                        all_kills(), all_jobs());
            std::fflush(stdout);
        }
    }
    /// Not each second, or nothing would get done between.
    void strike_server() {
#ifdef WITH_POSTGRESQL
        constexpr int strike_of = 10;
        if (!on_postgresql() || std::uniform_int_distribution<int>{1, strike_of}(random_) != 1) {
            return;
        }
        const int kind = std::uniform_int_distribution<int>{0, PostgresDeath::kinds - 1}(random_);
        if (PostgresDeath::strike(kind)) ++strikes_[PostgresDeath::name(kind)];
#endif
    }
    int all_kills() {
        return kills_[Role::enqueuer] + kills_[Role::worker] + kills_[Role::receiver];
    }
    int all_jobs() const {
        int jobs = 0;
        for (const int next : next_job_) jobs += next;
        return jobs;
    }

    /// Everybody dies once more; who handed over hands over again what was not answered.
    void end_load() {
        for (auto& process : processes_) kill(process);
        processes_.clear();
        for (int i = 0; i < enqueuers; ++i) {
            std::string said;
            const auto number = static_cast<std::size_t>(i);
            if (run_self({"hand_over", path_, std::to_string(i),
                          std::to_string(next_job_.at(number)), "once"},
                         said) != 0) {
                fail("who hands over again is answered");
            }
            note_promise(i, said);
        }
        emulator_.post("fault", R"({"clear": true})");
    }

    void note_counts(const char* when) {
        const Program program{path_};
        const auto counts = program.outbox->counts();
        std::printf("%s: %lld ready, %lld sending, %lld unknown, %lld held, %lld sent\n", when,
                    static_cast<long long>(counts.of(JobState::ready)),
                    static_cast<long long>(counts.of(JobState::sending)),
                    static_cast<long long>(counts.of(JobState::unknown)),
                    static_cast<long long>(counts.of(JobState::held)),
                    static_cast<long long>(count_sent(counts)));
        std::fflush(stdout);
    }

    std::set<std::string> heard() const {
        std::set<std::string> sids;
        std::ifstream file(heard_);
        for (std::string line; std::getline(file, line);) sids.insert(line);
        return sids;
    }

    /// Late callbacks come, then time passes for what nothing was heard of.
    void settle_all() {
        const auto receiver = begin(Role::receiver, 0);
        emulator_.post("clock", R"({"advance_seconds": 60})");
        // They are many, and nothing says which is the last.
        auto before = heard().size();
        while (true) {
            std::this_thread::sleep_for(5s);
            const auto now = heard().size();
            if (now == before) break;
            before = now;
        }
        std::string said;
        if (run_self({"settle", path_, callback()}, said) != 0) fail("all is settled");
        receiver->signal(SIGKILL);
        receiver->wait();
    }

    void check(bool holds, const std::string& what) {
        std::printf("%s: %s\n", holds ? "so" : "NOT SO", what.c_str());
        if (!holds) ++failed_;
    }

    void look_at_all() {
        Program program{path_};
        std::vector<Job> jobs;
        JobFilter filter{.limit = 1000};
        while (true) {
            auto some = program.outbox->list(filter);
            for (auto& job : some) {
                filter.after = job.sequence;
                jobs.push_back(std::move(job));
            }
            if (some.size() < filter.limit) break;
        }
        std::map<std::string, std::string> body_of;             // By SID.
        std::map<std::string, std::vector<std::string>> there;  // By body.
        for (const auto& message : program.client->list({.page_size = 1000})) {
            body_of.emplace(message.sid.str(), message.body);
            there[message.body].push_back(message.sid.str());
        }

        std::map<std::string, int> keys;
        std::map<std::string, int> wanted;  // By body.
        std::set<std::string> bound;
        std::map<Evidence, int> by;
        std::map<JobState, std::int64_t> states;
        std::map<std::string, std::vector<const Job*>> held;
        int sent = 0;
        int wrong_sid = 0;
        int doubles = 0;
        for (const auto& job : jobs) {
            ++keys[job.key];
            ++states[job.state];
            const auto& body = std::string{job.message.value().body};
            ++wanted[body];
            doubles += static_cast<int>(job.doubles.size());
            if (job.state == JobState::held) held[body].push_back(&job);
            if (!is_sent(job.state)) continue;
            ++sent;
            ++by[job.evidence];
            const auto message = body_of.find(job.sid.str());
            if (message == body_of.end() || message->second != body ||
                !bound.insert(job.sid.str()).second) {
                ++wrong_sid;
            }
        }
        bool all_keys = true;
        for (int enqueuer = 0; enqueuer < enqueuers; ++enqueuer) {
            const int end = next_job_.at(static_cast<std::size_t>(enqueuer));
            for (int job = 0; job < end; ++job) {
                const auto found = keys.find(key_of(enqueuer, job));
                all_keys = all_keys && found != keys.end() && found->second == 1;
            }
        }
        bool at_most_once = true;
        for (const auto& [body, sids] : there) {
            at_most_once = at_most_once && static_cast<int>(sids.size()) <= wanted[body];
        }
        // What is held has a message, or may have one of its twins', only if no callback of that
        // came.
        const auto told = heard();
        int known_and_held = 0;
        int held_jobs = 0;
        for (const auto& [body, waiting] : held) {
            held_jobs += static_cast<int>(waiting.size());
            if (wanted[body] == 1) known_and_held += static_cast<int>(there.count(body));
        }
        int told_and_unbound = 0;
        for (const auto& sid : told) {
            if (body_of.contains(sid) && !bound.contains(sid)) ++told_and_unbound;
        }
        const auto counts = program.outbox->counts();
        std::int64_t in_a_state = 0;
        for (const auto& [state, count] : counts.by_state) in_a_state += count;

        const double seconds = static_cast<double>(time_.count());
        std::printf(
            "%zu jobs, %.0f a second; %d kills: %d of workers, %d of enqueuers, %d of the "
            "receiver\n",
            jobs.size(), static_cast<double>(jobs.size()) / seconds, all_kills(),
            kills_[Role::worker], kills_[Role::enqueuer], kills_[Role::receiver]);
        std::printf(
            "%d sent: %d known by the answer, %d of which the outcome was unknown by a "
            "callback, %d by the list; %d held\n",
            sent, by[Evidence::answer], by[Evidence::callback], by[Evidence::list], held_jobs);
        std::printf("callbacks told of %zu of %zu messages\n", told.size(), body_of.size());
        for (const auto& [how, often] : strikes_) {
            std::printf("the server: %s %d times\n", how.c_str(), often);
        }
        std::printf("%d doubles; a worker had at most %ld MB\n", doubles, kilobytes_ / 1024);

        check(all_keys && keys.size() == static_cast<std::size_t>(all_jobs()),
              "each key that was acknowledged is there, once");
        check(in_a_state == all_jobs() && jobs.size() == static_cast<std::size_t>(all_jobs()) &&
                  states == counts.by_state,
              "the states add up to what was handed over");
        check(sent + held_jobs == all_jobs(), "each is sent, or held");
        check(at_most_once, "each is at Twilio once at most");
        check(wrong_sid == 0, "what is called sent is there, under its own SID");
        check(doubles == 0, "nothing is called a double");
        check(known_and_held == 0, "nothing is held whose text the list shows");
        check(told_and_unbound == 0, "each message is known of which a callback came");
    }

    const std::chrono::seconds time_;
    std::mt19937 random_;
    const Folder folder_{"outbox_soak"};
    const std::string path_ = folder_.file("jobs.db");
    const std::string heard_ = folder_.file("heard");
    Emulator emulator_ = {};
    int port_ = 0;
    std::array<int, enqueuers> next_job_ = {};
    std::vector<Process> processes_ = {};
    std::map<Role, int> kills_ = {};
    std::map<std::string, int> strikes_ = {};  ///< Of the server.
    long kilobytes_ = 0;
    int failed_ = 0;
};

}  // namespace

int main(int count, char** arguments) try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    const auto number = [&](std::size_t i) { return std::stoi(words.at(i)); };
    const auto verb = words.empty() ? std::string{} : words[0];
    if (verb == "hand_over") hand_over(words.at(1), number(2), number(3), words.at(4) == "once");
    if (verb == "work") work(words.at(1), words.at(2));
    if (verb == "receive") receive(words.at(1), number(2), words.at(3));
    if (verb == "settle") return settle(words.at(1), words.at(2));
    const auto time = std::chrono::seconds{words.empty() ? 600 : number(0)};
    const auto seed =
        words.size() > 1 ? static_cast<unsigned>(std::stoul(words[1])) : std::random_device{}();
    std::printf("seed %u, %lld s\n", seed, static_cast<long long>(time.count()));
    std::fflush(stdout);
    return Soak{time, seed}.run();
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
