#include "text/form.hpp"

#include "text/decoded_form.hpp"
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
    DecodedForm form;
    static_cast<void>(form.read(body, max_fields));
    std::vector<std::pair<std::string, std::string>> fields;
    fields.reserve(form.fields().size());
    for (const auto& field : form.fields()) fields.emplace_back(field.name(), field.value());
    return fields;
}

}  // namespace twiliowa::detail
