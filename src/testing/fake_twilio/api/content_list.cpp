#include "testing/fake_twilio/api/content_list.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "testing/fake_twilio/api/content_json.hpp"
#include "testing/fake_twilio/api/paging.hpp"
#include "testing/fake_twilio/api/pattern.hpp"
#include "text/ascii.hpp"
#include "text/dates.hpp"

namespace twiliowa::testing::fake {

namespace {

using FakeTemplates = std::vector<const FakeTemplate*>;

FakeProblem bad_content_query(const std::string& name) {
    return {400, 20422, "The value of " + name + " cannot be used", {}};
}

/// The account's templates, newest first.
FakeTemplates all_templates(const FakeAccount& account) {
    FakeTemplates templates;
    for (const auto& [place, entry] : account.contents) templates.push_back(&entry);
    std::reverse(templates.begin(), templates.end());
    return templates;
}

template <class Rejects>
void drop_templates(FakeTemplates& templates, Rejects rejects) {
    std::erase_if(templates, [&](const FakeTemplate* entry) { return rejects(*entry); });
}

// ---- Filters and orders of the second version, each about one parameter.

FakeRefusal filter_dates(const FakeParameters& query, FakeTemplates& templates) {
    for (const auto* name : {"DateCreatedAfter", "DateCreatedBefore"}) {
        const auto text = query.get(name);
        if (text.empty()) continue;
        const auto date = detail::parse_iso8601(text.size() == 10 ? std::string{text} + "T00:00:00Z"
                                                                  : std::string{text});
        if (!date) return bad_content_query(name);
        const bool after = std::string_view{name}.ends_with("After");
        drop_templates(templates, [&](const FakeTemplate& entry) {
            return after ? entry.created < *date : entry.created > *date;
        });
    }
    return std::nullopt;
}

/// What a pattern for the template's content looks at.
std::string text_of_template(const FakeTemplate& entry) {
    return entry.content.types.empty() ? entry.content.body : entry.content.types;
}

FakeRefusal filter_patterns(const FakeParameters& query, FakeTemplates& templates) {
    for (const auto* name : {"ContentName", "Content"}) {
        const auto text = query.get(name);
        if (text.empty()) continue;
        const auto pattern = FakePattern::parse(text);
        if (!pattern) return bad_content_query(name);
        const bool by_name = std::string_view{name} == "ContentName";
        drop_templates(templates, [&](const FakeTemplate& entry) {
            return !pattern->is_in(by_name ? entry.content.friendly_name : text_of_template(entry));
        });
    }
    return std::nullopt;
}

bool is_any_content_word(const std::vector<std::string>& wanted, std::string_view word) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](const auto& one) { return detail::equals_ignoring_case(one, word); });
}

void filter_kinds(const FakeParameters& query, FakeTemplates& templates) {
    const auto languages = query.all("Language");
    const auto types = query.all("ContentType");
    const auto eligible = query.all("ChannelEligibility");
    drop_templates(templates, [&](const FakeTemplate& entry) {
        const auto has_type = [&] {
            const auto present = types_of(entry.content);
            for (const auto& [name, unused] : present.items()) {
                if (is_any_content_word(types, name)) return true;
            }
            return false;
        };
        return (!languages.empty() && !is_any_content_word(languages, entry.content.language)) ||
               (!types.empty() && !has_type()) ||
               (!eligible.empty() &&
                !is_any_content_word(eligible, "whatsapp:" + entry.content.approval));
    });
}

template <class Less>
FakeRefusal sort_templates(const FakeParameters& query, const char* name, FakeTemplates& templates,
                           Less less) {
    const auto order = query.get(name);
    if (order.empty()) return std::nullopt;
    const bool ascending = detail::equals_ignoring_case(order, "asc");
    if (!ascending && !detail::equals_ignoring_case(order, "desc")) return bad_content_query(name);
    std::stable_sort(templates.begin(), templates.end(),
                     [&](const FakeTemplate* a, const FakeTemplate* b) {
                         return ascending ? less(*a, *b) : less(*b, *a);
                     });
    return std::nullopt;
}

FakeRefusal search_templates(const FakeParameters& query, FakeTemplates& templates) {
    auto problem = filter_dates(query, templates);
    if (!problem) problem = filter_patterns(query, templates);
    if (problem) return problem;
    filter_kinds(query, templates);
    problem = sort_templates(query, "SortByDate", templates,
                             [](const auto& a, const auto& b) { return a.updated < b.updated; });
    if (problem) return problem;
    return sort_templates(query, "SortByContentName", templates, [](const auto& a, const auto& b) {
        return a.content.friendly_name < b.content.friendly_name;
    });
}

// ---- Pages.

/// Where the page begins, and how long it is; the page's token counts from a template.
struct ContentPage {
    FakePageRequest request = {};
    std::size_t begin = 0;
    std::size_t end = 0;
};

