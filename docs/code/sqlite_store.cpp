// What docs/several-processes.md shows.
#include <filesystem>
#include <iostream>
#include <memory>

#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/testing/check_store.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

void remember() {
    // [store]
    const auto store = std::make_shared<wa::SqliteStore>("state.db");
    const auto customers = std::make_shared<wa::Customers>(store);
    const wa::OptOuts opt_outs{store, {.customers = customers}};
    // [store]
    opt_outs.opt_out("+14155238886", "+447700900123").value();
}

bool is_sound() {
    // [check]
    const auto open = [] { return std::make_shared<wa::SqliteStore>("checked.db"); };
    const auto faults = wa::testing::check_store(open);
    for (const auto& fault : faults) std::cerr << fault << '\n';
    // [check]
    return faults.empty();
}

}  // namespace

int main() {
    const auto directory = std::filesystem::temp_directory_path() / "twiliowa_docs_sqlite_store";
    std::filesystem::create_directory(directory);
    std::filesystem::current_path(directory);
    remember();
    const bool sound = is_sound();
    std::filesystem::current_path(directory.parent_path());
    std::filesystem::remove_all(directory);
    return sound ? 0 : 1;
}
