#include "command_line.hpp"

#include <optional>
#include <utility>

namespace tools {

void CommandLine::add_flag(std::string name, std::function<void()> take) {
    options_.insert_or_assign(
        std::move(name),
        Option{.has_value = false, .take = [take = std::move(take)](const auto&) { take(); }});
}

void CommandLine::add(std::string name, TakeValue take) {
    options_.insert_or_assign(std::move(name), Option{.take = std::move(take)});
}

std::vector<std::string> CommandLine::parse(int argc, const char* const* argv) const {
    for (int i = 1; i < argc; ++i) {
        std::string name = argv[i];
        if (name == "--") return {argv + i + 1, argv + argc};
        std::optional<std::string> value;
        if (const auto equals = name.find('='); equals != std::string::npos) {
            value = name.substr(equals + 1);
            name.resize(equals);
        }
        const auto known = options_.find(name);
        if (known == options_.end()) throw UsageError{"unknown option '" + name + "'"};
        if (!known->second.has_value) {
            if (value) throw UsageError{name + " takes no value"};
            known->second.take({});
            continue;
        }
        if (!value && i + 1 < argc) value = argv[++i];
        if (!value || value->empty()) throw UsageError{name + " needs a value"};
        known->second.take(*value);
    }
    return {};
}

}  // namespace tools
