#include "content/content_urls.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <twiliowa/types/placeholders.hpp>

#include "content/variable_text.hpp"
#include "net/ip.hpp"
#include "net/url.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// Where the domain ends.
std::size_t end_of_domain(std::string_view url) noexcept {
    const auto colon = url.find("://");
    const auto start = colon == std::string_view::npos ? 0 : colon + 3;
    return std::min(url.find_first_of("/?#", start), url.size());
}

std::string_view problem_with_any_values(std::string_view url) {
    return web_url_problem(
        with_values(url, [](std::string_view) { return std::string_view("x"); }));
}

bool has_variable_in_domain(std::string_view url) {
    const auto domain = end_of_domain(url);
    for (const auto& each : placeholders_of(url)) {
        if (!each.name.empty() && each.begin <= domain) return true;
    }
    return false;
}

/// Names that are of no server on the internet (RFC 6761, RFC 6762, RFC 9476 and custom).
bool is_private_host(std::string_view host) noexcept {
    constexpr std::array<std::string_view, 7> endings{
        ".local", ".localhost", ".internal", ".invalid", ".test", ".lan", ".home.arpa"};
    const bool in_brackets = host.starts_with('[') && host.ends_with(']');
    if (in_brackets) host = host.substr(1, host.size() - 2);
    if (in_brackets || parse_ip_address(host)) return !is_public_address(host);
    while (host.ends_with('.')) host.remove_suffix(1);
    return host.find('.') == std::string_view::npos ||
           std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
               return host.size() > ending.size() &&
                      equals_ignoring_case(host.substr(host.size() - ending.size()), ending);
           });
}

}  // namespace

std::string_view button_url_problem(std::string_view url) {
    const auto problem = problem_with_any_values(url);
    if (!problem.empty()) return problem;
    std::vector<Placeholder> variables;
    for (const auto& each : placeholders_of(url)) {
        if (!each.name.empty()) variables.push_back(each);
    }
    if (variables.empty()) return {};
    if (variables.size() > 1) return "has more than one variable";
    if (has_variable_in_domain(url)) return "has a variable in its domain";
    if (variables.front().end != url.size()) return "has a variable that is not at its end";
    return url[variables.front().begin - 1] == '/' ? std::string_view{}
                                                   : "has a variable that is not after a slash";
}

std::string_view media_url_problem(std::string_view url) {
    // Of a URL that begins with a variable nothing is to be seen.
    if (has_variable_in_domain(url)) return "has a variable in its domain";
    return problem_with_any_values(url);
}

std::string_view called_url_problem(std::string_view url) noexcept {
    const auto problem = web_url_problem(url);
    if (!problem.empty()) return problem;
    return is_private_host(host_and_port(url).host)
               ? std::string_view("leads to no server on the internet")
               : std::string_view{};
}

std::string file_ending_of(std::string_view url) {
    constexpr std::size_t longest = 5;
    auto path = url.substr(0, url.find_first_of("?#"));
    path.remove_prefix(std::min(end_of_domain(path), path.size()));
    const auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return {};
    const auto ending = name.substr(dot);
    const auto letters = ending.substr(1);
    const bool plain = !letters.empty() && letters.size() <= longest &&
                       std::all_of(letters.begin(), letters.end(), is_letter_or_digit);
    if (!plain) return {};
    std::string lower(ending);
    std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
    return lower;
}

bool is_known_file_ending(std::string_view ending) noexcept {
    constexpr std::array<std::string_view, 27> known{
        ".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tiff", ".svg", ".heic",
        ".mp4", ".3gp",  ".mov", ".avi", ".mkv",  ".mp3", ".ogg",  ".amr", ".aac",
        ".m4a", ".wav",  ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".txt", ".vcf"};
    return std::find(known.begin(), known.end(), ending) != known.end();
}

bool is_phone_number(std::string_view text) noexcept {
    constexpr std::size_t longest = 15;
    if (!text.starts_with('+')) return false;
    text.remove_prefix(1);
    return !text.empty() && text.size() <= longest && text.front() != '0' &&
           std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace twiliowa::detail
