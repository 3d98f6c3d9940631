// What a user writes whose services remember in one PostgreSQL.
#include <twiliowa/postgresql/postgres_store.hpp>
#include <twiliowa/twiliowa.hpp>

#include <iostream>

bool second_unit_works();

int main() {
    try {
        twiliowa::PostgresStore::migrate("postgresql://somebody@/somewhere?host=/nowhere");
    } catch (const twiliowa::TransportError& error) {
        std::cout << error.what() << '\n';
        return second_unit_works() ? 0 : 1;
    }
    return 1;
}
