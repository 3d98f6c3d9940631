#include <twiliowa/state/consents.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_consent_storage.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/types/error.hpp>

namespace consents_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::check_consent_storage;
using twiliowa::testing::ManualClock;

namespace {

constexpr std::string_view shop = "whatsapp:+14155238886";
constexpr std::string_view other_shop = "whatsapp:+14155238887";
constexpr std::string_view lee = "whatsapp:+447700900123";
constexpr std::string_view lees_id = "whatsapp:GB.1234567890";
constexpr auto marketing = consent_purpose::marketing;
constexpr auto utility = consent_purpose::utility;

/// Counts what is asked, and keeps the texts that it is given.
class WatchedStorage final : public ConsentStorage {
public:
    Result<std::size_t> add(std::span<const ConsentRecord> records) override {
        if (fails) return store_error("is away");
        for (const auto& record : records) seen += record.person + record.source + '\n';
        return inner.add(records);
    }
    Result<std::vector<ConsentAnswer>> latest(std::span<const ConsentQuestion> questions) override {
        if (fails) return store_error("is away");
        ++statements;
        return inner.latest(questions);
    }
    Result<std::vector<ConsentRecord>> history(std::string_view person) override {
        if (fails) return store_error("is away");
        return inner.history(person);
    }
    Result<ForgottenConsents> forget(std::string_view person, TimePoint since,
                                     TimePoint before) override {
        if (fails) return store_error("is away");
        return inner.forget(person, since, before);
    }

    MemoryConsents inner = {};
    std::string seen = {};
    int statements = 0;
    bool fails = false;
};

struct Shop {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
    std::shared_ptr<Customers> customers = std::make_shared<Customers>(
        store, CustomersOptions{.key = Secret{std::string(32, 'k')}, .clock = clock});
    std::shared_ptr<WatchedStorage> storage = std::make_shared<WatchedStorage>();
    Consents consents{storage, customers, {.clock = clock}};

    TimePoint ago(std::chrono::milliseconds time) const { return clock->now() - time; }
    bool grant(std::string_view recipient, std::optional<TimePoint> at = {},
               std::string_view purpose = marketing) const {
        return consents.grant(shop, recipient, {.purpose = purpose, .at = at, .source = "slip"})
            .value();
    }
    void learn(std::string_view number, std::string_view id) const {
        const std::vector<Address> both{Address::parse(number).value(), Address::parse(id).value()};
        REQUIRE(customers->learn(Sender::parse(shop).value(), both, clock->now()));
    }
    bool has(std::string_view recipient, std::string_view purpose = marketing) const {
        return consents.has(shop, recipient, purpose).value();
    }
    ConsentImport import(const std::string& csv, const ConsentImportOptions& options = {}) const {
        std::istringstream in{csv};
        return consents.import_csv(Sender::parse(shop).value(), in, options).value();
    }
};

}  // namespace

TEST_CASE("MemoryConsents keep the contract of a storage") {
    const auto one = std::make_shared<MemoryConsents>();
    CHECK(check_consent_storage([&] { return one; }) == std::vector<std::string>{});
}

TEST_CASE("the check of storages finds one that forgets what is withdrawn") {
    class Forgetful final : public ConsentStorage {
    public:
        Result<std::size_t> add(std::span<const ConsentRecord> r) override { return inner.add(r); }
        Result<std::vector<ConsentAnswer>> latest(std::span<const ConsentQuestion> q) override {
            auto answers = inner.latest(q);
            for (auto& answer : *answers) answer.withdrawn.reset();
            return answers;
        }
        Result<std::vector<ConsentRecord>> history(std::string_view p) override {
            return inner.history(p);
        }
        Result<ForgottenConsents> forget(std::string_view p, TimePoint s, TimePoint b) override {
            return inner.forget(p, s, b);
        }
        MemoryConsents inner = {};
    };
    const auto one = std::make_shared<Forgetful>();
    CHECK_FALSE(check_consent_storage([&] { return one; }).empty());
}

TEST_CASE("nobody has agreed before they did, and then to that purpose, with that sender") {
    const Shop s;
    CHECK_FALSE(s.has(lee));
    CHECK(s.grant(lee));
    CHECK(s.has(lee));
    CHECK_FALSE(s.has(lee, utility));
    CHECK_FALSE(s.consents.has(other_shop, lee, marketing).value());
    CHECK_FALSE(s.has("sms:+447700900123"));
}

