#include "state/aes_gcm.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include <new>
#include <utility>

#include "state/key_ring_data.hpp"
#include "types/wipe.hpp"

namespace twiliowa::detail {

namespace {

unsigned char* bytes_of_text(std::string& text, std::size_t at) noexcept {
    return reinterpret_cast<unsigned char*>(text.data()) + at;
}

const unsigned char* bytes_of_text(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// Takes away what OpenSSL notes in the meantime: a note left in the thread's queue would end the
/// next TLS connection of the thread.
struct OpenSslErrors {
    OpenSslErrors() { ERR_set_mark(); }
    OpenSslErrors(const OpenSslErrors&) = delete;
    OpenSslErrors& operator=(const OpenSslErrors&) = delete;
    ~OpenSslErrors() { ERR_pop_to_mark(); }
};

/// One encryption or decryption. Its schedule of the key is wiped with it.
class GcmRun {
public:
    explicit GcmRun(bool seals) : context_(EVP_CIPHER_CTX_new()), seals_(seals) {
        if (!context_) throw std::bad_alloc{};
    }

    bool start(const EVP_CIPHER* cipher, const unsigned char* key, const unsigned char* nonce,
               AesGcm::Pieces associated) noexcept {
        // Unless told otherwise, a nonce is of 96 bits.
        if (EVP_CipherInit_ex2(context_.get(), cipher, key, nonce, seals_ ? 1 : 0, nullptr) != 1) {
            return false;
        }
        for (const auto piece : associated) {
            if (!update(nullptr, piece)) return false;
        }
        return true;
    }
    bool update(unsigned char* out, std::string_view text) noexcept {
        if (text.empty()) return true;
        int size = 0;
        return EVP_CipherUpdate(context_.get(), out, &size, bytes_of_text(text),
                                static_cast<int>(text.size())) == 1 &&
               size == static_cast<int>(text.size());
    }
    bool finish() noexcept {
        int size = 0;
        std::array<unsigned char, EVP_MAX_BLOCK_LENGTH> rest{};
        return EVP_CipherFinal_ex(context_.get(), rest.data(), &size) == 1 && size == 0;
    }
    /// Of OpenSSL's controls for the tag, the one that gets or sets it.
    bool tag(int control, unsigned char* bytes) noexcept {
        return EVP_CIPHER_CTX_ctrl(context_.get(), control, static_cast<int>(gcm_tag_bytes),
                                   bytes) == 1;
    }

private:
    struct Free {
        void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
    };
    std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
    bool seals_;
};

Error no_cipher() {
    return keys_error("cannot be used: OpenSSL refused AES-256-GCM",
                      "does its configuration load the default provider?");
}

}  // namespace

AesGcm::Cipher AesGcm::cipher() {
    const OpenSslErrors errors;
    return {EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), EVP_CIPHER_free};
}

AesGcm::AesGcm(Cipher cipher, const HmacDigest& key) noexcept
    : cipher_(std::move(cipher)), key_(key.bytes) {}

AesGcm::~AesGcm() {
    OPENSSL_cleanse(key_.data(), key_.size());
}

Result<std::string> AesGcm::seal(std::string_view plain, Pieces associated) const {
    const OpenSslErrors errors;
    std::string sealed(gcm_nonce_bytes + plain.size() + gcm_tag_bytes, '\0');
    auto* const nonce = bytes_of_text(sealed, 0);
    if (RAND_bytes(nonce, static_cast<int>(gcm_nonce_bytes)) != 1) {
        return keys_error("cannot be used: the system gives no randomness");
    }
    GcmRun run{true};
    if (!run.start(cipher_.get(), key_.data(), nonce, associated) ||
        !run.update(bytes_of_text(sealed, gcm_nonce_bytes), plain) || !run.finish() ||
        !run.tag(EVP_CTRL_AEAD_GET_TAG, bytes_of_text(sealed, gcm_nonce_bytes + plain.size()))) {
        return no_cipher();
    }
    return sealed;
}

Result<std::optional<std::string>> AesGcm::open(std::string_view sealed, Pieces associated) const {
    if (sealed.size() < gcm_nonce_bytes + gcm_tag_bytes) return std::optional<std::string>{};
    const OpenSslErrors errors;
    const auto nonce = sealed.substr(0, gcm_nonce_bytes);
    const auto ciphertext =
        sealed.substr(gcm_nonce_bytes, sealed.size() - gcm_nonce_bytes - gcm_tag_bytes);
    std::array<unsigned char, gcm_tag_bytes> tag{};
    sealed.copy(reinterpret_cast<char*>(tag.data()), tag.size(), sealed.size() - tag.size());
    GcmRun run{false};
    if (!run.start(cipher_.get(), key_.data(), bytes_of_text(nonce), associated) ||
        !run.tag(EVP_CTRL_AEAD_SET_TAG, tag.data())) {
        return no_cipher();
    }
    std::string plain(ciphertext.size(), '\0');
    if (!run.update(bytes_of_text(plain, 0), ciphertext)) {
        wipe_string(plain);
        return no_cipher();
    }
    if (!run.finish()) {
        // Nobody may see what a text decrypts to that somebody has altered.
        wipe_string(plain);
        return std::optional<std::string>{};
    }
    return std::optional{std::move(plain)};
}

}  // namespace twiliowa::detail
