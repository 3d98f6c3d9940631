/// Usage: inbox_kill [kills of each kind]. A bot on the emulator's webhooks, whose working
/// processes are killed again and again: in handlers, in the transaction that ends an event, and on
/// the way of the answers. In the end each event is handled or a dead letter, what was committed
/// with one is there once, each answer was sent at most once, and one that was not says why.
///
/// One process takes webhooks in; those that handle and send are on the same storage and die.
#include <sqlite3.h>

#include <array>
#include <random>

#include <twiliowa/outbox/durable_inbox.hpp>

#include "outbox_processes.hpp"

namespace {

using namespace outbox_processes;

constexpr std::string_view poison = "poison";
constexpr int tries = 5;

/// Where a process dies: within the bot, or at a moment of its storage or of its wire.
struct Kind {
    const char* name;
    std::optional<Moment> moment = {};
    bool is_often = false;  ///< Passed many times for each message.
};

constexpr int no_kind = -1;
constexpr int in_handler = 0;
constexpr int in_transaction = 1;
constexpr std::array<Kind, 6> kinds{{
    {"in a handler"},
    {"in the transaction that ends an event"},
    {"before an answer leaves", Moment::before_request},
    {"when an answer has left", Moment::after_answer},
    {"before a work of the storage", Moment::before_commit, true},
    {"in a work of the storage", Moment::in_commit, true},
}};

const Kind& kind_of(int number) {
    return kinds.at(static_cast<std::size_t>(number));
}

/// The program's own rows, in its inbox's storage.
class Rows {
public:
    explicit Rows(std::string path) : path_(std::move(path)) {}

