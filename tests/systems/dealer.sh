#!/usr/bin/env bash
# Usage: dealer.sh <run> <build tree>. Customers write to the dealer's agent, answers fail in every way, and people at
# the help desk take conversations over; the emulator's list of messages is the truth.
set -euo pipefail
# shellcheck source=tests/systems/dealer_lib.sh
. "$(dirname "$0")/dealer_lib.sh"
export DEALER_WORKFLOW_MS=${DEALER_WORKFLOW_MS:-1000-1200}
# Enough for all but two messages to France.
export DEALER_PRICES=$work/prices.csv DEALER_MONTH_BUDGET=60
printf '%s\n' country,category,channel,price,currency 'FR,,whatsapp,50,USD' '*,,whatsapp,0.02,USD' '*,,sms,0.06,USD' \
    >"$DEALER_PRICES"
export DEALER_FALLBACK_TEMPLATE=HX00000000000000000000000000000001
start_dealer "$1" "$2"

# A message, its answer, and what becomes of it.
price=$(says +447700900101 'What is the price?')
until_true "the answer is delivered" has_status "out/$price/1" delivered
sent +447700900101 1
until_true "the help desk has the message" is_at_desk "in/$price"
until_true "the help desk has the answer" is_at_desk "out/$price/1"
customer_read() { ask POST /emulator/customer '{"customer": "+447700900101", "action": "read"}' | grep -q ' 200 '; }
customer_read || fail "the customer cannot read"
until_true "it is read" has_status "out/$price/1" read

# The same webhook, to both processes at once and later, is handled once.
often=$(new_sid)
for _ in {1..10}; do
    for process in "$process_a" "$process_b" "$DEALER_URL"; do
        post_signed "$process" "$often" +447700900102 'a test drive' >>"$work/answers" &
    done
done
mapfile -t posts < <(jobs -p | grep -v "^$system_pid\$")
wait "${posts[@]}"
[ "$(grep -c '^200$' "$work/answers")" -eq 30 ] || fail "not all repetitions are answered 200: $(sort "$work/answers" | uniq -c)"
until_true "it is answered" was_sent +447700900102
for process in "$process_a" "$process_b"; do
    [ "$(post_signed "$process" "$often" +447700900102 'a test drive')" = 200 ] || fail "a late repetition is refused"
done
for each in a b; do
    [ "$(metric $each 'webhook_requests_total{source="twilio"}')" -gt 10 ] || fail "process $each got no webhooks"
done
# A key stays for a day longer than what it holds (RedisStore).
life=$(redis-cli -p "$REDIS_PORT" --scan --pattern "dealer:event*$often*" | head -n 1 |
    xargs -r -d '\n' redis-cli -p "$REDIS_PORT" pttl)
life=$((${life:-0} - 86400000))
[[ $life -gt 3500000 && $life -le 3600000 ]] || fail "Redis does not know it for an hour, but for $life ms"

# Files, places, long texts, long answers.
picture=$(says +447700900103 'My car' media ', "content_type": "image/png", "base64": "iVBORw0KGgo="')
too_long=$(new_sid)
[ "$(post_signed "$process_b" "$too_long" +447700900104 "$(printf 'word %.0s' {1..900})")" = 200 ] || fail "a long text is refused"
everything=$(says +447700900105 'Tell me everything')
until_true "the picture is answered" has_status "out/$picture/1" delivered
record_says "in/$picture" "My car" || fail "the record has no text beside the picture"
[ "$(head -c 4 "$DEALER_DIRECTORY/media/$picture-1" | tail -c 3)" = PNG ] || fail "the picture is not kept"
until_true "who writes too much hears so" record_says "out/$too_long/1" 'more than I can read'
! log_says "asks_workflow message_sid=$too_long" || fail "the workflow gets what is too long"
until_true "a long answer goes in parts" has_status "out/$everything/2" delivered
sent +447700900105 2

# Who says STOP is not answered, and nobody writes to him.
stopped=$(says +447700900106 'Hello')
until_true "it is answered" has_status "out/$stopped/1" delivered
stop=$(says +447700900106 '' stop)
until_true "the help desk sees the STOP" is_at_desk "in/$stop"
sent +447700900106 1

