#!/usr/bin/env bash
# Usage: dealer_two.sh <run> <build tree>. What the dealer's two processes are for: floods, a Redis that is away, one of
# them killed in the middle of its work.
set -euo pipefail
# shellcheck source=tests/systems/dealer_lib.sh
. "$(dirname "$0")/dealer_lib.sh"
export DEALER_WORKFLOW_MS=3000-3000 SYSTEM_RESTARTS=no
start_dealer "$1" "$2"

# A flood of what is not signed: refused, then not even looked at; what Twilio signed passes, from the same address.
flood() { # <requests>: in one go over one connection to nginx; the status of each answer.
    local body="AccountSid=$TWILIO_ACCOUNT_SID&MessageSid=SM00000000000000000000000000000001&Body=forged" close=''
    exec 4<>"/dev/tcp/127.0.0.1/${DEALER_URL##*:}"
    for ((i = 1; i <= $1; i++)); do
        [ $i -lt "$1" ] || close=$'Connection: close\r\n'
        printf 'POST /webhooks/twilio/whatsapp HTTP/1.1\r\nHost: %s\r\nX-Twilio-Signature: YWJj\r\n%s' "${DEALER_URL#*//}" "$close" >&4
        printf 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %s\r\n\r\n%s' ${#body} "$body" >&4
    done
    grep -a '^HTTP/1.1 ' <&4 | cut -d ' ' -f 2
}
begin=$SECONDS
flood 150 >"$work/forged"
most=$((50 + (SECONDS - begin + 1) * 50 / 60 + 2))
[ "$(wc -l <"$work/forged")" -eq 150 ] || fail "a flood is not answered: $(sort "$work/forged" | uniq -c)"
refused=$(grep -c '^403$' "$work/forged")
[ "$refused" -le $most ] || fail "$refused forged ones are looked at, and not at most $most"
meanwhile=$(says +447700900202 'Hello')
[ "$(FORGED=YWJj post_signed "$process_a" "$(printf 'SM%032d' 1)" +447700900201 'forged' 'X-Forwarded-For: 203.0.113.9')" = 403 ] ||
    fail "one address uses up another's requests"
signed=$(new_sid)
for _ in {1..6}; do
    [ "$(post_signed "$DEALER_URL" "$signed" +447700900203 'a test drive')" = 200 ] || fail "a flood keeps signed ones out"
done
until_true "a signed message passes" has_status "out/$meanwhile/1" delivered
sent +447700900201 0
total_is_at_least 'webhook_signature_errors_total{source="twilio"}' 20 || fail "forged ones are not counted"
total_is_at_least 'twilio_rate_limit_exceeded_total{side="webhook"}' 20 || fail "what is too much is not counted"

# Without Redis: said, and nothing is lost, nor done twice.
until_true "the limit is shared" metric_is a twiliowa_limiter_shared 1
kill -KILL "$REDIS_PID"
for i in 1 2 3 4; do says "+44770090030$i" 'Hello' >>"$work/without"; done
dark=$(new_sid)
for _ in 1 2 3; do
    for process in "$process_a" "$process_b"; do
        [ "$(post_signed "$process" "$dark" +447700900305 'a test drive')" = 200 ] || fail "without Redis a webhook is refused"
    done
done
for each in a b; do
    until_true "process $each says that Redis is away" metric_is $each dealer_redis_up 0
    until_true "process $each says that the limit is not shared" metric_is $each twiliowa_limiter_shared 0
done
while read -r sid; do until_true "$sid is answered" has_status "out/$sid/1" delivered; done <"$work/without"
until_true "the repeated one is answered" was_sent +447700900305
for i in 1 2 3 4 5; do sent "+44770090030$i" 1; done
log_says ' redis_is_away .*problem=".*"' || fail "the log does not say it"
kill -HUP "$REDIS_KEEPER"
both_know_redis() {
    [ "$(post_signed "$process_a" "$dark" +447700900305 'a test drive')" = 200 ] &&
        [ "$(post_signed "$process_b" "$dark" +447700900305 'a test drive')" = 200 ] &&
        metric_is a dealer_redis_up 1 && metric_is b dealer_redis_up 1
}
until_true "Redis is there again" both_know_redis
until_true "the limit is shared again" metric_is b twiliowa_limiter_shared 1
sent +447700900305 1

# One of the two is killed while the workflow thinks: the other takes its messages over, and those that come.
# It is stopped first: what it has not answered by then, it never does, however slow this is.
for i in {1..5}; do says "+44770090040$i" 'Hello' >>"$work/held"; done
asked_by() { while read -r sid; do ! grep -q "asks_workflow message_sid=$sid" "$1" || echo "$sid"; done <"$work/held"; }
orphans='' pid=''
for ((probes = 1; probes <= 20; probes++)); do
    [ -z "$pid" ] || kill -CONT "$pid"
    sid=$(says "+4477009005$((10 + probes))" 'Hello')
    echo "$sid" >>"$work/held"
    until_true "the workflow thinks" log_says "asks_workflow message_sid=$sid"
    killed=$LOG_A survivor=$LOG_B pid_file=$PID_FILE_A
    grep -q "asks_workflow message_sid=$sid" "$LOG_A" || { killed=$LOG_B survivor=$LOG_A pid_file=$PID_FILE_B; }
    pid=$(cat "$pid_file")
    kill -STOP "$pid"
    orphans=$(asked_by "$killed" | while read -r sid; do has_status "out/$sid/1" '.*' || echo "$sid"; done)
    [ -z "$orphans" ] || break
done
kill -KILL "$pid"
[ -n "$orphans" ] || fail "all were answered before the death"
after=$(says +447700900407 'Hello')
while read -r sid; do until_true "$sid is answered" has_status "out/$sid/1" delivered; done <"$work/held"
until_true "what came after it is answered" has_status "out/$after/1" delivered
for sid in $orphans; do
    grep -q "asks_workflow message_sid=$sid" "$survivor" || fail "the survivor did not take $sid over"
done
for i in 1 2 3 4 5 7; do sent "+44770090040$i" 1; done
for ((i = 1; i <= probes; i++)); do sent "+4477009005$((10 + i))" 1; done
while read -r sid; do
    until_true "the help desk has $sid once" is_at_desk "in/$sid"
    until_true "the help desk has its answer once" is_at_desk "out/$sid/1"
done <"$work/held"

says_nothing
leaves_nothing
