// What a user writes whose services remember in one PostgreSQL.
#include <iostream>

#include <twiliowa/postgresql/postgres_store.hpp>
#include <twiliowa/types/error.hpp>

int main() {
    try {
        twiliowa::PostgresStore::migrate("postgresql://somebody@/somewhere?host=/nowhere");
    } catch (const twiliowa::TransportError& error) {
        std::cout << error.what() << '\n';
        return 0;
    }
    return 1;
}
