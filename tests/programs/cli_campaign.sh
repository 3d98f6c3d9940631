#!/usr/bin/env bash
# Usage: cli_campaign.sh <emulator> <twiliowa> <source tree> [postgresql]. The verbs of `twiliowa campaign`: recipients
# from files go to the emulator once each, or are listed with the reason, and the numbers add up; what cannot be is
# refused by name; no number is shown. In files, or in databases of the PostgreSQL to which the environment points.
set -euo pipefail
emulator=$1 twiliowa=$2 tree=$(realpath "$3") engine=${4:-sqlite}
# shellcheck source=tests/programs/outbox_lib.sh
. "$(dirname "$0")/outbox_lib.sh"
# shellcheck disable=SC2034 # for outbox_lib.sh
noun=campaign
hides_numbers() { hides '7700 ?-?900'; }
[ "$engine" != postgresql ] || { export TWILIOWA_CUSTOMER_KEY=0123456789abcdef0123456789abcdef; }
# outbox <status> <arguments...>
outbox() { noun=outbox takes "$@" </dev/null; }
# number_of <member>: of the JSON object that was printed.
number_of() { grep -oE "\"$1\": ?[0-9]+" "$work/out" | head -n 1 | grep -oE '[0-9]+$'; }

has_numbers() { # <member=number...>
    local each
    for each; do
        [ "$(number_of "${each%=*}")" -eq "${each#*=}" ] || fail "not $each: $(cat "$work/out")"
    done
}

TWILIOWA_STORE=$(new_store jobs)
cat >"$work/prices.csv" <<'END2'
country,category,channel,price,currency
GB,,whatsapp,0.05,USD
END2
cat >"$work/spring.json" <<'END2'
{"id": "spring", "message": {"content_sid": "HX00000000000000000000000000000001", "variables": {"2": "Monday"}},
 "columns": {"1": "first name"}, "budget": {"amount": "10", "currency": "USD"}}
END2

# What is wrong with a definition has a name; nothing is made of it.
echo '{"id": "spring", "message": {"bodi": "x"}}' | takes 1 new - --json
says '"field": "message.bodi"'
echo '{"id": "a b", "message": {"body": "x"}}' | takes 1 new -
tells 'id: is not 1 to 60'
ends_with 1 new "$work/nothing.json"
tells 'FILE: cannot be read'
! is_there jobs || fail "a definition that is refused makes a store"
start --seed 12
ends_with 1 new "$work/spring.json"
tells 'budget: is given, and nobody knows'
tells 'say --prices FILE'
printf 'country,price,currency\nGB,free,USD\n' >"$work/wrong.csv"
ends_with 1 new "$work/spring.json" --prices "$work/wrong.csv" --json
says '"field": "--prices: line 2"'
ends_with 0 new "$work/spring.json" --prices "$work/prices.csv" --json
says '"existed": false'
ends_with 0 new "$work/spring.json" --prices "$work/prices.csv" --json
says '"existed": true'
sed 's/Monday/Friday/' "$work/spring.json" >"$work/other.json"
ends_with 1 new "$work/other.json" --prices "$work/prices.csv"
tells "id: is another campaign's"
(unset TWILIO_WHATSAPP_NUMBER && echo '{"id": "x", "message": {"body": "x"}}' | takes 1 new - && tells 'From|from')
echo "new: as it should be"

