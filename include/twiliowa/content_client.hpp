/// @file
/// Content templates: `ContentClient`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include <twiliowa/client_options.hpp>
#include <twiliowa/content/definition.hpp>
#include <twiliowa/content/template.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/page.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// `for (const ContentTemplate& t : content.list()) ...`
using ContentRange = ListRange<ContentTemplate>;
/// `for (const Result<ContentTemplate>& t : content.try_list()) ...`
using ContentResults = ListResults<ContentTemplate>;

/// How to wait for WhatsApp's judgement. There is no webhook for it: Twilio is asked again and
/// again.
struct ApprovalWait {
    std::chrono::milliseconds first{std::chrono::seconds{5}};    ///< Before the second question ...
    std::chrono::milliseconds longest{std::chrono::minutes{5}};  ///< ... growing to this.
    std::chrono::milliseconds timeout{std::chrono::hours{48}};   ///< For all of it.
};

/// What `upsert` did.
struct ContentUpsert {
    enum class Action {
        unchanged,  ///< The template was there as it is wanted.
        updated,    ///< It was there, not submitted yet, and has been changed.
        created,    ///< It was not there, or could not be changed any more.
    };
    Action action = Action::unchanged;
    /// The template. One that was created because another of its name had been submitted has the
    /// next name: `order_update_v2` after `order_update`.
    ContentTemplate content = {};
};

TWILIOWA_EXPORT std::string_view to_string(ContentUpsert::Action action) noexcept;

/// Makes content templates, submits them to WhatsApp for approval, and looks after them.
///
/// Immutable and cheap to copy; one object may be used from any number of threads at once. Forms,
/// threads and errors are as for MessagesClient: what is not idempotent (create, submit) is never
/// repeated once a byte of its body has left, and ends in OutcomeUnknownError when it cannot be
/// known whether it was done.
///
/// Source of the wire facts: Twilio's OpenAPI documents of the Content API (v1, v2; 2026-04-14),
/// and its Node library 6.2.0.
class TWILIOWA_EXPORT ContentClient {
public:
    /// Give the same options as to MessagesClient, with the same transport, to share connections.
    /// What concerns sending is not looked at. @throws InvalidRequestError naming the option that
    /// is wrong.
    explicit ContentClient(Credentials credentials, const ClientOptions& options = {});
    /// Asks `provider` for credentials at every call.
    explicit ContentClient(CredentialsProvider provider, const ClientOptions& options = {});
    static Result<ContentClient> try_create(CredentialsProvider provider,
                                            const ClientOptions& options = {});

    /// A new template. What `ContentDefinition::check` refuses is refused here, before the network,
    /// with all its findings. POST https://content.twilio.com/v1/Content. Not idempotent.
    ContentTemplate create(const ContentDefinition& definition,
                           const CallOptions& options = {}) const;
    Result<ContentTemplate> try_create(const ContentDefinition& definition,
                                       const CallOptions& options = {}) const;
    void async_create(const ContentDefinition& definition, Callback<ContentTemplate> done,
                      const CallOptions& options = {}) const;

    /// One template. GET .../v1/Content/{Sid}.
    ContentTemplate fetch(const ContentSid& sid, const CallOptions& options = {}) const;
    Result<ContentTemplate> try_fetch(const ContentSid& sid, const CallOptions& options = {}) const;
    void async_fetch(const ContentSid& sid, Callback<ContentTemplate> done,
                     const CallOptions& options = {}) const;

    /// Every template of the account with its approval, newest first, fetched page by page as the
    /// range is walked. The timeout is for each page. GET .../v1/ContentAndApprovals.
    ContentRange list(const CallOptions& options = {}) const;
    ContentResults try_list(const CallOptions& options = {}) const;
    /// Calls `on_template` for each until it returns false or there are no more, then `done`.
    void async_list(std::function<bool(ContentTemplate)> on_template, Callback<void> done,
                    const CallOptions& options = {}) const;

    /// The same, of those that pass the filter. GET .../v2/ContentAndApprovals.
    ContentRange search(ContentFilter filter, const CallOptions& options = {}) const;
    ContentResults try_search(ContentFilter filter, const CallOptions& options = {}) const;
    void async_search(ContentFilter filter, std::function<bool(ContentTemplate)> on_template,
                      Callback<void> done, const CallOptions& options = {}) const;