TEST_CASE("granted, withdrawn, granted again: the last counts, and all of it is proof") {
    const Shop s;
    CHECK(s.grant(lee, s.ago(3h)));
    CHECK(s.consents.withdraw(shop, lee, marketing, s.ago(2h), "by letter").value());
    CHECK_FALSE(s.has(lee));
    CHECK(s.grant(lee, s.ago(1h)));
    CHECK(s.has(lee));
    const auto history = s.consents.history(shop, lee).value();
    REQUIRE(history.size() == 3);
    CHECK(history[1] == ConsentEvent{Address::parse(lee).value(), "marketing",
                                     ConsentChange::withdrawn, s.ago(2h), "by letter"});
    CHECK(history[2].source == "slip");
}

TEST_CASE("the time of a consent is read as files have it") {
    CHECK(Consent::parse_time("1970-01-02").value() == TimePoint{} + 24h);
    CHECK(Consent::parse_time("1970-01-01T01:00:00+01:00").value() == TimePoint{});
    CHECK(Consent::parse_time("yesterday").error().field() == "at");
    CHECK(Consent::parse_time("", "consent_at").error().field() == "consent_at");
}

TEST_CASE("the time of a change counts, not when it was told") {
    const Shop s;
    CHECK(s.consents.withdraw(shop, lee, marketing, s.ago(1h)).value());
    CHECK(s.grant(lee, s.ago(2h)));
    CHECK_FALSE(s.has(lee));
}

TEST_CASE("of the same time, the withdrawal counts") {
    const Shop s;
    CHECK(s.grant(lee, s.ago(1h)));
    CHECK(s.consents.withdraw(shop, lee, marketing, s.ago(1h)).value());
    CHECK_FALSE(s.has(lee));
    CHECK_FALSE(s.grant(lee, s.ago(1h)));
    CHECK_FALSE(s.has(lee));
}

TEST_CASE("what is granted twice is kept once") {
    const Shop s;
    CHECK(s.grant(lee, s.ago(1h)));
    CHECK_FALSE(s.grant(lee, s.ago(1h)));
    CHECK(s.consents.history(shop, lee).value().size() == 1);
}

TEST_CASE("what is withdrawn for all purposes is so for those that come later") {
    const Shop s;
    CHECK(s.consents.withdraw(shop, lee).value());
    s.clock->advance(1h);
    CHECK(s.grant(lee, s.ago(2h), "surveys"));
    CHECK_FALSE(s.has(lee, "surveys"));
    CHECK(s.grant(lee, {}, "surveys"));
    CHECK(s.has(lee, "surveys"));
}

TEST_CASE("a consent of the future is refused, and a withdrawal of the future is one of now") {
    const Shop s;
    const auto early = s.consents.grant(shop, lee, {.at = s.clock->now() + 1h, .source = "slip"});
    CHECK(early.error().field() == "consent_at");
    CHECK(s.consents.withdraw(shop, lee, marketing, s.clock->now() + 1h).value());
    CHECK(s.consents.history(shop, lee).value().front().at <= s.clock->now());
}

TEST_CASE("what is no purpose, no source and no address is refused") {
    const Shop s;
    CHECK(s.consents.grant(shop, lee, {.purpose = ""}).error().field() == "purpose");
    CHECK(s.consents.grant(shop, lee, {.purpose = "Marketing"}).error().field() == "purpose");
    const std::string long_source(201, 'x');
    CHECK(s.consents.grant(shop, lee, {.source = long_source}).error().field() == "source");
    CHECK(s.consents.grant(shop, lee, {.source = "\xff"}).error().field() == "source");
    CHECK(s.consents.has(shop, lee, "").error().field() == "purpose");
    CHECK_FALSE(s.consents.grant(shop, "nobody", {}));
    CHECK_FALSE(s.consents.has("nobody", lee, marketing));
    CHECK_THROWS_AS((Consents{nullptr, s.customers}), InvalidRequestError);
    CHECK_THROWS_AS((Consents{s.storage, nullptr}), InvalidRequestError);
}

TEST_CASE("a customer is one person under each of their addresses") {
    const Shop s;
    CHECK(s.grant(lee));
    s.learn(lee, lees_id);
    CHECK(s.has(lees_id));
    s.clock->advance(1s);
    CHECK(s.consents.withdraw(shop, lees_id).value());
    CHECK_FALSE(s.has(lee));
}

