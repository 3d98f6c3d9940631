#include "content/json.hpp"

#include <algorithm>
#include <cstdint>

#include "text/json_scanner.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

class DepthGauge final : public JsonEvents {
public:
    void start_object() override { enter(); }
    void end_object() override { --depth_; }
    void start_array() override { enter(); }
    void end_array() override { --depth_; }
    void key(std::string_view) override {}
    void string(std::string_view) override {}
    void integer(std::int64_t) override {}
    void other() override {}

    std::size_t deepest() const noexcept { return deepest_; }

private:
    void enter() noexcept { deepest_ = std::max(deepest_, ++depth_); }
    std::size_t depth_ = 0;
    std::size_t deepest_ = 0;
};

}  // namespace

Result<ContentJson> parse_content_json(std::string_view json, std::string_view field) {
    if (!is_valid_utf8(json)) return Error::invalid_request(field, "is not valid UTF-8");
    DepthGauge gauge;
    if (!scan_json(json, gauge)) {
        return Error::invalid_request(field, "is not valid JSON",
                                      "give one JSON document, as the Content API takes it");
    }
    if (gauge.deepest() > deepest_content) {
        return Error::invalid_request(field, "nests deeper than 32 levels");
    }
    auto document = ContentJson::parse(json, nullptr, false);
    if (document.is_discarded()) return Error::invalid_request(field, "is not valid JSON");
    return document;
}

Result<ContentJson> parse_content_object(std::string_view json, std::string_view field) {
    auto document = parse_content_json(json, field);
    if (document && !document->is_object()) {
        return Error::invalid_request(field, "is not a JSON object", "begin it with {");
    }
    return document;
}

std::string dump_content_json(const ContentJson& json, int indent) {
    return json.dump(indent, ' ', false, ContentJson::error_handler_t::replace);
}

const ContentJson* find_member(const ContentJson& json, std::string_view name) noexcept {
    if (!json.is_object()) return nullptr;
    const auto found = json.find(name);
    return found == json.end() ? nullptr : &*found;
}

std::string_view text_member(const ContentJson& json, std::string_view name) noexcept {
    const auto* member = find_member(json, name);
    if (member == nullptr || !member->is_string()) return {};
    return member->get_ref<const std::string&>();
}

bool is_absent(const ContentJson* json) noexcept {
    return json == nullptr || json->is_null();
}

bool is_empty_member(const ContentJson* json) noexcept {
    if (is_absent(json)) return true;
    if (json->is_string()) return json->get_ref<const std::string&>().empty();
    return (json->is_array() || json->is_object()) && json->empty();
}

std::string_view kind_of_json(const ContentJson& json) noexcept {
    if (json.is_null()) return "null";
    if (json.is_boolean()) return "true or false";
    if (json.is_number()) return "a number";
    if (json.is_string()) return "text";
    return json.is_array() ? "a list" : "an object";
}

}  // namespace twiliowa::detail
