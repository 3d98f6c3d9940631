#!/usr/bin/env bash
# Usage: shop.sh <run> <build tree>. A fashion shop's back end tells its customers of orders and offers, and its people
# look after what nobody can know; the emulator's list of messages is the truth.
set -euo pipefail
# shellcheck source=tests/systems/shop_lib.sh
. "$(dirname "$0")/shop_lib.sh"
export SHOP_MONTH_BUDGET=10 SHOP_PER_SECOND=20
start_shop "$1" "$2"
wa=whatsapp:

# Only who has the key; what is missing, no number, or not known is told by its name.
API_KEY=wrong call GET /campaigns
answers 403
call GET /nothing
answers 404
for wrong in '{"order": 1}:to' '{"to": "12", "order": 1}:to' '{"to": "07700 900301"}:order' \
    '{"to": "07700 900301", "order": "two\nlines"}:order' '{"to": "07700 900301", "order": null}:order' \
    '{"to": "07700 900301", "order": ""}:order' '{"to": "07700 900301", "order": true}:order' \
    '{"to": "07700 900301", "order": [1042]}:order' '{"to": "07700 900301", "order": {"id": 1042}}:order' \
    '{"to": null, "order": 1}:to' "{\"to\": \"07700 900301\", \"order\": $(printf '[%.0s' {1..300000})$(printf ']%.0s' {1..300000})}:order"; do
    call POST /orders/confirmation "${wrong%:*}"
    answers 400 "\"field\":\"${wrong##*:}\""
done
call POST /orders/confirmation 'no JSON'
answers 400 '"field":"body"'

# The thanks for an order: as a template, since nobody has written; with the order's number; once.
taken /orders/confirmation '{"to": "07700 900301", "order": 1042}'
first=$id
becomes "$first" '"state":"delivered"'
answers 200 '"about":"order 1042".*"sid":"(SM|MM)'
newest_is $wa+447700900301 'Thank you for your order #1042. We will write again' || fail "another text: $(bodies $wa+447700900301)"
taken /orders/confirmation '{"to": "+44 7700 900301", "order": "1042"}'
[ "$id" = "$first" ] || fail "the same order is thanked for twice"
call POST /orders/confirmation '{"to": "07700 900302", "order": 1042}'
answers 409 '"field":"key"'
taken /orders/status '{"to": "07700 900301", "order": 1042, "status": "packed"}' 'Idempotency-Key: one'
second=$id
taken /orders/status '{"to": "07700 900301", "order": 1042, "status": "packed"}' 'Idempotency-Key: one'
[ "$id" = "$second" ] || fail "what is repeated is another"
call POST /orders/status '{"to": "07700 900301", "order": 1042, "status": "lost"}' 'Idempotency-Key: one'
answers 409 '"field":"key"'
becomes "$second" '"state":"delivered"'
sent_are $wa+447700900301 2

# They read it, and have written: now text goes.
customer +447700900301 '"action": "read"'
becomes "$second" '"status":"read"'
customer +447700900301 '"action": "text", "text": "Which day?"'
until_true "the message is taken in" logs_say ' webhook .*outcome=handled http_status=200 kind=message message_sid=(SM|MM)[0-9a-f]+ '
taken /orders/status '{"to": "07700 900301", "order": 1042, "status": "on its way"}'
becomes "$id" '"state":"delivered"'
newest_is $wa+447700900301 'Your order #1042 is now on its way."' || fail "another text: $(bodies $wa+447700900301)"

# WhatsApp does not reach them: an SMS does, once.
customer +447700900303 '"action": "whatsapp", "on": false'
taken /orders/status '{"to": "07700 900303", "order": 1043, "status": "packed"}'
becomes "$id" '"by":"sms"'
becomes "$id" '"state":"undelivered".*"code":63024.*"steps":\[\{.*"state":"delivered"'
newest_is +447700900303 'order #1043 is now packed' || fail "no SMS: $(bodies +447700900303)"
sent_are +447700900303 1

