#!/usr/bin/env bash
# Usage: emulator_state.sh <emulator>. What a restart keeps, and what the command line says all the same.
set -euo pipefail
emulator=$1
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"
now() { ask GET /emulator/state | grep -oE '"now":"[^"]*"'; }

# The clock does not go back, not even by the time it was moved.
start --state "$work/moved"
customer '"action": "text", "text": "Hi"'
expect '"window_open":true' GET /emulator/state
advance 90000
expect '"window_open":false' GET /emulator/state
stop
start --state "$work/moved"
expect '"window_open":false' GET /emulator/state
echo "the window: as it should be"

# What is under way goes on, and so does the sender's queue.
advance 90000
send "$template"
stop
start --state "$work/moved"
eventually '"status":"delivered"' GET "$(message "$sid")"
send "$template"
eventually '"status":"delivered"' GET "$(message "$sid")"
stop
start --state "$work/hand" --clock manual
send "$template"
advance 3600.5
before=$(now)
stop
start --state "$work/hand" --clock manual
[ "$(now)" = "$before" ] || fail "the clock stands at $(now), not $before"
stop
echo "messages under way: as it should be"

# What the command line says goes before what was saved; what it leaves out is as it was.
account=AC0000000000000000000000000000000a
start --state "$work/options" --account $account:first --webhook http://127.0.0.1:9/first --fault 503=0.25
stop
start --state "$work/options" --account $account:second --webhook http://127.0.0.1:9/second \
    --sender +15551234567 --fault reset=0
[ "$TWILIO_AUTH_TOKEN" = second ] || fail "the token printed is $TWILIO_AUTH_TOKEN"
[ "$TWILIO_WHATSAPP_NUMBER" = +15551234567 ] || fail "the number printed is $TWILIO_WHATSAPP_NUMBER"
expect '"503":0.25' GET /emulator/state
expect '"reset":0.0' GET /emulator/state
expect "\"$account\":\"http://127.0.0.1:9/second\"" GET /emulator/state
expect '"senders":\["whatsapp:\+15551234567","whatsapp:\+14155238886"\]' GET /emulator/state
expect '{}' POST /emulator/fault '{"clear": true}'
expect 'HTTP/1.1 200' GET "$messages"
ASK_LOGIN=$account:first expect 'HTTP/1.1 401' GET "$messages"
stop
start --state "$work/options"
[ "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" = $account:second ] || fail "another account is printed"
expect 'HTTP/1.1 200' GET "$messages"
expect "\"$account\":\"http://127.0.0.1:9/second\"" GET /emulator/state
stop
other=AC0000000000000000000000000000000b
output=$(timeout 20 "$emulator" --state "$work/options" --account $other:third 2>&1) &&
    fail "a state of another account is taken"
grep -q "is of the account $account, not" <<<"$output" || fail "of another account: $output"
echo "options: as it should be"

# The same seed, clock and requests: the same answers, byte for byte.
conversation() {
    start --seed 5 --clock manual
    ask POST "$messages" "From=whatsapp%3A%2B14155238886&To=$lee&$template"
    customer '"action": "text", "text": "Hi"'
    advance 3600
    ask GET "$messages"
    ask GET /emulator/state
    stop
}
conversation >"$work/one"
conversation >"$work/two"
cmp "$work/one" "$work/two" || fail "the same seed gives other answers"
grep -q 'Thu, 01 Jan 2026 01:00' "$work/one" || grep -q 'Thu, 01 Jan 2026 00:00' "$work/one" ||
    fail "the clock does not begin at 2026-01-01"
start --clock manual@2030-02-03T04:05:06Z
expect '"now":"2030-02-03T04:05:06Z"' GET /emulator/state

# One long step of the clock does what many short ones do.
customer '"action": "text", "text": "Hi"'
send 'MessagingServiceSid=MG00000000000000000000000000000001' ScheduleType=fixed \
    SendAt=2030-02-03T04:25:06Z Body=Later
advance 90000
expect '"status":"delivered"' GET "$(message "$sid")"
expect '"window_open":false' GET /emulator/state
stop
echo "the clock by hand: as it should be"
