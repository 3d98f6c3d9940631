#include <twiliowa/webhook/parse_webhook.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "support/form.hpp"

namespace parse_webhook_test {

using namespace twiliowa;

namespace {

const std::string sid = "SM0123456789abcdef0123456789abcdef";
const std::string account = "AC0123456789abcdef0123456789abcdef";

std::string encode(const WebhookParameters& fields) {
    std::string body;
    for (const auto& [name, value] : fields) test::append_form_field(body, name, value);
    return body;
}

/// What Twilio sends with every inbound message, and `more`.
std::string inbound_form(const WebhookParameters& more = {}) {
    WebhookParameters fields{{"SmsMessageSid", sid},          {"NumMedia", "0"},
                             {"ProfileName", "Lee"},          {"SmsSid", sid},
                             {"WaId", "447700900123"},        {"SmsStatus", "received"},
                             {"To", "whatsapp:+14155238886"}, {"NumSegments", "1"},
                             {"ReferralNumMedia", "0"},       {"MessageSid", sid},
                             {"AccountSid", account},         {"From", "whatsapp:+447700900123"},
                             {"ApiVersion", "2010-04-01"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return encode(fields);
}

std::string status(const WebhookParameters& more = {}) {
    WebhookParameters fields{{"SmsSid", sid},
                             {"MessageSid", sid},
                             {"AccountSid", account},
                             {"From", "whatsapp:+14155238886"},
                             {"To", "whatsapp:+447700900123"},
                             {"ChannelPrefix", "whatsapp"},
                             {"ApiVersion", "2010-04-01"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return encode(fields);
}

InboundMessage message_of(const std::string& form) {
    return std::get<InboundMessage>(parse_webhook_form(form).value());
}

StatusCallback status_of(const std::string& form) {
    return std::get<StatusCallback>(parse_webhook_form(form).value());
}

}  // namespace

TEST_CASE("a text is an inbound message with who, what and to whom") {
    const auto message = message_of(inbound_form({{"Body", "Hi \xf0\x9f\x98\x80 & bye"}}));
    CHECK(message.sid.str() == sid);
    CHECK(message.account_sid.str() == account);
    CHECK(message.from == "whatsapp:+447700900123");
    CHECK(message.to == "whatsapp:+14155238886");
    CHECK(message.body == "Hi \xf0\x9f\x98\x80 & bye");
    CHECK(message.profile_name == "Lee");
    CHECK(message.wa_id == "447700900123");
    CHECK(message.media.empty());
    CHECK_FALSE(message.location);
    CHECK_FALSE(message.button);
    CHECK_FALSE(message.list);
    CHECK_FALSE(message.referral);
    CHECK_FALSE(message.reply_to);
    CHECK_FALSE(message.forwarded);
    CHECK(message.opt_out_type.empty());
    CHECK(message.button_answer().empty());
}

TEST_CASE("what is not known is kept") {
    const auto message = message_of(inbound_form(
        {{"Body", "Hi"}, {"Novelty", "1"}, {"Novelty", "2"}, {"Body", "second body"}}));
    CHECK(message.body == "Hi");
    CHECK(message.parameter("Novelty") == "1");
    CHECK(message.parameter("ApiVersion") == "2010-04-01");
    CHECK(message.parameter("Body") == "second body");
    CHECK(message.parameter("absent").empty());
    CHECK(std::count(message.other.begin(), message.other.end(),
                     std::pair<std::string, std::string>{"Novelty", "2"}) == 1);
    CHECK(status_of(status({{"MessageStatus", "sent"}, {"Novelty", "1"}})).parameter("Novelty") ==
          "1");
}

TEST_CASE("media come in the order of their numbers, whatever NumMedia says") {
    const auto message = message_of(inbound_form({{"Body", ""},
                                                  {"MediaUrl10", "https://x/10"},
                                                  {"MediaUrl2", "https://x/2"},
                                                  {"MediaContentType2", "image/png"},
                                                  {"MediaUrl0", "https://x/0"},
                                                  {"MediaContentType0", "image/jpeg"},
                                                  {"MediaUrlX", "not a number"},
                                                  {"MediaUrl0", "again"}}));
    REQUIRE(message.media.size() == 3);
    CHECK(message.media[0].url == "https://x/0");
    CHECK(message.media[0].content_type == "image/jpeg");
    CHECK(message.media[1].url == "https://x/2");
    CHECK(message.media[1].content_type == "image/png");
    CHECK(message.media[2].url == "https://x/10");
    CHECK(message.media[2].content_type.empty());
    CHECK(message.parameter("MediaUrlX") == "not a number");
    CHECK(message.parameter("MediaUrl0") == "again");
    CHECK(message_of(inbound_form({{"Body", ""}, {"MediaUrl99999999999999999999", "u"}}))
              .media.empty());
}

TEST_CASE("what contradicts the value that is used is kept") {
    const auto message = message_of(encode({{"MessageSid", sid},
                                            {"SmsSid", "SM" + std::string(32, 'f')},
                                            {"SmsMessageSid", sid},
                                            {"From", "whatsapp:+447700900123"},
                                            {"Body", ""},
                                            {"NumMedia", "3"},
                                            {"MediaUrl1", "https://x/1"},
                                            {"MediaContentType0", "image/png"}}));
    CHECK(message.sid.str() == sid);
    CHECK(message.parameter("SmsSid") == "SM" + std::string(32, 'f'));
    CHECK(message.parameter("SmsMessageSid").empty());
    CHECK(message.media.size() == 1);
    CHECK(message.parameter("NumMedia") == "3");
    CHECK(message.parameter("MediaContentType0") == "image/png");
    const auto callback = status_of(status({{"MessageStatus", "read"}, {"SmsStatus", "sent"}}));
    CHECK(callback.status.str() == "read");
    CHECK(callback.parameter("SmsStatus") == "sent");
    CHECK(status_of(status({{"SmsStatus", "sent"}})).parameter("SmsStatus").empty());
}

TEST_CASE("a location needs two angles, or stays what it was") {
    const auto message = message_of(inbound_form({{"Body", "Office"},
                                                  {"Latitude", "51.5007"},
                                                  {"Longitude", "-0.1246"},
                                                  {"Address", "Westminster"},
                                                  {"Label", "Big Ben"}}));
    REQUIRE(message.location);
    CHECK(message.location->latitude == doctest::Approx(51.5007));
    CHECK(message.location->longitude == doctest::Approx(-0.1246));
    CHECK(message.location->address == "Westminster");
    CHECK(message.location->label == "Big Ben");
    for (const auto* bad : {"", "north", "nan", "inf", "90.5", "1e400", "51.5x"}) {
        CAPTURE(bad);
        const auto other =
            message_of(inbound_form({{"Body", ""}, {"Latitude", bad}, {"Longitude", "-0.1246"}}));
        CHECK_FALSE(other.location);
        CHECK(other.parameter("Latitude") == bad);
        CHECK(other.parameter("Longitude") == "-0.1246");
    }
}

TEST_CASE("a button's answer is its payload, then its text, then the body") {
    const auto all = message_of(
        inbound_form({{"Body", "Yes please"}, {"ButtonText", "Yes"}, {"ButtonPayload", "yes-1"}}));
    CHECK(all.button_answer() == "yes-1");
    CHECK(all.button->text == "Yes");
    CHECK(message_of(inbound_form({{"Body", "b"}, {"ButtonText", "Yes"}})).button_answer() ==
          "Yes");
    CHECK(message_of(inbound_form({{"Body", "Yes"}, {"MessageType", "button"}})).button_answer() ==
          "Yes");
    CHECK_FALSE(message_of(inbound_form({{"Body", "Yes"}, {"MessageType", "text"}})).button);
}

TEST_CASE("a button's type is kept, and a reply makes a button though its text is the body alone") {
    const auto reply = message_of(inbound_form({{"Body", "Yes"}, {"ButtonType", "REPLY"}}));
    CHECK(reply.button_type == ButtonType::reply);
    CHECK(reply.button_answer() == "Yes");
    const auto action = message_of(inbound_form({{"Body", "Share"}, {"ButtonType", "ACTION"}}));
    CHECK(action.button_type == ButtonType::action);
    CHECK_FALSE(action.button);
    CHECK(message_of(inbound_form({{"Body", "x"}, {"ButtonType", "SWIPE"}})).button_type.str() ==
          "SWIPE");
}

TEST_CASE("lists, flows, referrals, replies and forwards are told apart") {
    const auto list =
        message_of(inbound_form({{"Body", "Tea"}, {"ListId", "tea"}, {"ListTitle", "Tea"}}));
    REQUIRE(list.list);
    CHECK(list.list->id == "tea");
    CHECK(list.list->title == "Tea");

    CHECK(message_of(inbound_form({{"Body", ""}, {"InteractiveData", "{\"a\":1}"}}))
              .interactive_data == "{\"a\":1}");
    const auto flow = message_of(inbound_form({{"Body", ""}, {"FlowData", "{\"a\":1}"}}));
    CHECK(flow.flow_data == "{\"a\":1}");
    CHECK(flow.interactive_data.empty());
    CHECK(flow.parameter("FlowData").empty());

    const auto ad = message_of(inbound_form({{"Body", "Hi"},
                                             {"ReferralBody", ""},
                                             {"ReferralHeadline", "Sale"},
                                             {"ReferralSourceId", "1"},
                                             {"ReferralSourceType", "ad"},
                                             {"ReferralSourceUrl", "https://fb.me/1"},
                                             {"ReferralCtwaClid", "c"}}));
    REQUIRE(ad.referral);
    CHECK(ad.referral->headline == "Sale");
    CHECK(ad.referral->source_type == "ad");
    CHECK(ad.referral->click_id == "c");
    CHECK_FALSE(message_of(inbound_form({{"Body", "Hi"}, {"ReferralBody", ""}})).referral);

    const auto reply = message_of(inbound_form({{"Body", "Hi"},
                                                {"OriginalRepliedMessageSender", "whatsapp:+1"},
                                                {"OriginalRepliedMessageSid", sid}}));
    REQUIRE(reply.reply_to);
    CHECK(reply.reply_to->message_sid.str() == sid);

    const auto forwarded =
        message_of(inbound_form({{"Body", "Hi"}, {"Forwarded", "true"}, {"OptOutType", "STOP"}}));
    CHECK(forwarded.forwarded);
    CHECK_FALSE(forwarded.frequently_forwarded);
    CHECK(forwarded.opt_out_type == OptOutType::stop);
}

TEST_CASE("an identity need not be a phone number") {
    auto form = encode({{"MessageSid", sid},
                        {"AccountSid", account},
                        {"From", "whatsapp:US.4566546130240823"},
                        {"To", "whatsapp:+14155238886"},
                        {"Body", "Hi"},
                        {"ExternalUserId", "whatsapp:ID.4566546130240823"}});
    const auto message = message_of(form);
    CHECK(message.from == "whatsapp:US.4566546130240823");
    CHECK(message.wa_id.empty());
    CHECK(message.external_user_id == "whatsapp:ID.4566546130240823");
    CHECK(message.parent_external_user_id.empty());
}

TEST_CASE("messages and statuses name the customer's user id, and that of linked portfolios") {
    const auto message = message_of(inbound_form({{"Body", "Hi"},
                                                  {"ExternalUserId", "whatsapp:US.4f1a"},
                                                  {"ParentExternalUserId", "whatsapp:US.ENT.4f"}}));
    CHECK(message.external_user_id == "whatsapp:US.4f1a");
    CHECK(message.parent_external_user_id == "whatsapp:US.ENT.4f");
    CHECK(message.parameter("ParentExternalUserId").empty());
    const auto callback = status_of(status({{"MessageStatus", "read"},
                                            {"ExternalUserId", "whatsapp:US.4f1a"},
                                            {"ParentExternalUserId", "whatsapp:US.ENT.4f"}}));
    CHECK(callback.external_user_id == "whatsapp:US.4f1a");
    CHECK(callback.parent_external_user_id == "whatsapp:US.ENT.4f");
    CHECK(callback.parameter("ExternalUserId").empty());
}

TEST_CASE("a status callback has its status, its error and the catalogue's advice") {
    const auto failed = status_of(status({{"MessageStatus", "undelivered"},
                                          {"SmsStatus", "undelivered"},
                                          {"ErrorCode", "63016"},
                                          {"ErrorMessage", "words"},
                                          {"ChannelStatusMessage", "more words"}}));
    CHECK(failed.sid.str() == sid);
    CHECK(failed.status == MessageStatus::undelivered);
    CHECK(failed.error_code == 63016);
    CHECK(failed.advice().category == ErrorCategory::window);
    CHECK(failed.channel_status_message == "more words");
    CHECK(failed.channel_prefix == "whatsapp");

    const auto read = status_of(
        status({{"EventType", "READ"}, {"MessageStatus", "read"}, {"SmsStatus", "read"}}));
    CHECK(read.status == MessageStatus::read);
    CHECK(read.event_type == "READ");
    CHECK(read.error_code == 0);

    CHECK(status_of(status({{"SmsStatus", "sent"}})).status == MessageStatus::sent);
    CHECK(status_of(status({{"MessageStatus", "teleported"}})).status.str() == "teleported");
    const auto odd = status_of(status({{"MessageStatus", "failed"}, {"ErrorCode", "many"}}));
    CHECK(odd.error_code == 0);
    CHECK(odd.parameter("ErrorCode") == "many");
}

TEST_CASE("anything else is an unknown webhook, with all it had") {
    const auto event = parse_webhook_form("AccountSid=" + account + "&Hello=World").value();
    const auto& unknown = std::get<UnknownWebhook>(event);
    CHECK(unknown.account_sid.str() == account);
    CHECK(unknown.sid.empty());
    REQUIRE(unknown.parameters.size() == 2);
    CHECK(unknown.parameters[1].second == "World");
    CHECK(std::holds_alternative<UnknownWebhook>(parse_webhook_form("").value()));
}

TEST_CASE("what is not UTF-8 is replaced, not passed on") {
    const auto message = message_of(inbound_form() + "&Body=a%ff%c3%28z");
    CHECK(message.body == "a\xef\xbf\xbd\xef\xbf\xbd(z");
}

TEST_CASE("a webhook that cannot be read is refused by name") {
    const auto field = [](const Result<WebhookEvent>& result) {
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == ErrorKind::invalid_request);
        return result.error().field();
    };
    CHECK(field(parse_webhook_form("From=a&Body=b&MessageSid=../../etc")) == "MessageSid");
    CHECK(field(parse_webhook_form("MessageStatus=sent")) == "MessageSid");
    std::string many;
    for (int i = 0; i < 1001; ++i) many += "a=b&";
    CHECK(field(parse_webhook_form(many)) == "body");

    WebhookRequest json;
    json.headers = {{"content-type", "application/json"}};
    json.body = "{}";
    CHECK(field(parse_webhook(json)) == "Content-Type");
}

TEST_CASE("what the validator takes for a form is read as one: blanks and tabs around the type") {
    for (const std::string type :
         {"application/x-www-form-urlencoded\t; charset=UTF-8",
          "\tapplication/x-www-form-urlencoded", " APPLICATION/x-www-form-urlencoded ;", "\t"}) {
        CAPTURE(type);
        WebhookRequest request;
        request.headers = {{"Content-Type", type}};
        request.body = inbound_form({{"Body", "Hi"}});
        const auto event = parse_webhook(request);
        REQUIRE(event);
        CHECK(std::get<InboundMessage>(*event).body == "Hi");
    }
}

TEST_CASE("a webhook comes in the body of a POST or the query of a GET") {
    WebhookRequest post;
    post.target = "/hook?Body=not-this";
    post.headers = {{"CONTENT-TYPE", "application/x-www-form-urlencoded; charset=UTF-8"}};
    post.body = inbound_form({{"Body", "Hi"}});
    CHECK(std::get<InboundMessage>(parse_webhook(post).value()).body == "Hi");

    WebhookRequest get;
    get.method = "GET";
    get.target = "/hook?" + inbound_form({{"Body", "Hi"}}) + "#rc=3";
    CHECK(std::get<InboundMessage>(parse_webhook(get).value()).body == "Hi");
    for (const auto* empty : {"/hook", "", "/hook?", "/hook#?From=a&Body=b&MessageSid="}) {
        get.target = empty;
        CHECK(std::get<UnknownWebhook>(parse_webhook(get).value()).parameters.empty());
    }
    get.target = "/hook";
    CHECK(std::holds_alternative<UnknownWebhook>(parse_webhook(get).value()));
}

TEST_CASE("of a GET or HEAD, however it is spelt, the body is not read: nothing signs it") {
    for (const std::string method : {"GET", "get", "Get", "HEAD", "head"}) {
        CAPTURE(method);
        WebhookRequest request;
        request.method = method;
        request.target = "/hook?a=1";
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
        request.body = inbound_form({{"Body", "forged"}});
        const auto event = parse_webhook(request).value();
        REQUIRE(std::holds_alternative<UnknownWebhook>(event));
        CHECK(std::get<UnknownWebhook>(event).parameters == WebhookParameters{{"a", "1"}});
    }
    WebhookRequest post;
    post.method = "post";
    post.body = inbound_form({{"Body", "Hi"}});
    CHECK(std::holds_alternative<InboundMessage>(parse_webhook(post).value()));
}

TEST_CASE("the URL's parameters are the event's query, whatever the event is") {
    WebhookRequest post;
    post.target = "/hook?job=17&note=a+b%26c#rc=3";
    post.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    const auto query_of = [](const WebhookRequest& request) {
        return std::visit([](const auto& event) { return event.query; },
                          parse_webhook(request).value());
    };
    const WebhookParameters expected{{"job", "17"}, {"note", "a b&c"}};
    post.body = inbound_form({{"Body", "Hi"}, {"job", "of the form"}});
    CHECK(query_of(post) == expected);
    const auto message = std::get<InboundMessage>(parse_webhook(post).value());
    CHECK(message.query_parameter("job") == "17");
    CHECK(message.parameter("job") == "of the form");
    CHECK(message.query_parameter("note2").empty());
    post.body = status({{"MessageStatus", "sent"}});
    CHECK(query_of(post) == expected);
    CHECK(std::get<StatusCallback>(parse_webhook(post).value()).query_parameter("job") == "17");
    post.body = "Hello=World";
    CHECK(query_of(post) == expected);
    CHECK(std::get<UnknownWebhook>(parse_webhook(post).value()).parameters.size() == 1);
    CHECK(std::visit([](const auto& event) { return event.query.empty(); },
                     parse_webhook_form(post.body).value()));
}

TEST_CASE("a webhook by GET has all of its parameters in its query") {
    WebhookRequest get;
    get.method = "GET";
    get.target = "/status?job=17&" + status({{"MessageStatus", "sent"}, {"job", "18"}});
    const auto callback = std::get<StatusCallback>(parse_webhook(get).value());
    CHECK(callback.query_parameter("job") == "17");
    CHECK(callback.query_parameter("MessageSid") == sid);
    CHECK(callback.parameter("job") == "17");
}

TEST_CASE("an odd query is read like an odd form") {
    WebhookRequest post;
    post.body = status({{"MessageStatus", "sent"}});
    const auto query_of = [&](const std::string& target) {
        post.target = target;
        return std::get<StatusCallback>(parse_webhook(post).value()).query;
    };
    for (const auto* none : {"", "/status", "/status?", "?", "/status?&&", "/status#?job=17"}) {
        CHECK(query_of(none).empty());
    }
    CHECK(query_of("/s?a&a=&a=1&a=2") ==
          WebhookParameters{{"a", ""}, {"a", ""}, {"a", "1"}, {"a", "2"}});
    CHECK(query_of("/s?=x&a=b=c?d") == WebhookParameters{{"", "x"}, {"a", "b=c?d"}});
    CHECK(query_of("/s?a=%&b=%4&c=%zz&d=%00") ==
          WebhookParameters{{"a", "%"}, {"b", "%4"}, {"c", "%zz"}, {"d", std::string(1, '\0')}});
    CHECK(query_of("/s?a=%ff\xc3&%fe=1") ==
          WebhookParameters{{"a", "\xef\xbf\xbd\xef\xbf\xbd"}, {"\xef\xbf\xbd", "1"}});

    std::string many = "/s?";
    for (int i = 0; i < 1000; ++i) many += "a=b&";
    CHECK(query_of(many).size() == 1000);
    post.target = many + "a=b";
    const auto refused = parse_webhook(post);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().field() == "query");
    post.target = "/s?a=" + std::string(1'000'000, 'x');
    CHECK(std::get<StatusCallback>(parse_webhook(post).value()).query.at(0).second.size() ==
          1'000'000);
}

}  // namespace parse_webhook_test
