/// @file
/// The fake's Twilio: accounts, messages, and an answer to every request. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <twiliowa/http/http_transport.hpp>

#include "testing/fake_accounts.hpp"
#include "testing/fake_ids.hpp"
#include "testing/fake_parameters.hpp"
#include "testing/fake_problem.hpp"
#include "testing/fake_route.hpp"
#include "testing/fake_store.hpp"

namespace twiliowa::detail {

/// A request's place among those under way.
struct FakeAdmission {
    std::string account = {};  ///< Empty when the request names no known account.
    bool admitted = true;
    int under_way = 1;  ///< This one included.
};

class FakeApi {
public:
    explicit FakeApi(std::uint64_t seed) noexcept : ids_(seed) {}

    FakeAccounts& accounts() noexcept { return accounts_; }
    const FakeAccounts& accounts() const noexcept { return accounts_; }
    FakeMessageStore& store() noexcept { return store_; }
    const FakeMessageStore& store() const noexcept { return store_; }
    FakeIds& ids() noexcept { return ids_; }
    std::size_t request_count() const noexcept { return request_count_; }

    /// A request arrives; follow with `answer` or `abandon`.
    FakeAdmission admit(const HttpRequest& request);
    void abandon(const FakeAdmission& admission);
    HttpResponse answer(const HttpRequest& request, const FakeAdmission& admission, TimePoint now);

    /// Moves a message to another status, with what goes with it.
    void set_status(FakeMessage& message, std::string_view status, int error_code, TimePoint now);

private:
    struct Call;
    HttpResponse respond(const HttpRequest& request, const FakeAdmission& admission, TimePoint now);
    HttpResponse dispatch(const Call& call);

    HttpResponse create_message(const Call& call);
    HttpResponse list_messages(const Call& call);
    HttpResponse fetch_message(const Call& call);
    HttpResponse update_message(const Call& call);
    HttpResponse delete_message(const Call& call);
    HttpResponse post_feedback(const Call& call);
    HttpResponse list_media(const Call& call);
    HttpResponse fetch_media(const Call& call);
    HttpResponse delete_media(const Call& call);

    FakeAccounts accounts_;
    FakeMessageStore store_;
    FakeIds ids_;
    std::size_t request_count_ = 0;
};

}  // namespace twiliowa::detail
