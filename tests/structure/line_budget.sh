#!/usr/bin/env bash
# Usage: line_budget.sh <source tree> <compiler...>. A public header may cost at most 1.3 times the
# preprocessed lines of the standard headers it uses, or 600 lines more than they do, whichever is
# larger; an allowance for headers that use next to nothing. twiliowa.hpp gets no allowance.
set -euo pipefail
tree=$1
shift
cd "$tree/include"

printf '%-46s %7s %7s %6s\n' header own std ratio
# What the preprocessor names after each `# <line>` tells whose the lines are that follow: ours are below twiliowa/.
for header in $(find twiliowa -name '*.hpp' ! -path 'twiliowa/adapters/*' | sort); do
    echo "== $header"
    "$@" -std=c++20 -I. -E -x c++ - <<<"#include <$header>"
done | awk '
    function judge(  verdict) {
        if (header == "") return
        if (own * 10 > std * 13 && own > std + (header == "twiliowa/twiliowa.hpp" ? 0 : 600)) {
            verdict = " OVER BUDGET"
            failures = 1
        }
        printf "%-46s %7d %7d %6s%s\n", header, own, std, std ? sprintf("%.2f", own / std) : "-", verdict
    }
    /^== / { judge(); header = $2; own = std = 0; next }
    /^# / { is_ours = $3 ~ /^"(\.\/)?twiliowa\// ; next }
    NF { own++; std += !is_ours }
    END { judge(); exit failures }'