# What comes by SMS is not the agent's.
by_sms=$(new_sid)
[ "$(CHANNEL='' post_signed "$process_a" "$by_sms" +447700900111 'Hello')" = 200 ] || fail "an SMS is refused"
until_true "an SMS is left alone" log_says "not_from_whatsapp message_sid=$by_sms"
! log_says "asks_workflow message_sid=$by_sms" || fail "an SMS is answered"

# Whom WhatsApp does not reach any more gets the answer as an SMS.
gone=$(says +447700900112 'What is the price?')
expect 'HTTP/1.1 200' POST /emulator/customer '{"customer": "+447700900112", "action": "whatsapp", "on": false}'
until_true "it goes as an SMS" is_at_desk "note/$gone/1/sms/accepted"
body_of_newest +447700900112 | grep -q '18,900' || fail "the SMS says: $(body_of_newest +447700900112)"
is_at_desk "note/$gone/1/undelivered" || fail "that WhatsApp did not reach them is not told"

# The second site has an account of its own: it is answered there, in a conversation of its own.
there=$(second says +447700900101 'What is the price?' text ', "sender": "whatsapp:+15550002222"')
until_true "the second site answers" has_status "out/$there/1" delivered
[ "$(second sent_to +447700900101)" -eq 1 ] || fail "the second account has sent others"
sent +447700900101 1
until_true "the help desk has it" is_at_desk "in/$there"
[ "$(desk_number "$there")" -ne "$(desk_number "$price")" ] || fail "both sites have one conversation"
[ "$(TWILIO_ACCOUNT_SID=$SECOND_ACCOUNT post_signed "$process_a" "$(new_sid)" +447700900101 'Hello')" = 403 ] ||
    fail "one account signs for the other"
# It has an SMS number of its own, too.
gone_there=$(second says +447700900114 'What is the price?' text ', "sender": "whatsapp:+15550002222"')
expect 'HTTP/1.1 200' POST /emulator/customer '{"customer": "+447700900114", "action": "whatsapp", "on": false}'
until_true "it goes as an SMS" is_at_desk "note/$gone_there/1/sms/accepted"
second body_of_newest +447700900114 | grep -q '18,900' || fail "the SMS says: $(second body_of_newest +447700900114)"

# The month's budget: told in time, and then nothing goes that it has no money for.
dear=$(says +33612345678 'What is the price?')
until_true "it is answered" has_status "out/$dear/1" delivered
until_true "the budget's level is told" log_says ' quota_level .*quota=budget/all window=month .*percent=80'
too_dear=$(says +33612345678 'And in red?')
until_true "what there is no money for is held" is_at_desk "note/$too_dear/1/held"
at "$DESK_URL" GET /messages | grep "note/$too_dear" | grep -q 'budget' || fail "the note does not say why"
sent +33612345678 1
awk "BEGIN { exit !($(metric a dealer_budget_used_ratio) > 0.8) }" || fail "the metric says $(metric a dealer_budget_used_ratio)"

# What WhatsApp refuses is told to the help desk, for its people only.
nobody=$(says +15005563024 'Hello')
until_true "a failure is told" is_at_desk "note/$nobody/1/undelivered"
at "$DESK_URL" GET /messages | grep "note/$nobody" | grep -q '"private":true' || fail "the note is not private"
at "$DESK_URL" GET /messages | grep "note/$nobody" | grep -q '63024' || fail "the note has no code"
total_is_at_least twilio_send_failures_total 1 || fail "the failure is not counted"

# Twilio says that it is too much: three tries, then it is dead.
throttle() { ASK_TYPE=application/json expect 'HTTP/1.1 200' POST /emulator/limits "{\"throttle\": $1, \"retry_after\": null}"; }
throttle 1000
throttled=$(says +447700900107 'Hello')
until_true "it is given up" is_at_desk "note/$throttled/1/dead"
throttle 0
sent +447700900107 0
[ "$(count_in_logs ' (retry|result) .*operation=messages.create .*http_status=429')" -eq 3 ] || fail "it was not tried three times"
! log_says 'messages.create .*attempts?=4' || fail "there is a fourth try"
total_is_at_least 'twilio_rate_limit_exceeded_total{side="send"}' 3 || fail "429 is not counted"

