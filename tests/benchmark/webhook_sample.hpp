// The webhook that the measuring programs verify, and the floor they compare with: the two SHA-1
// passes of its HMAC, the states after the padded key prepared, over bytes that are prepared, too.
#pragma once

#include <cstring>
#include <string>

#include <openssl/sha.h>

namespace benchmark_support {

inline constexpr const char* webhook_token = "0123456789abcdef0123456789abcdef";
inline const std::string webhook_url = "https://example.com/whatsapp/inbound?tenant=7";

/// An inbound message as Twilio sends it: 20 parameters in no order.
inline const std::string webhook_body =
    "SmsMessageSid=SM0123456789abcdef0123456789abcdef&NumMedia=0&ProfileName=Lee+Panther"
    "&MessageType=text&SmsSid=SM0123456789abcdef0123456789abcdef&WaId=447700900123"
    "&SmsStatus=received&Body=Where+is+my+order+A-1042%3F&To=whatsapp%3A%2B14155238886"
    "&NumSegments=1&ReferralNumMedia=0&MessageSid=SM0123456789abcdef0123456789abcdef"
    "&AccountSid=AC0123456789abcdef0123456789abcdef&From=whatsapp%3A%2B447700900123"
    "&ApiVersion=2010-04-01&MessagingServiceSid=MG0123456789abcdef0123456789abcdef"
    "&Forwarded=true&ButtonText=&Latitude=&Longitude=";

/// The string that is signed for it.
inline const std::string webhook_signed_text =
    webhook_url +
    "AccountSidAC0123456789abcdef0123456789abcdefApiVersion2010-04-01"
    "BodyWhere is my order A-1042?ButtonTextForwardedtrueFromwhatsapp:+447700900123Latitude"
    "LongitudeMessageSidSM0123456789abcdef0123456789abcdefMessageTypetext"
    "MessagingServiceSidMG0123456789abcdef0123456789abcdefNumMedia0NumSegments1"
    "ProfileNameLee PantherReferralNumMedia0SmsMessageSidSM0123456789abcdef0123456789abcdef"
    "SmsSidSM0123456789abcdef0123456789abcdefSmsStatusreceivedTowhatsapp:+14155238886"
    "WaId447700900123";

// The hash functions below EVP are deprecated, and the fastest there are.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

inline SHA_CTX state_after(unsigned char pad) {
    unsigned char block[64] = {};
    std::memcpy(block, webhook_token, std::strlen(webhook_token));
    for (auto& byte : block) byte = static_cast<unsigned char>(byte ^ pad);
    SHA_CTX state;
    SHA1_Init(&state);
    SHA1_Update(&state, block, sizeof block);
    return state;
}

/// Signs again and again, and nothing else.
class Sha1Floor {
public:
    /// The digest is in `digest`.
    void run() noexcept {
        const auto& text = webhook_signed_text;
        SHA_CTX pass = inner_;
        SHA1_Update(&pass, text.data(), text.size());
        SHA1_Final(digest, &pass);
        pass = outer_;
        SHA1_Update(&pass, digest, sizeof digest);
        SHA1_Final(digest, &pass);
    }
    unsigned char digest[SHA_DIGEST_LENGTH] = {};

private:
    const SHA_CTX inner_ = state_after(0x36);
    const SHA_CTX outer_ = state_after(0x5c);
};

#pragma GCC diagnostic pop

}  // namespace benchmark_support
