#!/usr/bin/env bash
# Usage: precompiled.sh <precompiled.awk>. On a fabricated tree, which sources may use a precompiled header: one that would
# hide that an include is missing must not.
set -euo pipefail
program=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{include/twiliowa/types,src/net}
file() { printf '#include %s\n' "${@:2}" >"$tree/$1"; }
file include/twiliowa/types/result.hpp '<variant>'
file include/twiliowa/types/error.hpp '<string>'
file include/twiliowa/store.hpp '<map>' '<twiliowa/types/result.hpp>'
file src/net/leads_there.hpp '<twiliowa/store.hpp>'
file src/net/leads_there_too.hpp '<string>' '"leads_there.hpp"'
file src/net/alone.hpp '<string>'
failures=0

# expect <precompiled or nothing> <include>...: of a source.
expect() {
    local wanted=$1 found
    shift
    file src/net/source.cpp "$@"
    found=$(echo "clang++ -I$tree/include -I$tree/src -o a.o -c $tree/src/net/source.cpp" |
        awk -v include="$tree/include" -v folder=f -v headers='store types/result' -f "$program" |
        sed -nE 's/.* -include-pch f\/([^ ]*)\.pch -o a\.o -c .*/\1/p')
    [ "$found" = "$wanted" ] || { echo "not '$wanted', but '$found' for $*"; failures=1; }
}

expect types_result '<twiliowa/types/result.hpp>'
expect types_result '<twiliowa/types/result.hpp> // IWYU pragma: associated'
expect store '<twiliowa/store.hpp>'
expect store '<algorithm>' '<curl/curl.h>' '<twiliowa/types/error.hpp>' '<twiliowa/store.hpp>'
expect store '"net/leads_there.hpp"'
expect store '"leads_there_too.hpp"' '"net/alone.hpp"'
# Nothing but the source shows whether that header stands alone.
expect '' '"net/alone.hpp"' '<twiliowa/store.hpp>'
expect '' '<twiliowa/types/error.hpp>' '"alone.hpp"' '"net/leads_there.hpp"'
# It is nowhere, or includes nothing of that kind.
expect '' '"nowhere.hpp"' '<twiliowa/store.hpp>'
expect '' '<twiliowa/types/error.hpp>'
expect '' '<string>'
exit $failures
