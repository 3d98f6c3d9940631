#include <twiliowa/campaign/price_table.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>

#include "text/ascii.hpp"
#include "text/json_scanner.hpp"
#include "types/numbering_plan.hpp"

namespace twiliowa {

namespace detail {
namespace {

enum PriceColumn : std::size_t {
    price_country,
    price_category,
    price_channel,
    price_amount,
    price_currency
};
constexpr std::array<std::string_view, 5> price_columns{"country", "category", "channel", "price",
                                                        "currency"};
/// What stands in a rule's columns.
using PriceFields = std::array<std::string, price_columns.size()>;

Error wrong_price_line(std::size_t line, std::string_view problem, std::string_view hint = {}) {
    return Error::invalid_request("line " + std::to_string(line), problem, hint);
}

std::optional<std::size_t> price_column_of(std::string_view name) noexcept {
    const auto found = std::find_if(price_columns.begin(), price_columns.end(), [&](auto column) {
        return equals_ignoring_case(column, name);
    });
    if (found == price_columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - price_columns.begin());
}

Error no_such_column(std::size_t line) {
    return wrong_price_line(line, "has a name that no column has",
                            "the columns are country, category, channel, price and currency");
}

bool stands_for_all(std::string_view field) noexcept {
    return field.empty() || field == "*";
}

std::string in_capitals(std::string_view text) {
    std::string capitals{text};
    for (auto& c : capitals) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return capitals;
}

/// The country or the calling code of a rule; nullopt if it is neither.
std::optional<std::string> price_place(std::string_view field) {
    if (stands_for_all(field)) return std::string{};
    if (!field.starts_with('+')) {
        const auto country = known_country(field);
        if (country.empty()) return std::nullopt;
        return std::string{country};
    }
    const auto code = calling_code_of_e164(field);
    if (code.empty() || code.size() + 1 != field.size()) return std::nullopt;
    return std::string{field};
}

/// Cuts a line of CSV; nullopt if a quotation mark is missing.
std::optional<std::vector<std::string>> cut_csv_line(std::string_view line, char separator) {
    std::vector<std::string> fields;
    for (;;) {
        line = trim_front(line, blanks);
        std::string field;
        if (line.starts_with('"')) {
            line.remove_prefix(1);
            for (bool open = true; open;) {
                const auto quote = line.find('"');
                if (quote == std::string_view::npos) return std::nullopt;
                field += line.substr(0, quote);
                line.remove_prefix(quote + 1);
                open = line.starts_with('"');
                if (!open) continue;
                field += '"';
                line.remove_prefix(1);
            }
            line = trim_front(line, blanks);
            if (!line.empty() && line.front() != separator) return std::nullopt;
        } else {
            field = trim_back(line.substr(0, line.find(separator)), blanks);
            line.remove_prefix(std::min(line.find(separator), line.size()));
        }
        fields.push_back(std::move(field));
        if (line.empty()) return fields;
        line.remove_prefix(1);
    }
}

/// The country and the calling code (with its plus) of a recipient, each empty if it is not known.
std::pair<std::string, std::string> places_of(const Address& recipient) {
    const auto number = recipient.phone_number();
    std::string_view country = country_of_e164(number);
    std::string_view code = calling_code_of_e164(number);
    if (number.empty() && !recipient.empty()) {
        // A user id begins with its country: whatsapp:GB.4f1a.
        const auto& wire = recipient.wire();
        country = known_country(std::string_view{wire}.substr(wire.find(':') + 1, 2));
        const auto* const plan = plan_of_country(country);
        if (plan != nullptr) code = plan->code;
    }
    return {std::string{country}, code.empty() ? std::string{} : '+' + std::string{code}};
}

}  // namespace
}  // namespace detail

/// Takes rules one by one, and makes a table of them.
class PriceTable::Reader {
public:
    /// What is wrong with it, or nothing.
    std::optional<Error> add(const detail::PriceFields& fields, std::size_t line) {
        const auto place = detail::price_place(fields[detail::price_country]);
        if (!place) {
            return detail::wrong_price_line(line, "names no country",
                                            "write two letters (GB), a calling code (+44) or *");
        }
        Rule rule{.place = *place};
        const auto& category = fields[detail::price_category];
        if (!detail::stands_for_all(category)) rule.category = detail::in_capitals(category);
        for (const std::string_view channel : {"whatsapp", "sms"}) {
            if (detail::equals_ignoring_case(fields[detail::price_channel], channel)) {
                rule.channel = channel;
            }
        }
        if (rule.channel.empty() && !detail::stands_for_all(fields[detail::price_channel])) {
            return detail::wrong_price_line(line, "names no channel", "write whatsapp, sms or *");
        }
        const auto price =
            Money::parse(fields[detail::price_amount], fields[detail::price_currency]);
        if (!price) {
            return price.error().with([line](ErrorData& data) {
                data.summary = "line " + std::to_string(line) + ": " + data.summary;
                data.field = "line " + std::to_string(line);
            });
        }
        if (price->micros() < 0) {
            return detail::wrong_price_line(line, "has a negative price",
                                            "write what a message costs");
        }
        rule.price = *price;
        const auto found = std::lower_bound(rules_.begin(), rules_.end(), rule, comes_before);
        if (found != rules_.end() && !comes_before(rule, *found)) {
            return detail::wrong_price_line(line, "has a rule that stands there already");
        }
        rules_.insert(found, std::move(rule));
        return std::nullopt;
    }

    PriceTable finish() && {
        PriceTable table;
        table.rules_ = std::move(rules_);
        return table;
    }