TEST_CASE("who gets a number from another does not get their consent") {
    const Shop s;
    s.learn(lee, lees_id);
    CHECK(s.grant(lee));
    CHECK(s.has(lees_id));
    s.clock->advance(24h);
    s.learn(lee, "whatsapp:GB.9999999999");
    CHECK_FALSE(s.has("whatsapp:GB.9999999999"));
    CHECK_FALSE(s.has(lee));
    CHECK(s.has(lees_id));
}

TEST_CASE("an opt-out withdraws, a block does not, and a return grants nothing") {
    const Shop s;
    const OptOuts opt_outs{s.store,
                           {.read_words = true,
                            .clock = s.clock,
                            .customers = s.customers,
                            .consents = std::make_shared<Consents>(s.consents)}};
    const auto agreed = [&] {
        s.clock->advance(1s);
        CHECK(s.grant(lee));
        CHECK(s.grant(lee, {}, utility));
        s.clock->advance(1s);
    };
    agreed();
    CHECK(opt_outs.learn_error(shop, lee, 63033).value() == OptOutNews::opted_out);
    CHECK(s.has(lee));
    CHECK(opt_outs.learn_inbound(shop, lee, "", "hello").value() == OptOutNews::nothing);
    CHECK(s.has(lee));
    CHECK(opt_outs.learn_inbound(shop, lee, "", "STOP").value() == OptOutNews::opted_out);
    CHECK_FALSE(s.has(lee));
    CHECK_FALSE(s.has(lee, utility));
    s.clock->advance(1s);
    CHECK(opt_outs.learn_inbound(shop, lee, "", "START").value() == OptOutNews::opted_in);
    CHECK_FALSE(s.has(lee));
    agreed();
    CHECK(opt_outs.learn_error(shop, lee, 63050).value() == OptOutNews::opted_out);
    CHECK_FALSE(s.has(lee));
    CHECK(s.has(lee, utility));
    agreed();
    CHECK(opt_outs.learn_error(shop, lee, 21610).value() == OptOutNews::opted_out);
    CHECK_FALSE(s.has(lee, utility));
}

TEST_CASE(
    "an opt-out that cannot be withdrawn in the storage is an error, and stops all the same") {
    const Shop s;
    const OptOuts opt_outs{s.store,
                           {.clock = s.clock,
                            .customers = s.customers,
                            .consents = std::make_shared<Consents>(s.consents)}};
    s.storage->fails = true;
    CHECK(is_store_error(opt_outs.opt_out(shop, lee).error()));
    CHECK(opt_outs.is_opted_out(shop, lee).value());
    s.storage->fails = false;
    CHECK(opt_outs.opt_out(shop, lee));
    CHECK(s.consents.history(shop, lee).value().size() == 1);
}

