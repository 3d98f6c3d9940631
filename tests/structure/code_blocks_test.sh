#!/usr/bin/env bash
# Usage: code_blocks_test.sh <source tree>. What code_blocks.sh must not let pass, each at the end of a page of its
# own, which without it passes.
set -euo pipefail
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/docs"
cp -r docs/code "$work/docs"
cp -r README.md examples tests test_package "$work"
cp docs/errors.md "$work/docs"
tests/structure/code_blocks.sh "$work"

count=0 complaints=()
page() { # <words of the complaint> <text>: another page, which ends with it
    count=$((count + 1))
    complaints+=("$1")
    { cat docs/errors.md; printf '\n%b\n' "$2"; } >"$work/docs/page_$count.md"
}
refused() { # <words of the complaint> <text at the end of the page>
    page "docs/page_$((count + 1)).md:[0-9]+: .*$1" "$2"
}
not_run() { # <file> <text at the end of the page>
    page "^no test runs $1," "$2"
}

code='client.send();'
other_form='between ```language and ```'
refused "$other_form" "\`\`\`\n$code\n\`\`\`"
refused "$other_form" "~~~cpp\n$code\n~~~"
refused "$other_form" "\`\`\`C++\n$code\n\`\`\`"
refused "$other_form" "\`\`\`\`cpp\n$code\n\`\`\`\`"
refused "$other_form" "    $code"
refused "$other_form" "\t$code"
refused "$other_form" "Text.\n\n- One.\n\n      $code"
refused "$other_form" "- \`\`\`cpp\n  $code\n  \`\`\`"
refused "$other_form" ">     $code"
refused "$other_form" "> \`\`\`cpp\n> $code\n> \`\`\`"
refused "$other_form" "<pre>\n$code\n</pre>"
refused "$other_form" "@code\n$code\n@endcode"
refused 'has no end' "\`\`\`cpp\n$code"
refused 'which file' "\`\`\`cpp\n$code\n\`\`\`"
refused 'which file' "<!-- docs/errors.md -->\n\n\`\`\`cpp\n$code\n\`\`\`"
refused 'which file' "<!-- not run -->\n\`\`\`sh\n./dev\n\`\`\`"
refused 'no reason' "<!-- not run: no -->\n\`\`\`cpp\n$code\n\`\`\`"
refused 'no reason' "<!-- not run: needs Conan -->\n\`\`\`cpp\n$code\n\`\`\`"
refused 'no reason' "<!-- not run: needs Conan -->\n\`\`\`sh\n./dev test\n\`\`\`"
refused 'there is no' "<!-- docs/code/errors.cpp [none_such] -->\n\`\`\`cpp\n$code\n\`\`\`"
refused 'there is no' "<!-- docs/code/none_such.cpp -->\n\`\`\`cpp\n$code\n\`\`\`"
refused 'the block is not' "<!-- docs/code/errors.cpp [catch] -->\n\`\`\`cpp\n$code\n\`\`\`"
refused 'is not the language' "<!-- docs/code/errors.cpp [catch] -->\n\`\`\`sh\n$code\n\`\`\`"
echo 'ls' >"$work/docs/code/new.sh"
not_run docs/code/new.sh '<!-- docs/code/new.sh -->\n```sh\nls\n```'
echo 'int main() {}' >"$work/examples/new.cpp"
not_run examples/new.cpp '<!-- examples/new.cpp -->\n```cpp\nint main() {}\n```'

if tests/structure/code_blocks.sh "$work" >"$work/output"; then
    echo "These pages pass, and should not."
    exit 1
fi
status=0
for ((i = 1; i <= count; i++)); do
    grep -qE -- "${complaints[i - 1]}" "$work/output" || {
        status=1
        echo "'${complaints[i - 1]}' was not said, but: $(grep -F "page_$i.md" "$work/output")"
        tail -n 3 "$work/docs/page_$i.md"
    }
done
# Of no page without a fault.
! grep -vE '^docs/page_[0-9]+\.md:|^no test runs ' "$work/output" || status=1
exit $status
