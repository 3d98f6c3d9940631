#!/usr/bin/env bash
# Usage: include_direction.sh <source tree>. Checks the tree, after proving on fabricated ones that
# each kind of fault is found.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$1

check() { (cd "$1" && find include src -name '*.[hc]pp' -print | sort | xargs awk -f "$here/include_direction.awk"); }

# fabricate <file> <include line>...: a sound tree plus one file.
fabricate() {
    local file=$1
    rm -rf "$scratch"/* && cd "$scratch"
    mkdir -p include/twiliowa/{types,http,state,webhook,testing,adapters} src/{net,call,messages_client}
    echo '#include <string>' >include/twiliowa/types/error.hpp
    echo '#include <twiliowa/types/error.hpp>' | tee include/twiliowa/http/wire.hpp \
        include/twiliowa/state/store.hpp include/twiliowa/webhook/event.hpp >/dev/null
    echo '#include <twiliowa/http/wire.hpp>' | tee include/twiliowa/messages_client.hpp \
        src/call/machine.hpp >/dev/null
    echo '#include <twiliowa/webhook/event.hpp>' >include/twiliowa/webhook_handler.hpp
    echo '#include <twiliowa/messages_client.hpp>' | tee include/twiliowa/testing/fake.hpp \
        src/messages_client/reconcile_search.hpp >/dev/null
    echo '#include <string>' >src/net/url.hpp
    mkdir -p "$(dirname "$file")"
    printf '#include %s\n' "${@:2}" >"$file"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

expect() {
    local verdict=$1
    shift
    (fabricate "$@")
    local found=ok
    check "$scratch" >"$scratch/report" || found=fault
    if [ "$found" != "$verdict" ]; then
        echo "self-test: expected $verdict, found $found for $*"
        failures=1
    fi
}

expect ok include/twiliowa/content_client.hpp '<twiliowa/messages_client.hpp>' '<vector>'
expect ok include/twiliowa/adapters/fmt.hpp '<fmt/format.h>' '<twiliowa/testing/fake.hpp>'
expect ok src/http/wire.cpp '"net/url.hpp"' '<curl/curl.h>'
expect ok src/sqlite/store.cpp '<twiliowa/state/store.hpp>' '<sqlite3.h>'
expect ok src/sqlite/outbox.cpp '<twiliowa/outbox/storage.hpp>' '<sqlite3.h>'
expect fault src/sqlite/bad.cpp '<twiliowa/messages_client.hpp>'
expect fault src/sqlite/bad.cpp '"outbox/worker.hpp"'
expect fault src/state/bad.cpp '"sqlite/store.hpp"'
expect fault include/twiliowa/sqlite/bad.hpp '<sqlite3.h>'
expect ok src/postgresql/store.cpp '<twiliowa/state/store.hpp>' '<libpq-fe.h>'
expect fault src/postgresql/bad.cpp '"sqlite/store.hpp"'
expect fault include/twiliowa/postgresql/bad.hpp '<libpq-fe.h>'
expect ok src/redis/store.cpp '<twiliowa/state/store.hpp>' '<hiredis/hiredis.h>'
expect fault src/redis/bad.cpp '<twiliowa/outbox/storage.hpp>'
expect fault src/state/bad.cpp '"redis/store.hpp"'
expect fault include/twiliowa/redis/bad.hpp '<hiredis/hiredis.h>'
expect ok src/messages_client/look.cpp '"messages_client/reconcile_search.hpp"'
expect ok src/check_setup/report.cpp '<twiliowa/messages_client.hpp>' '"call/machine.hpp"'
expect fault src/check_setup/report.cpp '<twiliowa/webhook_handler.hpp>'
expect ok src/outbox/worker.cpp '<twiliowa/messages_client.hpp>' '<twiliowa/webhook_handler.hpp>'
expect ok src/campaign/plan.cpp '"outbox/worker.hpp"'
expect ok src/content_client/client.cpp '"call/machine.hpp"'
expect fault include/twiliowa/types/bad.hpp '<twiliowa/http/wire.hpp>'
expect fault include/twiliowa/http/bad.hpp '<twiliowa/messages_client.hpp>'
expect fault include/twiliowa/http/bad.hpp '<twiliowa/state/store.hpp>'
expect fault include/twiliowa/messages_client.hpp '<twiliowa/webhook_handler.hpp>'
expect fault include/twiliowa/webhook_handler.hpp '<twiliowa/http/wire.hpp>'
expect fault include/twiliowa/messages_client.hpp '<twiliowa/testing/fake.hpp>'
expect fault src/http/bad.cpp '"call/machine.hpp"'
expect fault src/http/bad.cpp '"messages_client/reconcile_search.hpp"'
expect fault src/call/bad.cpp '<twiliowa/adapters/fmt.hpp>'
expect fault src/call/bad.cpp '<twiliowa/http/wire.hpp>' '<twiliowa/webhook/event.hpp>'
expect fault src/call/bad.cpp '"messages_client/reconcile_search.hpp"'
expect fault src/types/bad.cpp '"call/machine.hpp"'
expect fault src/text/bad.cpp '<twiliowa/types/error.hpp>'
expect fault src/net/bad.cpp '<twiliowa/types/error.hpp>'
expect fault src/webhook/bad.cpp '<twiliowa/http/wire.hpp>'
expect fault src/state/bad.cpp '"call/machine.hpp"'
expect fault src/media_client/bad.cpp '<twiliowa/webhook_handler.hpp>'
expect fault src/messages_client/bad.cpp '"outbox/worker.hpp"'
expect fault src/detail/bad.cpp '<string>'
expect fault src/elsewhere/bad.cpp '<string>'
expect fault include/twiliowa/types/bad.hpp '<nlohmann/json.hpp>'
expect fault include/twiliowa/types/bad.hpp '<unistd.h>'

check "$tree" || failures=1
exit $failures
