#!/usr/bin/env bash
# Usage: code_blocks_test.sh <source tree>. What code_blocks.sh must not let pass, each put into a copy of
# a page.
set -euo pipefail
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/docs"
cp -r docs/code "$work/docs"
cp -r README.md examples tests test_package "$work"
page=$work/docs/errors.md
cp docs/errors.md "$work/before.md"

refused() { # <words of the complaint> <text at the end of the page>
    local output
    { cat "$work/before.md"; printf '\n%b\n' "$2"; } >"$page"
    if output=$(tests/structure/code_blocks.sh "$work"); then
        echo "This passes, and should not:"
        printf '%b\n' "$2"
        exit 1
    fi
    grep -qF -- "$1" <<<"$output" || { echo "not '$1', but: $output"; exit 1; }
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
refused 'no test runs docs/code/new.sh' '<!-- docs/code/new.sh -->\n```sh\nls\n```'
echo 'int main() {}' >"$work/examples/new.cpp"
refused 'no test runs examples/new.cpp' '<!-- examples/new.cpp -->\n```cpp\nint main() {}\n```'

cp "$work/before.md" "$page"
tests/structure/code_blocks.sh "$work"
