#!/usr/bin/env bash
# Usage: docs_emulator.sh <build tree> <docs/code/emulator.sh>. Types what the documentation says of the
# emulator; says so and ends with 77 where there is no curl.
set -euo pipefail
built=$1
command -v curl >/dev/null || { echo "SKIPPED: programs.docs.emulator: curl is not installed"; exit 77; }
unset "${!TWILIO@}"
work=$(mktemp -d)
# shellcheck disable=SC2064 # the value of now
trap "kill \$(jobs -p) 2>/dev/null || true; wait; rm -rf '$work'" EXIT
cd "$work"

# The pages build in build/dev and take a fixed port and a second; here the port is free, and the wait
# as long as it must be.
mkdir -p build/dev/{tools,examples}
printf '#!/bin/sh\nexec "%s" --port 0\n' "$built/tools/twiliowa-emulator" >build/dev/tools/twiliowa-emulator
chmod +x build/dev/tools/twiliowa-emulator
ln -s "$built/examples/example_send_template" build/dev/examples/
PATH=$work/build/dev/tools:$PATH
cmake() { [ "$*" = "--build build/dev --target example_send_template" ]; }
sleep() {
    until grep -q 'Ends with' emulator.env 2>/dev/null; do command sleep 0.05; done
}
# shellcheck source=docs/code/emulator.sh
. "$2"

try_it >sent
grep -qE '^SM[0-9a-f]{32} is queued' sent || { echo "the example did not send"; exit 1; }
rm -f emulator.env
start_it
curl() { command curl -sS -w '\n%{http_code}\n' "$@"; }
[ "$(order_it | grep -cx 200)" -eq 2 ] || { order_it; exit 1; }
echo "as it should be"
