/// @file
/// Environment variables, for as long as a test needs them.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace twiliowa::test {

/// CurlTransport reads the environment when it is made, and never again: construct it while this
/// lives, and nothing else. Restores what was there.
class EnvironmentVariables {
public:
    explicit EnvironmentVariables(const std::vector<std::pair<std::string, std::string>>& given) {
        for (const auto& [name, value] : given) {
            const char* const before = std::getenv(name.c_str());
            if (before != nullptr) before_.emplace_back(name, before);
            names_.push_back(name);
            setenv(name.c_str(), value.c_str(), 1);
        }
    }
    ~EnvironmentVariables() {
        for (const auto& name : names_) unsetenv(name.c_str());
        for (const auto& [name, value] : before_) setenv(name.c_str(), value.c_str(), 1);
    }
    EnvironmentVariables(const EnvironmentVariables&) = delete;
    EnvironmentVariables& operator=(const EnvironmentVariables&) = delete;

private:
    std::vector<std::string> names_;
    std::vector<std::pair<std::string, std::string>> before_;
};

}  // namespace twiliowa::test
