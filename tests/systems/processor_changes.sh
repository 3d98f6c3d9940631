#!/usr/bin/env bash
# Usage: processor_changes.sh <run> <build tree>. What changes while the channel processor runs: Twilio throttles, a
# token is rotated, a company is gone, the worker is killed.
set -euo pipefail
# shellcheck source=tests/systems/processor_lib.sh
. "$(dirname "$0")/processor_lib.sh"

start_processor "$1" "$2"
secret rotated "$account, $token, $sid"
secret going "$account, $token, $sid"
# From now on their templates are known.
add before +447700900106
add before-rotation +447700900106 '' rotated
add before-going +447700900106 '' going
for each in before before-rotation before-going; do until_true "$each is delivered" has_status $each delivered; done

count_refusals() { grep -c 'call failed .* http=401' "$PROCESSOR_LOG" || true; }
more_refusals_than() { [ "$(count_refusals)" -gt "$1" ]; }

# Throttled, jobs wait in the outbox, and are not dead. Meanwhile one company's token changes, and one is gone.
throttle() { ASK_TYPE=application/json expect 'HTTP/1.1 200' POST /emulator/limits "{\"throttle\": $1, \"retry_after\": 1}"; }
throttle 1000
add throttled +447700900121
add refused +447700900122 '' rotated
add vanished +447700900123 '' going
for each in throttled refused vanished; do
    until_true "$each is handed over" grep -q "handed over job=$each" "$PROCESSOR_LOG"
done
until_true "throttling is logged" grep -q 'call failed operation=messages.create http=429 code=20429' "$PROCESSOR_LOG"
refusals=$(count_refusals)
secret rotated "$account, $stale, $sid"
rm "$SECRETS/going.json"
until_true "refused credentials are logged" more_refusals_than "$refusals"
until_true "what nobody can send is told" is_dead vanished 'held: the program knows no such account'
throttle 0
secret rotated "$account, $token, $sid"
for each in throttled refused; do
    until_true "$each is delivered" has_status $each delivered
    no_dead_letter $each
done
sent_once +447700900121 throttled
sent_once +447700900122 refused
not_sent +447700900123

# A worker that is killed has lost nothing.
add killed +447700900131 slow
until_true "the model is at it" grep -q 'asks the model job=killed' "$PROCESSOR_LOG"
kill -KILL "$(cat "$PROCESSOR_PID_FILE")"
until_true "what a killed worker had is delivered" has_status killed delivered
sent_once +447700900131 killed

says_nothing
leaves_nothing
