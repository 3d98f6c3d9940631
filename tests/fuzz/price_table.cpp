// Tables of prices, as CSV and as JSON, and amounts: what is wrong is told with its line, and an
// amount that was read is written as one that is read as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <twiliowa/campaign/price_table.hpp>

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

void expect_whole(const twiliowa::Result<twiliowa::PriceTable>& table) {
    if (!table) {
        expect(table.error().field().starts_with("line "));
        return;
    }
    const auto recipient = twiliowa::Address::parse("+447700900123");
    const auto price = table->estimate(*recipient, twiliowa::TemplateCategory{"MARKETING"});
    expect(price ? price->micros() >= 0 && price->currency().size() == 3
                 : price.error().field() == "price");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    expect_whole(PriceTable::from_csv(text));
    expect_whole(PriceTable::from_json(text));
    const auto money = Money::parse(text, "USD");
    if (!money) return 0;
    const auto again = Money::parse(money->decimal(), money->currency());
    expect(again && *again == *money && money->decimal().size() <= text.size() + 1);
    return 0;
}
