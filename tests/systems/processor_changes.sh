#!/usr/bin/env bash
# Usage: processor_changes.sh <run> <build tree>. What changes while the channel processor runs: Twilio throttles, a
# token is rotated, a company is gone, answers and callbacks are lost, late or doubled, the worker is killed, a second one
# comes and goes.
set -euo pipefail
# shellcheck source=tests/systems/processor_lib.sh
. "$(dirname "$0")/processor_lib.sh"

twiliowa=$2/tools/twiliowa
# Longer than a job takes, so that what is given up was never done.
PROCESSOR_VISIBILITY=8
start_processor "$1" "$2"
secret rotated "$account, $token, $sid"
secret going "$account, $token, $sid"
# From now on their templates are known.
add before +447700900106
add before-rotation +447700900106 '' rotated
add before-going +447700900106 '' going
for each in before before-rotation before-going; do until_true "$each is delivered" has_status $each delivered; done

count_refusals() { grep -c ' result .* http_status=401' "$PROCESSOR_LOG" || true; }
more_refusals_than() { [ "$(count_refusals)" -gt "$1" ]; }

# Throttled, jobs wait in the outbox, and are not dead. Meanwhile one company's token changes, and one is gone.
throttle() { ASK_TYPE=application/json expect 'HTTP/1.1 200' POST /emulator/limits "{\"throttle\": $1, \"retry_after\": 1}"; }
throttle 1000
add throttled +447700900121
add refused +447700900122 '' rotated
add vanished +447700900123 '' going
for each in throttled refused vanished; do
    until_true "$each is handed over" grep -q "handed_over job=$each" "$PROCESSOR_LOG"
done
until_true "throttling is logged" grep -q ' retry .*operation=messages.create .*http_status=429 error_code=20429' "$PROCESSOR_LOG"
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

# After a rotation Twilio may still sign with the token of before; nobody else signs for a company, another one neither.
signed() { # <token> <company> <account> <job> <status>
    local said signature
    said="AccountSid=$3&MessageSid=$(recorded "$4" 2)&MessageStatus=$5"
    signature=$(printf %s "$PROCESSOR_URL/status/$2${said//[=&]/}" | openssl dgst -sha1 -hmac "$1" -binary | base64)
    TWILIOWA_BASE_URL=$PROCESSOR_URL ask POST "/status/$2" "$said" "X-Twilio-Signature: $signature" | head -n 1
}
before=$(grep -oE '[0-9a-f]{32}' <<<"$stale") of_b=fedcba9876543210fedcba9876543210
for forged in "$(signed "${before/0/1}" rotated "$TWILIO_ACCOUNT_SID" refused read)" \
    "$(signed "$of_b" rotated "$TWILIO_ACCOUNT_SID" refused read)" \
    "$(signed "$of_b" rotated AC0000000000000000000000000000000b refused read)"; do
    [[ $forged = 'HTTP/1.1 403'* ]] || fail "a forged callback gets $forged"
done
has_status refused delivered || fail "a forged callback changes the record"
[[ $(signed "$before" rotated "$TWILIO_ACCOUNT_SID" refused read) = 'HTTP/1.1 200'* ]] || fail "the token of before is refused"
has_status refused read || fail "a callback that is signed with the token of before changes nothing"

# Callbacks come twice, late and out of order: the furthest counts.
order() { ASK_TYPE=application/json expect 'HTTP/1.1 200' POST "/emulator/$1" "$2"; }
order webhook_faults '{"doubled": 1, "reordered": 0.5}'
for n in 1 2 3 4; do add shuffled-$n +44770090014$n; done
for n in 1 2 3 4; do
    until_true "shuffled-$n is delivered" has_status shuffled-$n delivered
    sent_once +44770090014$n shuffled-$n
done
order webhook_faults '{"doubled": 0, "reordered": 0}'