# Offers: to who has agreed, and as long as they do.
offer() { taken /promotions "{\"to\": \"$1\", \"discount\": 20, \"code\": \"$2\"}"; }
call POST /promotions '{"to": "07700 900305", "discount": 120, "code": "a"}'
answers 400 '"field":"discount"'
offer '07700 900305' spring
becomes "$id" '"state":"dead","reason":"no_consent"'
call POST /consents '{"to": "07700 900305"}'
answers 400 '"field":"source"'
call POST /consents '{"to": "07700 900305", "source": "web form, order 1041", "at": "yesterday"}'
answers 400 '"field":"at"'
call POST /consents '{"to": "07700 900305", "source": "web form, order 1041", "at": "2026-11-30T08:15:00Z"}'
answers 200
offer '07700 900305' summer
becomes "$id" '"state":"delivered"'
newest_is $wa+447700900305 '20 % off everything' || fail "another text: $(bodies $wa+447700900305)"
customer +447700900305 '"action": "stop"'
stopped() { call POST /customers/export '{"to": "07700 900305"}' && grep -q withdrawn <<<"$answer"; }
until_true "the consent is withdrawn" stopped
answers 200 'web form, order 1041'
offer '07700 900305' autumn
becomes "$id" '"reason":"opted_out"'
customer +447700900305 '"action": "start"'
customer +447700900305 '"action": "text", "text": "join"'
joined() { call POST /customers/export '{"to": "07700 900305"}' && grep -qE 'WhatsApp message (SM|MM)[0-9a-f]{32}: JOIN' <<<"$answer"; }
until_true "JOIN is a consent, with its proof" joined
offer '07700 900305' winter
becomes "$id" '"state":"delivered"'
first=$id
offer '+447700900305' winter
[ "$id" = "$first" ] || fail "the same offer goes twice"
call POST /consents/withdraw '{"to": "07700 900305", "source": "by phone"}'
answers 200
offer '07700 900305' christmas
becomes "$id" '"reason":"no_consent"'
sent_are $wa+447700900305 3

order prices '{"never": 1}' # from here on estimates stay

# Twilio says that it is too much: tried again, later each time, and sent once.
ASK_TYPE=application/json order limits '{"throttle": 4, "retry_after": 1}'
taken /orders/confirmation '{"to": "07700 900306", "order": 1044}'
becomes "$id" '"state":"delivered"'
sent_are $wa+447700900306 1
# A send whose template cannot be asked for has made no attempt of its own.
[ "$(cat "$LOG_A" "$LOG_B" | grep -E ' (retry|result) .*error_code=20429' | grep -vc ' attempts=0 ')" -eq 4 ] || fail "it was not tried again four times"

# An answer that is late or lost: what was carried out is found out, and nothing goes twice. Callbacks come twice, and in
# any order.
order webhook_faults '{"doubled": 1, "reordered": 0.5}'
for fault in close-after slow 500-after; do
    order fault "{\"fault\": \"$fault\", \"count\": 1}"
    taken /orders/confirmation "{\"to\": \"07700 900308\", \"order\": \"$fault\"}"
    becomes "$id" '"state":"delivered"'
done
sent_are $wa+447700900308 3
order webhook_faults '{"doubled": 0, "reordered": 0}'

# Nobody can know whether this was sent: it is listed, and a person decides.
order lists '{"lag_seconds": 100000}'
order webhook_faults '{"dropped": 1}'
# The fault is that of the next request, which may be another one than the message.
left() { call GET "/messages/$id" && grep -qE '"state":"(unknown|accepted)"' <<<"$answer"; }
for n in {1045..1060}; do
    order fault '{"fault": "close-after", "count": 1}'
    taken /orders/confirmation "{\"to\": \"07700 900307\", \"order\": $n}"
    until_true "it has left" left
    ! grep -q '"state":"unknown"' <<<"$answer" || break
done
until_true "it is listed" is /attention "\"unknown\":\[\{.*\"id\":\"$id\""
sid=$(ask GET /emulator/state | grep -oE '(SM|MM)[0-9a-f]{32}' | tail -n 1)
call POST "/attention/$id" '{"decision": "perhaps", "by": "ann"}'
answers 400 '"field":"decision"'
call POST "/attention/$id" '{"decision": "drop", "by": "ann", "why": "it is of no use any more"}'
answers 200 '"changed":true'
call POST /attention/00000000000000000000 '{"decision": "drop", "by": "ann"}'
answers 404
order lists '{"lag_seconds": 0}'
order webhook_faults '{"dropped": 0}'

