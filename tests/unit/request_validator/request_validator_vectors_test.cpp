#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include <twiliowa/request_validator.hpp>

#include "support/form.hpp"
#include "support/skip.hpp"

namespace request_validator_vectors_test {

using namespace twiliowa;

namespace {

/// Signatures that Twilio's own libraries publish; not part of this tree.
std::filesystem::path vectors_file() {
    const char* shared = std::getenv("TWILIOWA_SHARED");
    const std::filesystem::path base =
        shared != nullptr ? std::filesystem::path(shared)
                          : std::filesystem::path(TWILIOWA_TEST_DATA) / "../../../shared";
    return base / "twilio/signature_vectors.json";
}

std::string form_of(const nlohmann::json& vector) {
    if (vector.contains("raw_form_body")) return vector["raw_form_body"];
    std::string body;
    for (const auto& pair : vector["params"]) {
        test::append_form_field(body, pair[0].get<std::string>(), pair[1].get<std::string>());
    }
    return body;
}

}  // namespace

TEST_CASE("every published signature gets the verdict that is published with it") {
    std::ifstream file(vectors_file());
    if (!file) {
        test::skip("there are no published signatures beside this tree");
        return;
    }
    const auto document = nlohmann::json::parse(file);
    int valid = 0;
    int invalid = 0;
    for (const auto& vector : document["vectors"]) {
        const std::string id = vector["id"];
        CAPTURE(id);
        const bool is_form = vector["kind"] == "form";
        const std::string url = vector["url"];
        const std::string signature = vector["expected_signature"];
        const std::string body = is_form ? form_of(vector) : vector["body"].get<std::string>();
        const RequestValidator validator{vector["auth_token"].get<std::string>()};
        const SignedRequest request{
            .url = url,
            .content_type =
                is_form ? "application/x-www-form-urlencoded; charset=UTF-8" : "application/json",
            .body = body,
            .signature = signature};

        const bool expected = vector["expect_valid"];
        const auto verdict = validator.check(request);
        CHECK_MESSAGE(verdict.ok() == expected, to_string(verdict.reason));
        CHECK(validator.validate(request) == expected);
        if (expected && vector["url_actually_signed"] == url) {
            CHECK(validator.sign(request) == signature);
        }
        ++(expected ? valid : invalid);
    }
    CHECK(valid == 42);
    CHECK(invalid == 13);
}

}  // namespace request_validator_vectors_test