    /// Changes a template. Only one that was never submitted can be changed; its language never
    /// can. PUT .../v1/Content/{Sid}; idempotent.
    ContentTemplate update(const ContentSid& sid, const ContentDefinition& definition,
                           const CallOptions& options = {}) const;
    Result<ContentTemplate> try_update(const ContentSid& sid, const ContentDefinition& definition,
                                       const CallOptions& options = {}) const;
    void async_update(const ContentSid& sid, const ContentDefinition& definition,
                      Callback<ContentTemplate> done, const CallOptions& options = {}) const;

    /// Deletes a template. Its name cannot be submitted again for 30 days. DELETE
    /// .../v1/Content/{Sid}; idempotent.
    /// @param delete_in_waba  in the WhatsApp Business Account, too
    void remove(const ContentSid& sid, bool delete_in_waba = false,
                const CallOptions& options = {}) const;
    Result<void> try_remove(const ContentSid& sid, bool delete_in_waba = false,
                            const CallOptions& options = {}) const;
    void async_remove(const ContentSid& sid, Callback<void> done, bool delete_in_waba = false,
                      const CallOptions& options = {}) const;

    /// Asks WhatsApp to approve a template. Name and category are checked before the network; check
    /// the definition with ContentUse::whatsapp yourself. POST
    /// .../v1/Content/{Sid}/ApprovalRequests/whatsapp. Not idempotent.
    ContentApproval submit(const ContentSid& sid, const ApprovalRequest& request,
                           const CallOptions& options = {}) const;
    Result<ContentApproval> try_submit(const ContentSid& sid, const ApprovalRequest& request,
                                       const CallOptions& options = {}) const;
    void async_submit(const ContentSid& sid, const ApprovalRequest& request,
                      Callback<ContentApproval> done, const CallOptions& options = {}) const;

    /// Where a template stands with WhatsApp. GET .../v1/Content/{Sid}/ApprovalRequests.
    ContentApproval fetch_approval(const ContentSid& sid, const CallOptions& options = {}) const;
    Result<ContentApproval> try_fetch_approval(const ContentSid& sid,
                                               const CallOptions& options = {}) const;
    void async_fetch_approval(const ContentSid& sid, Callback<ContentApproval> done,
                              const CallOptions& options = {}) const;

    /// Asks until WhatsApp has judged the template, and gives what it said: approved, rejected with
    /// its reason, or whatever else is no longer pending. A question that fails for a reason that
    /// may pass is asked again. Ends with a TimeoutError when the time is up, or would be before
    /// the next question; refuses a template that was not submitted. The timeout of `options` is
    /// for each question.
    ContentApproval wait_until_approved(const ContentSid& sid, const ApprovalWait& wait = {},
                                        const CallOptions& options = {}) const;
    Result<ContentApproval> try_wait_until_approved(const ContentSid& sid,
                                                    const ApprovalWait& wait = {},
                                                    const CallOptions& options = {}) const;
    void async_wait_until_approved(const ContentSid& sid, Callback<ContentApproval> done,
                                   const ApprovalWait& wait = {},
                                   const CallOptions& options = {}) const;

    /// Sees to it that the template exists as it is written: looks for the newest of its
    /// `friendly_name` (and of the names that upsert makes of it, `..._v2`) and language, and then
    /// does nothing, changes it, or creates it, the last under the next name if the newest was
    /// submitted and is another. When the answer to a creation is lost it looks again, and ends in
    /// OutcomeUnknownError only if it does not find it or cannot look; another upsert looks before
    /// it creates, so repeat it. Two processes that upsert at the same time may both create. The
    /// timeout is for all calls together.
    ContentUpsert upsert(const ContentDefinition& definition,
                         const CallOptions& options = {}) const;
    Result<ContentUpsert> try_upsert(const ContentDefinition& definition,
                                     const CallOptions& options = {}) const;
    void async_upsert(const ContentDefinition& definition, Callback<ContentUpsert> done,
                      const CallOptions& options = {}) const;

private:
    struct Impl;
    explicit ContentClient(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

}  // namespace twiliowa
