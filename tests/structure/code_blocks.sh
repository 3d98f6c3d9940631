#!/usr/bin/env bash
# Usage: code_blocks.sh [--write] <source tree>. Every block of code in README.md and docs/, in whatever
# language, shows a part of a file that a test compiles or runs; the line before the block names it:
#
#     <!-- examples/check_signature.cpp [check] -->
#
# means what stands in that file between two lines `// [check]`, or `# [check]`; without brackets, the
# whole file. What no test can run says why instead, in words from the list below:
#
#     <!-- not run: installs packages -->
#
# Fails on a block that has no such line, or differs, or has another form than ```language, and on a file
# that no test runs. With --write the blocks are made equal instead.
set -euo pipefail
write=''
[ "$1" != --write ] || { write=yes; shift; }
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pages() { find README.md docs -name '*.md' | sort; }

check_page() { # <page>: prints it with the blocks as they should be
    awk -v page="$1" '
        BEGIN {
            # What a block that is not run begins with, for each reason that there is.
            reasons["installs packages"] = "sudo apt-get install "
            reasons["needs Conan"] = "conan "
            reasons["needs vcpkg"] = "vcpkg "
            split("cpp cpp hpp cpp sh sh cmake cmake py python cjs js txt text", pairs, " ")
            for (i = 1; i in pairs; i += 2) language_of[pairs[i]] = pairs[i + 1]
        }
        function complain(at, what) {
            print page ":" at ": " what > "/dev/stderr"
            bad = 1
        }
        # What the block shall be, without the indentation that all of it has.
        function wanted(reference,    parts, file, tag, line, inside, lines, n, i, indent, text, found) {
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
            if (found < 0 || n == 0 || (tag != "" && inside)) complain(start, "there is no " reference)
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
        function extension(reference,    file) {
            file = reference
            sub(/ .*/, "", file)
            sub(/.*\./, "", file)
            return file
        }
        # A block of code of another form is one that nothing looks into.
        function is_hidden_block(line) {
            while (sub(/^ ? ? ?> ?/, "", line)) continue
            if (line ~ /^[ \t]*(([-*+]|[0-9]+[.)])[ \t]+)*(```|~~~)/) return 1
            if (line ~ /^ ? ? ?(    |\t)/ && !in_list) return 1
            gsub(/`[^`]*`/, "", line)
            return line ~ /<(pre|code|listing|xmp)[ >]|[\\@](code|verbatim|snippet)/
        }
        /^```[a-z]+$/ {
            print
            language = substr($0, 4)
            block = ""
            start = NR
            while ((more = getline line) > 0 && line != "```") block = block line "\n"
            if (more <= 0) complain(start, "the block has no end")
            if (reference ~ /^not run: /) {
                reason = substr(reference, 10)
                if (!(reason in reasons) || language != "sh" || index(block, reasons[reason]) != 1) {
                    complain(start, "no reason to run no test: " reference)
                }
            } else if (reference !~ /^(docs\/code|examples|tests|test_package)\// || reference ~ /\.\./) {
                complain(start, "the block says not which file of docs/code, examples, tests or test_package it is from")
            } else {
                if (language != language_of[extension(reference)]) {
                    complain(start, language " is not the language of " reference)
                }
                text = wanted(reference)
                if (text != block) {
                    print page ":" start ": the block is not " reference > "/dev/stderr"
                    differs = 1
                }
                block = text
            }
            printf "%s```\n", block
            reference = ""
            next
        }
        is_hidden_block($0) { complain(NR, "write a block of code between ```language and ```") }
        { print }
        # What goes on in a list is indented, too.
        /^ *([-*+]|[0-9]+[.)]) / { in_list = 1 }
        !NF { in_list = 0 }
        /^<!-- .* -->$/ { reference = $0; sub(/^<!-- /, "", reference); sub(/ -->$/, "", reference); next }
        NF { reference = "" }
        END { exit bad ? 2 : differs ? 1 : 0 }
    ' "$1"
}

# The lines of CMake and the scripts it starts, without their comments.
what_tests_run() {
    find tests -name CMakeLists.txt -exec sed '/^ *#/d' {} + >"$work/lists"
    cat "$work/lists"
    find tests -name '*.sh' -not -path 'tests/structure/*' | awk '
        FNR == NR { lists = lists $0 "\n"; next }
        { name = $0; sub(/.*\//, "/", name) }
        index(lists, name)' "$work/lists" - | xargs sed '/^ *#/d'
}

is_run() { # <file>
    local name=${1##*/} stem
    stem=${name%.*}
    case $1 in
    docs/code/*.cpp) grep -qF 'docs/code/*.cpp' "$work/run" ;;
    examples/*.cpp) grep -qE "^ *run $stem( |\$)|example_${stem}[^a-z_]" "$work/run" ;;
    tests/compile_fail/*.cpp) grep -qF 'compile_fail.sh ${tree}/tests/compile_fail' "$work/run" ;;
    tests/consumer/*.cmake) grep -qE "^ *(configure(_only)? [a-z_]+|consume( [a-z_]+)*) $stem( |\$)|/$name" "$work/run" ;;
    test_package/*) grep -qF "$1" "$work/run" ;;
    *) grep -qE "[ /]$name" "$work/run" ;;
    esac
}

status=0
while IFS= read -r page; do
    check_page "$page" >"$work/page" 2>"$work/log" && result=0 || result=$?
    if [ -n "$write" ] && [ $result -eq 1 ]; then
        cat "$work/page" >"$page"
        echo "$page: brought up to date"
    elif [ $result -ne 0 ]; then
        cat "$work/log"
        status=1
    fi
done < <(pages)

what_tests_run >"$work/run"
while IFS= read -r file; do
    is_run "$file" || { echo "no test runs $file, which a page shows"; status=1; }
done < <(pages | xargs sed -nE 's/^<!-- ((docs\/code|examples|tests|test_package)\/[^ ]+).* -->$/\1/p' | sort -u)
exit $status
