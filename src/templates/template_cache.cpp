#include "templates/template_cache.hpp"

#include <algorithm>
#include <utility>

#include "call/api_error.hpp"
#include "content/definition_json.hpp"
#include "content/template_json.hpp"
#include "text/ascii.hpp"
#include "text/dates.hpp"
#include "types/duration_bound.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa::detail {

namespace {

TemplatesOptions checked_options(TemplatesOptions options) {
    const std::pair<const char*, std::chrono::milliseconds> durations[] = {
        {"time_to_live", options.time_to_live},
        {"unapproved_time_to_live", options.unapproved_time_to_live},
        {"use_stale_for", options.use_stale_for},
        {"retry_after", options.retry_after},
    };
    for (const auto& [field, duration] : durations) {
        if (auto wrong = wrong_duration(field, duration, std::chrono::milliseconds{0})) {
            wrong->raise();
        }
    }
    if (!options.clock) options.clock = system_clock();
    return options;
}

/// The failure of a look-up, as what stops a send: nothing was sent.
Error unsent(const Error& error) {
    return error.with([](ErrorData& data) {
        data.effect = Effect::none;
        data.stage = Stage::prepare;
        if (data.field.empty()) data.field = "ContentSid";
        if (data.kind == ErrorKind::not_found) {
            data.summary = "the account has no such content template";
            data.hint = "is it another account's, or was it deleted?";
        } else if (data.hint.empty()) {
            data.hint = "the content template could not be looked up";
        }
    });
}

/// Whether whoever asks for the same would fail the same way: not for the time or the cancellation
/// of who asked.
bool fails_for_all(const Error& error) noexcept {
    return error.kind() != ErrorKind::timeout && error.kind() != ErrorKind::cancelled;
}

/// The answer, unless it is another template's. Hexadecimal digits have two cases.
Result<ContentTemplate> asked_for(const ContentSid& sid, Result<ContentTemplate> answer) {
    if (!answer) return answer;
    if (equals_ignoring_case(answer->sid.str(), sid.str())) {
        answer->sid = sid;
        return answer;
    }
    return unsent_error(ErrorKind::response, "the answer is another content template's");
}

std::chrono::milliseconds age_of(TimePoint fetched_at, TimePoint now) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - fetched_at);
}

}  // namespace

TemplateCache::TemplateCache(std::optional<ContentClient> client, TemplatesOptions options)
    : client_(std::move(client)), options_(checked_options(std::move(options))) {}

TemplateCache::~TemplateCache() {
    for (const auto& [sid, waiting] : async_flights_) {
        for (const auto& done : waiting) done(client_destroyed());
    }
}

KnownTemplate TemplateCache::find(std::string_view sid) const {
    const std::shared_lock lock{entries_mutex_};
    const auto found = entries_.find(sid);
    if (found == entries_.end()) return nullptr;
    const auto& entry = found->second;
    if (client_ && entry.fresh_until <= options_.clock->monotonic_now()) return nullptr;
    return entry.known;
}

Error TemplateCache::unknown_template() const {
    return Error::invalid_request("ContentSid", "is not among the templates that are known",
                                  "these come from a file: pull it anew", 21655);
}

bool TemplateCache::is_too_old(const Entry& entry) const {
    const auto age = age_of(entry.fetched_at, options_.clock->now());
    return age > options_.time_to_live && age - options_.time_to_live > options_.use_stale_for;
}

KnownTemplate TemplateCache::find_stale(std::string_view sid) const {
    const std::shared_lock lock{entries_mutex_};
    const auto found = entries_.find(sid);
    if (found == entries_.end() || is_too_old(found->second)) return nullptr;
    return found->second.known;
}

/// Ends a flight, however its fetch ends.
class TemplateCache::FlightEnd {
public:
    FlightEnd(TemplateCache& cache, const std::string& sid, std::shared_ptr<Flight> flight)
        : cache_(cache), sid_(sid), flight_(std::move(flight)) {}
    FlightEnd(const FlightEnd&) = delete;
    FlightEnd& operator=(const FlightEnd&) = delete;
    ~FlightEnd() {
        {
            const std::lock_guard lock{cache_.flights_mutex_};
            cache_.flights_.erase(sid_);
        }
        flight_->ended.cancel();
    }

private:
    TemplateCache& cache_;
    const std::string& sid_;
    std::shared_ptr<Flight> flight_;
};

