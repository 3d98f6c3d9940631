#!/usr/bin/env bash
# Usage: html_links.sh <directory>. Every link and picture of the pages below it that is not on another site
# leads to a file.
set -euo pipefail
cd "$1"
status=0 pages=0
while IFS=$'\t' read -r page target; do
    pages=$((pages + 1))
    [ -e "$(dirname "$page")/$(printf '%b' "${target//%/\\x}")" ] || { echo "${page#./}: there is no $target"; status=1; }
done < <(find . -name '*.html' -exec awk '
    {
        while (match($0, /(href|src)="[^"#]*/)) {
            target = substr($0, RSTART, RLENGTH)
            $0 = substr($0, RSTART + RLENGTH)
            sub(/^[a-z]+="/, "", target)
            if (target == "" || target ~ /^([a-z]+:|\/\/)/) continue
            directory = FILENAME
            sub(/[^\/]*$/, "", directory)
            if (!seen[directory target]++) print FILENAME "\t" target
        }
    }' {} +)
[ $pages -gt 0 ] || { echo "$1 has no pages with links"; status=1; }
exit $status
