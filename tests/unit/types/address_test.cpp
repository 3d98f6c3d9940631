#include <twiliowa/types/address.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/show.hpp"

namespace address_test {

using twiliowa::Address;
using twiliowa::test::containing;

TEST_CASE("an address takes every documented form and gets its prefix once") {
    const std::vector<std::pair<std::string, std::string>> forms{
        {"+447700900123", "whatsapp:+447700900123"},
        {"whatsapp:+447700900123", "whatsapp:+447700900123"},
        {"sms:+447700900123", "+447700900123"},
        {"WhatsApp:+447700900123", "whatsapp:+447700900123"},
        {"WHATSAPP:GB.45", "whatsapp:GB.45"},
        {"SMS:+447700900123", "+447700900123"},
        {"whatsapp:GB.4566546130240823", "whatsapp:GB.4566546130240823"},
        {"whatsapp:US.ENT.a1B2", "whatsapp:US.ENT.a1B2"},
    };
    for (const auto& form : forms) {
        const auto& written = form.first;
        const auto& wire = form.second;
        CAPTURE(written);
        const auto address = Address::parse(written);
        REQUIRE(address);
        CHECK(address->wire() == wire);
    }
    CHECK(Address::parse("sms:+447700900123")->channel() == Address::Channel::sms);
    CHECK(Address::parse("+447700900123")->phone_number() == "+447700900123");
    CHECK(Address::parse("whatsapp:GB.45")->phone_number().empty());
}

TEST_CASE("a wrong address is refused with the reason and without the number") {
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"", "is empty"},
        {"447700900123", "does not begin with +"},
        {"whatsapp:447700900123", "does not begin with +"},
        {"+44 7700 900123", "has a space at position 4"},
        {" +447700900123", "begins with a space"},
        {" whatsapp:+447700900123", "begins with a space"},
        {"whatsapp: +447700900123", "begins with a space after its prefix"},
        {"sms: +447700900123", "begins with a space after its prefix"},
        {"\n+447700900123", "begins with a control character"},
        {"\xc2\xa0+447700900123", "begins with an invisible character"},
        {"\xe2\x80\xaa+447700900123", "begins with an invisible character"},
        {"\xe2\x80\x8e+447700900123", "begins with an invisible character"},
        {"\xef\xbb\xbf+447700900123", "begins with an invisible character"},
        {"\xe2\x80\xaa"
         "447700900123",
         "begins with an invisible character"},
        {"+\xe2\x81\xa0"
         "447700900123",
         "has an invisible character at position 2"},
        {"+447700900123\xe2\x80\xac", "has an invisible character at position 14"},
        {"\xc2\xa3"
         "447700900123",
         "does not begin with +"},
        {"\xe2\x80", "does not begin with +"},
        {"+44770090012x", "position 13"},
        {"+", "no digits"},
        {"+0447700900123", "begins with 0"},
        {"+12345", "fewer than 7"},
        {"+1234567890123456", "more than 15"},
        {"whatsapp:whatsapp:+447700900123", "twice"},
        {"whatsapp:GB.", "does not begin with +"},
        {std::string("+4477009001\0", 12), "a control character at position 12"},
        {"+447700900123\r\nX: y", "a control character at position 14"},
    };
    for (const auto& refused : wrong) {
        const auto& written = refused.first;
        const auto& reason = refused.second;
        CAPTURE(written);
        const auto address = Address::parse(written);
        REQUIRE_FALSE(address);
        const auto& error = address.error();
        CHECK(error.kind() == twiliowa::ErrorKind::invalid_request);
        CHECK(error.field() == "To");
        CHECK(error.code() == 21211);
        CHECK(error.what() == containing(reason));
        CHECK(error.what() != containing("7700"));
        CHECK_FALSE(error.hint().empty());
    }
    CHECK(Address::parse("x", "From").error().code() == 21212);
}

TEST_CASE("a messaging service as an address is told its field") {
    const std::string service = "MG" + std::string(32, 'a');
    for (const std::string& written : {service, "whatsapp:" + service, "sms:" + service}) {
        CAPTURE(written);
        const auto error = Address::parse(written, "From").error();
        CHECK(error.what().find("is a messaging service") != std::string::npos);
        CHECK(error.hint().find("messaging_service_sid") != std::string::npos);
    }
}

TEST_CASE("on the wire a bare number is SMS, and what is no address is empty") {
    const auto sms = Address::from_wire("+447700900123");
    CHECK(sms.channel() == Address::Channel::sms);
    CHECK(sms.wire() == "+447700900123");
    const auto whatsapp = Address::from_wire("whatsapp:+447700900123");
    CHECK(whatsapp.channel() == Address::Channel::whatsapp);
    CHECK(whatsapp == Address::parse("+447700900123").value());
    CHECK(Address::from_wire("whatsapp:GB.4f1a").wire() == "whatsapp:GB.4f1a");
    for (const std::string other : {"", "12345", "Acme", "sms:+447700900123", "whatsapp:x",
                                    "messenger:1234", "+0447700900123"}) {
        CAPTURE(other);
        CHECK(Address::from_wire(other).empty());
    }
}

TEST_CASE("an address written as text is read as the same address") {
    for (const std::string wire : {"+447700900123", "whatsapp:+447700900123", "whatsapp:GB.4f1a"}) {
        CAPTURE(wire);
        const auto address = Address::from_wire(wire);
        CHECK(Address::parse(address.text()).value() == address);
    }
    CHECK(Address::from_wire("+447700900123").text() == "sms:+447700900123");
    CHECK(Address{}.text().empty());
}

}  // namespace address_test
