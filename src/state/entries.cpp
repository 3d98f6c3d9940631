#include "state/entries.hpp"

#include <algorithm>
#include <cstdint>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/sid.hpp>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// A store promises not to throw; one on a database's client may all the same.
class GuardedStore final : public Store {
public:
    explicit GuardedStore(std::shared_ptr<Store> store) noexcept : store_(std::move(store)) {}

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        return guarded([&] { return store_->get(key); });
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        return guarded(
            [&] { return store_->compare_and_set(key, expected, value, time_to_live, keep); });
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return guarded([&] { return store_->erase(key, expected); });
    }

private:
    template <class Operation>
    static auto guarded(const Operation& operation) -> decltype(operation()) {
        try {
            return operation();
        } catch (...) {
            return store_error("threw an exception", "a Store answers store_error instead");
        }
    }

    std::shared_ptr<Store> store_;
};

}  // namespace

std::string state_key(std::string_view what, std::initializer_list<std::string_view> parts) {
    std::string key(what);
    for (const auto part : parts) {
        key.append(1, ' ').append(std::to_string(part.size())).append(1, ':').append(part);
    }
    return key;
}

Result<std::string> sender_on_the_wire(std::string_view text) {
    if (text.starts_with("MG")) {
        auto sid = MessagingServiceSid::parse(text);
        if (!sid) return sid.error();
        return sid->str();
    }
    auto address = Address::parse(text, "From");
    if (!address) return address.error();
    return address->wire();
}

Result<std::string> customer_on_the_wire(std::string_view text) {
    auto address = Address::parse(text, "To");
    if (!address) return address.error();
    return address->wire();
}

TimePoint no_later_than_now(const Clock& clock, const std::optional<TimePoint>& at) {
    const auto now = clock.now();
    return at ? std::min(*at, now) : now;
}

std::string nanoseconds_text(TimePoint time) {
    const auto since =
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
    return std::to_string(since.count());
}

std::optional<TimePoint> parse_nanoseconds(std::string_view text) noexcept {
    const auto count = parse_number<std::int64_t>(text);
    if (!count) return std::nullopt;
    return TimePoint{
        std::chrono::duration_cast<TimePoint::duration>(std::chrono::nanoseconds{*count})};
}

std::shared_ptr<Store> guarded_store(std::shared_ptr<Store> store) {
    if (!store) Error::invalid_request("store", "is null", "give a MemoryStore").raise();
    return std::make_shared<GuardedStore>(std::move(store));
}

Error foreign_entry() {
    return store_error("holds something else where this entry belongs",
                       "share it with nothing that uses the same keys");
}

}  // namespace twiliowa::detail
