// What docs/several-processes.md shows of PostgreSQL.
#include <memory>

#include <twiliowa/postgresql/postgres_store.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

int main() {
    // [store]
    const auto store = std::make_shared<wa::PostgresStore>("postgresql:///shop");
    const auto customers = std::make_shared<wa::Customers>(store);
    const wa::OptOuts opt_outs{store, {.customers = customers}};
    // [store]
    opt_outs.opt_out("+14155238886", "+447700900123").value();
    return opt_outs.is_opted_out("+14155238886", "+447700900123").value() ? 0 : 1;
}
