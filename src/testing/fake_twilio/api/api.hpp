/// @file
/// The fake's API: an answer to every request. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

struct FakeCall;

/// A request's place among those under way.
struct FakeAdmission {
    std::string account = {};  ///< Empty when the request names no known account.
    bool admitted = true;
    int under_way = 1;  ///< This one included.
};

class FakeApi {
public:
    explicit FakeApi(FakeWorld& world) noexcept : world_(world) {}

    std::size_t request_count() const noexcept { return request_count_; }

    /// A request arrives. Follow with `answer`, or not, and with `release`.
    FakeAdmission admit(const HttpRequest& request);
    /// It is not under way any more.
    void release(const FakeAdmission& admission);
    testing::FakeAnswer answer(const HttpRequest& request, const FakeAdmission& admission,
                               const FakeMoment& moment);

private:
    HttpResponse respond(const HttpRequest& request, const FakeAdmission& admission,
                         const FakeMoment& moment);
    static HttpResponse dispatch(const FakeCall& call);
    void record(const HttpRequest& request, const testing::FakeAnswer& answer, TimePoint now);

    FakeWorld& world_;
    std::size_t request_count_ = 0;
};

}  // namespace twiliowa::testing::fake
