#include <openssl/evp.h>

#include <string>
#include <string_view>

#include "page.hpp"
#include "text/base64.hpp"

namespace emulator {

namespace {

std::string sha256_source(std::string_view text) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                   EVP_sha256(), nullptr) != 1) {
        return "'none'";
    }
    std::string source = "'sha256-";
    twiliowa::detail::append_base64(source, std::string_view{digest}.substr(0, size));
    return source + "'";
}

/// The text of the page's only element of that name, which has no attributes.
std::string_view element_text(std::string_view name) {
    const std::string_view page{page_html, page_html_size};
    const auto open = "\n<" + std::string{name} + ">";
    const auto begin = page.find(open);
    const auto end = page.find("</" + std::string{name} + ">", begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return {};
    return page.substr(begin + open.size(), end - begin - open.size());
}

}  // namespace

const std::string& page_policy() {
    static const std::string policy =
        "default-src 'none'; script-src " + sha256_source(element_text("script")) + "; style-src " +
        sha256_source(element_text("style")) +
        "; img-src http: https: data:; media-src http: https:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    return policy;
}

}  // namespace emulator