# Recipients as people write them; what is wrong is named by its line, and is in the numbers.
cat >"$work/customers.csv" <<'END2'
first name,phone,tag,time_zone
Lee,07700 900123,a-1,
Ann,+44 (0)7700 900124,a-2,
"Bob, the builder",0044 7700 900125,a-3,
Cy,whatsapp:+447700900126,a-4,
,07700 900127,a-5,
Dan,nobody,a-6,
Eve,07700-900-128,a-7,Europe/London
Lee,+447700900123,a-1,
Fay,07700 900123,a-8,
Gus,"07700 900129"x,a-9,
END2
ends_with 1 add spring "$work/customers.csv"
tells 'csv: has no column to'
ends_with 2 add spring "$work/prices"
tells 'say --csv or --json-lines'
ends_with 2 add spring - --csv --json-lines
ends_with 1 add autumn "$work/customers.csv" --to phone
tells 'campaign: is none of this outbox; twiliowa campaign list'
ends_with 1 add spring "$work" --csv --to phone
tells 'FILE: cannot be read'
ends_with 1 add spring "$work/customers.csv" --to phone --country GB --json
tells '^line 6: variables: there is no value for 1'
tells '^line 7: to: '
tells '^line 10: is a recipient already, with another message'
tells '^line 11: has a quote where none belongs'
[ "$(wc -l <"$work/err")" -eq 4 ] || fail "other lines are refused: $(cat "$work/err")"
has_numbers rows=10 added=5 known=1 refused=2 faulty=2
says '"line": 7,'
ends_with 1 add spring "$work/customers.csv" --to phone --country GB
says '^rows +10$'
says '^added +0$'
says '^there before +8$'
printf '%s\n' '{"to": "+447700900130", "first name": "Hal"}' '{"to": "+447700900131", "variables": {"1": "Ida"}}' |
    takes 0 add spring - --json-lines
says '^added +2$'
echo '{"to": "+447700900130", "nmae": "Hal"}' | takes 1 add spring - --json-lines
tells '^line 1: .*member that the campaign does not know'
echo "add: as it should be"

# Looked at before it starts: nothing is sent. A number to try it on gets it all the same.
ends_with 0 check spring --prices "$work/prices.csv" --json
has_numbers recipients=7 none=7
says '"cost": "0.35"'
says '"within_budget": true'
ends_with 1 check spring
says '^are refused +7$'
says '^7 refused: there are no prices'
ends_with 0 check spring --prices "$work/prices.csv" --quiet-hours 00:00-24:00 --time-zone-unknown send-now
says '^go at once +7$'
says '^cost +0.35 USD$'
ends_with 2 check spring --quiet-hours 8-20
tells 'quiet-hours are the hours in which messages may go'
ends_with 2 check spring --time-zone-unknown refuse
ends_with 1 check spring --quiet-hours 08:00-20:00 --time-zone-unknown Nowhere/Land
tells 'time-zone-unknown'
ends_with 0 test spring --to +447700900199 --variables '{"1": "Lee"}' --prices "$work/prices.csv" --json
says '"state": "ready"'
ends_with 1 test spring --to nobody --variables '{"1": "Lee"}'
tells '--to: '
ends_with 1 test spring --to +447700900199 --variables '{1'
tells '--variables'
ends_with 2 test spring
ends_with 0 list --json
says '^\{"id":"spring","tenant":"","phase":"draft","problem":"","recipients":9,"waiting":7,"sent":0,"in_doubt":0,"further":0,"by_state":\{'
echo "check, test: as it should be"

# A draft waits, and a worker ends that has nothing else; one that was not told the prices does not begin.
outbox 1 run --until-empty
tells '--prices: is missing, and the campaign spring has a budget'
outbox 2 run --until-empty --budget 5/week --prices "$work/prices.csv"
outbox 2 run --until-empty --budget 5/day
outbox 0 run --until-empty --prices "$work/prices.csv"
messages_sent() { ask GET "$messages?PageSize=1000" | { grep -oE '"to":"whatsapp:\+[0-9]+"' || true; } | sort; }
[ "$(messages_sent | wc -l)" -eq 1 ] || fail "a draft was sent"
ends_with 1 pause spring
tells 'phase: cannot be paused: it is draft'
ends_with 0 start spring --json
says '"phase": "running"'
says '"changed": true'
ends_with 0 start spring
says '^phase +running, as before$'
ends_with 0 pause spring --why 'the price is wrong'
says '^why +the price is wrong$'
outbox 0 run --until-empty --prices "$work/prices.csv"
[ "$(messages_sent | wc -l)" -eq 1 ] || fail "a paused one was sent"
ends_with 0 status spring
says '^spring  paused \(the price is wrong\)  0 of 9 sent \(0 %\), 2 refused$'
ends_with 0 resume spring
outbox 0 run --until-empty --prices "$work/prices.csv" --budget 100/month --quiet-hours 00:00-24:00 \
    --time-zone-unknown send-now --json
