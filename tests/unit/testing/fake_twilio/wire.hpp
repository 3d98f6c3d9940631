/// @file
/// Requests as they come over the wire, to a FakeTwilio with its demo account.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "text/form.hpp"

namespace fake_test {

using Form = std::vector<std::pair<std::string, std::string>>;

inline const std::string account{twiliowa::testing::FakeTwilio::demo_account_sid};
inline const std::string sender{twiliowa::testing::FakeTwilio::demo_sender};
inline const std::string service{twiliowa::testing::FakeTwilio::demo_messaging_service_sid};
inline const std::string content{twiliowa::testing::FakeTwilio::demo_content_sid};
inline const std::string recipient = "whatsapp:+447700900123";
inline const std::string messages_path = "/2010-04-01/Accounts/" + account + "/Messages.json";

inline std::string message_path(const std::string& sid, const std::string& rest = {}) {
    return "/2010-04-01/Accounts/" + account + "/Messages/" + sid + rest + ".json";
}

inline Form text_form() {
    return {{"To", recipient}, {"From", sender}, {"Body", "Hello"}};
}

/// The form with one parameter set to another value, or left out when that is empty.
inline Form with(Form form, const std::string& name, const std::string& value) {
    form.erase(std::remove_if(form.begin(), form.end(),
                              [&](const auto& entry) { return entry.first == name; }),
               form.end());
    if (!value.empty()) form.emplace_back(name, value);
    return form;
}

inline Form template_form(const std::string& variables = {}) {
    return with({{"To", recipient}, {"From", sender}, {"ContentSid", content}}, "ContentVariables",
                variables);
}

struct Twilio {
    std::shared_ptr<twiliowa::testing::FakeTwilio> fake =
        twiliowa::testing::FakeTwilio::with_account();

    twiliowa::HttpRequest request(twiliowa::HttpMethod method, const std::string& path,
                                  std::string body = {}) const {
        twiliowa::HttpRequest request;
        request.method = method;
        request.url = "https://api.twilio.com" + path;
        request.authorization = fake->credentials().authorization();
        request.body = std::move(body);
        return request;
    }
    twiliowa::HttpResponse get(const std::string& path) const {
        return fake->handle(request(twiliowa::HttpMethod::get, path));
    }
    twiliowa::HttpResponse remove(const std::string& path) const {
        return fake->handle(request(twiliowa::HttpMethod::delete_, path));
    }
    twiliowa::HttpResponse post(const std::string& path, const Form& form) const {
        std::string body;
        for (const auto& [name, value] : form)
            twiliowa::detail::append_form_field(body, name, value);
        return fake->handle(request(twiliowa::HttpMethod::post, path, body));
    }
    twiliowa::HttpResponse create(const Form& form) const { return post(messages_path, form); }
    nlohmann::json created(const Form& form) const {
        const auto response = create(form);
        REQUIRE_MESSAGE(response.status == 201, response.body);
        return nlohmann::json::parse(response.body);
    }
    std::string created_sid(const Form& form) const { return created(form)["sid"]; }
    nlohmann::json listed(const std::string& query = {}) const {
        const auto response = get(messages_path + query);
        REQUIRE_MESSAGE(response.status == 200, response.body);
        return nlohmann::json::parse(response.body);
    }
    twiliowa::testing::ManualClock& clock() const {
        return dynamic_cast<twiliowa::testing::ManualClock&>(*fake->clock());
    }
};

inline void check_refused(const twiliowa::HttpResponse& response, int status, int code) {
    CAPTURE(response.body);
    CHECK(response.status == status);
    auto body = nlohmann::json::parse(response.body);  // not const: a name may be missing
    CHECK(body["code"] == code);
    CHECK(body["status"] == status);
    CHECK(body["message"].is_string());
    CHECK(body["more_info"] == "https://www.twilio.com/docs/errors/" + std::to_string(code));
    CHECK(response.header("Content-Type") == "application/json");
    CHECK(response.header("Twilio-Request-Id").size() == 34);
}

inline std::vector<std::string> sids_of(const nlohmann::json& page) {
    std::vector<std::string> sids;
    for (const auto& message : page["messages"]) sids.push_back(message["sid"]);
    return sids;
}

}  // namespace fake_test