Result<KnownTemplate> TemplateCache::get(std::string_view sid, const CallOptions& options) {
    if (auto known = find(sid)) return known;
    if (!client_) return unknown_template();
    const auto checked = ContentSid::parse(sid);
    if (!checked) return checked.error();
    const std::string& key = checked->str();
    const auto started = options_.clock->monotonic_now();
    const auto deadline =
        options.timeout ? time_after(started, *options.timeout) : MonotonicTime::max();
    for (;;) {
        std::shared_ptr<Flight> other;
        const auto own = std::make_shared<Flight>();
        {
            const std::lock_guard lock{flights_mutex_};
            const auto [at, is_first] = flights_.try_emplace(key, own);
            if (!is_first) other = at->second;
        }
        if (!other) {
            const FlightEnd end{*this, key, own};
            // It may have been fetched between the look and the flight.
            if (auto known = find(key)) return known;
            auto result = fetch(*checked, options);
            if (!result && fails_for_all(result.error())) own->failure = result.error();
            return result;
        }
        if (auto known = find_stale(key)) return known;
        const auto ended = other->ended.token();
        wait_for(ended, deadline, options.cancel);
        if (auto known = find(key)) return known;
        if (ended.is_cancelled() && other->failure) return *other->failure;
        if (options.cancel.is_cancelled()) {
            return unsent_error(ErrorKind::cancelled, "cancelled while a template was looked up");
        }
        if (options_.clock->monotonic_now() >= deadline) {
            return unsent_error(ErrorKind::timeout, "out of time while a template was looked up");
        }
    }
}

void TemplateCache::wait_for(const CancelToken& ended, MonotonicTime deadline,
                             const CancelToken& cancel) const {
    CancelSource wake;
    const auto on_end = ended.on_cancel([&wake] { wake.cancel(); });
    const auto on_cancel = cancel.on_cancel([&wake] { wake.cancel(); });
    options_.clock->sleep_until(deadline, wake.token());
}

Result<KnownTemplate> TemplateCache::fetch(const ContentSid& sid, const CallOptions& options) {
    const auto started = options_.clock->monotonic_now();
    auto content = asked_for(sid, client_->try_fetch(sid, options));
    if (!content) return fall_back(sid.str(), content.error());
    auto left = options;
    if (left.timeout && *left.timeout != std::chrono::milliseconds::max()) {
        *left.timeout -=
            std::chrono::ceil<std::chrono::milliseconds>(options_.clock->monotonic_now() - started);
    }
    auto approval = client_->try_fetch_approval(sid, left);
    if (!approval) return fall_back(sid.str(), approval.error());
    content->approval = std::move(*approval);
    return keep(std::move(*content));
}

KnownTemplate TemplateCache::keep(ContentTemplate content) {
    Entry entry;
    const std::string sid = content.sid.str();
    const bool approved = content.approval && content.approval->is_approved();
    entry.fetched_at = options_.clock->now();
    entry.fresh_until =
        time_after(options_.clock->monotonic_now(),
                   approved ? options_.time_to_live : options_.unapproved_time_to_live);
    entry.known = std::make_shared<const CompiledTemplate>(compile_template(std::move(content)));
    const std::unique_lock lock{entries_mutex_};
    return (entries_[sid] = std::move(entry)).known;
}

Result<KnownTemplate> TemplateCache::fall_back(const std::string& sid, const Error& error) {
    if (error.kind() == ErrorKind::not_found) forget(sid);
    if (!may_pass(error)) return unsent(error);
    KnownTemplate known;
    TimePoint fetched_at;
    {
        const std::unique_lock lock{entries_mutex_};
        const auto found = entries_.find(sid);
        if (found == entries_.end() || is_too_old(found->second)) return unsent(error);
        known = found->second.known;
        fetched_at = found->second.fetched_at;
        found->second.fresh_until =
            time_after(options_.clock->monotonic_now(), options_.retry_after);
    }
    if (options_.observer) {
        const auto age = age_of(fetched_at, options_.clock->now());
        options_.observer->on_stale_template({.content_sid = sid,
                                              .age = std::max(age, std::chrono::milliseconds{0}),
                                              .error = error});
    }
    return known;
}

