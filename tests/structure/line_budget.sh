#!/usr/bin/env bash
# Usage: line_budget.sh <source tree> <compiler...>. A public header may cost at most 1.3 times the
# preprocessed lines of the standard headers it uses, or 600 lines more than they do, whichever is
# larger; an allowance for headers that use next to nothing. twiliowa.hpp gets no allowance.
set -euo pipefail
tree=$1
shift
cd "$tree/include"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

lines() { "${compile[@]}" -E -P -x c++ "$1" | wc -l; }  # of a file, preprocessed
compile=("$@" -std=c++20 -I.)
failures=0

printf '%-46s %7s %7s %6s\n' header own std ratio
for header in $(find twiliowa -name '*.hpp' ! -path 'twiliowa/adapters/*' | sort); do
    # -MM names the header and those of ours that it includes, not the standard ones.
    echo "#include <$header>" >"$scratch/own.hpp"
    ours=$("${compile[@]}" -MM -x c++ "$scratch/own.hpp" | tr -d '\\\n' | sed 's/^[^:]*://')
    # shellcheck disable=SC2086 # a list of files
    { grep -hE '^#include <' $ours | grep -v '<twiliowa/' | sort -u; } >"$scratch/std.hpp" || true
    own=$(lines "$scratch/own.hpp")
    std=$(lines "$scratch/std.hpp")
    allowance=600
    [ "$header" = twiliowa/twiliowa.hpp ] && allowance=0
    verdict=
    if [ $((own * 10)) -gt $((std * 13)) ] && [ "$own" -gt $((std + allowance)) ]; then
        verdict=' OVER BUDGET'
        failures=1
    fi
    printf '%-46s %7d %7d %6s%s\n' "$header" "$own" "$std" \
        "$(awk "BEGIN { print $std ? sprintf(\"%.2f\", $own / $std) : \"-\" }")" "$verdict"
done
exit $failures