says '"in_doubt": false'
[ "$(messages_sent | uniq -d | wc -l)" -eq 0 ] || fail "somebody got it twice: $(messages_sent)"
[ "$(messages_sent | wc -l)" -eq 8 ] || fail "not everybody got it: $(messages_sent | wc -l)"
ends_with 0 status spring --watch
says '^spring  finished  7 of 9 sent \(77 %\),.* 2 refused, 0.35 of 10 USD$'
ends_with 0 status spring --watch --json
[ "$(wc -l <"$work/out")" -eq 1 ] || fail "one that has ended is watched: $(cat "$work/out")"
says '"phase":"finished".*"spend":"0.35","currency":"USD","budget":"10"'
ends_with 0 list
says '^spring +finished +9 +0 +7 +0 +20'
ends_with 0 spend
says '^20[0-9-]+ +HX00000000000000000000000000000001 +GB +whatsapp +0.4 +USD$'
ends_with 0 spend --from 2020-01-01 --to 2020-01-31
tells 'Nothing was spent'
ends_with 2 spend --from yesterday
ends_with 0 spend --json
says '^\{"day":"20[0-9-]+","tenant":"","content_sid":"HX0+1","country":"GB","channel":"whatsapp","spend":"0.4","currency":"USD"\}$'
echo "start, pause, resume, run, status: as it should be"

# The report has everybody, once.
ends_with 0 report spring
[ "$(wc -l <"$work/out")" -eq 10 ] || fail "the report: $(cat "$work/out")"
says '^key,to,tag,variant,step,state,reason,status,'
says '\+44\*+23,a-1,,0,(accepted|delivered),'
says ',,a-6,,0,dead,refused,'
ends_with 0 report spring --json --reveal
says '"to":"whatsapp:\+447700900123","tag":"a-1",'
[ "$(wc -l <"$work/out")" -eq 9 ] || fail "the report as JSON: $(cat "$work/out")"
ends_with 0 report spring --out "$work/report.csv"
says '^written +.*report.csv$'
[ "$(wc -l <"$work/report.csv")" -eq 10 ] || fail "the report in a file"
ends_with 1 report spring --out "$work/nowhere/report.csv" --json
says '^\{"error":\{.*"field":"--out"'
ends_with 1 report autumn --json
says '^\{"error":\{.*"field":"campaign"'
echo "report: as it should be"

# Who has not agreed to marketing, or wants nothing, gets nothing; the reason is told, and can be mended.
echo '{"id": "offers", "message": {"body": "20 % off", "category": "MARKETING"}}' | takes 0 new -
customer '"action": "stop"'
echo '{"key": "s-1", "to": "+447700900123", "body": "learns of it"}' | noun=outbox takes 0 enqueue
outbox 0 run --until-empty --prices "$work/prices.csv"
cat >"$work/offers.csv" <<'END2'
to,consent_at,consent_source
+447700900123,2026-01-01,till 4
+447700900124,2026-01-01,till 4
+447700900125,,
END2
if [ "$engine" = postgresql ]; then
    (unset TWILIOWA_CUSTOMER_KEY && ends_with 1 add offers "$work/offers.csv" && tells 'TWILIOWA_CUSTOMER_KEY: is not set')
