#include "output.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "layout.hpp"

namespace cli {

namespace {

bool shows_colours(int descriptor) {
    const char* const refused = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    return (refused == nullptr || *refused == '\0') && isatty(descriptor) != 0 &&
           terminal != nullptr && std::string_view{terminal} != "dumb";
}

std::string in_colour(Colour colour, std::string_view text) {
    const char* const code = colour == Colour::red      ? "31"
                             : colour == Colour::yellow ? "33"
                             : colour == Colour::green  ? "32"
                                                        : "0";
    return std::string{"\033["}.append(code).append("m").append(text).append("\033[0m");
}

std::string text_of(const nlohmann::ordered_json& json, int indent = 2) {
    return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace

Output::Output(bool json) : json_(json), colours_(!json && shows_colours(STDOUT_FILENO)) {}

void Output::result(const nlohmann::ordered_json& json, std::string_view text) {
    if (json_) {
        std::cout << text_of(json);
    } else {
        std::cout << text;
    }
}

void Output::line(const nlohmann::ordered_json& json, std::string_view text) {
    expect_lines();
    if (json_) {
        std::cout << text_of(json, -1);
    } else {
        std::cout << text;
    }
}

void Output::note(std::string_view text) {
    std::cerr << printable(text) << '\n';
}

void Output::failure(const Failure& failure) {
    if (json_) {
        std::cout << text_of(to_json(failure), lines_ ? -1 : 2);
        return;
    }
    const std::string name = "twiliowa:";
    std::cerr << (shows_colours(STDERR_FILENO) ? in_colour(Colour::red, name) : name) << ' '
              << printable(failure.message) << '\n';
    // What the library says of its own errors holds the way out already.
    if (!failure.advice.empty() && failure.message.find(failure.advice) == std::string::npos) {
        std::cerr << "          " << printable(failure.advice) << '\n';
    }
}

std::string Output::paint(Colour colour, std::string_view text) const {
    return colours_ && colour != Colour::plain ? in_colour(colour, text) : std::string{text};
}

bool Output::flush() {
    std::cout.flush();
    return static_cast<bool>(std::cout);
}

}  // namespace cli
