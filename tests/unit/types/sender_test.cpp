#include <twiliowa/types/sender.hpp>

#include <doctest/doctest.h>

#include <string>

#include <twiliowa/types/error.hpp>

namespace sender_test {

using namespace twiliowa;

TEST_CASE("a sender is an address or a messaging service, as Twilio writes it") {
    const auto service = "MG" + std::string(32, 'a');
    CHECK(Sender::parse("+14155238886").value().wire() == "whatsapp:+14155238886");
    CHECK(Sender::parse("sms:+14155238886").value().wire() == "+14155238886");
    CHECK(Sender::parse(service).value().wire() == service);
    CHECK(Sender::parse(service).value() == Sender{MessagingServiceSid{service}});
    CHECK(Sender::parse("+14155238886").value() == Sender{Address::parse("+14155238886").value()});
    CHECK(Sender{}.empty());
    CHECK(Sender{Address{}}.empty());
}

TEST_CASE(
    "what is neither an address nor a messaging service is refused by what it was meant for") {
    CHECK(Sender::parse("MG1").error().field() == "MessagingServiceSid");
    CHECK(Sender::parse("14155238886").error().field() == "From");
    CHECK(Sender::parse("").error().field() == "From");
}

}  // namespace sender_test
