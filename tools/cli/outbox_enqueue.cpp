// `twiliowa outbox`: what hands messages over, and what has to be there for that.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <istream>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/types/error.hpp>

#ifdef TWILIOWA_CLI_POSTGRESQL
#include <twiliowa/postgresql/postgres_consents.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/postgresql/postgres_store.hpp>
#endif

#include "commands.hpp"
#include "context.hpp"
#include "job_line.hpp"
#include "layout.hpp"
#include "opened_inbox.hpp"
#include "opened_outbox.hpp"
#include "service_store.hpp"

namespace cli {

namespace {

using twiliowa::EnqueuedJob;
using twiliowa::Error;
using twiliowa::KeyRing;
using twiliowa::NewJob;
using twiliowa::Outbox;
using twiliowa::SqliteOutbox;
using Json = nlohmann::ordered_json;

// ---- migrate

struct MigrateOptions {
    std::string store = {};
    bool print = false;
    int from = 0;
};

/// For an empty file; or for a database: the jobs' tables, from a version on, and those that outbox
/// run has beside them.
std::string migration_sql(bool of_server, int from) {
#ifdef TWILIOWA_CLI_POSTGRESQL
    if (of_server && from > 0) return twiliowa::PostgresOutbox::migration_sql(from);
    if (of_server) {
        return twiliowa::PostgresOutbox::migration_sql() +
               twiliowa::PostgresStore::migration_sql() +
               twiliowa::PostgresConsents::migration_sql();
    }
#endif
    static_cast<void>(of_server);
    if (from > 0) {
        Error::invalid_request("--from", "is for a database", "say --store postgresql://").raise();
    }
    return SqliteOutbox::migration_sql();
}

void migrate_store(const StorePlace& place) {
#ifdef TWILIOWA_CLI_POSTGRESQL
    if (!place.is_file()) {
        twiliowa::PostgresOutbox::migrate(place.url).value();
        twiliowa::PostgresStore::migrate(place.url);
        twiliowa::PostgresConsents::migrate(place.url);
        return;
    }
#endif
    SqliteOutbox::migrate(place.file).value();
}

ExitCode migrate(const MigrateOptions& options, Context& context) {
    if (options.from > 0 && !options.print) {
        throw usage_failure("--from goes with --print", "twiliowa outbox migrate --help");
    }
    if (options.print) {
        const bool is_named = !options.store.empty() || !environment("TWILIOWA_STORE").empty();
        const auto sql =
            migration_sql(is_named && !store_place(options.store).is_file(), options.from);
        context.output.result({{"sql", sql}}, sql);
        return ExitCode::done;
    }
    const auto place = store_place(options.store);
    at_place(place, [&] { migrate_store(place); });
    context.output.result({{"migrated", true}}, "The store is as this version wants it.\n");
    return ExitCode::done;
}

Action declare_migrate(CLI::App& app) {
    const auto options = std::make_shared<MigrateOptions>();
    add_store_option(app, options->store);
    app.add_flag("--print", options->print,
                 "Prints the SQL for an empty file or database, and does nothing");
    app.add_option("--from", options->from,
                   "With --print: for tables of that version, in a database that has any")
        ->check(CLI::Range(1, 1'000).description(""))
        ->type_name("VERSION");
    return [options](Context& context) { return migrate(*options, context); };
}

// ---- enqueue

/// Messages that go into the outbox with one commit.
constexpr std::size_t batch_size = 500;

struct EnqueueOptions {
    std::string store = {};
    std::string file = {};
};

/// Reads lines, each no longer than a message may be.
class LineReader {
public:
    explicit LineReader(std::istream& in) : in_(in), buffer_(longest_line) {}

    /// The next line; false at the end. One that is too long is passed over, and `is_too_long`.
    bool next() {
        in_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
        const auto taken = static_cast<std::size_t>(in_.gcount());
        is_too_long_ = in_.fail() && !in_.bad() && taken + 1 == buffer_.size();
        if (is_too_long_) {
            in_.clear();
            in_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
        } else if (in_.fail()) {
            return false;
        }
        // Where the line ended with a line feed, that was taken, too.
        line_ = {buffer_.data(), is_too_long_ || in_.eof() ? taken : taken - 1};
        constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
        if (++number_ == 1 && line_.starts_with(byte_order_mark)) {
            line_.remove_prefix(byte_order_mark.size());
        }
        return true;
    }
    std::string_view line() const noexcept { return line_; }
    bool is_blank() const { return line_.find_first_not_of(" \t\r") == std::string_view::npos; }
    bool is_too_long() const noexcept { return is_too_long_; }
    std::int64_t number() const noexcept { return number_; }

private:
    static constexpr std::size_t longest_line = std::size_t{512} * 1024;

    std::istream& in_;
    std::vector<char> buffer_;
    std::string_view line_ = {};
    bool is_too_long_ = false;
    std::int64_t number_ = 0;
};

/// Takes in what the lines say, and tells what became of each.
class Enqueuing {
public:
    Enqueuing(Outbox& outbox, std::string sender, Output& output)
        : outbox_(outbox), sender_(std::move(sender)), output_(output) {}

    void add(std::int64_t line, std::string_view text) {
        auto job = read_job_line(text);
        if (!job) return refuse(line, job.error());
        auto& message = job->message;
        if (message.from.empty() && message.messaging_service_sid.empty()) message.from = sender_;
        jobs_.push_back(std::move(*job));
        lines_.push_back(line);
        if (jobs_.size() == batch_size) commit();
    }

    void commit() {
        if (jobs_.empty()) return;
        const auto answers = outbox_.try_enqueue_all(jobs_);
        if (!answers) {
            output_.note("line " + std::to_string(lines_.front()) +
                         ": from here on nothing was handed over");
            answers.error().raise();
        }
        for (std::size_t i = 0; i < answers->size(); ++i) {
            const auto& answer = (*answers)[i];
            if (answer) {
                tell(*answer);
            } else {
                refuse(lines_[i], answer.error());
            }
        }
        // Who reads this by a pipe learns of it when it is on the disk.
        output_.flush();
        jobs_.clear();
        lines_.clear();
    }

    void refuse(std::int64_t line, const Error& error) {
        ++refused_;
        output_.note("line " + std::to_string(line) + ": " + member_of_field(error.field()) + ": " +
                     error.data().summary + (error.hint().empty() ? "" : "; " + error.hint()));
    }

    /// Nothing was refused.
    bool is_complete() const noexcept { return refused_ == 0; }
    std::string summary() const {
        return facts({{"handed over", std::to_string(added_)},
                      {"there before", existed_ == 0 ? "" : std::to_string(existed_)},
                      {"refused", refused_ == 0 ? "" : std::to_string(refused_)}});
    }

private:
    void tell(const EnqueuedJob& job) {
        ++(job.existed ? existed_ : added_);
        output_.line({{"key", job.key},
                      {"id", job.id.str()},
                      {"state", to_string(job.state)},
                      {"existed", job.existed}},
                     "");
    }

    Outbox& outbox_;
    const std::string sender_;
    Output& output_;
    std::vector<NewJob> jobs_ = {};
    std::vector<std::int64_t> lines_ = {};  ///< Of each job.
    std::int64_t added_ = 0;
    std::int64_t existed_ = 0;
    std::int64_t refused_ = 0;
};

ExitCode enqueue(const EnqueueOptions& options, Context& context) {
    context.output.expect_lines();
    const bool has_file = !options.file.empty() && options.file != "-";
    std::ifstream file;
    if (has_file) {
        file.open(options.file, std::ios::binary);
        if (!file) Error::invalid_request("FILE", "cannot be read").raise();
    }
    const auto outbox = open_outbox(options.store, IfMissing::make);
    Enqueuing enqueuing{*outbox, context.client_options().from, context.output};
    std::istream& in = has_file ? file : std::cin;
    LineReader lines{in};
    while (lines.next()) {
        if (context.call_options().cancel.is_cancelled()) {
            enqueuing.commit();
            throw Failure{.exit_code = ExitCode::try_later,
                          .kind = "cancelled",
                          .message = "interrupted at line " + std::to_string(lines.number()),
                          .advice = "with a key for each message the whole file may come again"};
        }
        if (lines.is_too_long()) {
            enqueuing.refuse(lines.number(),
                             Error::invalid_request("message", "is longer than 256 KiB"));
        } else if (!lines.is_blank()) {
            enqueuing.add(lines.number(), lines.line());
        }
    }
    enqueuing.commit();
    if (in.bad()) Error::invalid_request("FILE", "cannot be read to its end").raise();
    if (!context.output.is_json()) context.output.result({}, enqueuing.summary());
    return enqueuing.is_complete() ? ExitCode::done : ExitCode::refused;
}

Action declare_enqueue(CLI::App& app) {
    const auto options = std::make_shared<EnqueueOptions>();
    app.add_option("FILE", options->file, "JSON lines, one message each. Default: standard input")
        ->type_name("FILE");
    add_store_option(app, options->store);
    return [options](Context& context) { return enqueue(*options, context); };
}

// ---- keys

ExitCode print_keys(const std::string& name, const twiliowa::Secret& keys, Context& context) {
    context.output.note(
        "What is on standard output is a secret: keep it as a password, and not in "
        "the store.");
    context.output.result({{name, keys.reveal()}}, std::string{keys.reveal()} + '\n');
    return ExitCode::done;
}

Action declare_new_key(CLI::App& app) {
    const auto id = std::make_shared<std::string>();
    app.add_option("ID", *id, "Names the key for good: 1 to 16 letters, digits, _ and -")
        ->required();
    return [id](Context& context) { return print_keys("key", KeyRing::new_key(*id), context); };
}

Action declare_rotate_keys(CLI::App& app) {
    const auto id = std::make_shared<std::string>();
    app.add_option("ID", *id, "Of the new key")->required();
    return [id](Context& context) {
        const auto ring = keys_of_environment();
        const auto key = KeyRing::new_key(*id);
        auto text = std::string{key.reveal()} + '\n' + std::string{ring.to_text().reveal()};
        // One id would name two keys.
        KeyRing::parse(text);
        if (text.ends_with('\n')) text.pop_back();
        return print_keys("keys", twiliowa::Secret{std::move(text)}, context);
    };
}

Action declare_reseal(CLI::App& app) {
    const auto store = std::make_shared<std::string>();
    add_store_option(app, *store);
    return [store](Context& context) {
        static_cast<void>(keys_of_environment());
        const auto storage = open_outbox_storage(store_place(*store), IfMissing::refuse);
        const auto jobs = Outbox{storage, {.sealer = sealer_of_environment()}}.try_reseal().value();
        const auto inbox = inbox_in(storage);
        const auto events = inbox ? inbox->try_reseal().value() : 0;
        context.output.result({{"sealed", jobs}, {"events", events}},
                              facts({{"sealed", std::to_string(jobs)},
                                     {"events", inbox ? std::to_string(events) : ""}}));
        return ExitCode::done;
    };
}

}  // namespace

std::vector<Command> outbox_enqueue_commands() {
    return {
        {.noun = "outbox",
         .verb = "enqueue",
         .summary = "Hands messages over, one JSON object a line, to be sent by outbox run",
         .details =
             "Members: to, from or messaging_service_sid (default: TWILIO_WHATSAPP_NUMBER), body "
             "or\n"
             "media_url or content_sid with variables, and what else OutboundMessage has; key, "
             "tenant,\ntag, account, lane, order_key, on_unknown, not_before, expires_at, quota, "
             "cost (in "
             "thousandths), fallbacks. The same "
             "key and message\nmay be handed over again: it is sent once. A line that is refused "
             "is "
             "named on standard error,\nthe others go in, and the exit code is 1. With --json one "
             "line for each job, once it is on\nthe disk.",
         .examples =
             {R"(echo '{"key": "order-42", "to": "+447700900123", "body": "On its way"}' | )"
              "twiliowa outbox enqueue --store sqlite:outbox.db",
              "twiliowa outbox enqueue messages.jsonl --store sqlite:outbox.db --json"},
         .declare = declare_enqueue},
        {.noun = "outbox",
         .verb = "migrate",
         .summary = "Brings a store to this version; with --print shows the SQL",
         .details =
             "A new store is set up by the first enqueue or run, where they may; one of an earlier "
             "version is\nrefused until this was run, on a file with no other process on it. With "
             "--print nothing is connected\nto: that SQL is for who owns the database.",
         .examples = {"twiliowa outbox migrate --store sqlite:outbox.db",
                      "twiliowa outbox migrate --print"},
         .declare = declare_migrate},
        {.noun = "outbox keys",
         .verb = "new",
         .summary = "Makes a key that seals what a store holds, for TWILIOWA_KEYS",
         .details = "Prints a secret on standard output. docs/keys.md says how keys are kept.",
         .examples = {"twiliowa outbox keys new k1"},
         .declare = declare_new_key},
        {.noun = "outbox keys",
         .verb = "rotate",
         .summary = "Puts a new key before those of TWILIOWA_KEYS: it seals from then on",
         .details = "Prints the whole ring, a secret, on standard output. What older keys have "
                    "sealed they still open;\noutbox keys reseal seals it anew.",
         .examples =
             {"TWILIOWA_KEYS=$(twiliowa outbox keys new k1) twiliowa outbox keys rotate k2"},
         .declare = declare_rotate_keys},
        {.noun = "outbox keys",
         .verb = "reseal",
         .summary = "Seals anew with the newest key what older ones, or none, have sealed",
         .details = "Jobs, and the events of an inbox. May run beside workers that have the same "
                    "keys; an event that is\nbeing handled is left to the next time. Keys and "
                    "markers of jobs that are gone stay as they are: an\nolder key may leave the "
                    "ring 90 days later.",
         .examples =
             {"TWILIOWA_KEYS_FILE=keys.txt twiliowa outbox keys reseal --store sqlite:sealed.db"},
         .declare = declare_reseal}};
}

}  // namespace cli