void TemplateCache::async_get(std::string_view sid, Callback<KnownTemplate> done) {
    if (auto known = find(sid)) return done(std::move(known));
    if (!client_) return done(unknown_template());
    const auto checked = ContentSid::parse(sid);
    if (!checked) return done(checked.error());
    const std::string key = checked->str();
    {
        const std::lock_guard lock{flights_mutex_};
        auto& waiting = async_flights_[key];
        waiting.push_back(std::move(done));
        if (waiting.size() > 1) return;
    }
    // The fetch is shared, so no caller's time or cancellation is its own. It does not keep the
    // cache alive, whose client keeps the transport alive that keeps the fetch.
    auto on_content = [weak = weak_from_this(), key](Result<ContentTemplate> content) {
        const auto self = weak.lock();
        if (!self) return;
        content = asked_for(ContentSid::from_wire(key), std::move(content));
        if (!content) return self->end_async(key, self->fall_back(key, content.error()));
        auto on_approval =
            [weak, key, content = std::move(*content)](Result<ContentApproval> approval) mutable {
                const auto alive = weak.lock();
                if (!alive) return;
                if (!approval)
                    return alive->end_async(key, alive->fall_back(key, approval.error()));
                content.approval = std::move(*approval);
                alive->end_async(key, alive->keep(std::move(content)));
            };
        self->client_->async_fetch_approval(ContentSid::from_wire(key), std::move(on_approval));
    };
    client_->async_fetch(*checked, std::move(on_content));
}

void TemplateCache::end_async(const std::string& sid, const Result<KnownTemplate>& result) {
    std::vector<Callback<KnownTemplate>> waiting;
    {
        const std::lock_guard lock{flights_mutex_};
        const auto found = async_flights_.find(sid);
        if (found == async_flights_.end()) return;
        waiting = std::move(found->second);
        async_flights_.erase(found);
    }
    for (const auto& done : waiting) done(result);
}

Result<void> TemplateCache::fetch_all(const CallOptions& options) {
    if (!client_) return unknown_template();
    for (const auto& content : client_->try_list(options)) {
        if (!content) return content.error();
        // A list that does not tell of the approval leaves that to whoever needs it.
        if (content->approval) keep(*content);
    }
    return {};
}

void TemplateCache::forget(std::string_view sid) {
    const std::unique_lock lock{entries_mutex_};
    const auto found = entries_.find(sid);
    if (found != entries_.end()) entries_.erase(found);
}

Result<void> TemplateCache::read(std::string_view json) {
    auto document = parse_content_object(json, "templates");
    if (!document) return document.error();
    const auto* saved = find_member(*document, "saved_at");
    const auto saved_at = saved != nullptr && saved->is_string()
                              ? parse_iso8601(saved->get_ref<const std::string&>())
                              : std::nullopt;
    auto page = read_content_page(std::move(*document));
    if (!page) {
        return Error::invalid_request("templates", "have no list \"contents\"",
                                      "give what Templates::to_json or the Content API writes");
    }
    for (auto& content : page->items) {
        Entry entry;
        const std::string sid = content.sid.str();
        entry.fetched_at = saved_at.value_or(TimePoint{});
        entry.fresh_until = MonotonicTime::min();
        entry.known =
            std::make_shared<const CompiledTemplate>(compile_template(std::move(content)));
        const std::unique_lock lock{entries_mutex_};
        entries_.try_emplace(sid, std::move(entry));
    }
    return {};
}

std::string TemplateCache::write() const {
    std::map<std::string, KnownTemplate> sorted;
    {
        const std::shared_lock lock{entries_mutex_};
        for (const auto& [sid, entry] : entries_) sorted.emplace(sid, entry.known);
    }
    auto json = ContentJson::object();
    json["saved_at"] = format_iso8601_utc(options_.clock->now());
    auto& contents = json["contents"] = ContentJson::array();
    for (const auto& [sid, known] : sorted) {
        contents.push_back(write_content_template(known->content));
    }
    return dump_content_json(json, 2) + '\n';
}

}  // namespace twiliowa::detail
