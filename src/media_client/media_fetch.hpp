/// @file
/// One attempt at a download: the API's answer, and what that redirects to.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/media_client.hpp>

#include "call/call_machine.hpp"
#include "media_client/media_target.hpp"
#include "media_client/media_url.hpp"

namespace twiliowa::detail {

/// What all downloads of a client keep to.
struct MediaRules {
    MediaOptions options = {};
    /// The base URL given, which may be anywhere and redirect to itself.
    std::optional<MediaUrl> own_host = {};
    std::shared_ptr<Clock> clock = {};
};

/// A transport to the call driver, for one call: follows redirects, gives the target the bytes of
/// the answer at their end, and answers with that. A call has one attempt under way at a time.
class MediaFetch final : public AsyncHttpTransport,
                         public std::enable_shared_from_this<MediaFetch> {
public:
    /// Does not keep `transport` alive.
    MediaFetch(const std::shared_ptr<HttpTransport>& transport,
               std::shared_ptr<const MediaRules> rules, std::shared_ptr<MediaTarget> target)
        : transport_(transport), rules_(std::move(rules)), target_(std::move(target)) {}

    Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) override;
    void async_send(HttpRequest request, CallContext context, Completion done) override;
    void call_at(MonotonicTime when, std::function<void()> task) override;

    /// The driver's AnswerReader.
    std::optional<Error> read(const HttpResponse& answer);
    /// The driver's Operation::verdict.
    std::optional<RepeatVerdict> verdict(const Error& error, int attempt) const;
    /// After a success.
    MediaDownload result();
    /// After a failure: leaves nothing behind.
    void discard() noexcept { target_.reset(); }

private:
    /// The request to go on with, or the end of the attempt.
    struct Hop {
        std::optional<HttpRequest> next = {};
        Result<HttpResponse> end = HttpResponse{};
    };

    std::optional<Error> begin(HttpRequest& request);
    CallContext context_of_hop(const CallContext& context);
    Hop judge(Result<HttpResponse> answer);
    Hop follow(const HttpResponse& answer);
    std::optional<Error> redirect_problem(const std::optional<MediaUrl>& to) const;
    /// The transport's failure, in the words of a download where it is one of its rules.
    Error explained(const Error& error);
    Error too_large() const;
    std::optional<Error> take(std::string_view piece);
    Error refused(Stage stage, std::string_view summary, std::string_view hint) const;
    Error refused_by_host(const HttpResponse& answer) const;
    bool is_own_host(const MediaUrl& url) const noexcept;
    void async_hop(HttpRequest request, CallContext context, Completion done);

    std::weak_ptr<HttpTransport> transport_;
    std::shared_ptr<const MediaRules> rules_;
    std::shared_ptr<MediaTarget> target_;

    // What belongs to the attempt under way.
    MediaUrl at_;
    int redirects_ = 0;
    bool address_refused_ = false;
    std::size_t bytes_ = 0;         ///< That the target has taken.
    std::optional<Error> problem_;  ///< That no further attempt would mend.
    MediaDownload download_;
};

}  // namespace twiliowa::detail
