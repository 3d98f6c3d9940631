/// @file
/// A database whose time is that of a test's clock.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "database.hpp"

namespace twiliowa::test {

/// The time of an outbox's database is what a table of the test says. A function in SQL that reads
/// a table would be planned anew for each statement, which takes as long as most of them do.
inline constexpr const char* movable_time =
    "create table public.test_time (microseconds bigint); "
    "insert into public.test_time values (0); "
    "create or replace function twiliowa.now() returns timestamptz language plpgsql stable as "
    "'begin return (select timestamptz ''epoch'' + microseconds * interval ''1 microsecond'' "
    "from public.test_time); end'";

/// A database whose time a test moves.
struct TimedDatabase : Database {
    explicit TimedDatabase() {
        REQUIRE(PostgresOutbox::migrate(url()).has_value());
        psql(movable_time);
    }
    /// Most tables of most tests are empty, and stay so: each that is emptied costs files.
    void clear() const {
        const auto cleared = connect()->run_script(
            "do $$ declare name text; has_rows boolean; begin for name in select relname from "
            "pg_class where relnamespace = 'twiliowa'::regnamespace and relkind in ('r', 'p') "
            "and not relispartition and relname not in ('schema_version', 'outbox') loop "
            "execute format('select exists (select from twiliowa.%I)', name) into has_rows; "
            "if has_rows then execute format('truncate twiliowa.%I', name); end if; "
            "end loop; end $$");
        REQUIRE(cleared.has_value());
    }
};

/// Its database's time is that of the test's clock, and perhaps so much later.
class TimedStorage final : public OutboxStorage {
public:
    /// @param url  of one whose time can be moved
    TimedStorage(const std::string& url, std::shared_ptr<testing::ManualClock> clock,
                 std::chrono::seconds later = std::chrono::seconds{0})
        : connection_(connection_to(url)),
          clock_(std::move(clock)),
          later_(later),
          storage_(set_time() ? url : "") {}

    Result<void> transact(const Work& work) override {
        set_time();
        return storage_.transact(work);
    }
    std::uint32_t outbox_id() const override { return storage_.outbox_id(); }
    LeaseTime lease_now() const override { return storage_.lease_now(); }
    /// The engine's would go on with the machine's time.
    std::optional<TimePoint> now() const override { return clock_->now() + later_; }
    std::string identity() const override { return storage_.identity(); }

private:
    bool set_time() {
        const auto now = clock_->now() + later_;
        const auto microseconds =
            std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
        if (std::exchange(told_, microseconds) == microseconds) return true;
        const auto told = connection_->run_script("update public.test_time set microseconds = " +
                                                  std::to_string(microseconds));
        REQUIRE(told.has_value());
        return true;
    }

    std::unique_ptr<detail::PostgresConnection> connection_;
    std::shared_ptr<testing::ManualClock> clock_;
    std::chrono::seconds later_;
    std::int64_t told_ = -1;
    PostgresOutbox storage_;
};

}  // namespace twiliowa::test
