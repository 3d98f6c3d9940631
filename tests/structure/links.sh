#!/usr/bin/env bash
# Usage: links.sh <source tree>. Every link of the pages to something in the tree leads to it.
set -euo pipefail
cd "$1"
status=0
while IFS= read -r page; do
    while IFS= read -r target; do
        [ -e "$(dirname "$page")/$target" ] || { echo "$page: there is no $target"; status=1; }
    done < <(awk '/^```/ { code = !code } !code' "$page" | grep -oE '\]\([^)# ]+' | cut -c3- | grep -vE '^[a-z]+:' || true)
done < <(find README.md UPGRADING.md docs packaging -name '*.md' | sort)
exit $status
