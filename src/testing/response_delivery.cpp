#include "testing/response_delivery.hpp"

#include <utility>

#include "types/unsent_error.hpp"

namespace twiliowa::testing::shared {

Error cancelled_before_start() {
    return detail::unsent_error(ErrorKind::cancelled, "cancelled before the request left");
}

Error no_answer_in_time() {
    return Error{{.kind = ErrorKind::timeout,
                  .effect = Effect::unknown,
                  .stage = Stage::receive,
                  .summary = "out of time waiting for the answer"}};
}

std::optional<Error> refusal_to_start(const CallContext& context, MonotonicTime now) {
    if (context.cancel.is_cancelled()) return cancelled_before_start();
    if (now >= context.deadline) {
        return detail::unsent_error(ErrorKind::timeout, "out of time before the request left");
    }
    return std::nullopt;
}

Result<HttpResponse> deliver_response(HttpResponse response, const CallContext& context) {
    if (response.body.size() > context.max_response_bytes) {
        return Error{{.kind = ErrorKind::transport,
                      .effect = Effect::unknown,
                      .stage = Stage::receive,
                      .summary = "the answer is larger than allowed",
                      .field = "max_response_bytes"}};
    }
    if (context.body_sink && response.status >= 200 && response.status < 300) {
        if (!response.body.empty() && !context.body_sink(response.body)) {
            return Error::transport(Effect::unknown, Stage::receive,
                                    "the receiver of the answer stopped it");
        }
        response.body.clear();
    }
    return response;
}

}  // namespace twiliowa::testing::shared