    void make() const {
        const std::string sql = "create table answered (sid text not null)";
#ifdef WITH_POSTGRESQL
        if (on_postgresql()) {
            if (!PostgresSession{database_of(path_)}.run(sql)) fail("there is a table");
            return;
        }
#endif
        in_file([&](sqlite3* file) { run(file, sql); });
    }
    static void add(const NativeTransaction& transaction, const std::string& sid) {
        const auto sql = "insert into answered values ('" + sid + "')";
#ifdef WITH_POSTGRESQL
        if (transaction.postgresql != nullptr) {
            ::PQclear(::PQexec(transaction.postgresql, sql.c_str()));
            return;
        }
#endif
        run(transaction.sqlite, sql);
    }
    std::vector<std::string> all() const {
        const std::string sql = "select sid from answered";
#ifdef WITH_POSTGRESQL
        if (on_postgresql()) return PostgresSession{database_of(path_)}.run(sql).value();
#endif
        std::vector<std::string> sids;
        in_file([&](sqlite3* file) {
            ::sqlite3_exec(
                file, sql.c_str(),
                [](void* to, int, char** columns, char**) {
                    static_cast<std::vector<std::string>*>(to)->emplace_back(columns[0]);
                    return 0;
                },
                &sids, nullptr);
        });
        return sids;
    }

private:
    static void run(sqlite3* file, const std::string& sql) {
        if (::sqlite3_exec(file, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
            throw std::runtime_error{"a row cannot be written"};
        }
    }
    void in_file(const std::function<void(sqlite3*)>& work) const {
        sqlite3* file = nullptr;
        if (::sqlite3_open(path_.c_str(), &file) != SQLITE_OK) fail("there is a file");
        ::sqlite3_busy_timeout(file, 20'000);
        work(file);
        ::sqlite3_close(file);
    }

    std::string path_;
};

/// A program with an inbox on the outbox's storage.
struct Bot {
    Bot(const std::string& path, const std::string& base, int kind, int count)
        : program(path, options_of(path, base, kind, count)),
          inbox(std::make_shared<DurableInbox>(
              *program.outbox,
              InboxOptions{.workers = 4, .max_tries = tries, .clock = program.clock})),
          handler(RequestValidator{std::getenv("TWILIO_AUTH_TOKEN")},
                  {.public_url = PublicUrl::fixed(base), .inbox = inbox, .clock = program.clock}) {
        const auto left = std::make_shared<std::atomic<int>>(count);
        const auto pass = [kind, left](int here) {
            if (kind == here && --*left == 0) ::kill(::getpid(), SIGKILL);
        };
        handler.on_text([pass](Turn& turn) {
            const auto& message = turn.message();
            if (message.body.starts_with(poison)) ::kill(::getpid(), SIGKILL);
            pass(in_handler);
            turn.reply("You said: " + message.body);
            turn.at_commit([pass, sid = message.sid.str()](const NativeTransaction& transaction) {
                Rows::add(transaction, sid);
                pass(in_transaction);
            });
        });
    }

    static ProgramOptions options_of(const std::string& path, const std::string& base, int kind,
                                     int count) {
        ProgramOptions options;
        options.callback = base + "/status#rc=5&rp=all";
        options.clock = clock_in_file(path + ".clock");
        if (kind != no_kind && kind_of(kind).moment) {
            options.wire.fate = std::make_shared<Fate>(*kind_of(kind).moment, count);
        }
        return options;
    }

    Program program;
    std::shared_ptr<DurableInbox> inbox;
    WebhookHandler handler;
};

/// Whether nothing is to be handled or sent now.
bool is_idle(Bot& bot) {
    const auto events = bot.inbox->counts();
    const auto jobs = bot.program.outbox->counts();
    return events.of(InboxState::waiting) + events.of(InboxState::running) == 0 &&
           jobs.of(JobState::ready) + jobs.of(JobState::claimed) + jobs.of(JobState::sending) == 0;
}

/// Handles and sends until it dies, or nothing is left for it.
int work(const std::string& path, const std::string& base, int kind, int count) {
    Bot bot{path, base, kind, count};
    bot.program.outbox->start();
    bot.inbox->start();
    eventually([&] { return is_idle(bot); }, 10s);
    bot.inbox->stop();
    bot.program.outbox->stop();
    return 0;
}

/// Ends all that is left: what nobody can know is held, which takes its time.
void settle(Bot& bot) {
    for (int hour = 0; hour < 100; ++hour) {
        bot.inbox->run_until_idle();
        bot.program.outbox->run_until_idle();
        if (is_idle(bot) && bot.program.outbox->counts().of(JobState::unknown) == 0) return;
        bot.program.clock->forward(1h);
    }
    fail("everything ends");
}

struct Tally {
    int answered = 0;
    int dead = 0;
    int unsent = 0;
};

/// What became of it all.
Tally check(Bot& bot, const Rows& rows) {
    std::map<std::string, std::vector<std::string>> sent;
    for (const auto& message : bot.program.client->list({.page_size = 1000})) {
        sent[message.body].push_back(message.sid.str());
    }
    std::map<std::string, int> committed;
    for (const auto& sid : rows.all()) ++committed[sid];
    Tally tally;
    std::int64_t after = 0;
    while (true) {
        const auto events = bot.inbox->list({.after = after, .limit = 1000});
        if (events.empty()) return tally;
        for (const auto& event : events) {
            after = event.sequence;
            if (event.kind != "message") continue;
            const auto& sid = event.message_sid;
            const auto& text = std::get<InboundMessage>(event.event.value()).body;
            const auto there = sent["You said: " + text];
            const auto job = bot.program.outbox->find("", sid + "/1");
            if (there.size() > 1) fail(text + " is answered once");
            if (event.state == InboxState::dead) {
                if (event.tries != tries || event.problem.empty())
                    fail(text + " says why it is dead");
                if (job || committed.contains(sid)) fail("of " + text + " nothing was written");
                ++tally.dead;
                continue;
            }
            if (event.state != InboxState::done) {
                fail(text + " is handled or dead, and not " + std::string{to_string(event.state)});
            }
            if (text.starts_with(poison)) fail("nobody survives " + text);
            if (!job) fail("the answer to " + text + " is handed over");
            if (committed[sid] != 1) fail("what is committed with " + text + " is there once");
            if (!job->doubles.empty()) fail("the answer to " + text + " went twice");
            if (is_sent(job->state)) {
                if (there.size() != 1 || there.front() != job->sid.str()) {
                    fail("the answer to " + text + " is the one that was sent");
                }
                ++tally.answered;
                continue;
            }
            if (!there.empty()) fail("Twilio's callback tells of the answer to " + text);
            if (job->problem.empty()) fail("the answer to " + text + " says why it was not sent");
            ++tally.unsent;
        }
    }
}

/// A bot whose working processes come and die.
class Service {
public:
    Service() {
        rows_.make();
        emulator_.post("webhook", R"({"owner": ")" +
                                      std::string{std::getenv("TWILIO_ACCOUNT_SID")} +
                                      R"(", "url": ")" + webhook_url_ + "\"}");
    }
    ~Service() { remove_storage(path_); }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Waits until it was taken in.
    void write(const std::string& text, int messages) {
        for (int i = 0; i < messages; ++i) {
            const auto number = std::to_string(++written_);
            // Of customers there are eighty.
            emulator_.post("customer",
                           R"({"customer": "+4477009002)" + std::to_string(written_ % 80 + 10) +
                               R"(", "action": "text", "text": ")" + text + ' ' + number + "\"}");
        }
        const auto arrived = [&] {
            const auto limit = static_cast<std::size_t>(written_) + 1;
            return std::ssize(front_.inbox->list({.kind = "message", .limit = limit})) >= written_;
        };
        if (!eventually(arrived, 20s)) fail("what customers write is taken in");
    }
    /// Whether that process was killed.
    bool live(int kind, int count) {
        std::string said;
        const int status =
            run_self({"work", path_, base_, std::to_string(kind), std::to_string(count)}, said);
        if (!was_killed(status) && status != 0) fail("a process that is not killed ends well");
        // The leases of the dead end, and pauses.
        front_.program.clock->forward(90s);
        emulator_.post("clock", R"({"advance_seconds": 90})");
        return was_killed(status);
    }
    std::int64_t dead() const { return front_.inbox->counts().of(InboxState::dead); }
    int written() const { return written_; }
    Tally end() const {
        Bot last{path_, base_, no_kind, 0};
        settle(last);
        return check(last, rows_);
    }

private:
    const Folder folder_{"inbox_kill"};
    const std::string path_ = folder_.file("bot.db");
    const std::string base_ = "http://127.0.0.1:" + std::to_string(twiliowa::test::free_port());
    /// Only takes in: its inbox never starts.
    Bot front_{path_, base_, no_kind, 0};
    const std::string webhook_url_ = front_.handler.webhook_url("/whatsapp");
    const cli::WebhookServer server_{"127.0.0.1", std::stoi(base_.substr(base_.rfind(':') + 1)),
                                     std::move(front_.handler)};
    const Rows rows_{path_};
    Emulator emulator_ = {};
    int written_ = 0;
};

int run(int kills_of_each) {
    Service service;
    const auto seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    std::mt19937 random{seed};
    constexpr int poisonous = 2;
    service.write(std::string{poison}, poisonous);
    for (int life = 0; service.dead() < poisonous; ++life) {
        if (life > 10 * tries) fail("what kills whoever handles it is a dead letter");
        service.live(no_kind, 0);
    }
    std::array<int, kinds.size()> kills{};
    for (int life = 0;; ++life) {
        const auto least = std::min_element(kills.begin(), kills.end());
        if (*least >= kills_of_each) break;
        if (life > kills_of_each * 60) fail("a process dies where it is told to");
        constexpr int messages = 4;
        service.write("Message", messages);
        const auto kind = static_cast<int>(least - kills.begin());
        const auto most = kind_of(kind).is_often ? 40 : messages;
        if (service.live(kind, std::uniform_int_distribution{1, most}(random))) ++*least;
    }
    const auto tally = service.end();
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        std::printf("killed %s: %d times\n", kinds[i].name, kills[i]);
    }
    std::printf(
        "%d messages: %d answered once, %d dead letters, %d whose answer says why it was not "
        "sent\n",
        service.written(), tally.answered, tally.dead, tally.unsent);
    if (tally.answered + tally.dead + tally.unsent != service.written()) {
        fail("every message has its event");
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (!words.empty() && words[0] == "work") {
        return work(words.at(1), words.at(2), std::stoi(words.at(3)), std::stoi(words.at(4)));
    }
    return run(words.empty() ? 100 : std::stoi(words[0]));
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
