// What a store holds of a customer's dialogue.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "outbox/dialogue_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa::detail;
    const auto record = parse_dialogue(std::string_view{reinterpret_cast<const char*>(data), size});
    // What was read is written, and reads the same again.
    if (record && parse_dialogue(dialogue_text(*record)) != record) std::abort();
    return 0;
}
