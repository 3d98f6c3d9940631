#include <twiliowa/webhook/status_callback.hpp>

#include "webhook/webhook_fields.hpp"

namespace twiliowa {

ErrorAdvice StatusCallback::advice() const noexcept {
    return advise(error_code);
}

std::string_view StatusCallback::parameter(std::string_view name) const noexcept {
    return detail::find_parameter(other, name);
}

std::string_view StatusCallback::query_parameter(std::string_view name) const noexcept {
    return detail::find_parameter(query, name);
}

}  // namespace twiliowa
