// What a job of the queue says: who is to be written to, and for which company.
#pragma once

#include <string>

#include <twiliowa/types/result.hpp>

namespace processor {

struct ContextObject {
    std::string recipient_tel = {};  ///< E.164
    std::string credentials_id = {};
    std::string company_number = {};  ///< What the company writes as.
    std::string text = {};            ///< All of it, as it came: the model reads that.
};

/// Errors name the member that is missing or wrong, and no value.
twiliowa::Result<ContextObject> read_context(const std::string& json);

}  // namespace processor
