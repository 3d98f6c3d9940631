#!/usr/bin/env bash
# Usage: system_lines.sh <source tree>. Each of the whole systems has 300 to 800 lines of C++: a reader takes it in at
# once, and what two of them need is written once, in examples/systems/support or in the library. Counted are the lines
# that are neither blank nor a comment alone of the .cpp and .hpp files in the system's folder; a folder stand_in/ in it is a
# program of somebody else's, in place of the real one.
set -euo pipefail
cd "$1/examples/systems"
failures=0
for page in */README.md; do
    name=${page%/README.md}
    [ -x "$name/run" ] || continue
    lines=$(cat "$name"/*.cpp "$name"/*.hpp | grep -cvE '^\s*($|//)')
    verdict=
    if [ "$lines" -lt 300 ] || [ "$lines" -gt 800 ]; then
        verdict=' is not 300 to 800'
        failures=1
    fi
    echo "$name: $lines$verdict"
done
exit $failures
