// Usage: customer_state FILE|URL [KEY]. Makes the store of a service that knows one customer.
#include <memory>
#include <string>
#include <vector>

#ifdef WITH_POSTGRESQL
#include <twiliowa/postgresql/postgres_store.hpp>
#endif
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/twiliowa.hpp>

static std::shared_ptr<twiliowa::Store> store_of(const std::string& name) {
#ifdef WITH_POSTGRESQL
    if (name.starts_with("postgresql:")) return std::make_shared<twiliowa::PostgresStore>(name);
#endif
    return std::make_shared<twiliowa::SqliteStore>(name);
}

int main(int argc, char** argv) {
    namespace wa = twiliowa;
    if (argc < 2) return 2;
    const auto store = store_of(argv[1]);
    const auto customers = std::make_shared<wa::Customers>(
        store, wa::CustomersOptions{.key = wa::Secret{argc > 2 ? argv[2] : ""}});
    const wa::ConversationWindow window{store, {.customers = customers}};
    const wa::OptOuts opt_outs{store, {.customers = customers}};
    const auto sender = wa::Sender::parse("+14155238886").value();
    const auto number = wa::Address::parse("+447700900123").value();
    const auto id = wa::Address::parse("whatsapp:GB.4f1a77").value();
    const std::vector<wa::Address> addresses{number, id};
    // So that a key is there, where it is the store that keeps it.
    customers->key(number).value();
    window.record_inbound(sender, number).value();
    opt_outs.opt_out(sender, id).value();
    customers->learn(sender, addresses).value();
}
