#include "types/whole_file.hpp"

#include <algorithm>
#include <array>
#include <fstream>

namespace twiliowa::detail {

Result<std::string> read_whole_file(const std::string& path, std::size_t most_mebibytes) {
    std::ifstream file{path, std::ios::binary};
    std::string text;
    std::array<char, 16'384> part{};
    const auto most = most_mebibytes << 20U;
    while (file) {
        file.read(part.data(), part.size());
        text.append(part.data(), static_cast<std::size_t>(file.gcount()));
        if (text.size() > most) {
            return Error::invalid_request(
                "path", "is a file of more than " + std::to_string(most_mebibytes) + " MiB");
        }
    }
    if (!file.eof()) return Error::invalid_request("path", "is not a file that can be read");
    return text;
}

}  // namespace twiliowa::detail