TEST_CASE("a thousand are asked about in one statement") {
    const Shop s;
    std::vector<Address> all;
    for (int i = 0; i < 1'000; ++i) {
        all.push_back(Address::parse("+4477009" + std::to_string(10'000 + i)).value());
        if (i % 7 == 0) CHECK(s.grant(all.back().text()));
    }
    const auto has = s.consents.has_each(Sender::parse(shop).value(), all, marketing).value();
    CHECK(s.storage->statements == 1);
    REQUIRE(has.size() == 1'000);
    for (std::size_t i = 0; i < has.size(); ++i) CHECK(has[i] == (i % 7 == 0));
}

TEST_CASE("the storage learns neither numbers nor, with a sealer, sources") {
    const Shop s;
    const Sealer sealer{KeyRing::parse(KeyRing::new_key("k1").reveal())};
    const Consents sealed{s.storage, s.customers, {.sealer = sealer, .clock = s.clock}};
    CHECK(sealed.grant(shop, lee, {.source = "Lee's own hand"}).value());
    CHECK(s.storage->seen.find("7700900123") == std::string::npos);
    CHECK(s.storage->seen.find("own hand") == std::string::npos);
    CHECK(sealed.history(shop, lee).value().front().source == "Lee's own hand");
}

TEST_CASE("who asks to be forgotten is, and what they withdrew stays withdrawn") {
    const Shop s;
    CHECK(s.grant(lee, s.ago(3h)));
    CHECK(s.consents.withdraw(shop, lee, marketing, s.ago(2h), "by letter").value());
    CHECK(s.grant(lee, s.ago(1h), utility));
    const auto report = s.customers->forget(lee).value();
    CHECK(report.complete());
    CHECK(std::set<std::string>(report.erased.begin(), report.erased.end()).count("consents") == 1);
    CHECK(report.kept == std::vector<std::string>{"consents"});
    CHECK_FALSE(s.has(lee, utility));
    const auto left = s.consents.history(shop, lee).value();
    REQUIRE(left.size() == 1);
    CHECK(left.front().source.empty());
    CHECK(s.grant(lee, s.ago(3h)));
    CHECK_FALSE(s.has(lee));
}

TEST_CASE("who asks for their data gets their consents") {
    const Shop s;
    CHECK(s.grant(lee, s.ago(1h)));
    const auto json = s.customers->export_of(lee).value();
    CHECK(json.find(R"("consents":[{"sender":"whatsapp:+14155238886")") != std::string::npos);
    CHECK(json.find(R"("purpose":"marketing","granted":")") != std::string::npos);
    CHECK(json.find(R"("source":"slip")") != std::string::npos);
}

TEST_CASE("a file of consents is taken, once however often it is read") {
    const Shop s;
    const std::string csv =
        "to,name,consent_at,consent_source\r\n"
        "+447700900123,Lee,2020-11-30,\"web form, page 2\"\r\n"
        "\r\n"
        "whatsapp:+447700900124,Ann,2020-11-30T08:15:00+01:00,till 4\r\n"
        "+447700900125,Bob,,\r\n";
    const auto first = s.import(csv);
    CHECK(first.rows == 3);
    CHECK(first.added == 2);
    CHECK(first.without == 1);
    CHECK(first.refused == 0);
    const auto second = s.import(csv);
    CHECK(second.added == 0);
    CHECK(second.known == 2);
    CHECK(s.has(lee));
    CHECK_FALSE(s.has("+447700900125"));
    const auto history = s.consents.history(shop, lee).value();
    CHECK(history.front().source == "web form, page 2");
    CHECK(history.front().at ==
          TimePoint{std::chrono::sys_days{std::chrono::year{2020} / 11 / 30}});
}

TEST_CASE("an older file does not undo what was withdrawn since") {
    const Shop s;
    CHECK(s.consents.withdraw(shop, lee).value());
    CHECK(s.import("to,consent_at\n+447700900123,2020-11-30\n").added == 1);
    CHECK_FALSE(s.has(lee));
}

TEST_CASE("rows with faults are named by their line, without what they hold") {
    const Shop s;
    const auto import = s.import(
        "consent_at,to,consent_source\n"
        "2020-11-30,canary,x\n"
        "canary,+447700900123,x\n"
        "2200-01-01,+447700900123,x\n"
        "2020-11-30,+447700900124,\"two\nlines\"\n"
        "2020-11-30,+447700900125," +
        std::string(201, 'x') + "\n" + "2020-11-30,\"+44\"7700900126,x\n" + "2020-11-30\n");
    CHECK(import.rows == 7);
    CHECK(import.added == 1);
    REQUIRE(import.faults.size() == 6);
    CHECK(import.refused == 6);
    CHECK(import.faults[0].line == 2);
    CHECK(import.faults[0].problem == "to: is no address");
    CHECK(import.faults[1].problem == "consent_at: is no date");
    CHECK(import.faults[2].problem == "consent_at: is in the future");
    CHECK(import.faults[3].line == 7);
    CHECK(import.faults[4].line == 8);
    CHECK(import.faults[5].problem == "to: is no address");
}

TEST_CASE("a file without the columns is an error, and so is a storage that is away") {
    const Shop s;
    std::istringstream empty{""};
    std::istringstream other{"number,consent_at\n"};
    const auto sender = Sender::parse(shop).value();
    CHECK(s.consents.import_csv(sender, empty).error().field() == "csv");
    CHECK(s.consents.import_csv(sender, other).error().field() == "csv");
    std::istringstream sound{"number,when\n+447700900123,2020-11-30\n"};
    CHECK(s.consents.import_csv(sender, sound, {.to = "number", .at = "when"})->added == 1);
    s.storage->fails = true;
    std::istringstream more{"to,consent_at\n+447700900123,2020-11-29\n"};
    CHECK(is_store_error(s.consents.import_csv(sender, more).error()));
    CHECK(is_store_error(s.consents.has(shop, lee, marketing).error()));
}

}  // namespace consents_test