    static auto key_of(const Rule& rule) noexcept {
        return std::tuple<std::string_view, std::string_view, std::string_view>{
            rule.place, rule.category, rule.channel};
    }

private:
    static bool comes_before(const Rule& a, const Rule& b) noexcept {
        return key_of(a) < key_of(b);
    }

    std::vector<Rule> rules_;
};

Result<PriceTable> PriceTable::from_csv(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    Reader reader;
    std::vector<std::size_t> columns;
    char separator = ',';
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = detail::trim(text.substr(0, end), detail::white_space);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        if (columns.empty() && line.find(';') != std::string_view::npos) separator = ';';
        const auto cut = detail::cut_csv_line(line, separator);
        if (!cut)
            return detail::wrong_price_line(number, "has a quotation mark too few or too many");
        if (columns.empty()) {
            for (const auto& name : *cut) {
                const auto column = detail::price_column_of(name);
                if (!column) return detail::no_such_column(number);
                if (std::find(columns.begin(), columns.end(), *column) != columns.end()) {
                    return detail::wrong_price_line(number, "names a column twice");
                }
                columns.push_back(*column);
            }
            continue;
        }
        if (cut->size() != columns.size()) {
            return detail::wrong_price_line(number, "has more or fewer fields than the first line");
        }
        detail::PriceFields fields;
        for (std::size_t i = 0; i < columns.size(); ++i) fields[columns[i]] = (*cut)[i];
        if (auto wrong = reader.add(fields, number)) return *std::move(wrong);
    }
    return std::move(reader).finish();
}

/// A list of flat objects.
class PriceTable::JsonReader : public detail::JsonEvents {
public:
    explicit JsonReader(std::string_view json) : json_(json) {}

    void start_array() override {
        if (depth_++ != 0) refuse("is no list of rules");
    }
    void end_array() override { --depth_; }
    void start_object() override {
        if (depth_++ != 1) refuse("is no list of rules");
        fields_ = {};
    }
    void end_object() override {
        --depth_;
        if (!error_) error_ = reader_.add(fields_, line_);
    }
    void key(std::string_view name) override {
        look_where(name);
        column_ = detail::price_column_of(name);
        if (!column_ && !error_) error_ = detail::no_such_column(line_);
    }
    void string(std::string_view text) override {
        if (depth_ != 2) return refuse("is no list of rules");
        if (column_) fields_[*column_] = text;
    }
    void integer(std::int64_t) override { other(); }
    void other() override { refuse("has a value that is no text: prices are in quotes, too"); }

    Result<PriceTable> finish(bool is_json) && {
        if (error_) return *std::move(error_);
        if (!is_json) return detail::wrong_price_line(line_, "is followed by what is no JSON");
        return std::move(reader_).finish();
    }

private:
    void refuse(std::string_view problem) {
        if (!error_) error_ = detail::wrong_price_line(line_, problem);
    }

    /// Counts the lines up to a name, which lies in the document unless it has escapes.
    void look_where(std::string_view name) {
        const std::less_equal<const char*> up_to;
        const char* const end = json_.data() + json_.size();
        if (!up_to(counted_, name.data()) || !up_to(name.data(), end)) return;
        line_ += static_cast<std::size_t>(std::count(counted_, name.data(), '\n'));
        counted_ = name.data();
    }

    std::string_view json_;
    const char* counted_ = json_.data();
    std::size_t line_ = 1;
    int depth_ = 0;
    std::optional<std::size_t> column_;
    detail::PriceFields fields_;
    Reader reader_;
    std::optional<Error> error_;
};

Result<PriceTable> PriceTable::from_json(std::string_view text) {
    JsonReader reader{text};
    const bool is_json = detail::scan_json(text, reader);
    return std::move(reader).finish(is_json);
}

std::vector<std::string> PriceTable::currencies() const {
    std::vector<std::string> all;
    for (const auto& rule : rules_) all.emplace_back(rule.price.currency());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

Result<Money> PriceTable::estimate(const Address& recipient,
                                   const TemplateCategory& category) const {
    const auto [country, code] = detail::places_of(recipient);
    const auto kind = detail::in_capitals(category.str());
    const std::string_view channel =
        recipient.channel() == Address::Channel::sms ? "sms" : "whatsapp";
    const std::array<std::string_view, 3> places{country, code, {}};
    for (auto place = places.begin(); place != places.end(); ++place) {
        if (place->empty() && place + 1 != places.end()) continue;  // not known
        for (const auto of : {std::string_view{kind}, std::string_view{}}) {
            for (const auto over : {channel, std::string_view{}}) {
                const auto* const rule = find(*place, of, over);
                if (rule != nullptr) return rule->price;
            }
        }
    }
    auto problem = "has no rule: no price for " + (kind.empty() ? "what is no template" : kind);
    problem.append(" over ").append(channel).append(" to ");
    problem.append(!country.empty() ? country : !code.empty() ? code : "an unknown country");
    return Error::invalid_request("price", problem, "add a rule to the price table");
}

const PriceTable::Rule* PriceTable::find(std::string_view place, std::string_view category,
                                         std::string_view channel) const noexcept {
    const std::tuple wanted{place, category, channel};
    const auto found = std::lower_bound(
        rules_.begin(), rules_.end(), wanted,
        [](const Rule& rule, const auto& key) { return Reader::key_of(rule) < key; });
    return found != rules_.end() && Reader::key_of(*found) == wanted ? &*found : nullptr;
}

}  // namespace twiliowa