fi
ends_with 1 add offers "$work/offers.csv" --no-opt-outs
tells 'consent_at: is given, and nobody keeps consents; leave out --no-opt-outs'
ends_with 0 add offers "$work/offers.csv"
says '^consents +[12]$'
ends_with 0 check offers --json
has_numbers opted_out=1 no_consent=1 none=1
outbox 1 run --until-empty --no-opt-outs
tells 'knows no consents, and the campaign offers asks for them'
ends_with 0 start offers
outbox 0 run --until-empty
ends_with 0 status offers
says '^offers  finished  1 of 3 sent \(33 %\),.* 1 opted_out, 1 no_consent$'
ends_with 2 retry offers --reason whatever
tells 'reason is none of refused\|exhausted'
printf 'to,consent_at,consent_source\n+447700900125,2026-02-01,phone\n' >"$work/later.csv"
ends_with 0 add offers "$work/later.csv"
says '^there before +1$'
ends_with 0 retry offers --reason no_consent --json
says '"retried": 1'
outbox 0 run --until-empty
ends_with 0 status offers --json
has_numbers recipients=3 sent=2
ends_with 1 check offers
says '^wait to be sent +0$'
echo "consents, opt-outs, retry: as it should be"

# A budget is not passed: it pauses what would.
echo '{"id": "dear", "message": {"body": "dear"}, "budget": {"amount": "0.12", "currency": "USD"}}' |
    takes 0 new - --prices "$work/prices.csv"
printf 'to\n+447700900141\n+447700900142\n+447700900143\n+447700900144\n' >"$work/dear.csv"
ends_with 0 add dear "$work/dear.csv"
ends_with 1 check dear --prices "$work/prices.csv"
says '^cost +0.2 USD, more than its budget has left$'
ends_with 0 start dear
outbox 0 run --until-empty --prices "$work/prices.csv"
tells 'The campaign dear is paused: .*budget'
tells '^80 % of budget/campaign/dear is used$'
ends_with 0 status dear
says '^dear  paused \(.*budget.*\)  2 of 4 sent \(50 %\)'
ends_with 2 cancel dear
tells '--yes is missing'
ends_with 0 cancel dear --yes
says '^phase +cancelled$'
ends_with 1 resume dear
ends_with 1 add dear "$work/dear.csv"
tells 'is cancelled'
ends_with 0 status dear --watch
says ' 2 cancelled'
echo "budget, cancel: as it should be"

# Who is not reached may get something else: what is wrong with that has a name, too.
echo '{"id": "sms", "message": {"body": "x"}, "fallbacks": [{"message": {"body": "y"}}]}' | takes 1 new - --json
says '"field": "fallbacks\[0\].message.from"'
ends_with 0 new "$tree/docs/code/campaign_fallbacks.txt"
ends_with 0 new "$tree/docs/code/campaign_fallbacks.txt"
says '^made +before, and the same$'
printf 'to\n+447700900145\n' >"$work/sms.csv"
ends_with 0 add spring-sms "$work/sms.csv"
says '^added +1$'
# What was refused when it was added has no message, and stays as it is.
ends_with 0 retry spring --reason refused --json
says '"retried": 0'
ends_with 0 status spring
says '^spring  finished  7 of 9 sent .* 2 refused'
echo "fallbacks: as it should be"

# A template that Meta has paused, and a sender that it rates as low, pause their campaign.
expect 'HTTP/1.1 200' POST /emulator/approval '{"template": "HX00000000000000000000000000000001", "status": "paused"}'
ends_with 1 check spring-sms
says '^1 refused: its template HX0+1 is paused$'
ends_with 0 start spring-sms
outbox 0 run --until-empty
tells 'The campaign spring-sms is paused: its template HX0+1 is paused'
ends_with 0 status spring-sms --json
has_numbers sent=0 waiting=1
expect 'HTTP/1.1 200' POST /emulator/approval '{"template": "HX00000000000000000000000000000001", "status": "approved"}'
expect 'HTTP/1.1 200' POST /emulator/sender '{"sender": "whatsapp:+14155238886", "quality_rating": "LOW"}'
ends_with 0 resume spring-sms
outbox 0 run --until-empty
tells 'The campaign spring-sms is paused: Meta rates the quality of its sender as low'
ends_with 0 status spring-sms --json
has_numbers sent=0 waiting=1
expect 'HTTP/1.1 200' POST /emulator/sender '{"sender": "whatsapp:+14155238886", "quality_rating": "HIGH"}'
ends_with 0 resume spring-sms
outbox 0 run --until-empty
ends_with 0 status spring-sms
says '^spring-sms  finished  1 of 1 sent'
echo "templates, quality: as it should be"

