// From process start to the first message, with the library: start_library <ca file> <base URL>
#include <cstdio>
#include <memory>

#include "sample.hpp"

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    twiliowa::CurlOptions options;
    options.ca_file = argv[1];
    const auto client = benchmark_support::sample_client(
        std::make_shared<twiliowa::CurlTransport>(options), argv[2]);
    const auto sent = client.try_send_template(benchmark_support::sample_message());
    if (sent) return 0;
    std::fprintf(stderr, "%s\n", sent.error().what().c_str());
    return 1;
}