# An answer that is late, lost or noise: what was carried out is found out, and nothing goes twice. In between all is well:
# three unknown ones in a row are an outage.
number=447700900150
with_fault() { # <fault>: a job, $id, to $number, whose message meets with it
    id=answer-$1
    number=$((number + 1))
    order fault "{\"fault\": \"$1\", \"count\": 1}"
    add "$id" "+$number"
}
is_well() {
    until_true "$id is delivered" has_status "$id" delivered
    sent_once "+$number" "$id"
    no_dead_letter "$id"
    add "after-$id" +447700900170
    until_true "after-$id is delivered" has_status "after-$id" delivered
}
for fault in slow close-after truncated garbage 500-after; do
    with_fault $fault
    is_well
done
# What may have been carried out, and was not, is listed; it goes when a person has said so.
outbox() { TWILIOWA_KEYS_FILE=$TWILIOWA_KEYS_FILE TWILIOWA_STORE=$TWILIOWA_STORE "$twiliowa" outbox "$@"; }
is_listed() { outbox list --state unknown --json | grep -q "\"key\": *\"$id\""; }
for fault in 500 reset; do
    with_fault $fault
    until_true "$id is listed" is_listed
    not_sent "+$number"
    outbox resolve "$id" --tenant company-a --not-sent >/dev/null
    is_well
done

# A worker that is killed has lost nothing.
add killed +447700900131 slow
until_true "the model is at it" grep -q 'asks_model job=killed' "$PROCESSOR_LOG"
kill -KILL "$(cat "$PROCESSOR_PID_FILE")"
until_true "what a killed worker had is delivered" has_status killed delivered
sent_once +447700900131 killed

# A job with which the worker dies each time is not tried for ever.
add deadly +447700900132 dies
patience=60 until_true "deadly is given up" is_dead deadly 'was delivered too often, and never done'
[ "$(grep -c 'asks_model job=deadly' "$PROCESSOR_LOG")" -eq 3 ] || fail "deadly was not tried three times"
not_sent +447700900132

# Two processes work on one queue, and one of them is killed in the middle of it: each message goes once.
second=''
trap '[ -z "$second" ] || kill -KILL $second 2>/dev/null || true; end_system || true; rm -rf "$work"' EXIT
until grep -qs ' info works' "$work/second.log"; do
    if [ -z "$second" ] || ! kill -0 "$second" 2>/dev/null; then
        ! grep -vqs 'is taken' "$work/second.log" || fail "a second one does not come up: $(cat "$work/second.log")"
        port=$(free_port)
        PROCESSOR_PORT=$port PROCESSOR_PUBLIC_URL=$PROCESSOR_URL "$PROCESSOR" >"$work/second.log" 2>&1 &
        second=$!
    fi
    sleep 0.1
done
for n in {10..49}; do add "shared-$n" "+4477009002$n"; done
some_are_sent() { [ "$(cut -f 1,3 <("$PROCESSOR" record) | grep -cP '^shared-\d+\tdelivered$')" -ge 10 ]; }
until_true "some are sent" some_are_sent
kill -KILL $second
wait $second 2>/dev/null || true
# What it was about to send, and has not: nothing shows that, and only a person can know.
decide() {
    local id
    for id in $(outbox list --state unknown --json | grep -oE 'shared-[0-9]+' | sort -u); do
        [ "$(sent_to "+4477009002${id#shared-}")" -ne 0 ] || outbox resolve "$id" --tenant company-a --not-sent >/dev/null
    done
}
all_are_sent() { decide; [ "$(cut -f 1,3 <("$PROCESSOR" record) | grep -cP '^shared-\d+\tdelivered$')" -eq 40 ]; }
patience=120 until_true "all are sent" all_are_sent
for n in {10..49}; do
    sent_once "+4477009002$n" "shared-$n"
    no_dead_letter "shared-$n"
done
for log in "$PROCESSOR_LOG" "$work/second.log"; do
    grep -q ' acknowledged job=shared-' "$log" || fail "one of them did nothing"
done

says_nothing
leaves_nothing
