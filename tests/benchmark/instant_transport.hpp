// A transport that answers at once from memory: what is left is the library's own work. Making the
// answer is not counted among the allocations.
#pragma once

#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

#include <twiliowa/http/http_transport.hpp>

#include "allocations.hpp"

namespace benchmark_support {

/// Answers every request with the same message. Asynchronous calls wait in `run`.
class InstantTransport final : public twiliowa::AsyncHttpTransport {
public:
    explicit InstantTransport(std::string body, int status = 201)
        : body_(std::move(body)), status_(status) {}

    twiliowa::Result<twiliowa::HttpResponse> send(const twiliowa::HttpRequest&,
                                                  const twiliowa::CallContext&) override {
        return answer();
    }
    void async_send(twiliowa::HttpRequest, twiliowa::CallContext, Completion done) override {
        pending_ = std::move(done);
    }
    void call_at(twiliowa::MonotonicTime, std::function<void()> task) override { task(); }
    void run() { std::exchange(pending_, nullptr)(answer()); }

private:
    twiliowa::HttpResponse answer() const {
        const bool was = allocations().counting.exchange(false);
        twiliowa::HttpResponse response;
        response.status = status_;
        response.headers = {{"content-type", "application/json"}};
        response.body = body_;
        allocations().counting = was;
        return response;
    }

    std::string body_;
    int status_;
    Completion pending_ = {};
};

inline std::string benchmark_answer() {
    std::ifstream file(BENCHMARK_ANSWER);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace benchmark_support
