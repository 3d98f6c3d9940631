// The message that every benchmark sends, and who sends it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <twiliowa/twiliowa.hpp>

namespace benchmark_support {

inline twiliowa::MessagesClient sample_client(std::shared_ptr<twiliowa::HttpTransport> transport,
                                              std::string base_url = {}) {
    twiliowa::ClientOptions options;
    options.from = "+14155238886";
    options.base_url = std::move(base_url);
    options.transport = std::move(transport);
    return twiliowa::MessagesClient(
        twiliowa::Credentials::auth_token("AC00000000000000000000000000000001",
                                          "0123456789abcdef0123456789abcdef"),
        std::move(options));
}

inline twiliowa::OutboundTemplate sample_message() {
    return {.to = "+447700900123",
            .content_sid = "HX00000000000000000000000000000001",
            .variables = {{"1", "Lee"}, {"2", "A-1042"}}};
}

/// Answers nothing and keeps what it was given: what the library puts on the wire.
struct Capture final : twiliowa::HttpTransport {
    twiliowa::HttpRequest request = {};
    twiliowa::Result<twiliowa::HttpResponse> send(const twiliowa::HttpRequest& sent,
                                                  const twiliowa::CallContext&) override {
        request = sent;
        return twiliowa::HttpResponse{201, {}, R"({"sid":"SM00000000000000000000000000000001"})"};
    }
};

inline twiliowa::HttpRequest sample_request(const std::string& base_url) {
    const auto capture = std::make_shared<Capture>();
    sample_client(capture, base_url).send_template(sample_message());
    return capture->request;
}

}  // namespace benchmark_support
