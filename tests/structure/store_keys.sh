#!/usr/bin/env bash
# Usage: store_keys.sh <source tree>. The table of docs/several-processes.md has the first word of every key
# that the sources keep in a Store, and no other.
set -euo pipefail

in_sources() { # <tree>: `address` is hashed, and `consent` a person of a ConsentStorage: no keys of a store.
    grep -rhoE '(state_key|conversation_key)\("[a-z-]+"' "$1/src" | sed -E 's/.*"(.*)"/\1/' | grep -vxE 'address|consent' | sort -u
}

in_table() { # <tree>
    sed -n '/^## The keys$/,/^## /p' "$1/docs/several-processes.md" | sed -nE 's/^\| `([a-z-]+)` \|.*/\1/p' | sort
}

check() { diff <(in_sources "$1") <(in_table "$1"); }

# It can fail: on a word that the table lacks, and on one that the sources lack.
faults=$(mktemp -d)
trap 'rm -rf "$faults"' EXIT
mkdir -p "$faults/src" "$faults/docs"
echo 'return state_key("here", {scope});' >"$faults/src/a.cpp"
printf '## The keys\n| prefix |\n|---|\n| `here` | a |\n' >"$faults/docs/several-processes.md"
check "$faults"
echo 'state_key("new", {});' >"$faults/src/b.cpp"
! check "$faults" >/dev/null || { echo "a word that the table lacks was not found"; exit 1; }
rm "$faults/src/b.cpp"
echo '| `old` | b |' >>"$faults/docs/several-processes.md"
! check "$faults" >/dev/null || { echo "a word that the sources lack was not found"; exit 1; }

check "$1" || { echo "bring the table of keys in docs/several-processes.md up to date"; exit 1; }
