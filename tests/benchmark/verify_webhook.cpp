// What it costs to verify a webhook, beside a floor that does nothing but the two SHA-1 passes of
// its HMAC, the states after the padded key prepared, over bytes that are prepared as well.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <openssl/sha.h>

#include <twiliowa/request_validator.hpp>

#include "allocations.hpp"

namespace {

namespace wa = twiliowa;

constexpr const char* token = "0123456789abcdef0123456789abcdef";
const std::string url = "https://example.com/whatsapp/inbound?tenant=7";

/// An inbound message as Twilio sends it: 20 parameters in no order.
const std::string body =
    "SmsMessageSid=SM0123456789abcdef0123456789abcdef&NumMedia=0&ProfileName=Lee+Panther"
    "&MessageType=text&SmsSid=SM0123456789abcdef0123456789abcdef&WaId=447700900123"
    "&SmsStatus=received&Body=Where+is+my+order+A-1042%3F&To=whatsapp%3A%2B14155238886"
    "&NumSegments=1&ReferralNumMedia=0&MessageSid=SM0123456789abcdef0123456789abcdef"
    "&AccountSid=AC0123456789abcdef0123456789abcdef&From=whatsapp%3A%2B447700900123"
    "&ApiVersion=2010-04-01&MessagingServiceSid=MG0123456789abcdef0123456789abcdef"
    "&Forwarded=true&ButtonText=&Latitude=&Longitude=";

/// The string that is signed for it.
const std::string prepared =
    url +
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

SHA_CTX state_after(unsigned char pad) {
    unsigned char block[64] = {};
    std::memcpy(block, token, std::strlen(token));
    for (auto& byte : block) byte = static_cast<unsigned char>(byte ^ pad);
    SHA_CTX state;
    SHA1_Init(&state);
    SHA1_Update(&state, block, sizeof block);
    return state;
}

void floor_sha1(benchmark::State& state) {
    const SHA_CTX inner = state_after(0x36);
    const SHA_CTX outer = state_after(0x5c);
    unsigned char digest[SHA_DIGEST_LENGTH];
    for (auto _ : state) {
        SHA_CTX pass = inner;
        benchmark::DoNotOptimize(prepared.data());
        SHA1_Update(&pass, prepared.data(), prepared.size());
        SHA1_Final(digest, &pass);
        pass = outer;
        SHA1_Update(&pass, digest, sizeof digest);
        SHA1_Final(digest, &pass);
        benchmark::DoNotOptimize(digest);
    }
}

#pragma GCC diagnostic pop

void verify(benchmark::State& state) {
    const wa::RequestValidator validator{token};
    // Over the prepared string: so the benchmark fails, too, if that were not what is signed.
    const std::string signature =
        validator.sign({.method = "GET", .url = prepared, .content_type = {}});
    const wa::SignedRequest request{.url = url,
                                    .content_type = "application/x-www-form-urlencoded",
                                    .body = body,
                                    .signature = signature};
    if (!validator.validate(request)) state.SkipWithError("the signature does not fit");
    auto& allocations = benchmark_support::allocations();
    allocations = {.counting = true, .count = 0};
    for (auto _ : state) {
        auto verdict = validator.check(request);
        benchmark::DoNotOptimize(verdict);
    }
    state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations.count),
                                                       benchmark::Counter::kAvgIterations);
}

void refuse_forgery(benchmark::State& state) {
    const wa::RequestValidator validator{token};
    const wa::SignedRequest request{.url = url,
                                    .content_type = "application/x-www-form-urlencoded",
                                    .body = body,
                                    .signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    for (auto _ : state) {
        auto verdict = validator.check(request);
        benchmark::DoNotOptimize(verdict);
    }
}

BENCHMARK(floor_sha1);
BENCHMARK(verify);
BENCHMARK(refuse_forgery);

/// Prints what the others print, and the ratio of the medians.
class RatioReporter final : public benchmark::ConsoleReporter {
public:
    RatioReporter() : ConsoleReporter(OO_Tabular) {}

    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const auto& run : runs) {
            if (run.aggregate_name != "median") continue;
            if (run.run_name.function_name == "floor_sha1") floor_ = run.GetAdjustedCPUTime();
            if (run.run_name.function_name == "verify") verify_ = run.GetAdjustedCPUTime();
        }
    }
    void Finalize() override {
        if (floor_ > 0) {
            std::printf("verify_median / floor_sha1_median: %.2f\n", verify_ / floor_);
        }
    }

private:
    double floor_ = 0;
    double verify_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    RatioReporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    return 0;
}
