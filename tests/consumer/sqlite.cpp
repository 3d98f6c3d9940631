// What a user writes whose service remembers in a file.
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/twiliowa.hpp>

bool second_unit_works();

int main() {
    const auto store = std::make_shared<twiliowa::SqliteStore>("state.db");
    const twiliowa::OptOuts opt_outs{store};
    const auto done = opt_outs.opt_out("whatsapp:+14155238886", "+447700900123");
    return done && second_unit_works() ? 0 : 1;
}
