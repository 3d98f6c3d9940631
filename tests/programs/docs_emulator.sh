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

# The page takes a fixed port; here it is a free one.
twiliowa-emulator() { exec "$built/tools/twiliowa-emulator" --port 0; }
# shellcheck source=docs/code/emulator.sh
. "$2"

start_it
curl() { command curl -sS -w '\n%{http_code}\n' "$@"; }
[ "$(order_it | grep -cx 200)" -eq 2 ] || { order_it; exit 1; }
echo "as it should be"
