#!/usr/bin/env bash
# Usage: abi_dump.sh <source tree> <dump>. What libabigail wrote of the shared library holds every class
# of the public headers, with its members: a class that it only declares could change unnoticed. Test
# doubles, adapters, components of their own and what lies in headers alone are no part of the library.
set -euo pipefail
status=0
while IFS= read -r name; do
    grep -E "<class-decl name='$name' " "$2" | grep -qvF "is-declaration-only='yes'" ||
        { echo "$2 does not define $name"; status=1; }
done < <(find "$1/include" -name '*.hpp' -not -path '*/testing/*' -not -path '*/adapters/*' \
    -not -path '*/outbox/*' -not -path '*/campaign/*' -not -path '*/sqlite/*' -not -path '*/postgresql/*' -not -path '*/redis/*' -not -name template_text.hpp -not -name template_value.hpp -exec awk '
    /^(class|struct) / && !/;/ && before !~ /^template/ {
        for (i = 2; $i == "TWILIOWA_EXPORT" || $i ~ /^\[\[/; i++);
        if ($i !~ /</) print $i
    }
    { before = $0 }' {} + | sort -u)
exit $status
