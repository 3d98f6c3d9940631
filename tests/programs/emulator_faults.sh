#!/usr/bin/env bash
# Usage: emulator_faults.sh <emulator> <example send_template>. What a fault does to a real connection,
# and what the library makes of it; a conversation that goes on after a restart; HTTPS.
set -euo pipefail
emulator=$1 example=$2
work=$(mktemp -d)
process=''
trap '[ -z "$process" ] || kill -KILL $process 2>/dev/null || true; rm -rf "$work"' EXIT
unset "${!TWILIO@}" SSL_CERT_FILE

start() { # <options>
    "$emulator" --port 0 "$@" >"$work/environment" &
    process=$!
    until grep -q 'Ends with' "$work/environment"; do
        kill -0 $process || { echo "the emulator did not start with $*"; exit 1; }
        sleep 0.05
    done
    # shellcheck source=/dev/null
    . "$work/environment"
}
stop() {
    kill -TERM $process
    wait $process || { echo "the emulator ended with status $?"; exit 1; }
    process=''
}

# with_fault <name> <words of the error>: what was not done may be repeated, so some faults end well.
with_fault() {
    local output
    start --fault "$1=1"
    output=$("$example" 2>&1) || true
    grep -qE -- "$2" <<<"$output" || { echo "fault $1: $output"; exit 1; }
    echo "$1: as it should be"
    stop
}

with_fault close-after 'outcome unknown|may have been'
with_fault close-before 'outcome unknown|may have been'
with_fault reset 'outcome unknown|may have been'
with_fault truncated 'outcome unknown|may have been'
with_fault garbage 'outcome unknown|may have been'
with_fault 500 'outcome unknown|may have been'
with_fault 503 'outcome unknown|may have been'
with_fault 429 '20429'

# The state is kept: SIDs do not begin anew.
start --state "$work/state.json"
first=$("$example")
stop
[ -s "$work/state.json" ] || { echo "the state was not written"; exit 1; }
start --state "$work/state.json"
second=$("$example")
stop
[ "$first" != "$second" ] || { echo "the state was not read: $second again"; exit 1; }
start
third=$("$example")
stop
[ "$first" = "$third" ] || { echo "the same seed gives another SID: $third"; exit 1; }
echo "state: as it should be"

# Only who has its certificate trusts it.
start --tls
"$example" >/dev/null
if output=$(env -u SSL_CERT_FILE "$example" 2>&1); then
    echo "a certificate that nobody vouches for was trusted"
    exit 1
fi
grep -qi 'certificate' <<<"$output" || { echo "not said: $output"; exit 1; }
stop
echo "TLS: as it should be"
