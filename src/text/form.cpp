#include "text/form.hpp"

#include <algorithm>

#include "text/percent.hpp"

namespace twiliowa::detail {

void append_form_field(std::string& body, std::string_view name, std::string_view value) {
    if (!body.empty()) body += '&';
    append_form_encoded(body, name);
    body += '=';
    append_form_encoded(body, value);
}

std::vector<std::pair<std::string, std::string>> parse_form(std::string_view body,
                                                            std::size_t max_fields) {
    std::vector<std::pair<std::string, std::string>> fields;
    while (!body.empty() && fields.size() < max_fields) {
        const auto end = std::min(body.find('&'), body.size());
        const auto field = body.substr(0, end);
        body.remove_prefix(std::min(end + 1, body.size()));
        if (field.empty()) continue;
        const auto equals = std::min(field.find('='), field.size());
        fields.emplace_back(percent_decode(field.substr(0, equals), true),
                            percent_decode(field.substr(std::min(equals + 1, field.size())), true));
    }
    return fields;
}

}  // namespace twiliowa::detail
