#include <twiliowa/state/sealer.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "state/key_ring_data.hpp"
#include "state/sealing_keys.hpp"
#include "text/ascii.hpp"

namespace twiliowa {

namespace detail {

namespace {

constexpr std::size_t largest_sealed_plain = std::size_t{16} << 20U;
constexpr std::size_t largest_associated = std::size_t{64} << 10U;
constexpr std::size_t largest_sealed_data =
    ((gcm_nonce_bytes + largest_sealed_plain + gcm_tag_bytes) * 4 + 2) / 3;
constexpr std::size_t smallest_sealed_data = ((gcm_nonce_bytes + gcm_tag_bytes) * 4 + 2) / 3;
constexpr std::size_t index_data = (32 * 4 + 2) / 3;
constexpr std::chrono::seconds shortest_time_between_questions{1};

constexpr ByteTable base64url_digits = with(letters_and_digits, "-_");

Result<void> check_plain(std::string_view name, std::string_view text) {
    if (text.size() <= largest_sealed_plain) return {};
    return Error::invalid_request(name, "is of more than 16 MiB", "keep it elsewhere, in pieces");
}

Result<void> check_associated(std::string_view name, std::string_view text) {
    if (text.size() <= largest_associated) return {};
    return Error::invalid_request(name, "is of more than 64 KiB", "name the place by its hash");
}

bool has_form(const SealedForm& form) noexcept {
    const bool fits =
        form.version == sealed_version
            ? form.data.size() >= smallest_sealed_data && form.data.size() <= largest_sealed_data
            : form.version == index_version && form.data.size() == index_data;
    return fits && std::all_of(form.data.begin(), form.data.end(), [](char c) {
               return base64url_digits[static_cast<unsigned char>(c)];
           });
}

/// What is wrong with a text before it comes to its key.
Result<SealedForm> read_sealed(std::string_view text) {
    const auto form = form_of_sealed(text);
    constexpr std::string_view name = "tws";
    if (form.version == sealed_version) {
        if (form.data.size() <= largest_sealed_data) return form;
        return sealed_error("is longer than any sealed text");
    }
    if (form.version == index_version) {
        return sealed_error("is a blind index, which nobody can open");
    }
    const auto version = form.version.substr(std::min(name.size(), form.version.size()));
    if (form.version.starts_with(name) && parse_number<unsigned>(version)) {
        return sealed_error("is of a version that is not known here",
                            "it was sealed by a later version of this library: use that one");
    }
    return sealed_error("is no sealed text: tws1.ID.DATA");
}

}  // namespace
}  // namespace detail

struct Sealer::State {
    using Keys = std::shared_ptr<const detail::SealingKeys>;

    explicit State(const KeyRing& ring) : keys(derive(ring)) {}
    State(KeyRingProvider asked, std::shared_ptr<Clock> chosen)
        : provider(std::move(asked)), clock(std::move(chosen)) {}

    static Keys derive(const KeyRing& ring) {
        auto derived = std::make_shared<detail::SealingKeys>();
        const auto cipher = detail::AesGcm::cipher();
        derived->reserve(ring.data_->keys.size());
        for (const auto& key : ring.data_->keys) {
            derived->emplace_back(key.id, key.bytes.reveal(), cipher);
        }
        return derived;
    }

    Result<Keys> known() const {
        const std::lock_guard lock(mutex);
        if (keys) return keys;
        if (failure) return *failure;
        return Keys{};
    }

    /// The keys, for the first time from the provider.
    Result<Keys> current() {
        auto now = known();
        if (now && *now) return now;
        const std::lock_guard turn(asking);
        // Another thread may have asked in the meantime.
        now = known();
        if ((now && *now) || asked_just_now()) return now;
        return ask();
    }

    /// The keys, with that of `id` if it can be had.
    Result<Keys> with_key(std::string_view id) {
        auto now = current();
        if (!provider || !now || detail::find_key(**now, id) != nullptr) return now;
        const std::lock_guard turn(asking);
        now = known();
        if (!now || detail::find_key(**now, id) != nullptr) return now;
        if (!asked_just_now()) return ask();
        const std::lock_guard lock(mutex);
        if (failure) return *failure;
        return now;
    }