# What others send in Twilio's name.
for signature in '' 'X-Twilio-Signature: YWJj'; do
    answer=$(TWILIOWA_BASE_URL=$SHOP_URL ask POST /twilio "MessageSid=$sid&MessageStatus=failed&AccountSid=$TWILIO_ACCOUNT_SID" ${signature:+"$signature"})
    answers 403
done

# Both workers together send no more than so many a second: a hundred take five seconds.
call POST /campaigns "{\"id\": \"many\", \"message\": {\"content_sid\": \"$PROMOTION_TEMPLATE\", \"category\": \"MARKETING\"}, \"columns\": {\"1\": \"discount\"}}"
answers 201 '"phase":"draft"'
{
    echo to,discount,consent_at,consent_source
    for n in {500..599}; do echo "07700 900$n,25,2026-11-01,web form $n"; done
} >"$work/many.csv"
call POST /campaigns/many/recipients "$(cat "$work/many.csv")"
answers 200
call POST /campaigns/many/start
answers 200 '"phase":"running"'
until_true "all hundred are sent" campaign_is many '"sent":"?100\b'
ask GET "$messages?PageSize=1000" | grep -oE '"(body|date_created)":"[^"]*"' | paste - - |
    sed -nE '/"body":"25 % off/s/.*"date_created":"([^"]*)".*/\1/p' | date -f - +%s | sort -n >"$work/times"
[ "$(wc -l <"$work/times")" -eq 100 ] || fail "$(wc -l <"$work/times") of the hundred are there"
took=$(($(tail -n 1 "$work/times") - $(head -n 1 "$work/times")))
[ $took -ge 4 ] || fail "a hundred went within $took seconds"
for each in "$LOG_A" "$LOG_B"; do grep -q ' job change=accepted .*campaign=many' "$each" || fail "one worker sends nothing"; done

# A campaign: made, filled, tried, started, and reported; the month's budget ends it.
call POST /campaigns '{"id": "sale"}'
answers 400 '"field":"message"'
sale="{\"id\": \"sale\", \"message\": {\"content_sid\": \"$PROMOTION_TEMPLATE\", \"category\": \"MARKETING\"}, \"columns\": {\"1\": \"discount\"}, \"rate\": {\"messages\": 20, \"per\": 1}}"
# What nests deep is none, and ends nothing.
call POST /campaigns "{\"id\": \"deep\", \"message\": {\"body\": $(printf '[%.0s' {1..100000})$(printf ']%.0s' {1..100000})}}"
answers 400 '"field":"body"'
call POST /campaigns '[]'
answers 400 '"field":"body"'
call POST /campaigns "$sale"
answers 201 '"phase":"draft"'
call POST /campaigns "$sale"
answers 201 '"phase":"draft"'
call POST /campaigns "${sale/20/21}"
answers 409 '"field":"id"'
{
    echo to,discount,tag,consent_at,consent_source
    echo 07700 900430,30,c-430,,
    for n in {400..429}; do echo "07700 900$n,30,c-$n,2026-11-01,web form $n"; done
    echo 12,30,c-431,,
} >"$work/sale.csv"
call POST /campaigns/none/recipients "$(cat "$work/sale.csv")"
answers 404 '"field":"campaign"'
for known in 0 32; do
    call POST /campaigns/sale/recipients "$(cat "$work/sale.csv")"
    answers 200 "\"known\":$known"
done
call GET /campaigns/sale/check
answers 200 '"none":30.*"no_consent":1.*"cost":"2.4"'
call POST /campaigns/sale/resume
answers 409 '"field":"phase"'
call POST /campaigns/sale/start
answers 200 '"phase":"running"'
call POST /campaigns/sale/pause
answers 200 '"phase":"paused"'
call POST /campaigns/sale/resume
answers 200 '"phase":"running"'
until_true "the budget pauses it" campaign_is sale '"phase":"paused".*"problem":"[^"]*budget'
call GET /spend
answers 200 '"alert_percent":(80|100)'
answers 200 '"budget":"10"'
answers 200 '"channel":"sms"'
logs_say ' quota_level .*quota=budget/all window=month .*percent=80' || fail "no alert in the log"
call POST /campaigns/sale/cancel
answers 200 '"phase":"cancelled"'
call GET /campaigns/sale/report
answers 200 ',c-430,.*,dead,no_consent,'
[ "$(grep -c ',c-4' <<<"$answer")" -eq 32 ] || fail "the report lacks some: $answer"
call GET /campaigns
answers 200 '"id":"sale"'

