#include <twiliowa/templates.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <utility>

#include "templates/template_cache.hpp"
#include "types/whole_file.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::size_t largest_templates_file = 64;  // MiB

std::string differing_names(const CompiledTemplate& known, const TextList& expected) {
    const auto is_expected = [&](const std::string& name) {
        return std::find(expected.begin(), expected.end(), name) != expected.end();
    };
    const auto is_known = [&](const std::string& name) {
        return std::any_of(known.variables.begin(), known.variables.end(),
                           [&](const auto& each) { return each.is_used && each.name == name; });
    };
    const bool same =
        std::all_of(expected.begin(), expected.end(), is_known) &&
        std::all_of(known.variables.begin(), known.variables.end(),
                    [&](const auto& each) { return !each.is_used || is_expected(each.name); });
    if (same) return {};
    std::string given;
    for (const auto& name : expected) {
        if (!given.empty()) given += ", ";
        given.append(1, '"').append(name).append(1, '"');
    }
    return "takes " + names_of(known.variables) + "; the program gives " +
           (given.empty() ? "none" : given);
}

std::string drift_of(const CompiledTemplate& known, const TemplateExpectation& expected) {
    std::string drift;
    const auto add = [&drift](const std::string& difference) {
        if (difference.empty()) return;
        if (!drift.empty()) drift += "; ";
        drift += difference;
    };
    add(differing_names(known, expected.variables));
    if (!expected.category.empty()) {
        const auto category = known.content.approval ? known.content.approval->category.str() : "";
        if (category != expected.category.str()) {
            add("is of category " + (category.empty() ? "none" : category) +
                "; the program was written for " + expected.category.str());
        }
    }
    if (!expected.body.empty()) {
        auto unfilled = known.content.definition;
        unfilled.variables = {};
        auto wanted = ContentDefinition{.types = {TextContent{.body = expected.body}}};
        const auto body = twiliowa::render(unfilled).body;
        const ContentDefinition is{.types = {TextContent{.body = body}}};
        if (!is.same_content(wanted)) {
            add("reads \"" + body + "\"; the program was written for \"" + expected.body + "\"");
        }
    }
    return drift;
}

}  // namespace
}  // namespace detail

Templates::Templates(ContentClient client, TemplatesOptions options)
    : cache_(std::make_shared<detail::TemplateCache>(std::move(client), std::move(options))) {}

Templates::Templates(std::shared_ptr<detail::TemplateCache> cache) noexcept
    : cache_(std::move(cache)) {}

Templates::~Templates() = default;

std::shared_ptr<Templates> Templates::from_json(std::string_view json, TemplatesOptions options) {
    return try_from_json(json, std::move(options)).value();
}

Result<std::shared_ptr<Templates>> Templates::try_from_json(std::string_view json,
                                                            TemplatesOptions options) {
    try {
        auto cache = std::make_shared<detail::TemplateCache>(std::nullopt, std::move(options));
        if (auto read = cache->read(json); !read) return read.error();
        return detail::TemplateCache::share(std::move(cache));
    } catch (const TwilioError& error) {
        return error.error();
    }
}

std::shared_ptr<Templates> Templates::from_file(const std::string& path, TemplatesOptions options) {
    return try_from_file(path, std::move(options)).value();
}

Result<std::shared_ptr<Templates>> Templates::try_from_file(const std::string& path,
                                                            TemplatesOptions options) {
    const auto json = detail::read_whole_file(path, detail::largest_templates_file);
    if (!json) return json.error();
    return try_from_json(*json, std::move(options));
}

Result<void> Templates::try_read_file(const std::string& path) {
    const auto json = detail::read_whole_file(path, detail::largest_templates_file);
    if (!json) return json.error();
    return cache_->read(*json);
}

std::string Templates::to_json() const {
    return cache_->write();
}

Result<void> Templates::try_save_file(const std::string& path) const {
    const auto json = to_json();
    const auto beside = path + ".new";
    std::ofstream file{beside, std::ios::binary | std::ios::trunc};
    file << json;
    file.close();
    if (!file || std::rename(beside.c_str(), path.c_str()) != 0) {
        std::remove(beside.c_str());
        return Error::invalid_request("path", "is not a file that can be written");
    }
    return {};
}

void Templates::fetch_all(const CallOptions& options) {
    try_fetch_all(options).value();
}

Result<void> Templates::try_fetch_all(const CallOptions& options) {
    return cache_->fetch_all(options);
}

void Templates::forget(std::string_view content_sid) {
    cache_->forget(content_sid);
}

ContentTemplate Templates::get(std::string_view content_sid, const CallOptions& options) {
    return try_get(content_sid, options).value();
}

Result<ContentTemplate> Templates::try_get(std::string_view content_sid,
                                           const CallOptions& options) {
    const auto known = cache_->get(content_sid, options);
    if (!known) return known.error();
    return (*known)->content;
}

void Templates::async_get(std::string_view content_sid, Callback<ContentTemplate> done) {
    cache_->async_get(content_sid, [done = std::move(done)](Result<detail::KnownTemplate> known) {
        if (!known) return done(known.error());
        done((*known)->content);
    });
}

RenderedContent Templates::render(std::string_view content_sid, const TemplateVariables& variables,
                                  const CallOptions& options) {
    return try_render(content_sid, variables, options).value();
}

Result<RenderedContent> Templates::try_render(std::string_view content_sid,
                                              const TemplateVariables& variables,
                                              const CallOptions& options) {
    const auto known = cache_->get(content_sid, options);
    if (!known) return known.error();
    const auto fits = detail::check_fit(**known, variables, WhitespacePolicy::allow, false);
    if (!fits) return fits.error();
    return twiliowa::render((*known)->content.definition, variables);
}

Result<std::vector<TemplateDrift>> Templates::find_drift(
    std::span<const TemplateExpectation> expectations, const CallOptions& options) {
    std::vector<TemplateDrift> drifts;
    for (const auto& expected : expectations) {
        const auto known = cache_->get(expected.content_sid, options);
        if (!known && known.error().kind() != ErrorKind::not_found) return known.error();
        auto difference = known ? detail::drift_of(**known, expected) : "is no template any more";
        if (!difference.empty()) drifts.push_back({expected.content_sid, std::move(difference)});
    }
    return drifts;
}

Result<void> Templates::try_verify_all(std::span<const TemplateExpectation> expectations,
                                       const CallOptions& options) {
    const auto drifts = find_drift(expectations, options);
    if (!drifts) return drifts.error();
    if (drifts->empty()) return {};
    std::string all;
    for (const auto& drift : *drifts) {
        if (!all.empty()) all += "\n";
        all += drift.content_sid + ' ' + drift.difference;
    }
    return Error::invalid_request("templates", "are not what the program was written for: " + all,
                                  "change the program, or the template");
}

void Templates::verify_all(std::span<const TemplateExpectation> expectations,
                           const CallOptions& options) {
    try_verify_all(expectations, options).value();
}

}  // namespace twiliowa
