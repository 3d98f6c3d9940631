#!/usr/bin/env bash
# Usage: compile_fail.sh <file> <compiler...>. The file must compile; with TWILIOWA_COMPILE_FAIL
# defined, and the flags of its "// flags: <flags>" line if it has one, it must not, and the compiler's
# first error must be what the file's "// expect: <regex>" line says.
set -euo pipefail
file=$1
shift
expected=$(sed -n 's|^// expect: ||p' "$file")
read -ra flags < <(sed -n 's|^// flags: ||p' "$file") || true
[ -n "$expected" ] || { echo "$file has no expect line"; exit 1; }

"$@" -fsyntax-only "$file" || { echo "the good twin does not compile"; exit 1; }
if complaint=$(LC_ALL=C "$@" -fsyntax-only -DTWILIOWA_COMPILE_FAIL "${flags[@]}" "$file" 2>&1); then
    echo "the bad twin compiles"
    exit 1
fi
grep -m 1 -E 'error:' <<<"$complaint" | grep -qE "$expected" || { echo "refused for another reason:"; echo "$complaint"; exit 1; }
