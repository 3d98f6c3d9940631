#!/usr/bin/env bash
# Usage: emulator_faults.sh <emulator> <directory of the examples>. What a fault does to a real connection,
# and what the library makes of it; a conversation that goes on after a restart; HTTPS.
set -euo pipefail
emulator=$1 example=$2/example_send_template queue_worker=$2/example_queue_worker
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"

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

# A worker whose answer was lost looks before it sends again, and finds what it sent.
start
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-after"}'
output=$("$queue_worker")
grep -q '^job-1 *was sent *SM' <<<"$output" || { echo "the lost answer: $output"; exit 1; }
[ "$(grep -c 'sent  *SM' <<<"$output")" -eq 2 ] || { echo "sent how often? $output"; exit 1; }
stop
echo "queue_worker: as it should be"

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
