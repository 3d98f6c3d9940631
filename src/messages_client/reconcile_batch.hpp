/// @file
/// Looking for many messages at once.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>

#include "messages_client/outbound_checks.hpp"
#include "messages_client/reconcile_search.hpp"
#include "templates/template_cache.hpp"

namespace twiliowa::detail {

/// `where` with the text that Twilio makes of the message's template, if that is known and nobody
/// said it. WhatsApp's own words around a code are not known.
ReconcileOptions with_expected_text(const OutboundMessage& message, ReconcileOptions where,
                                    const KnownTemplate& known);

/// Which lists have to be walked for some messages, and what that says of each.
class ReconcileBatch {
public:
    /// What is known of the template of that SID, if anything.
    using LookUp = std::function<KnownTemplate(const std::string& sid)>;

    ReconcileBatch(std::span<const ReconcileItem> items, const OutboundDefaults& defaults,
                   const ReconcileOptions& where, const LookUp& look_up);

    /// One for each sender, and one for each recipient of messages whose sender a service chose.
    std::vector<ReconcileWalk>& walks() noexcept { return walks_; }
    /// Why some items cannot be looked for.
    std::vector<Error> refusals() const;
    /// In the items' order.
    std::vector<Result<Reconciliation>> conclusions() const;

private:
    void add(ReconcileSearch search, const OtherMessages& others);
    void narrow(ReconcileWalk& walk) const;

    /// Where an item is looked for.
    struct Place {
        std::size_t walk = 0;
        std::size_t number = 0;
    };
    std::vector<Result<Place>> places_;  ///< In the items' order.
    std::vector<ReconcileWalk> walks_;
    std::map<std::pair<std::string, std::string>, std::size_t> by_list_;  ///< From, else To.
};

/// The templates whose texts have to be known for that, each once.
std::vector<std::string> templates_of(std::span<const ReconcileItem> items,
                                      const ReconcileOptions& where);

}  // namespace twiliowa::detail
