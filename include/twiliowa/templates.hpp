/// @file
/// Templates as they are known here, so that a wrong send is refused before the network:
/// `Templates`.
#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/render.hpp>
#include <twiliowa/content/template.hpp>
#include <twiliowa/content_client.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/template_variables.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

namespace detail {
class TemplateCache;
}

/// Options of Templates.
struct TemplatesOptions {
    /// How long an approved template is used without asking again.
    std::chrono::milliseconds time_to_live{std::chrono::minutes{10}};
    /// The same for one that is not approved, which may be soon.
    std::chrono::milliseconds unapproved_time_to_live{std::chrono::seconds{30}};
    /// How long beyond that a template is used while Twilio cannot be asked. The observer is told.
    std::chrono::milliseconds use_stale_for{std::chrono::hours{24}};
    /// After Twilio could not be asked, it is not asked again for this time.
    std::chrono::milliseconds retry_after{std::chrono::seconds{30}};
    /// Whether templates that are not approved go outside the 24-hour window, too: for senders that
    /// Meta has given Direct Send.
    bool direct_send = false;
    std::shared_ptr<Observer> observer = {};  ///< Told when what is used is stale.
    std::shared_ptr<Clock> clock = {};        ///< Default: the machine's.
};

/// What a program was written for.
struct TemplateExpectation {
    TextField content_sid = {};
    TextList variables = {};         ///< The names that it gives values for, in any order.
    TemplateCategory category = {};  ///< Empty: any.
    /// Its text, as `render` gives it of the placeholders themselves: `Hi {{1}}`. Empty: any.
    TextField body = {};
};

/// How a template differs from what a program was written for.
struct TemplateDrift {
    std::string content_sid = {};
    std::string difference = {};  ///< `takes "1", "2", "3"; the program gives "1", "2"`
};

/// Fetches templates when they are needed, keeps them for a while, and knows what each takes. Give
/// one to ClientOptions::templates, and a message made of a template is refused before the network
/// when its variables are not those of the template, when the template may not go, or not now.
///
/// Thread-safe; threads that need the same template at the same time make one fetch (blocking and
/// asynchronous calls one each), and learn why it failed if it does. No thread of its own: a fetch
/// is made by whoever needs it, GET https://content.twilio.com/v1/Content/{Sid} and
/// .../ApprovalRequests; blocking calls in the caller's thread, within the time and until the
/// cancellation of its call. While one thread renews a template, the others use it as it was,
/// unless it is older than TemplatesOptions say.
///
/// Each belongs to one account: that of its ContentClient.
class TWILIOWA_EXPORT Templates {
public:
    /// @throws InvalidRequestError naming the option that is wrong.
    explicit Templates(ContentClient client, TemplatesOptions options = {});
    /// Knows what `from_json` read and nothing else, and asks nobody: for tests, CI and machines
    /// without a network. A template that it does not know is refused.
    /// @param json  `{"contents": [...]}`, as `to_json` writes it and the Content API lists it
    static std::shared_ptr<Templates> from_json(std::string_view json,
                                                TemplatesOptions options = {});
    static Result<std::shared_ptr<Templates>> try_from_json(std::string_view json,
                                                            TemplatesOptions options = {});
    /// The same from a file of at most 64 MiB.
    static std::shared_ptr<Templates> from_file(const std::string& path,
                                                TemplatesOptions options = {});
    static Result<std::shared_ptr<Templates>> try_from_file(const std::string& path,
                                                            TemplatesOptions options = {});
    Templates(const Templates&) = delete;
    Templates& operator=(const Templates&) = delete;
    ~Templates();

    /// Takes in what a file says, as known but to be asked about: used as it is while Twilio cannot
    /// be asked, and not older than TemplatesOptions::use_stale_for says. A file without `saved_at`
    /// is too old. What is known already is kept.
    Result<void> try_read_file(const std::string& path);
    /// All that is known, sorted by SID: for `from_file`.
    std::string to_json() const;
    /// Writes that to a file, which it replaces as a whole.
    Result<void> try_save_file(const std::string& path) const;

    /// Fetches all templates of the account in a few calls.
    void fetch_all(const CallOptions& options = {});
    Result<void> try_fetch_all(const CallOptions& options = {});
    /// Forgets a template: who needs it next fetches it.
    void forget(std::string_view content_sid);

    /// A template with its approval, fetched if need be. Errors are those of ContentClient::fetch;
    /// NotFoundError if the account has no such template.
    ContentTemplate get(std::string_view content_sid, const CallOptions& options = {});
    Result<ContentTemplate> try_get(std::string_view content_sid, const CallOptions& options = {});
    /// Calls back inside this call if there is nothing to fetch. The fetch has the client's time:
    /// it is everybody's who needs the template.
    void async_get(std::string_view content_sid, Callback<ContentTemplate> done);

    /// What a customer would see. Refuses variables that do not fit.
    RenderedContent render(std::string_view content_sid, const TemplateVariables& variables,
                           const CallOptions& options = {});
    Result<RenderedContent> try_render(std::string_view content_sid,
                                       const TemplateVariables& variables,
                                       const CallOptions& options = {});

    /// How the templates differ from what the program was written for; empty if they do not. For
    /// the start of a program: a template that was changed is found before a customer reads it.
    Result<std::vector<TemplateDrift>> find_drift(std::span<const TemplateExpectation> expectations,
                                                  const CallOptions& options = {});
    /// The same as an error that shows each difference.
    /// @throws InvalidRequestError
    void verify_all(std::span<const TemplateExpectation> expectations,
                    const CallOptions& options = {});
    void verify_all(std::initializer_list<TemplateExpectation> expectations,
                    const CallOptions& options = {}) {
        verify_all(std::span<const TemplateExpectation>(expectations.begin(), expectations.size()),
                   options);
    }
    Result<void> try_verify_all(std::span<const TemplateExpectation> expectations,
                                const CallOptions& options = {});

private:
    friend class detail::TemplateCache;
    explicit Templates(std::shared_ptr<detail::TemplateCache> cache) noexcept;
    std::shared_ptr<detail::TemplateCache> cache_;
};

}  // namespace twiliowa