# What is refused for good is tried once: here a sender that the account does not have.
refused=$(new_sid)
[ "$(SENDER=+19995550000 post_signed "$process_a" "$refused" +447700900115 Hello)" = 200 ] || fail "what Twilio has signed is refused"
until_true "it is dead" is_at_desk "note/$refused/1/dead"
[ "$(outbox show "$refused/1" --json | grep -oE '"error_code": ?63007' | wc -l)" -ge 1 ] || fail "it is: $(outbox show "$refused/1" --json)"
[ "$(count_in_logs " (retry|result) .*operation=messages.create .*63007")" -eq 1 ] || fail "it was tried again"

# What is not Twilio's, or not whole.
[ "$(FORGED='' post_signed "$DEALER_URL" "$(new_sid)" +447700900116 Hello)" = 403 ] || fail "no signature passes"
[ "$(at "$DEALER_URL" GET /webhooks/twilio/whatsapp | status_of)" = 405 ] || fail "a GET passes"
[ "$(at "$DEALER_URL" POST /webhooks/twilio/whatsapp "$(head -c 300000 /dev/zero | tr '\0' x)" | status_of)" = 413 ] || fail "a huge one passes"
[ "$(post_signed "$DEALER_URL" short +447700900116 Hello)" = 400 ] || fail "a SID that is none passes"
[ "$(at "$DEALER_URL" GET /metrics | status_of)" = 404 ] || fail "the proxy gives metrics away"
sent +447700900116 0

# A slow answer of Twilio's is waited for.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "slow", "count": 1}'
slow=$(says +447700900117 'Hello')
until_true "it is delivered" has_status "out/$slow/1" delivered
sent +447700900117 1

# An answer of Twilio's that is lost: the callback tells, and nothing is sent a second time.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-after", "count": 1}'
lost=$(says +447700900108 'Hello')
until_true "the callback tells of it" has_status "out/$lost/1" delivered
sent +447700900108 1

# The help desk loses answers of its own: it has each message once.
expect_desk() { at "$DESK_URL" "$@" | grep -q '^HTTP/1.1 200' || fail "the help desk refuses $*"; }
expect_desk POST '/lose?count=2'
twice=$(says +447700900109 'Hello')
until_true "the answer is there" is_at_desk "out/$twice/1"
is_at_desk "in/$twice" || fail "the help desk has the message $(at_desk "in/$twice") times"
log_says 'not_posted entry=.* problem="answered 502"' || fail "no answer was lost"

# An agent takes a conversation over, writes, and hands it back.
first=$(says +447700900110 'Hello')
until_true "the help desk has the answer" is_at_desk "out/$first/1"
number=$(desk_number "$first")
set_status "$number" open
second=$(says +447700900110 'Is there a person?')
until_true "it is left to a person" log_says "left_to_person message_sid=$second"
until_true "the help desk has the second message" is_at_desk "in/$second"
# The help desk may hear of an answer before it leaves.
until_true "the first answer is delivered" has_status "out/$first/1" delivered
sent +447700900110 1
for _ in 1 2; do
    [ "$(agent_says 501 "$number" 'I am one, a test drive?')" = 200 ] || fail "an agent's answer is refused"
done
until_true "the agent's answer is delivered" has_status agent/501/1 delivered
[ "$(agent_says 502 "$number" 'For us' ', "private": true')" = 200 ] || fail "a private note is refused"
[ "$(agent_says 503 "$number" 'An echo' ', "source_id": "out/1"')" = 200 ] || fail "an echo is refused"
[ "$(agent_says 504 99999 'To nobody')" = 404 ] || fail "an unknown conversation is known"
[ "$(desk_says 'no JSON')" = 400 ] || fail "what is no JSON passes"
[ "$(DESK_WEBHOOK_URL=${DESK_WEBHOOK_URL%?}x agent_says 505 "$number" 'Forged')" = 403 ] || fail "another token passes"
sent +447700900110 2
set_status "$number" pending
third=$(says +447700900110 'What is the price?')
until_true "the workflow answers again" has_status "out/$third/1" delivered
sent +447700900110 3
! log_says "asks_workflow message_sid=$second" || fail "the workflow was asked while a person answered"

# Taken over while the workflow thinks: it says nothing.
late=$(says +447700900110 'And in red?')
until_true "the workflow thinks" log_says "asks_workflow message_sid=$late"
set_status "$number" open
until_true "its answer is dropped" log_says "left_to_person message_sid=$late"
sent +447700900110 3
[ "$(at_desk "out/$late/1")" -eq 0 ] || fail "the help desk has what was not said"

