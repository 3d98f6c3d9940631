#include <twiliowa/sqlite/sqlite_consents.hpp>

#include <unistd.h>

#include <mutex>
#include <type_traits>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "sqlite/connection.hpp"
#include "sqlite/consent_file.hpp"
#include "sqlite/database_file.hpp"
#include "state/consent_checks.hpp"

namespace twiliowa {

struct SqliteConsents::State {
    State(const std::string& path, const SqliteConsentsOptions& options)
        : file(detail::open_consent_file(path, options.busy_timeout).value()) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (::getpid() != process) file->abandon();
    }

    /// `work(file)`, alone in the file.
    template <class Work>
    auto transact(const Work& work) -> std::invoke_result_t<Work, detail::SqliteConnection&> {
        if (::getpid() != process) {
            return store_error("was opened before fork()", "open one in each process");
        }
        const std::lock_guard lock(mutex);
        detail::SqliteTransaction transaction{*file};
        if (auto begun = transaction.begin(); !begun) return begun.error();
        auto done = work(*file);
        if (!done) return done;
        if (auto committed = transaction.commit(); !committed) return committed.error();
        return done;
    }

    const pid_t process = ::getpid();
    std::mutex mutex = {};
    std::unique_ptr<detail::SqliteConnection> file;
};

SqliteConsents::SqliteConsents(const std::string& path, SqliteConsentsOptions options) {
    // An empty name and ":memory:" are databases that nobody else sees.
    if (path.empty() || path.front() == ':') {
        Error::invalid_request("path", "names no file").raise();
    }
    if (options.busy_timeout.count() < 0) {
        Error::invalid_request("busy_timeout", "is negative").raise();
    }
    if (options.create) detail::make_database_file(path).value();
    state_ = std::make_unique<State>(path, options);
}

SqliteConsents::~SqliteConsents() = default;

Result<std::size_t> SqliteConsents::add(std::span<const ConsentRecord> records) {
    if (auto checked = detail::check_consent_records(records); !checked) return checked.error();
    return state_->transact(
        [&](detail::SqliteConnection& file) { return detail::add_consents(file, records); });
}

Result<std::vector<ConsentAnswer>> SqliteConsents::latest(
    std::span<const ConsentQuestion> questions) {
    if (auto checked = detail::check_consent_questions(questions); !checked) return checked.error();
    return state_->transact(
        [&](detail::SqliteConnection& file) { return detail::latest_consents(file, questions); });
}

Result<std::vector<ConsentRecord>> SqliteConsents::history(std::string_view person) {
    if (auto checked = detail::check_consent_person(person); !checked) return checked.error();
    return state_->transact(
        [&](detail::SqliteConnection& file) { return detail::consent_history(file, person); });
}

Result<ForgottenConsents> SqliteConsents::forget(std::string_view person, TimePoint since,
                                                 TimePoint before) {
    if (auto checked = detail::check_consent_person(person); !checked) return checked.error();
    return state_->transact([&](detail::SqliteConnection& file) {
        return detail::forget_consents(file, person, since, before);
    });
}

}  // namespace twiliowa
