#include "log.hpp"

#include <openssl/rand.h>

#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error.hpp>

#include "settings.hpp"
#include "text.hpp"

namespace support {

namespace wa = twiliowa;

namespace {

std::string& request_of_thread() noexcept {
    thread_local std::string id;
    return id;
}

void print(wa::LogLevel, std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

wa::LogOptions options() {
    wa::LogOptions options{.format = wa::LogFormat::text};
    const auto level = setting("LOG_LEVEL", "info");
    using wa::LogLevel;
    bool is_known = false;
    for (const auto each : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
        if (to_string(each) != level) continue;
        options.level = each;
        is_known = true;
    }
    if (!is_known) {
        wa::Error::invalid_request("LOG_LEVEL", "is none of debug, info, warning, error").raise();
    }
    if (setting("LOG_FORMAT", "text") == "json") options.format = wa::LogFormat::json;
    options.request = []() -> std::string_view { return request_of_thread(); };
    return options;
}

}  // namespace

const std::string& current_request() noexcept {
    return request_of_thread();
}

const std::string& begin_request() {
    unsigned char bytes[8];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        throw std::runtime_error("the system gives no randomness");
    }
    return request_of_thread() = hex(bytes);
}

Log::Log(wa::Sealer sealer)
    : sealer_(std::move(sealer)), observer_(std::make_shared<wa::LogObserver>(print, options())) {
    begin_request();
}

void Log::info(std::string_view event, Fields fields) const {
    observer_->write(wa::LogLevel::info, event, fields);
}

void Log::warning(std::string_view event, Fields fields) const {
    observer_->write(wa::LogLevel::warning, event, fields);
}

void Log::warning(std::string_view event, Fields fields, const wa::Error& error) const {
    observer_->write(wa::LogLevel::warning, event, fields, error);
}

std::shared_ptr<wa::Observer> Log::observer_with(std::shared_ptr<wa::Observer> other) const {
    return std::make_shared<wa::CompositeObserver>(
        std::vector<std::shared_ptr<wa::Observer>>{std::move(other), observer_});
}

std::string Log::hash(std::string_view address) const {
    const auto read = wa::Address::parse(address);
    if (!read) return {};
    const auto index = sealer_.blind_index(read->wire(), "log/address");
    return index ? *index : std::string{};
}

}  // namespace support
