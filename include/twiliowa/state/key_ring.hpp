/// @file
/// The keys that data at rest is sealed with.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>

namespace twiliowa {

/// Keys of 32 bytes, each with an id. The first is the newest: it seals; all of them open. Ids
/// stand in what is sealed and may be seen, keys never: a ring cannot be streamed, and no error
/// holds a byte of a key. Never empty. Immutable; copies share the keys, which are wiped with the
/// last of them. Safe to use from any thread.
///
/// As text a ring is one key a line, newest first: `ID:BASE64`. An id is 1 to 16 letters, digits,
/// `_` and `-`, and names one key for good. The key is standard base64 or that for URLs, padded or
/// not. Lines that are empty or begin with `#` are passed over, and so are blanks around a line.
class TWILIOWA_EXPORT KeyRing {
public:
    // Moved from it would be empty: it is copied, which is as cheap.
    KeyRing(const KeyRing&) = default;
    KeyRing& operator=(const KeyRing&) = default;
    ~KeyRing() = default;

    /// Reads such a text of at most 64 KiB. An error has the number of the line as its field and
    /// says what is wrong with it: no key, an id that is none or comes twice, a key that is no
    /// base64, has another size, or comes twice.
    /// @throws InvalidRequestError
    static KeyRing parse(std::string_view text);
    static Result<KeyRing> try_parse(std::string_view text);
    /// Reads an environment variable, which is one line: there `;` and `,` stand between keys, too.
    /// An error has the variable's name as its field.
    /// @throws InvalidRequestError
    static KeyRing from_environment(const std::string& name = "TWILIOWA_KEYS");
    static Result<KeyRing> try_from_environment(const std::string& name = "TWILIOWA_KEYS");
    /// Reads a file of at most 64 KiB, such as a mounted secret. One that others than its owner may
    /// read or write is refused. An error has "path" as its field, or the number of a line.
    /// @throws InvalidRequestError
    static KeyRing from_file(const std::string& path);
    static Result<KeyRing> try_from_file(const std::string& path);

    /// A new key, as a line without its end: 32 bytes of OpenSSL's generator for secrets.
    /// @throws InvalidRequestError if the id is none.
    /// @throws TransportError, field "keys", if the system gives no randomness.
    static Secret new_key(std::string_view id);
    static Result<Secret> try_new_key(std::string_view id);

    /// The ring as text, for who rotates keys: put a line of `new_key` before it.
    Secret to_text() const;
    /// Newest first.
    std::vector<std::string> ids() const;
    /// The id of the key that seals.
    const std::string& newest_id() const noexcept;

private:
    friend class Sealer;
    struct Data;
    explicit KeyRing(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}
    std::shared_ptr<const Data> data_;
};

/// A KeyRing is never printed.
std::ostream& operator<<(std::ostream&, const KeyRing&) = delete;

/// Asked for the keys, so that they can change at run time. Must be safe to call from any thread,
/// and must not use the Sealer that asks it. A failure it returns is that of the call which needed
/// the keys; an exception it throws becomes a TransportError (field "keys"), without its text.
using KeyRingProvider = std::function<Result<KeyRing>()>;

}  // namespace twiliowa
