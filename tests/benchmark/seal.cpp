// What it costs to seal and open 500 bytes, beside OpenSSL alone: a context that has its key
// already, a random nonce, and bytes instead of text.
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <twiliowa/state/sealer.hpp>

#include "allocations.hpp"

namespace {

namespace wa = twiliowa;
using benchmark_support::allocations;

constexpr std::string_view place = "outbox/payload/4711";

std::string sample_payload() {
    std::string text;
    while (text.size() < 500) text += "Your order A-1042 is on its way. ";
    text.resize(500);
    return text;
}

wa::Sealer sample_sealer() {
    return wa::Sealer{wa::KeyRing::parse(wa::KeyRing::new_key("2026").reveal())};
}

void bare_openssl(benchmark::State& state) {
    const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher{
        EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), EVP_CIPHER_free};
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
    std::array<unsigned char, 32> key{};
    bool good = EVP_EncryptInit_ex2(context.get(), cipher.get(), key.data(), nullptr, nullptr) == 1;
    const auto plain = sample_payload();
    std::array<unsigned char, 12 + 500 + 16> sealed{};
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    for (auto _ : state) {
        int size = 0;
        good =
            good && RAND_bytes(sealed.data(), 12) == 1 &&
            EVP_EncryptInit_ex2(context.get(), nullptr, nullptr, sealed.data(), nullptr) == 1 &&
            EVP_EncryptUpdate(context.get(), nullptr, &size, bytes(place),
                              static_cast<int>(place.size())) == 1 &&
            EVP_EncryptUpdate(context.get(), sealed.data() + 12, &size, bytes(plain), 500) == 1 &&
            EVP_EncryptFinal_ex(context.get(), sealed.data() + 512, &size) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, sealed.data() + 512) == 1;
        benchmark::DoNotOptimize(sealed);
    }
    if (!good) state.SkipWithError("OpenSSL failed");
    state.SetItemsProcessed(state.iterations());
}

template <class Work>
void measure(benchmark::State& state, Work work) {
    auto& counter = allocations();
    counter.count = 0;
    counter.counting = true;
    for (auto _ : state) {
        auto made = work();
        benchmark::DoNotOptimize(made);
    }
    counter.counting = false;
    state.SetItemsProcessed(state.iterations());
    state.counters["allocations"] =
        benchmark::Counter(static_cast<double>(counter.count), benchmark::Counter::kAvgIterations);
}

void seal(benchmark::State& state) {
    const auto sealer = sample_sealer();
    const auto plain = sample_payload();
    measure(state, [&] { return sealer.seal(plain, place); });
}

void open(benchmark::State& state) {
    const auto sealer = sample_sealer();
    const auto sealed = sealer.seal(sample_payload(), place).value();
    if (!sealer.open(sealed, place)) state.SkipWithError("it does not open");
    measure(state, [&] { return sealer.open(sealed, place); });
}

void blind_index(benchmark::State& state) {
    const auto sealer = sample_sealer();
    measure(state, [&] { return sealer.blind_index("+447700900123", "outbox/recipient"); });
}

BENCHMARK(bare_openssl);
BENCHMARK(seal);
BENCHMARK(open);
BENCHMARK(blind_index);

}  // namespace

BENCHMARK_MAIN();
