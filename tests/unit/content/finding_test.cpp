#include <twiliowa/content/finding.hpp>

#include <doctest/doctest.h>

#include <string>

#include "content/finding_list.hpp"

namespace finding_test {

using twiliowa::ContentFinding;
using twiliowa::ContentFindings;
using twiliowa::ContentUse;
using twiliowa::FindingLevel;
using twiliowa::detail::FindingList;
using twiliowa::detail::path_of_member;
using twiliowa::detail::RuleScope;

TEST_CASE("a finding reads as one sentence") {
    ContentFinding finding{FindingLevel::refuse, "types.twilio/text.body", "is missing",
                           "twilio/text needs it"};
    CHECK(finding.text() == "types.twilio/text.body is missing: twilio/text needs it");
    finding.hint.clear();
    CHECK(finding.text() == "types.twilio/text.body is missing");
}

TEST_CASE("levels and uses have names") {
    CHECK(to_string(FindingLevel::refuse) == "refuse");
    CHECK(to_string(FindingLevel::warn) == "warn");
    CHECK(to_string(ContentUse::any) == "any");
    CHECK(to_string(ContentUse::session) == "session");
    CHECK(to_string(ContentUse::whatsapp) == "whatsapp");
    CHECK(to_string(static_cast<FindingLevel>(9)) == "unknown");
    CHECK(to_string(static_cast<ContentUse>(9)) == "unknown");
}

TEST_CASE("findings refuse if one of them does") {
    CHECK_FALSE(refuses(ContentFindings{}));
    CHECK_FALSE(refuses(ContentFindings{{FindingLevel::warn, "a", "b", {}}}));
    CHECK(refuses(
        ContentFindings{{FindingLevel::warn, "a", "b", {}}, {FindingLevel::refuse, "a", "b", {}}}));
}

TEST_CASE("refusals come first, otherwise findings keep their order") {
    FindingList list{ContentUse::any};
    list.warn("a", "one");
    list.refuse("b", "two");
    list.warn("c", "three");
    list.refuse("d", "four");
    std::string order;
    for (const auto& each : list.take()) order += each.path;
    CHECK(order == "bdac");
}

TEST_CASE("what two rules found is told once, as bad as it is") {
    FindingList list{ContentUse::any};
    list.warn("a", "one", "of the first");
    list.refuse("a", "one", "of the second");
    const auto found = list.take();
    REQUIRE(found.size() == 1);
    CHECK(found.front().level == FindingLevel::refuse);
    CHECK(found.front().hint == "of the second");
}

TEST_CASE("what counts in one use is a warning where the use is not known") {
    const auto level = [](RuleScope scope, FindingLevel own, ContentUse use) -> std::string {
        const auto found = twiliowa::detail::level_in_use(scope, own, use);
        return found ? std::string(to_string(*found)) : "none";
    };
    for (const auto own : {FindingLevel::refuse, FindingLevel::warn}) {
        const auto name = std::string(to_string(own));
        for (const auto use : {ContentUse::any, ContentUse::session, ContentUse::whatsapp}) {
            CHECK(level(RuleScope::always, own, use) == name);
        }
        CHECK(level(RuleScope::session, own, ContentUse::session) == name);
        CHECK(level(RuleScope::session, own, ContentUse::any) == "warn");
        CHECK(level(RuleScope::session, own, ContentUse::whatsapp) == "none");
        CHECK(level(RuleScope::approval, own, ContentUse::whatsapp) == name);
        CHECK(level(RuleScope::approval, own, ContentUse::any) == "warn");
        CHECK(level(RuleScope::approval, own, ContentUse::session) == "none");
        CHECK(level(RuleScope::on_whatsapp, own, ContentUse::whatsapp) == name);
        CHECK(level(RuleScope::on_whatsapp, own, ContentUse::session) == name);
        CHECK(level(RuleScope::on_whatsapp, own, ContentUse::any) == "warn");
    }
}

TEST_CASE("a path names members that look like names, and counts the others") {
    CHECK(path_of_member("types", "twilio/quick-reply", 0) == "types.twilio/quick-reply");
    CHECK(path_of_member("", "language", 0) == "language");
    for (const std::string name :
         {"", "a b", "a.b", "tel447700900123", "\xc3\xa9", "\"", "a123456"}) {
        CAPTURE(name);
        CHECK(path_of_member("types", name, 3) == "types[3]");
    }
    CHECK(path_of_member("types", std::string(41, 'a'), 3) == "types[3]");
}

}  // namespace finding_test
