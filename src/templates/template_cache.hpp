/// @file
/// Templates by SID: kept for a while, fetched once for all who need one at the same time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <twiliowa/templates.hpp>

#include "content/compiled_template.hpp"

namespace twiliowa::detail {

using KnownTemplate = std::shared_ptr<const CompiledTemplate>;

/// Thread-safe.
class TemplateCache : public std::enable_shared_from_this<TemplateCache> {
public:
    /// Without a client it asks nobody.
    TemplateCache(std::optional<ContentClient> client, TemplatesOptions options);
    TemplateCache(const TemplateCache&) = delete;
    TemplateCache& operator=(const TemplateCache&) = delete;
    /// Ends the asynchronous fetches under way.
    ~TemplateCache();

    static const std::shared_ptr<TemplateCache>& of(const Templates& templates) noexcept {
        return templates.cache_;
    }
    static std::shared_ptr<Templates> share(std::shared_ptr<TemplateCache> cache) {
        return std::shared_ptr<Templates>(new Templates(std::move(cache)));
    }

    const TemplatesOptions& options() const noexcept { return options_; }

    /// The template if it may be used without asking; null otherwise.
    KnownTemplate find(std::string_view sid) const;
    /// The same, fetched in this thread if need be.
    Result<KnownTemplate> get(std::string_view sid, const CallOptions& options);
    /// The same on the client's transport. `done` may be called inside this call, if there is
    /// nothing to fetch. Who joins a fetch under way ends with it.
    void async_get(std::string_view sid, Callback<KnownTemplate> done);

    Result<void> fetch_all(const CallOptions& options);
    void forget(std::string_view sid);
    /// What a file says. It is to be asked about where there is somebody to ask.
    Result<void> read(std::string_view json);
    std::string write() const;

private:
    struct Entry {
        KnownTemplate known = {};
        MonotonicTime fresh_until = {};
        TimePoint fetched_at = {};
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    template <class Value>
    using BySid = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;
    /// A fetch under way in somebody's thread.
    struct Flight {
        CancelSource ended = {};            ///< Cancelled when it ends: those who wait wake up.
        std::optional<Error> failure = {};  ///< Why it failed, if others would, too.
    };
    class FlightEnd;

    Result<KnownTemplate> fetch(const ContentSid& sid, const CallOptions& options);
    /// Whether Twilio was last asked so long ago that nobody may use the template any more.
    bool is_too_old(const Entry& entry) const;
    /// The template as it was known, while somebody renews it.
    KnownTemplate find_stale(std::string_view sid) const;
    KnownTemplate keep(ContentTemplate content);
    /// What a fetch that failed comes to: the template as it was known, or the failure.
    Result<KnownTemplate> fall_back(const std::string& sid, const Error& error);
    void end_async(const std::string& sid, const Result<KnownTemplate>& result);
    void wait_for(const CancelToken& ended, MonotonicTime deadline,
                  const CancelToken& cancel) const;
    Error unknown_template() const;

    const std::optional<ContentClient> client_;
    const TemplatesOptions options_;
    mutable std::shared_mutex entries_mutex_;
    BySid<Entry> entries_;
    std::mutex flights_mutex_;
    BySid<std::shared_ptr<Flight>> flights_;
    BySid<std::vector<Callback<KnownTemplate>>> async_flights_;
};

}  // namespace twiliowa::detail
