// Prints docs/error-catalogue.md. After a change of the catalogue:
//   build/dev/tests/programs/docs_error_catalogue > docs/error-catalogue.md
#include <cstdio>
#include <string>

#include <twiliowa/types/error_advice.hpp>

int main() {
    std::puts("# Error catalogue\n");
    std::printf(
        "What `twiliowa::advise(code)` knows: %zu codes. Made from the code; do not edit.\n",
        twiliowa::error_catalogue().size());
    std::puts("What the categories and the words of \"again?\" mean: [errors](errors.md).\n");
    std::puts("| code | what happened | category | again? | what to do |\n|---|---|---|---|---|");
    for (const auto& entry : twiliowa::error_catalogue()) {
        std::printf("| %d | %s | %s | %s | %s |\n", entry.code, std::string(entry.title).c_str(),
                    std::string(to_string(entry.category)).c_str(),
                    std::string(to_string(entry.retry)).c_str(), std::string(entry.advice).c_str());
    }
}
