/// @file
/// Every default number, in one place. docs/defaults.md shows the same table.
#pragma once

#include <chrono>
#include <cstddef>

namespace twiliowa::defaults {

inline constexpr std::chrono::milliseconds timeout{30'000};     ///< Whole call, retries included.
inline constexpr int max_attempts = 4;                          ///< First try included.
inline constexpr std::chrono::milliseconds backoff_base{200};   ///< First back-off, at most.
inline constexpr std::chrono::milliseconds backoff_cap{8'000};  ///< Any back-off, at most.
inline constexpr std::chrono::milliseconds retry_after_cap{
    60'000};  ///< A longer one is not waited.
inline constexpr std::chrono::milliseconds min_attempt_time{
    5'000};                                                   ///< Left for an attempt to send.
inline constexpr int retry_budget = 100;                      ///< Retries a client may save up.
inline constexpr double retry_budget_refill = 0.1;            ///< Retries earned per call.
inline constexpr std::size_t max_response_bytes = 16u << 20;  ///< 16 MiB.
/// 20 MiB: WhatsApp through Twilio carries 16 MB.
inline constexpr std::size_t max_media_bytes = 20u << 20;
inline constexpr int max_redirects = 5;  ///< Of a download.
inline constexpr std::chrono::milliseconds connect_timeout{10'000};
inline constexpr std::chrono::milliseconds max_idle{
    55'000};                                 ///< Age at which a kept connection is dropped.
inline constexpr int max_connections = 256;  ///< Of one CurlTransport's asynchronous side.

}  // namespace twiliowa::defaults