# By night nothing goes, and a worker that ends when nothing is left does not wait for the morning.
from=$(TZ=Europe/London date -d '2 hours' +%H:00) to=$(TZ=Europe/London date -d '3 hours' +%H:00)
[ "$to" != 00:00 ] || to=24:00
echo '{"id": "night", "message": {"body": "by day"}, "rate": {"messages": 4, "per": 1}}' | takes 0 new -
printf 'to\n' >"$work/night.csv"
seq -f '+4477009%05.0f' 12 >>"$work/night.csv"
ends_with 0 add night "$work/night.csv"
ends_with 0 check night --quiet-hours "$from-$to"
says '^go later +12$'
ends_with 0 start night
outbox 0 run --until-empty --quiet-hours "$from-$to"
ends_with 0 status night
says '^night  running  0 of 12 sent'
echo "quiet hours: as it should be"

# Watched, it is a line each time it changes; on a terminal one line that is written anew.
echo '{"id": "watched", "message": {"body": "watched"}, "rate": {"messages": 4, "per": 1}}' | takes 0 new -
ends_with 0 add watched "$work/night.csv"
ends_with 0 start watched
"$twiliowa" outbox run >"$work/run" 2>&1 &
worker=$!
ends_with 0 status watched --watch
[ "$(wc -l <"$work/out")" -ge 2 ] || fail "no line for each change: $(cat "$work/out")"
[[ $(tail -n 1 "$work/out") = 'watched  finished  12 of 12 sent (100 %)'* ]] || fail "the end: $(cat "$work/out")"
on_terminal() { TERM=xterm script -qec "$*" /dev/null; }
seq -f '+4477019%05.0f' 12 >"$work/more" && (echo to && cat "$work/more") >"$work/more.csv"
ends_with 0 add watched "$work/more.csv"
seen=$(on_terminal "'$twiliowa' campaign status watched --watch") || fail "watched on a terminal: $seen"
[[ $seen = $'\r'watched*$'\033[K'* ]] || fail "on a terminal: $seen"
[[ ${seen##*$'\r'watched} = *finished*24\ of\ 24\ sent* ]] || fail "on a terminal, the end: $seen"
kill -TERM $worker
wait $worker || fail "the worker ends with $?: $(cat "$work/run")"
seen=$(echo n | on_terminal "'$twiliowa' campaign cancel night") && fail "it is cancelled without a yes: $seen"
[[ $seen = *'Cancel night for good?'*'Nothing was cancelled.'* ]] || fail "asked: $seen"
ends_with 0 status night
says '^night  running'
echo "watching: as it should be"

# What the page says.
customer '"action": "start"'
[ "$engine" = postgresql ] || (
    mkdir "$work/page" && cd "$work/page"
    # At any hour of the day.
    sed 's/08:00-20:00/00:00-24:00/' "$tree/docs/code/campaign.txt" >spring.json
    cp "$tree/docs/code/campaign_recipients.txt" customers.csv
    cp "$work/prices.csv" .
    # shellcheck source=docs/code/campaigns.sh
    . "$tree/docs/code/campaigns.sh"
    make_and_look >"$work/out" 2>"$work/err" || fail "the page's commands: $(cat "$work/out" "$work/err")"
    says '^go at once +3$'
    run_it >"$work/out" 2>"$work/err" || fail "the page's commands: $(cat "$work/out" "$work/err")"
    says '^spring  finished  3 of 3 sent'
    mend_it >"$work/out" 2>"$work/err" || fail "the page's commands: $(cat "$work/out" "$work/err")"
    says '^retried +0$'
    watch_it >"$work/out" && says '^spring  finished'
)
stop
echo "the page: as it should be"
