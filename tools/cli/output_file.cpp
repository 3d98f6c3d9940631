#include "output_file.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <twiliowa/types/error.hpp>

namespace cli {

namespace {

bool holds(const std::string& file, std::string_view text) {
    const std::ifstream opened{file, std::ios::binary};
    std::ostringstream held;
    if (opened) held << opened.rdbuf();
    return opened && held.str() == text;
}

}  // namespace

bool write_file(const std::string& file, std::string_view text, std::string_view option) {
    if (holds(file, text)) return false;
    const auto written = file + ".new";
    std::ofstream out{written, std::ios::binary};
    out << text;
    out.close();
    std::error_code failed;
    if (out) std::filesystem::rename(written, file, failed);
    if (out && !failed) return true;
    std::error_code ignored;
    std::filesystem::remove(written, ignored);
    twiliowa::Error::invalid_request(option, "cannot be written").raise();
}

}  // namespace cli
