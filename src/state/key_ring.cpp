#include <twiliowa/state/key_ring.hpp>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "state/key_ring_data.hpp"
#include "text/ascii.hpp"
#include "text/base64.hpp"
#include "types/environment.hpp"
#include "types/whole_file.hpp"
#include "types/wipe.hpp"

namespace twiliowa {

namespace detail {

namespace {

constexpr std::size_t largest_key_text = std::size_t{64} << 10U;
constexpr std::size_t largest_key_id = 16;
constexpr ByteTable key_id_characters = with(letters_and_digits, "_-");

constexpr std::string_view how_to_write_keys =
    "write ID:BASE64, as KeyRing::new_key does: 32 random bytes, no quotes";

/// An array that is wiped.
template <std::size_t Size>
struct WipedArray {
    WipedArray() = default;
    WipedArray(const WipedArray&) = delete;
    WipedArray& operator=(const WipedArray&) = delete;
    ~WipedArray() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

    std::string_view text(std::size_t size = Size) const noexcept {
        return {reinterpret_cast<const char*>(bytes.data()), size};
    }
    std::array<unsigned char, Size> bytes = {};
};

/// A key's id, a colon, 44 characters of base64, the end of the line.
constexpr std::size_t longest_key_line = largest_key_id + 1 + 44 + 1;

void append_key(std::string& text, std::string_view id, std::string_view bytes) {
    text.append(id).append(1, ':');
    append_base64(text, bytes);
}

/// What a line says the key is; otherwise what is wrong with it.
struct KeyReading {
    std::string_view id = {};
    Secret bytes = {};
    std::string_view problem = {};
};

/// The bytes of either base64, with or without padding; empty if it is none.
Secret decode_key(std::string_view base64) {
    // As that for URLs, which is decoded without padding. What is far too long is no key anyway.
    constexpr std::size_t longest = 128;
    const auto padding = base64.size() % 4 != 0   ? std::size_t{0}
                         : base64.ends_with("==") ? std::size_t{2}
                         : base64.ends_with('=')  ? std::size_t{1}
                                                  : std::size_t{0};
    base64.remove_suffix(padding);
    if (base64.size() > longest) return {};
    WipedArray<longest> digits;
    std::transform(base64.begin(), base64.end(), digits.bytes.begin(), [](char c) {
        return static_cast<unsigned char>(c == '+' ? '-' : c == '/' ? '_' : c);
    });
    WipedArray<longest> bytes;
    const auto size = decode_base64url_into(digits.text(base64.size()), bytes.bytes);
    if (!size) return {};
    return Secret{bytes.text(*size)};
}

KeyReading read_key(std::string_view line) {
    KeyReading key;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
        key.problem = "is no key";
        return key;
    }
    key.id = trim_back(line.substr(0, colon), blanks);
    if (!is_key_id(key.id)) {
        key.problem = "has an id that is not 1 to 16 letters, digits, _ and -";
        return key;
    }
    const auto base64 = trim_front(line.substr(colon + 1), blanks);
    key.bytes = decode_key(base64);
    if (key.bytes.empty()) {
        key.problem = "has a key that is no base64 of 32 bytes";
    } else if (key.bytes.reveal().size() != key_bytes) {
        key.problem = "has a key that is not of 32 bytes";
    }
    return key;
}

/// The next line of `text`, which it is taken from.
std::string_view take_line(std::string_view& text, std::string_view ends) {
    const auto end = std::min(text.find_first_of(ends), text.size());
    const auto line = trim(text.substr(0, end), white_space);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

}  // namespace

Error keys_error(std::string_view problem, std::string_view hint) {
    return Error{{.kind = ErrorKind::transport,
                  .effect = Effect::none,
                  .summary = std::string(problem),
                  .field = "keys",
                  .hint = std::string(hint)}};
}

bool is_key_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= largest_key_id &&
           std::all_of(id.begin(), id.end(),
                       [](char c) { return key_id_characters[static_cast<unsigned char>(c)]; });
}

}  // namespace detail

