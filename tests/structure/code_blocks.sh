#!/usr/bin/env bash
# Usage: code_blocks.sh [--write] <source tree>. Every block of code in README.md and docs/, in whatever
# language, shows a part of a file that is compiled and run; the line before the block names it:
#
#     <!-- examples/check_signature.cpp [check] -->
#
# means what stands in that file between two lines `// [check]`, or `# [check]`; without brackets, the
# whole file. What cannot be run by a test says why instead:
#
#     <!-- not run: installs packages -->
#
# Fails on a block that has no such line, or differs. With --write the blocks are made equal instead.
set -euo pipefail
write=''
[ "$1" != --write ] || { write=yes; shift; }
cd "$1"

status=0
while IFS= read -r page; do
    awk -v page="$page" '
        # What the block shall be, without the indentation that all of it has.
        function wanted(reference,    parts, file, tag, line, inside, lines, n, i, indent, text) {
            split(reference, parts, " ")
            file = parts[1]
            tag = parts[2]
            inside = tag == ""
            n = 0
            while ((found = (getline line < file)) > 0) {
                if (tag != "" && line ~ /^[ \t]*(\/\/|#) \[[a-z_0-9]+\]$/) {
                    if (index(line, tag)) inside = !inside
                    continue
                }
                if (inside) lines[++n] = line
            }
            close(file)
            if (found < 0 || n == 0) {
                print page ": there is no " reference > "/dev/stderr"
                bad = 1
            }
            indent = -1
            for (i = 1; i <= n; i++) {
                if (lines[i] ~ /^[ \t]*$/) continue
                match(lines[i], /^ */)
                if (indent < 0 || RLENGTH < indent) indent = RLENGTH
            }
            for (i = 1; i <= n; i++) text = text substr(lines[i], indent + 1) "\n"
            sub(/\n+$/, "\n", text)
            return text
        }
        /^ *```[a-z]/ {
            print
            block = ""
            start = NR
            while ((getline line) > 0 && line != "```") block = block line "\n"
            if (reference ~ /^not run: ./) {
                printf "%s", block
            } else if (reference !~ /^(docs\/code|examples|tests)\//) {
                print page ":" start ": the block says not which file of docs/code, examples or tests it is from" > "/dev/stderr"
                bad = 1
                printf "%s", block
            } else {
                text = wanted(reference)
                if (text != block) {
                    print page ":" start ": the block is not " reference > "/dev/stderr"
                    differs = 1
                }
                printf "%s", text
            }
            print "```"
            reference = ""
            next
        }
        { print }
        /^<!-- .* -->$/ { reference = $0; sub(/^<!-- /, "", reference); sub(/ -->$/, "", reference); next }
        NF { reference = "" }
        END { exit bad ? 2 : differs ? 1 : 0 }
    ' "$page" >"${TMPDIR:-/tmp}/code_blocks.$$" 2>"${TMPDIR:-/tmp}/code_blocks.$$.log" && result=0 || result=$?
    if [ -n "$write" ] && [ $result -eq 1 ]; then
        cat "${TMPDIR:-/tmp}/code_blocks.$$" >"$page"
        echo "$page: brought up to date"
    elif [ $result -ne 0 ]; then
        cat "${TMPDIR:-/tmp}/code_blocks.$$.log"
        status=1
    fi
    rm -f "${TMPDIR:-/tmp}/code_blocks.$$" "${TMPDIR:-/tmp}/code_blocks.$$.log"
done < <(find README.md docs -name '*.md' -not -path 'docs/adr/*' | sort)
exit $status
