/// @file
/// Who may use the fake, with what, and what each account has.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_types.hpp>
#include <twiliowa/types/account.hpp>
#include <twiliowa/types/channel_sender.hpp>

#include "testing/fake_twilio/world/messages.hpp"

namespace twiliowa::testing::fake {

/// What makes an account say no.
struct FakeLimits {
    bool trial = false;
    std::set<std::string, std::less<>> verified = {};  ///< Phone numbers, without channel.
    std::optional<int> daily_messages = {};
    std::optional<int> concurrent_requests = {};
    int throttled_requests = 0;  ///< Still to be refused.
    std::optional<std::chrono::seconds> retry_after = {};
};

/// A template with what the Content API adds to it.
struct FakeTemplate {
    FakeContent content = {};
    std::string name = {};  ///< That of the approval request.
    std::string category = {};
    std::string rejection_reason = {};
    bool allow_category_change = true;
    std::optional<int> send_ttl_seconds = {};  ///< As asked for.
    TimePoint created = {};
    TimePoint updated = {};
};

struct FakeAccount {
    std::string sid = {};
    std::string auth_token = {};
    std::string owner = {};  ///< The account whose token opens this one, too, or empty.
    std::map<std::string, std::string, std::less<>> api_keys = {};
    std::vector<std::string> senders = {};  ///< Addresses as on the wire.
    /// What was said of a sender, by its address.
    std::map<std::string, ChannelSender, std::less<>> sender_records = {};
    std::string status = {};   ///< Empty: active.
    std::string balance = {};  ///< Empty: 100.00 US dollars.
    std::string currency = {};
    std::map<std::string, std::vector<std::string>, std::less<>> services = {};
    FakeSequence<FakeTemplate> contents = {};
    FakeLimits limits = {};
    std::int64_t counted_day = 0;  ///< Days since 1970.
    int created_that_day = 0;
    int requests_under_way = 0;

    /// What the Accounts API says of it.
    std::string_view reported_status() const noexcept {
        return status.empty() ? std::string_view{"active"} : std::string_view{status};
    }
    Balance reported_balance() const;
    bool has_sender(std::string_view address) const;
    /// What Twilio reports of one: what was said of it, or that all is well.
    ChannelSender sender_record(std::string_view address) const;
    /// Adds it unless it is there.
    void add_sender(std::string_view address);
    /// The template of that SID, or null.
    const FakeTemplate* find_template(std::string_view sid) const;
    FakeTemplate* find_template(std::string_view sid);
    /// Adds it, or puts it in the place of the one of its SID.
    void put_template(FakeTemplate added);
    /// Messages created on `day`.
    int created_on(std::int64_t day) const noexcept {
        return day == counted_day ? created_that_day : 0;
    }
    void count_created(std::int64_t day) noexcept;
};

/// Every account, and who wants to hear nothing more from whom.
class FakeAccounts {
public:
    FakeAccount& add(std::string_view sid);
    FakeAccount* find(std::string_view sid);
    const FakeAccount* find(std::string_view sid) const;
    /// The first one added, or null.
    const FakeAccount* first() const;
    /// The account that a name and its secret open, a SID and its token or an API key; or null.
    FakeAccount* open(std::string_view name, std::string_view secret);

    void opt_out(std::string_view sender, std::string_view recipient);
    void opt_in(std::string_view sender, std::string_view recipient);
    bool is_opted_out(std::string_view sender, std::string_view recipient) const;
    /// The first account that may send from the address, or null.
    FakeAccount* owner_of(std::string_view sender);

    const std::map<std::string, FakeAccount, std::less<>>& all() const noexcept {
        return accounts_;
    }
    const std::set<std::pair<std::string, std::string>>& opt_outs() const noexcept {
        return opt_outs_;
    }

private:
    std::map<std::string, FakeAccount, std::less<>> accounts_;
    std::string first_;
    std::set<std::pair<std::string, std::string>> opt_outs_;
};

/// The sender a messaging service would take for `to`: the first of its pool on the same channel.
/// Empty when there is none.
std::string_view pick_sender(const FakeAccount& account, std::string_view service_sid,
                             std::string_view to);

/// Days since 1970, UTC.
std::int64_t day_of(TimePoint when) noexcept;

}  // namespace twiliowa::testing::fake
