#include "text/json_scanner.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>

namespace json_scanner_test {

using twiliowa::detail::JsonEvents;
using twiliowa::detail::scan_json;

namespace {

/// Writes the events down.
class EventLog final : public JsonEvents {
public:
    void start_object() override { text += '{'; }
    void end_object() override { text += '}'; }
    void start_array() override { text += '['; }
    void end_array() override { text += ']'; }
    void key(std::string_view name) override { text.append(name).append(":"); }
    void string(std::string_view value) override { text.append("'").append(value).append("'"); }
    void integer(std::int64_t value) override { text.append(std::to_string(value)).append(" "); }
    void other() override { text += '?'; }

    std::string text = {};
};

/// The same for nlohmann's reader.
class PeerLog final : public nlohmann::json_sax<nlohmann::json> {
public:
    bool start_object(std::size_t) override { return log.start_object(), true; }
    bool end_object() override { return log.end_object(), true; }
    bool start_array(std::size_t) override { return log.start_array(), true; }
    bool end_array() override { return log.end_array(), true; }
    bool key(std::string& name) override { return log.key(name), true; }
    bool string(std::string& value) override { return log.string(value), true; }
    bool null() override { return log.other(), true; }
    bool boolean(bool) override { return log.other(), true; }
    bool number_integer(std::int64_t value) override { return log.integer(value), true; }
    bool number_unsigned(std::uint64_t value) override {
        return value >> 63 ? log.other() : log.integer(static_cast<std::int64_t>(value)), true;
    }
    bool number_float(double, const std::string&) override { return log.other(), true; }
    bool binary(nlohmann::json::binary_t&) override { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return false;
    }

    EventLog log = {};
};

std::string events_of(std::string_view json) {
    EventLog log;
    return scan_json(json, log) ? log.text : "fault after " + log.text;
}

void check_against_peer(const std::string& json) {
    PeerLog peer;
    EventLog ours;
    const bool peer_accepts = nlohmann::json::sax_parse(json, &peer);
    const bool we_accept = scan_json(json, ours);
    INFO(json);
    CHECK(we_accept == peer_accepts);
    if (we_accept && peer_accepts) CHECK(ours.text == peer.log.text);
}

}  // namespace

TEST_CASE("a document is reported in order") {
    CHECK(events_of(R"( {"a" : [1, "x", {}, [], -0, 2.5, true, null], "b":{"c":"d"}} )") ==
          "{a:[1 'x'{}[]0 ???]b:{c:'d'}}");
    CHECK(events_of("7") == "7 ");
    CHECK(events_of("\xEF\xBB\xBF\"x\"") == "'x'");
}

TEST_CASE("escapes are resolved, in names too") {
    CHECK(events_of(R"({"\u006bey":"\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00"})") ==
          "{key:'\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80'}");
}

TEST_CASE("numbers that fit 64 bits are integers, others are passed over") {
    CHECK(events_of("[9223372036854775807,9223372036854775808,-9223372036854775808,1e999]") ==
          "[9223372036854775807 ?-9223372036854775808 ?]");
}

TEST_CASE("a fault ends the scan; what came before was reported") {
    CHECK(events_of(R"({"a":1,"b")") == "fault after {a:1 b:");
    CHECK(events_of("") == "fault after ");
    CHECK(events_of("<html>") == "fault after ");
    CHECK(events_of("{} {}") == "fault after {}");
}

TEST_CASE("nesting of any depth is no danger") {
    const std::string deep(200'000, '[');
    CHECK(events_of(deep) == "fault after " + deep);
}

TEST_CASE("the scanner accepts what nlohmann's reader accepts, and sees the same") {
    for (const char* json : {"[]",
                             "{}",
                             "[1,]",
                             "[,1]",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{a:1}",
                             "[1 2]",
                             "01",
                             "-",
                             "-1",
                             "1.",
                             ".5",
                             "1.5",
                             "1e",
                             "1e+",
                             "1E-5",
                             "+1",
                             "tru",
                             "true",
                             "nul",
                             "\"a",
                             "\"\\x\"",
                             "\"\\u12\"",
                             "\"\\u12g4\"",
                             "\"\\ud800\"",
                             "\"\\ud800\\u0041\"",
                             "\"\\udc00\"",
                             "\"\\u0000\"",
                             "\"\x01\"",
                             "\"\x7f\"",
                             "\"\xff\"",
                             "\"\xc0\x80\"",
                             "\"\xed\xa0\x80\"",
                             "\"\xf4\x90\x80\x80\"",
                             "\"\xf0\x9f\x98\x80\"",
                             "[}",
                             "{]",
                             "]",
                             "[[1],{\"a\":[{}]}]",
                             " \t\r\n1",
                             "\v1",
                             "\"\\u00e9\\\"x\""}) {
        check_against_peer(json);
    }
}

TEST_CASE("the scanner and nlohmann's reader agree on damaged documents") {
    const std::string sound =
        R"({"sid":"SM1","n":-12,"f":1.5e3,"t":true,"u":{"m":null,"k\u00e9":"\ud83d\ude00\n"},"a":["x",[]]})";
    const std::string_view alphabet = "{}[]\",:\\u0d8-+.eE \ntrufalsn\x7f\x80\xc3\xa9\x01";
    std::mt19937 random(1);
    const auto below = [&random](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    for (int i = 0; i < 3000; ++i) {
        auto damaged = sound;
        for (std::size_t hits = 1 + below(2); hits > 0; --hits) {
            const auto at = below(damaged.size());
            switch (below(3)) {
                case 0:
                    damaged.erase(at, 1);
                    break;
                case 1:
                    damaged[at] = alphabet[below(alphabet.size())];
                    break;
                default:
                    damaged.insert(at, 1, alphabet[below(alphabet.size())]);
            }
        }
        check_against_peer(damaged);
    }
}

}  // namespace json_scanner_test
