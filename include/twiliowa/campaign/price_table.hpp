/// @file
/// What messages cost, as the user knows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/money.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Prices of messages by country, category and channel, for estimates before a send. They are the
/// user's: the library knows no prices. What a message did cost is `Message::price`, later.
///
/// A rule says for whom it holds, and the price:
///
/// | column   | what stands there                                    | left out, empty or `*` |
/// |----------|------------------------------------------------------|------------------------|
/// | country  | ISO 3166-1 alpha-2 (`GB`), or a calling code (`+44`) | every country          |
/// | category | `MARKETING`, `UTILITY`, ... or a word of one's own   | every category         |
/// | channel  | `whatsapp` or `sms`                                  | both                   |
/// | price    | what one message costs: `0.0529`                     | refused                |
/// | currency | ISO 4217: `USD`                                      | refused                |
///
/// Of the rules that hold for a message the most specific counts: first by place (a country before
/// a calling code before every country), then by category, then by channel. So a rule for GB and
/// every category goes before one for every country and MARKETING.
///
/// Immutable once it is read, so safe to share between threads.
class TWILIOWA_EXPORT PriceTable {
public:
    /// Without rules: it has no price for anything.
    PriceTable() noexcept = default;

    /// Reads CSV, whose first line names the columns, in any order. Between fields stand commas, or
    /// semicolons if the first line has them; a field in quotes may hold them. Lines that are empty
    /// or begin with `#` are passed over.
    ///
    /// Errors: InvalidRequestError whose field is `line <n>`: an unknown column or country, a price
    /// that is no decimal or is negative, a rule that stands there twice.
    static Result<PriceTable> from_csv(std::string_view text);

    /// Reads JSON: a list of objects with the same names, all values text, the price too, since a
    /// number of JSON may be read inexactly: `[{"country": "GB", "price": "0.0529", "currency":
    /// "USD"}]`.
    ///
    /// Errors: as from_csv; the line is that of the name that was read last.
    static Result<PriceTable> from_json(std::string_view text);

    /// What a message to `recipient`, over its channel, costs.
    ///
    /// @param category  as the template's; empty for what is no template. In any case.
    /// Errors: InvalidRequestError of the field "price", "no price for ...", which names category,
    /// channel and country, and not the recipient.
    Result<Money> estimate(const Address& recipient, const TemplateCategory& category = {}) const;

    /// The currencies of its prices, each once.
    std::vector<std::string> currencies() const;
    /// How many rules it has.
    std::size_t size() const noexcept { return rules_.size(); }
    /// Whether it has none.
    bool empty() const noexcept { return rules_.empty(); }

private:
    struct Rule {
        std::string place = {};     // a country, + and a calling code, or empty
        std::string category = {};  // in capitals, or empty
        std::string channel = {};   // or empty
        Money price = {};
    };
    class Reader;
    class JsonReader;

    const Rule* find(std::string_view place, std::string_view category,
                     std::string_view channel) const noexcept;

    std::vector<Rule> rules_;  // in order
};

}  // namespace twiliowa
