#!/usr/bin/env bash
# Usage: doc_tables.sh <source tree>. A table in a header's comment is whole: each of its lines begins and
# ends with a bar, and all have as many as its first. A formatter that joins or splits lines leaves none so.
set -euo pipefail

check() { # <file...>
    awk '
        FNR == 1 { columns = 0 }
        { is_row = 0 }
        /^ *\/\/\/.*\|/ {
            text = $0
            sub(/^ *\/\/\/<? */, "", text)
            gsub(/`[^`]*`/, "", text)
            sub(/ +$/, "", text)
            bars = gsub(/\|/, "|", text)
            # A single bar is a word of the text, as in "a | b".
            if (text ~ /^\|/ || bars > 1) {
                is_row = 1
                if (text !~ /^\|.*\|$/ || (columns && bars != columns)) {
                    print FILENAME ":" FNR ": a line of a table is not whole: " $0
                    bad = 1
                }
                columns = bars
            }
        }
        !is_row { columns = 0 }
        END { exit bad }' "$@"
}

# It can fail: on rows that a formatter has joined, and on one that it has split.
faults=$(mktemp -d)
trap 'rm -rf "$faults"' EXIT
printf '/// | form | means |\n/// |---|---|\n/// | `a|b` | x |\n/// One | word.\n' >"$faults/whole.hpp"
printf '/// | form | means |\n/// |---|---| | a | b | | c |\n/// d |\n' >"$faults/joined.hpp"
printf '/// | form | means |\n/// |---|---|\n/// | a long cell that is\n/// cut | b |\n' >"$faults/split.hpp"
check "$faults/whole.hpp"
for fault in joined split; do
    ! check "$faults/$fault.hpp" >/dev/null || { echo "a table that is $fault was taken for whole"; exit 1; }
done

cd "$1"
mapfile -d '' headers < <(find include -name '*.hpp' -print0)
check "${headers[@]}"
