// URLs taken apart for a signature: the pieces are the text, whatever it is, and spellings of the
// query change nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/url.hpp"
#include "request_validator/signature_url.hpp"

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa::detail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto whole = without_fragment(text);
    expect(whole.find('#') == std::string_view::npos && text.substr(0, whole.size()) == whole);
    const auto url = split_url(text);
    if (!url) return 0;
    std::string again(url->origin);
    again.append(url->port).append(url->rest);
    expect(again == whole);
    expect(!url->host.empty() && url->origin.ends_with(url->host));
    const auto ports = ports_to_try(*url);
    expect(ports.count >= 1 && ports.count <= ports.list.size() && *ports.begin() == url->port);
    const auto query = url->query();
    expect(whole.ends_with(query));
    static_cast<void>(raw_query_value(query, "bodySHA256"));
    const auto respelled = respell_query(url->rest, "'", "%27");
    if (!respelled.empty()) {
        const auto path = url->rest.size() - query.size();
        expect(respelled.substr(0, path) == url->rest.substr(0, path));
        expect(respelled.find('\'', path) == std::string::npos);
    }
    return 0;
}