# What is told for Prometheus: by each process, the same of what they share.
for name in twiliowa_outbox_jobs twiliowa_outbox_oldest_ready_seconds shop_spent_this_month shop_budget_used_ratio \
    twiliowa_campaigns; do
    for process in '' A B; do [ -n "$(metric "$process" $name)" ] || fail "there is no $name"; done
done
[ "$(metric '' twiliowa_message_statuses_total 'status="delivered"')" -gt 20 ] || fail "deliveries are not counted"
[ "$(metric '' twiliowa_message_statuses_total 'status="read"')" -ge 1 ] || fail "what is read is not counted"
[ "$(metric '' twiliowa_webhooks_total 'outcome="bad_signature"')" -ge 1 ] || fail "forged webhooks are not counted"
of_workers() { echo $(($(metric A "$@") + $(metric B "$@"))); }
[ "$(of_workers twiliowa_calls_total 'operation="messages.create"' 'outcome="success"')" -gt 20 ] || fail "calls are not counted"
[ "$(of_workers twiliowa_call_seconds_count 'operation="messages.create"')" -gt 20 ] || fail "times are not measured"
[ "$(of_workers twiliowa_call_errors_total)" -ge 1 ] || fail "errors are not counted"

# The page of what is kept names each table that something is in.
sed -n '/^## What it keeps/,/^## With/p' "$(dirname "$1")/README.md" >"$work/page"
sql "select tablename from pg_tables where schemaname = 'twiliowa'" >"$work/tables"
while read -r table; do
    [ "$(sql "select exists (select from twiliowa.$table)")" = t ] || continue
    grep -qE "\`(twiliowa\.)?$(sed -E 's/_(rest|[0-9]{8})$//' <<<"$table")\`" "$work/page" || fail "the page does not name $table"
done <"$work/tables"

# Forgotten: what is left tells nobody, and a STOP holds.
says_nothing
call POST /customers/export '{"to": "07700 900301"}'
answers 200 'order #1042'
call POST /customers/forget '{"to": "07700 900301"}'
answers 200 '"complete":true.*"erased":\[.*"outbox"'
call POST /customers/export '{"to": "07700 900301"}'
! grep -q 1042 <<<"$answer" || fail "something is left: $answer"
# What became of it stays, for its time.
call GET "/messages/$second"
answers 200 '"about":"order 1042".*"state":"delivered"'

# Texts are kept for 7 days, and what became of them for 30 more.
call POST /customers/export '{"to": "07700 900306"}'
answers 200 'order #1044'
# A worker looks for what is to go when it begins, and each minute.
works_again() { [ "$(grep -c ' info works' "$LOG_A")" -gt "$1" ]; }
begins_anew() {
    local before
    before=$(grep -c ' info works' "$LOG_A")
    kill -TERM "$(cat "$PID_FILE_A")"
    until_true "a worker is started again" works_again "$before"
}
later $((8 * 86400))
begins_anew
gone_text() { call POST /customers/export '{"to": "07700 900306"}' && ! grep -q 1044 <<<"$answer"; }
until_true "the texts have gone" gone_text
call GET "/messages/$second"
answers 200 '"state":"delivered"'
later $((31 * 86400))
begins_anew
is_gone() { call GET "/messages/$second" && [[ $answer = 'HTTP/1.1 404 '* ]]; }
until_true "the job has gone" is_gone
# Then nothing is left but what it was called by, against a second one; and that goes 90 days later.
last=$(sql 'select max(removed_at) from twiliowa.job_key')
[ -n "$last" ] || fail "the keys have gone with the jobs"
no_key() { [ "$(sql "select count(*) from twiliowa.job_key where removed_at <= $last")" -eq 0 ]; }
later $((91 * 86400))
begins_anew
until_true "the keys have gone" no_key
leaves_nothing