// An error holds nothing of what stands in a line: whoever has written id and key the other way
// round would find the key there.
Result<KeyRing> KeyRing::try_parse(std::string_view text) {
    return Data::read(text, "\n", "line ");
}

Result<KeyRing> KeyRing::Data::read(std::string_view text, std::string_view ends,
                                    std::string_view what) {
    if (text.size() > detail::largest_key_text) {
        return Error::invalid_request("keys", "are a text of more than 64 KiB");
    }
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    auto data = std::make_shared<Data>();
    std::vector<std::size_t> numbers;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto line = detail::take_line(text, ends);
        if (line.empty() || line.starts_with('#')) continue;
        const auto wrong = [&](const std::string& problem, std::string_view hint) {
            return Error::invalid_request(std::string(what) + std::to_string(number), problem,
                                          hint);
        };
        auto key = detail::read_key(line);
        if (!key.problem.empty()) {
            return wrong(std::string(key.problem), detail::how_to_write_keys);
        }
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const auto& other = data->keys[i];
            const bool same_id = other.id == key.id;
            if (!same_id && other.bytes.reveal() != key.bytes.reveal()) continue;
            const auto of_other = " of " + std::string(what) + std::to_string(numbers[i]);
            return same_id
                       ? wrong("has the id" + of_other, "an id names one key for good")
                       : wrong("has the key" + of_other + " under another id", "make a new one");
        }
        numbers.push_back(number);
        data->keys.push_back({std::string(key.id), std::move(key.bytes)});
    }
    if (data->keys.empty()) {
        return Error::invalid_request("keys", "are none", detail::how_to_write_keys);
    }
    return KeyRing{std::move(data)};
}

KeyRing KeyRing::parse(std::string_view text) {
    return try_parse(text).value();
}

Result<KeyRing> KeyRing::try_from_environment(const std::string& name) {
    const detail::WipedString variable{detail::environment_variable(name.c_str())};
    const bool is_set = !variable.text.empty();
    auto keys = Data::read(variable.text, "\n;,", "key ");
    if (keys) return keys;
    return keys.error().with([&](ErrorData& data) {
        data.summary = is_set ? data.field + ' ' + data.summary : "is not set";
        data.field = name;
    });
}

KeyRing KeyRing::from_environment(const std::string& name) {
    return try_from_environment(name).value();
}

Result<KeyRing> KeyRing::try_from_file(const std::string& path) {
    const auto text = detail::read_secret_file(path, detail::largest_key_text);
    if (!text) return text.error();
    return try_parse(text->reveal());
}

KeyRing KeyRing::from_file(const std::string& path) {
    return try_from_file(path).value();
}

Result<Secret> KeyRing::try_new_key(std::string_view id) {
    if (!detail::is_key_id(id)) {
        return Error::invalid_request("id", "is not 1 to 16 letters, digits, _ and -");
    }
    detail::WipedArray<detail::key_bytes> bytes;
    if (RAND_priv_bytes(bytes.bytes.data(), static_cast<int>(bytes.bytes.size())) != 1) {
        return detail::keys_error("could not be made: the system gives no randomness");
    }
    detail::WipedString line;
    line.text.reserve(detail::longest_key_line);
    detail::append_key(line.text, id, bytes.text());
    return Secret{line.text};
}

Secret KeyRing::new_key(std::string_view id) {
    return try_new_key(id).value();
}

Secret KeyRing::to_text() const {
    detail::WipedString text;
    text.text.reserve(data_->keys.size() * detail::longest_key_line);
    for (const auto& [id, bytes] : data_->keys) {
        detail::append_key(text.text, id, bytes.reveal());
        text.text += '\n';
    }
    return Secret{text.text};
}

std::vector<std::string> KeyRing::ids() const {
    std::vector<std::string> ids;
    ids.reserve(data_->keys.size());
    for (const auto& key : data_->keys) ids.push_back(key.id);
    return ids;
}

const std::string& KeyRing::newest_id() const noexcept {
    return data_->keys.front().id;
}

}  // namespace twiliowa