    Result<Keys> ask() {
        auto answer = answer_of_provider();
        Keys derived = answer ? derive(*answer) : Keys{};
        const auto now = clock->monotonic_now();
        const std::lock_guard lock(mutex);
        last_asked = now;
        failure.reset();
        if (!answer) {
            failure = answer.error();
            return answer.error();
        }
        keys = derived;
        return derived;
    }

    Result<KeyRing> answer_of_provider() const {
        try {
            return provider();
        } catch (...) {
            return detail::keys_error("could not be had: their provider threw an exception",
                                      "a KeyRingProvider answers an Error instead");
        }
    }

    bool asked_just_now() const {
        const auto now = clock->monotonic_now();
        const std::lock_guard lock(mutex);
        return last_asked && now - *last_asked < detail::shortest_time_between_questions;
    }

    const KeyRingProvider provider = {};  ///< None: the keys stay.
    const std::shared_ptr<Clock> clock = {};
    std::mutex asking = {};             ///< Held by who asks the provider, before `mutex`.
    mutable std::mutex mutex = {};      ///< Of what follows.
    Keys keys = {};                     ///< Null until the provider has answered.
    std::optional<Error> failure = {};  ///< Of the last question.
    std::optional<MonotonicTime> last_asked = {};
};

Sealer::Sealer(const KeyRing& keys) : state_(std::make_shared<State>(keys)) {}

Sealer::Sealer(KeyRingProvider keys, SealerOptions options) {
    if (!keys) Error::invalid_request("keys", "have no provider").raise();
    if (!options.clock) options.clock = system_clock();
    state_ = std::make_shared<State>(std::move(keys), std::move(options.clock));
}

Result<std::string> Sealer::seal(std::string_view plain, std::string_view associated) const {
    if (auto fits = detail::check_plain("plain", plain); !fits) return fits.error();
    if (auto fits = detail::check_associated("associated", associated); !fits) return fits.error();
    const auto keys = state_->current();
    if (!keys) return keys.error();
    return (*keys)->front().seal(plain, associated);
}

Result<std::string> Sealer::open(std::string_view sealed, std::string_view associated) const {
    if (auto fits = detail::check_associated("associated", associated); !fits) return fits.error();
    const auto form = detail::read_sealed(sealed);
    if (!form) return form.error();
    const auto keys = state_->with_key(form->id);
    if (!keys) return keys.error();
    const auto* const key = detail::find_key(**keys, form->id);
    if (key == nullptr) {
        return detail::keys_error(
            "have none of the id " + std::string(form->id) + ", with which the text was sealed",
            "give the ring that key, behind the newest");
    }
    return key->open(form->data, associated);
}

Result<std::string> Sealer::blind_index(std::string_view value, std::string_view purpose) const {
    if (auto fits = detail::check_plain("value", value); !fits) return fits.error();
    if (auto fits = detail::check_associated("purpose", purpose); !fits) return fits.error();
    const auto keys = state_->current();
    if (!keys) return keys.error();
    return (*keys)->front().blind_index(value, purpose);
}

Result<std::vector<std::string>> Sealer::blind_indexes(std::string_view value,
                                                       std::string_view purpose) const {
    if (auto fits = detail::check_plain("value", value); !fits) return fits.error();
    if (auto fits = detail::check_associated("purpose", purpose); !fits) return fits.error();
    const auto keys = state_->current();
    if (!keys) return keys.error();
    std::vector<std::string> indexes;
    indexes.reserve((*keys)->size());
    for (const auto& key : **keys) indexes.push_back(key.blind_index(value, purpose));
    return indexes;
}

Result<void> Sealer::refresh() const {
    if (!state_->provider) return {};
    const std::lock_guard turn(state_->asking);
    const auto keys = state_->ask();
    if (!keys) return keys.error();
    return {};
}

Result<bool> Sealer::made_with_newest(std::string_view text) const {
    const auto id = key_id_of(text);
    if (!id) return false;
    const auto keys = state_->current();
    if (!keys) return keys.error();
    return (*keys)->front().id() == *id;
}

std::optional<std::string> Sealer::key_id_of(std::string_view text) {
    const auto form = detail::form_of_sealed(text);
    if (!detail::has_form(form)) return std::nullopt;
    return std::string(form.id);
}

bool Sealer::is_sealed(std::string_view text) noexcept {
    const auto form = detail::form_of_sealed(text);
    return form.version == detail::sealed_version && detail::has_form(form);
}

}  // namespace twiliowa
