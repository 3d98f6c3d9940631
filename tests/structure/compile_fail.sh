#!/usr/bin/env bash
# Usage: compile_fail.sh <directory> <compiler...>. Each file of the directory must compile; with TWILIOWA_COMPILE_FAIL
# defined it must not, and the compiler's first error for it must be what the file's "// expect: <regex>" line
# says. All are read in one unit, each in a namespace of its own; those with a "// flags: [<flags>]" line, which are
# given to the bad twin, by themselves.
set -euo pipefail
directory=$1
shift
compiler=("$@" -fsyntax-only -I"$directory")
# clang++ gives up after twenty errors.
! "$1" --version | grep -q clang || compiler+=(-ferror-limit=0)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() { # <file> <what>
    echo "$1: $2"
    failed=$((failed + 1))
}
compile() { LC_ALL=C "${compiler[@]}" "$@" 2>&1; }

together=() alone=()
for file in "$directory"/*.cpp; do
    grep -q '^// expect: ' "$file" || complain "$file" "it has no expect line"
    if grep -q '^// flags:' "$file"; then alone+=("$file"); else together+=("$file"); fi
done

{
    grep -h '^#include' "${together[@]}" | sort -u
    for file in "${together[@]}"; do
        name=$(basename "$file" .cpp)
        printf 'namespace %s {\n#include "%s.cpp"\n}\n' "$name" "$name"
    done
} >"$work/all.cpp"
compile "$work/all.cpp" || complain "all" "a good twin does not compile"
! compile -DTWILIOWA_COMPILE_FAIL "$work/all.cpp" >"$work/complaints" || complain "all" "every bad twin compiles"

# The errors of a file: g++ names it in the error or in what leads to it, clang++ in notes after it.
errors_of() { # <name of a file>
    awk -v name="/$1:" 'function tell() { if (error == "") return; if (ours) print error; error = ""; ours = 0 }
                        / error: / || (error != "" && /^In file included|: In |required from/) { tell() }
                        / error: / { error = $0 }
                        index($0, name) { ours = 1 }
                        END { tell() }' "$work/complaints"
}
for file in "${together[@]}"; do
    expected=$(sed -n 's|^// expect: ||p' "$file")
    errors=$(errors_of "$(basename "$file")")
    [ -n "$errors" ] || { complain "$file" "the bad twin compiles"; continue; }
    head -n 1 <<<"$errors" | grep -qE "$expected" || complain "$file" "refused for another reason: $errors"
done

for file in "${alone[@]}"; do
    expected=$(sed -n 's|^// expect: ||p' "$file")
    read -ra flags < <(sed -n 's|^// flags: *||p' "$file")
    compile "$file" || complain "$file" "the good twin does not compile"
    if complaint=$(compile -DTWILIOWA_COMPILE_FAIL "${flags[@]}" "$file"); then
        complain "$file" "the bad twin compiles"
    else
        grep -m 1 -E 'error:' <<<"$complaint" | grep -qE "$expected" || complain "$file" "refused for another reason: $complaint"
    fi
done
[ ${#together[@]} -gt 10 ] && [ ${#alone[@]} -gt 1 ] || complain "$directory" "holds few files"
echo "$((${#together[@]} + ${#alone[@]} - failed)) as expected, $failed not"
[ $failed -eq 0 ]
