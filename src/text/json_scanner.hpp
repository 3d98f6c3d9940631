/// @file
/// Reading JSON in one pass, without building anything.
#pragma once

#include <cstdint>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

/// What `scan_json` meets, in order. Names are valid until the scan ends, text until the next
/// event.
class JsonEvents {
public:
    JsonEvents() = default;
    JsonEvents(const JsonEvents&) = delete;
    JsonEvents& operator=(const JsonEvents&) = delete;
    virtual ~JsonEvents() = default;

    virtual void start_object() = 0;
    virtual void end_object() = 0;
    virtual void start_array() = 0;
    virtual void end_array() = 0;
    virtual void key(std::string_view name) = 0;
    virtual void string(std::string_view text) = 0;
    virtual void integer(std::int64_t number) = 0;
    virtual void boolean(bool) { other(); }
    /// null, a fraction, or an integer beyond 64 bits; true and false where `boolean` is not told.
    virtual void other() = 0;
};

/// Whether `json` is one JSON document (RFC 8259; a byte order mark is passed over). The events
/// before a fault are reported. Memory does not grow with the size of the document, apart from one
/// byte for each level of nesting and what names with escapes take.
TWILIOWA_EXPORT bool scan_json(std::string_view json, JsonEvents& events);

}  // namespace twiliowa::detail