FakeRefusal find_content_page(const FakeCall& call, const FakeTemplates& templates,
                              ContentPage& page) {
    auto query = call.query.entries();
    std::erase_if(query, [](const auto& entry) { return entry.first == "PageToken"; });
    auto& request = page.request;
    if (auto problem = read_page_request(FakeParameters{query}, call.world.store, request)) {
        return problem;
    }
    const auto size = request.page_size;
    request.token = call.query.get("PageToken");
    if (request.token.empty()) {
        page.begin = std::min(templates.size(), static_cast<std::size_t>(request.page) * size);
        page.end = std::min(templates.size(), page.begin + size);
        return std::nullopt;
    }
    const bool newer = request.token.starts_with(newer_token);
    const auto anchor = std::find_if(templates.begin(), templates.end(), [&](const auto* entry) {
        return request.token.substr(std::min<std::size_t>(2, request.token.size())) ==
               entry->content.sid;
    });
    if (anchor == templates.end() || (!newer && !request.token.starts_with(older_token))) {
        return bad_content_query("PageToken");
    }
    const auto at = static_cast<std::size_t>(anchor - templates.begin());
    page.begin = newer ? at - std::min(at, size) : at + 1;
    page.end = newer ? at : std::min(templates.size(), page.begin + size);
    return std::nullopt;
}

template <class ToJson>
HttpResponse show_content_page(const FakeCall& call, const FakeTemplates& templates,
                               ToJson to_json) {
    ContentPage page;
    if (auto problem = find_content_page(call, templates, page)) return refusal(*problem);
    FakePageNeighbours neighbours;
    if (page.begin < page.end) {
        if (page.end < templates.size()) {
            neighbours.older_from = templates[page.end - 1]->content.sid;
        }
        if (page.begin > 0) neighbours.newer_from = templates[page.begin]->content.sid;
    }
    const auto frame = frame_page(call.path, filters_of(call.query), page.request, neighbours);
    auto items = ContentJson::array();
    for (auto at = page.begin; at < page.end; ++at) items.push_back(to_json(*templates[at]));
    const auto url_or_null = [&](const std::string& uri) {
        return uri.empty() ? ContentJson(nullptr) : ContentJson(content_url(call, uri));
    };
    return json_response(
        200, dump_content_json({{"meta",
                                 {{"page", frame.page},
                                  {"page_size", frame.page_size},
                                  {"first_page_url", url_or_null(frame.first_page_uri)},
                                  {"previous_page_url", url_or_null(frame.previous_page_uri)},
                                  {"url", url_or_null(frame.uri)},
                                  {"next_page_url", url_or_null(frame.next_page_uri)},
                                  {"key", "contents"}}},
                                {"contents", std::move(items)}}));
}

HttpResponse show_plain_contents(const FakeCall& call, const FakeTemplates& templates) {
    return show_content_page(
        call, templates, [&](const FakeTemplate& entry) { return content_to_json(call, entry); });
}

HttpResponse show_contents_and_approvals(const FakeCall& call, const FakeTemplates& templates) {
    return show_content_page(call, templates, [&](const FakeTemplate& entry) {
        auto item = content_to_json(call, entry);
        item.erase("links");
        item.erase("url");
        auto approval = approval_to_json(entry);
        approval.erase("type");
        item["approval_requests"] = std::move(approval);
        return item;
    });
}

/// The first body among the template's types.
std::string legacy_body_of(const FakeTemplate& entry) {
    const auto types = types_of(entry.content);
    for (const auto& [name, type] : types.items()) {
        const auto body = type.find("body");
        if (body != type.end() && body->is_string()) return body->template get<std::string>();
    }
    return {};
}

}  // namespace

HttpResponse serve_list_contents(const FakeCall& call) {
    return show_plain_contents(call, all_templates(call.account));
}

HttpResponse serve_list_approvals(const FakeCall& call) {
    return show_contents_and_approvals(call, all_templates(call.account));
}

HttpResponse serve_list_legacy(const FakeCall& call) {
    auto templates = all_templates(call.account);
    drop_templates(templates, [](const FakeTemplate& entry) { return entry.name.empty(); });
    return show_content_page(call, templates, [&](const FakeTemplate& entry) {
        auto item = content_to_json(call, entry);
        item.erase("links");
        item["legacy_template_name"] = entry.name;
        item["legacy_body"] = legacy_body_of(entry);
        return item;
    });
}

HttpResponse serve_search_contents(const FakeCall& call) {
    auto templates = all_templates(call.account);
    if (auto problem = search_templates(call.query, templates)) return refusal(*problem);
    return show_plain_contents(call, templates);
}

HttpResponse serve_search_approvals(const FakeCall& call) {
    auto templates = all_templates(call.account);
    if (auto problem = search_templates(call.query, templates)) return refusal(*problem);
    return show_contents_and_approvals(call, templates);
}

}  // namespace twiliowa::testing::fake
