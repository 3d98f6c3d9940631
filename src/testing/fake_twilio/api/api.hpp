/// @file
/// The fake's API: an answer to every request. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/api/login.hpp"
#include "testing/fake_twilio/api/route.hpp"
#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

struct FakeCall;

/// A request that has arrived: what its URL names, and its place among those under way.
struct FakeAdmission {
    FakeTarget target = {};
    std::optional<FakeRoute> route = {};
    std::string holder = {};  ///< The account in which it holds a place; empty: in none.
    bool admitted = true;     ///< False when its account has no place left.
    int under_way = 1;        ///< This one included.
};

class FakeApi {
public:
    explicit FakeApi(FakeWorld& world) noexcept : world_(world) {}

    std::size_t request_count() const noexcept { return request_count_; }

    /// A request arrives. Follow with `answer`, or not, and with `release` of the place it holds.
    FakeAdmission admit(const HttpRequest& request);
    /// A request that held a place in `account` is not under way any more.
    void release(const std::string& account);
    FakeAnswer answer(const HttpRequest& request, const FakeAdmission& admission,
                      const FakeMoment& moment);

private:
    HttpResponse respond(const HttpRequest& request, const FakeAdmission& admission,
                         const FakeLogin& login, const FakeMoment& moment);
    static HttpResponse dispatch(const FakeCall& call);
    void record(const HttpRequest& request, const FakeLogin& login, const FakeAnswer& answer,
                TimePoint now);

    FakeWorld& world_;
    std::size_t request_count_ = 0;
};

}  // namespace twiliowa::testing::fake
