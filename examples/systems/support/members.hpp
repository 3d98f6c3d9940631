// The members of an object of JSON. Errors name the member, and no value.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/result.hpp>

namespace support {

/// A text, which is not empty.
/// @param name  a name, or the path of one that is further in: `/recipient/number`
twiliowa::Result<std::string> text_at(const nlohmann::json& object, const std::string& name);
/// A text, or a number as it is written; empty if there is neither, or a null.
twiliowa::Result<std::string> words_at(const nlohmann::json& object, const std::string& name);
/// On WhatsApp: `+44...`, with or without `whatsapp:` before it, or what it calls a customer by.
twiliowa::Result<twiliowa::Address> address_at(const nlohmann::json& object,
                                               const std::string& name);
/// Such one that has a number.
twiliowa::Result<twiliowa::Address> number_at(const nlohmann::json& object,
                                              const std::string& name);

}  // namespace support
