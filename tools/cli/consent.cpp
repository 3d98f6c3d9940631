#include "consent.hpp"

#include <unistd.h>

#include <iostream>

#include "failure.hpp"
#include "layout.hpp"

namespace cli {

bool agrees(const std::string& question, const std::string& help) {
    if (::isatty(STDIN_FILENO) == 0) {
        throw usage_failure("--yes is missing, and there is no terminal to ask on", help);
    }
    std::cerr << printable(question) << " [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace cli
