/// @file
/// The file of SqliteQuotas: its tables, and what a transaction does with them.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sqlite/connection.hpp"
#include "state/quota_book.hpp"

namespace twiliowa::detail {

/// In the file's header: "TwWq".
inline constexpr int quota_application_id = 0x54775771;
/// Of the tables. A later one is not touched.
inline constexpr int quota_schema_version = 1;

/// A connection with the tables made. A file that is another's stays as it was.
Result<std::unique_ptr<SqliteConnection>> open_quota_file(const std::string& path,
                                                          std::chrono::milliseconds busy_timeout);

/// For who has begun a transaction.
class SqliteQuotaDesk final : public QuotaDesk {
public:
    SqliteQuotaDesk(SqliteConnection& file, QuotaMicros now) noexcept : file_(file), now_(now) {}

    Result<QuotaPage> load(std::string_view quota, std::string_view send,
                           const std::vector<QuotaPlace>& places) override;
    Result<void> store(std::string_view quota, std::string_view send,
                       const QuotaChange& change) override;
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            QuotaMicros from, QuotaMicros to);

private:
    Result<void> lapse(std::string_view quota);
    Result<void> load_send(std::string_view quota, std::string_view send, QuotaPage& page);
    Result<void> load_tally(std::string_view quota, const QuotaPlace& place, QuotaPage& page);
    Result<void> store_tally(std::string_view quota, const QuotaTally& tally);
    Result<void> erase_send(std::string_view quota, std::string_view send);
    Result<void> store_send(std::string_view quota, std::string_view key, const QuotaSend& send);
    Result<void> sweep();

    SqliteConnection& file_;
    QuotaMicros now_;
};

}  // namespace twiliowa::detail
