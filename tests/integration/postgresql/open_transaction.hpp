/// @file
/// A transaction that a test holds open beside others.
#pragma once

#include <atomic>
#include <functional>
#include <latch>
#include <thread>

#include <twiliowa/postgresql/postgres_outbox.hpp>

namespace twiliowa::test {

/// A work that has done its part, and whose transaction stays open until it is let go.
class OpenTransaction {
public:
    OpenTransaction(PostgresOutbox& storage,
                    const std::function<Result<void>(OutboxTransaction&)>& work)
        : thread_([&storage, work, this] {
              const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
                  auto result = work(t);
                  // A read of it sends what was asked for.
                  static_cast<void>(t.list({.limit = 0}));
                  if (!begun_.exchange(true)) {
                      has_begun_.count_down();
                      may_end_.wait();
                  }
                  return result;
              });
              succeeded_ = done.has_value();
          }) {
        has_begun_.wait();
    }
    ~OpenTransaction() {
        if (thread_.joinable()) commit();
    }
    OpenTransaction(const OpenTransaction&) = delete;
    OpenTransaction& operator=(const OpenTransaction&) = delete;

    bool commit() {
        may_end_.count_down();
        thread_.join();
        return succeeded_;
    }

private:
    std::atomic<bool> begun_{false};
    std::latch has_begun_{1};
    std::latch may_end_{1};
    bool succeeded_ = false;
    std::thread thread_;
};

}  // namespace twiliowa::test