# Taken over while an answer goes in parts: what has not left is not sent, and people are told; what a person wrote stays.
# No answer ever comes to the first part, and nobody can know what became of it but a person.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "black-hole", "count": 1}'
parts=$(says +447700900118 'Tell me everything')
until_true "the first part is under way" has_state "$parts/1" 'sending|unknown'
until_true "the help desk has both" is_at_desk "out/$parts/2"
parted=$(desk_number "$parts")
[ "$(agent_says 801 "$parted" 'I can tell you more')" = 200 ] || fail "an agent's answer is refused"
set_status "$parted" open
has_state "$parts/2" cancelled || fail "the second part is: $(outbox show "$parts/2" --json)"
has_state agent/801/1 ready || fail "what a person wrote is: $(outbox show agent/801/1 --json)"
until_true "people are told" is_at_desk "note/$parts/2/cancelled"
at "$DESK_URL" GET /messages | grep "note/$parts/2" | grep -q 'not sent' || fail "the note does not say it"
until_true "nobody knows" has_state "$parts/1" unknown
outbox resolve "$parts/1" --not-sent >/dev/null
until_true "it goes then" has_status "out/$parts/1" delivered
until_true "and what the person wrote" has_status agent/801/1 delivered
sent +447700900118 2

# What cannot be sent at all is said at once.
[ "$(agent_says 603 "$number" '' ', "attachments": [{"data_url": "no URL"}]')" = 200 ] || fail "a bad attachment is refused"
until_true "it is told" is_at_desk note/agent/603/1/refused
[ "$(agent_says 604 "$number" 'Our best' ", \"attachments\": [{\"data_url\": \"https://example.com/car.png\"}]")" = 200 ] ||
    fail "an attachment is refused"
until_true "a file is delivered" has_status agent/604/1 delivered
files='{"data_url": "https://example.com/a.png"}, {"data_url": "https://example.com/b.png"}, {"data_url": "https://example.com/c.png"}'
[ "$(agent_says 605 "$number" 'All of them' ", \"attachments\": [$files]")" = 200 ] || fail "three attachments are refused"
until_true "each file is delivered" has_status agent/605/3 delivered
record_says agent/605/1 'All of them\[file\]' || fail "the text is not with the first file"

# An agent writes to who said STOP.
[ "$(agent_says 601 "$(desk_number "$stopped")" 'Still there?')" = 200 ] || fail "an agent's answer is refused"
until_true "it is dead" is_at_desk "note/agent/601/1/dead"
sent +447700900106 1

# A person writes when the 24 hours are over: a template asks the customer to write, once Twilio has said so.
expect 'HTTP/1.1 200' POST /emulator/clock '{"advance_seconds": 90000}'
[ "$(agent_says 701 "$number" 'Are you still interested?')" = 200 ] || fail "an agent's answer is refused"
until_true "the template goes" is_at_desk note/agent/701/1/template/accepted
body_of_newest whatsapp:+447700900110 | grep -q 'is on its way' || fail "it is: $(body_of_newest whatsapp:+447700900110)"

# Each metric that an alert goes by is given.
at "$process_a" GET /metrics >"$work/metrics"
for name in $(sed -n '/expr:/,/for:\|annotations:/p' "$(dirname "$1")/alerts.yml" |
    grep -oE '(twiliowa|twilio|dealer|webhook)_[a-z_]+' | sort -u); do
    grep -qE "^$name[ {]" "$work/metrics" || fail "there is no $name"
done
if command -v promtool >/dev/null; then
    promtool test rules "$(dirname "$0")/dealer_alerts_test.yml" >"$work/promtool" 2>&1 || fail "promtool: $(cat "$work/promtool")"
    sed -n '/^# HELP/,$p' "$work/metrics" | tr -d '\r' | promtool check metrics >"$work/promtool" 2>&1 ||
        fail "promtool: $(cat "$work/promtool")"
fi

[ "$(at "$DESK_URL" GET /messages | grep -oE '"source_id":"[^"]*"' | sort | uniq -d | wc -l)" -eq 0 ] ||
    fail "the help desk has something twice"
says_nothing
leaves_nothing
