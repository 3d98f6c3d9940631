// No memory that is given back holds a key, what was derived of it, or what a refused text decrypts
// to: neither the library's, which goes through delete, nor OpenSSL's.
#include <malloc.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>

#include <twiliowa/state/sealer.hpp>

namespace {

using namespace std::string_view_literals;

// Bytes 0 to 31; as text; and the keys derived of them, as tests/unit/state/sealer_test.cpp shows.
constexpr std::string_view traces[] = {
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"sv,
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"sv,
    "\x05\x85\xc8\xd9\x07\x2e\x7a\x9e\x91\x67\x5a\x99\x20\xc5\x45\x49"sv,
    "\xeb\x81\x23\xcb\x73\x42\x2e\x1f\x8e\xba\x3c\x42\x20\x3a\xf7\xc3"sv,
    "a text that nobody may see"sv,
};

int found = 0;

/// Counts what a block holds that is given back, and clears it, so that it is counted once.
void inspect(void* memory) noexcept {
    if (memory == nullptr) return;
    const auto size = malloc_usable_size(memory);
    for (const auto trace : traces) {
        if (memmem(memory, size, trace.data(), trace.size()) != nullptr) ++found;
    }
    OPENSSL_cleanse(memory, size);
}

void* openssl_malloc(std::size_t size, const char*, int) {
    return std::malloc(size);
}
void* openssl_realloc(void* memory, std::size_t size, const char*, int) {
    // Never in place: what is left behind is looked at.
    void* const other = std::malloc(size);
    if (memory == nullptr || other == nullptr) return other;
    const auto old_size = malloc_usable_size(memory);
    std::memcpy(other, memory, old_size < size ? old_size : size);
    inspect(memory);
    std::free(memory);
    return other;
}
void openssl_free(void* memory, const char*, int) {
    inspect(memory);
    std::free(memory);
}

int failures = 0;

void expect(bool holds, const char* what) {
    if (!holds) ++failures;
    std::printf("%s: %s\n", holds ? "ok" : "FAILED", what);
}

/// Whether nothing was found in what `work` gave back.
template <class Work>
void expect_wiped(const char* what, Work work) {
    found = 0;
    work();
    expect(found == 0, what);
}

}  // namespace

void* operator new(std::size_t size) {
    void* const memory = std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}
void operator delete(void* memory) noexcept {
    inspect(memory);
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    inspect(memory);
    std::free(memory);
}

int main() {
    using namespace twiliowa;
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) return 1;

    for (const auto trace : traces) {
        found = 0;
        {
            std::string careless(40, ' ');
            careless += trace;
        }
        expect(found == 1, "what is not wiped is found");
    }

    constexpr const char* line = "2026:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    expect_wiped("a ring that is read, copied and written", [&] {
        const auto ring = KeyRing::parse(line);
        const auto copy = ring;
        const auto text = copy.to_text();
        expect(text.reveal().starts_with(line), "the ring is that of the line");
    });
    expect_wiped("a ring from the environment", [&] {
        setenv("WIPED_KEYS_TEST", line, 1);
        KeyRing::from_environment("WIPED_KEYS_TEST");
    });
    const auto path =
        std::filesystem::temp_directory_path() / ("wiped_keys." + std::to_string(::getpid()));
    {
        const auto descriptor = std::fopen(path.c_str(), "w");
        std::setvbuf(descriptor, nullptr, _IONBF, 0);
        std::fputs(line, descriptor);
        std::fclose(descriptor);
        std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    }
    expect_wiped("a ring from a file", [&] { KeyRing::from_file(path.string()); });
    std::filesystem::remove(path);
    expect_wiped("a line that is wrong", [&] {
        expect(!KeyRing::try_parse(std::string_view(line).substr(5)), "it is refused");
    });
    expect_wiped("a sealer that sealed and made an index", [&] {
        const Sealer sealer{[&] { return KeyRing::try_parse(line); }};
        expect(sealer.seal("x", "row").has_value(), "it seals");
        expect(sealer.blind_index("x", "row").has_value(), "it makes an index");
        expect(sealer.refresh().has_value(), "it asks again");
    });

    const Sealer sealer{KeyRing::parse(line)};
    auto sealed = sealer.seal("a text that nobody may see", "row").value();
    sealed[sealed.size() - 3] = sealed[sealed.size() - 3] == 'A' ? 'B' : 'A';
    expect_wiped("what an altered text decrypts to",
                 [&] { expect(!sealer.open(sealed, "row"), "it does not open"); });
    return failures == 0 ? 0 : 1;
}
