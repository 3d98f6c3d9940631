// What docs/keys.md shows.
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

/// A row of a table of your own.
struct Row {
    std::string id = {};
    std::string text = {};         ///< sealed
    std::string phone_index = {};  ///< a blind index
};

void write_keys(const std::string& path, std::string_view before) {
    // [make]
    const wa::Secret key = wa::KeyRing::new_key("2026-11");  // 2026-11:BASE64
    ::umask(0077);                                           // a file for its owner alone
    std::ofstream{path} << key.reveal() << '\n' << before;   // the newest first
    // [make]
}

}  // namespace

int main() {
    const auto path = (std::filesystem::temp_directory_path() / "twiliowa_docs_keys.txt").string();
    std::filesystem::remove(path);
    write_keys(path, "2025-11:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");

    // [seal]
    const wa::Sealer sealer{[path] { return wa::KeyRing::try_from_file(path); }};

    const std::string sealed = sealer.seal("Your order is on its way", "orders/text/17").value();
    const std::string text = sealer.open(sealed, "orders/text/17").value();

    const auto moved = sealer.open(sealed, "orders/text/18");  // another row
    expect(moved.error().field() == "sealed");
    // [seal]
    expect(text == "Your order is on its way");

    std::vector<Row> table;
    table.push_back(
        {"16",
         wa::Sealer{wa::KeyRing::parse("2025-11:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")}
             .seal("An old one", "orders/text/16")
             .value(),
         {}});
    table.push_back({"17", sealed, {}});

    // [index]
    table.back().phone_index = sealer.blind_index("+447700900123", "orders/phone").value();

    // SELECT ... WHERE phone_index IN (...)
    const auto sought = sealer.blind_indexes("+447700900123", "orders/phone").value();
    const auto found = std::find_if(table.begin(), table.end(), [&](const Row& row) {
        return std::find(sought.begin(), sought.end(), row.phone_index) != sought.end();
    });
    // [index]
    expect(found != table.end() && found->id == "17");

    // [rotate]
    if (const auto asked = sealer.refresh(); !asked) {  // the file has another first line now
        std::cerr << asked.error().what() << '\n';
        return 1;
    }
    for (auto& row : table) {
        if (sealer.made_with_newest(row.text).value()) continue;
        const std::string place = "orders/text/" + row.id;
        row.text = sealer.seal(sealer.open(row.text, place).value(), place).value();
    }
    // [rotate]
    for (const auto& row : table) expect(wa::Sealer::key_id_of(row.text) == "2026-11");

    std::filesystem::remove(path);
}
