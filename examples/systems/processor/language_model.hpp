// The language model that writes what a template says.
#pragma once

#include <string>

#include <twiliowa/types/result.hpp>
#include <twiliowa/types/template_variables.hpp>

#include "context_object.hpp"

namespace processor {

class LanguageModel {
public:
    virtual ~LanguageModel() = default;
    /// Its answer, word for word. Each time another one. Throws if there is none.
    virtual std::string answer(const ContextObject& context) = 0;
};

/// Writes a good answer, or what `/ai_config/stand_in` of the context asks for: `new_lines`,
/// `null`, `number`, `missing`, `extra`, `number_as_name`, `prose`, `no_thread`, `slow`, `fails`,
/// or `dies`, with the program.
class StandInModel final : public LanguageModel {
public:
    std::string answer(const ContextObject& context) override;
};

struct ModelAnswer {
    twiliowa::TemplateVariables variables = {};
    std::string thread_id = {};
};

/// A model may write anything. Blanks that WhatsApp refuses are put right, the rest is refused; the
/// error holds nothing that the model wrote but the names of variables.
twiliowa::Result<ModelAnswer> read_answer(const std::string& written);

}  // namespace processor
