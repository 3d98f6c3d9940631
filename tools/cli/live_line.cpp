#include "live_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "layout.hpp"

namespace cli {

namespace {

/// The longest beginning of `text` that is no wider than the terminal: a line that wraps could not
/// be written anew.
std::string_view cut_to_terminal(std::string_view text, int descriptor) {
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return text;
    std::size_t width = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U;
        if (begins && width == size.ws_col) return text.substr(0, i);
        if (begins) ++width;
    }
    return text;
}

}  // namespace

LiveLine::LiveLine(std::ostream& out, int descriptor)
    : out_(out), descriptor_(descriptor), on_terminal_(::isatty(descriptor) != 0) {}

LiveLine::~LiveLine() {
    if (has_line_) out_ << '\n' << std::flush;
}

void LiveLine::show(std::string_view text) {
    if (!on_terminal_) return;
    const auto line = printable(text);
    out_ << '\r' << cut_to_terminal(line, descriptor_) << "\033[K" << std::flush;
    has_line_ = true;
}

void LiveLine::clear() {
    if (has_line_) out_ << "\r\033[K" << std::flush;
    has_line_ = false;
}

}  // namespace cli
