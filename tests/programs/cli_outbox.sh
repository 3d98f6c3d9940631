#!/usr/bin/env bash
# Usage: cli_outbox.sh <emulator> <twiliowa> <source tree> [postgresql]. The verbs of `twiliowa outbox`: messages go from a
# file to the emulator once each; what is in doubt is looked for, shown and decided; no number is shown. In files, or in
# databases of the PostgreSQL to which the environment points.
set -euo pipefail
emulator=$1 twiliowa=$2 tree=$(realpath "$3") engine=${4:-sqlite}
# shellcheck source=tests/programs/outbox_lib.sh
. "$(dirname "$0")/outbox_lib.sh"

# No store, or none that is one. A password is not repeated.
TWILIOWA_STORE='' ends_with 1 status
tells 'TWILIOWA_STORE: is not set'
ends_with 1 status --store postgres://me:hunter2@db/jobs
tells '--store: holds a password'
hides hunter2
ends_with 1 status --store mysql://me:hunter2@db/jobs
tells '--store: names no store'
hides hunter2
TWILIOWA_STORE=$(new_store jobs)
ends_with 4 status --json
says '"field": "store"'
! is_there jobs || fail "status makes a store"
ends_with 0 keys new k1
says '^k1:[A-Za-z0-9+/_=-]{43,44}$'
tells 'is a secret'
# An example in a comment has a number.
twiliowa outbox migrate --print >"$work/out"
says "create table $jobs_table"
echo "without a store: as it should be"

# A file with lines that are wrong: each is named by its number and its member, the others go in.
start --seed 12
cat >"$work/messages.jsonl" <<'END'
{"key": "m-1", "to": "+447700900123", "body": "one, or call +44 7700 900456", "tenant": "shop", "tag": "spring"}
{"key": "m-2", "to": "+447700900123", "body": "two", "order_key": "+447700900123"}

{"key": "m-3", "to": "+447700900123", "bodi": "three"}
{"key": "m-4", "to": "whatsapp:+44 no number", "body": "four"}
{"key": "m-5", "to": "+447700900123", "body": "five", "not_before": "tomorrow"}
{"key": "m-6", "to": "+447700900123", "body": "six"
{"key": "m-7", "to": "+447700900123", "content_sid": "HX00000000000000000000000000000001", "variables": {"1": "Lee"}, "lane": "urgent", "on_unknown": "drop:600", "expires_at": "2200-01-01T00:00:00Z"}
{"key": "m-8", "to": "+447700900123", "body": "eight", "not_before": "2191-06-01T12:30:15.250+02:00"}
END
ends_with 1 enqueue "$work/messages.jsonl" --json
tells '^line 4: bodi: '
tells '^line 5: to: '
tells '^line 6: not_before: is no time'
tells '^line 7: message: is not one JSON object'
[ "$(wc -l <"$work/err")" -eq 4 ] || fail "other lines are refused: $(cat "$work/err")"
[ "$(grep -cE '^\{"key":"m-[1278]","id":"[0-9a-f]{20}","state":"ready","existed":false\}$' "$work/out")" -eq 4 ] ||
    fail "not one line each: $(cat "$work/out")"
# Without a sender of its own, and none in the environment, a message says so.
echo '{"to": "+447700900123", "body": "from nobody"}' >"$work/one"
(unset TWILIO_WHATSAPP_NUMBER && ends_with 1 enqueue "$work/one" && tells '^line 1: from: ')
# Once more is harmless; another message under the same key is refused.
head -n 1 "$work/messages.jsonl" | takes 0 enqueue --json
says '"existed":true'
echo '{"key": "m-1", "tenant": "shop", "to": "+447700900123", "body": "another"}' | takes 1 enqueue
tells '^line 1: key: was used for another message'
says '^refused +1$'
ends_with 1 enqueue "$work/nothing.jsonl" --json
says '^\{"error":\{.*"field":"FILE"'
echo "enqueue: as it should be"

# Who has said STOP gets nothing, which their own server knows; the window is another matter.
ends_with 2 run --webhook-port 0
tells 'go together'
if [ "$engine" = postgresql ]; then
    # A database may be a service's, which has a key of its own.
    ends_with 1 run --until-empty
    tells 'TWILIOWA_CUSTOMER_KEY: is not set, and the store holds no key'
    ends_with 0 status
    says '^ready +4'
    ends_with 0 run --until-empty --rate 50 --json --make-key
else
    ends_with 0 run --until-empty --rate 50 --json
fi
says '"ended": "empty"'
says '"in_doubt": false'
keeps_customers jobs || fail "run does not keep what it learns of customers"
sent_once 'one, or call +44 7700 900456' two
ends_with 0 list
says '^m-1 +(accepted|delivered|undelivered) +SM[0-9a-f]{32}'
says '^m-8 +ready'
ends_with 0 list --json --state ready
[ "$(cat "$work/out")" = "$(grep '"key":"m-8"' "$work/out")" ] || fail "others are ready, too: $(cat "$work/out")"
says '^\{"key":"m-8","id":"[0-9a-f]{20}","tenant":"","tag":"","account":"","state":"ready","reason":"","sid":"","status":"","attempts":0,'
ends_with 0 list --tag spring --json
says '"key":"m-1"'
[ "$(wc -l <"$work/out")" -eq 1 ] || fail "--tag lets others through"
ends_with 0 show m-1 --tenant shop
says '^sid +SM'
says '^to +\+44\*+23$'
says '^1 +20[0-9TZ:-]+ +sent +SM'
hides 'one, or'
ends_with 0 show m-2 --reveal
says '^to +\+447700900123$'
says '^order key +\+447700900123$'
id=$(grep -oE '^id +[0-9a-f]{20}$' "$work/out" | grep -oE '[0-9a-f]{20}$')
ends_with 0 show "$id"
ends_with 1 show m-1 --json
says '"field": "KEY"'
ends_with 0 export
[ "$(wc -l <"$work/out")" -eq 4 ] || fail "export: $(cat "$work/out")"
says '"message":\{"body":"one, or call \+44 \*+ \*+56",'
ends_with 0 export --reveal --tag spring
says '"to":"\+447700900123"'
ends_with 0 watch --once --json
says '^\{"cursor":1,"outcome":"accepted",.*"key":"m-[127]"'
cursor=$(tail -n 1 "$work/out" | grep -oE '"cursor":[0-9]+' | cut -d : -f 2)
ends_with 0 watch --once --since "$cursor"
silent out
ends_with 0 status
says '^ready +1 +20'
echo "run, list, show, export, watch: as it should be"

# What another program has put in goes, too.
if other_program i-1 '{"to": "+447700900456", "body": "from another"}'; then
    ends_with 0 run --until-empty
    sent_once 'from another'
fi

# Without what it knows of customers a worker does not begin, unless it is told to.
other=$(new_store other)
mkdir "$work/elsewhere"
echo "a file that is something else" | tee "$work/other.db.state" >"$work/elsewhere/state"
ends_with 4 run --until-empty --store "$other" --customer-store "sqlite:$work/elsewhere/nothing"
[ ! -e "$work/elsewhere/nothing" ] || fail "a store of customers that was named is made"
ends_with 4 run --until-empty --store "$other" --customer-store "sqlite:$work/elsewhere/state"
tells 'is no file of SQLite'
ends_with 1 run --until-empty --store "$other" --customer-store "$work/elsewhere/state"
tells '--customer-store: names no store'
[ "$engine" = postgresql ] || ends_with 4 run --until-empty --store "$other"
ends_with 0 run --until-empty --no-opt-outs --store "$other"
says '^no job$'
! keeps_customers other || fail "--no-opt-outs keeps something"

# Cancelled, it does not leave; nor does what is paused.
ends_with 0 show m-8
says '^not before +2191-06-01T10:30:15Z$'
ends_with 0 cancel m-8
says '^state +cancelled$'
ends_with 1 cancel m-8 --json
says '"field": "KEY"'
ends_with 0 pause --sender +14155238886 --reason 'the shop is closed'
says "^paused: sender 'whatsapp:\+14155238886', since 20.*: the shop is closed$"
echo '{"key": "p-1", "to": "+447700900123", "body": "paused"}' | takes 0 enqueue
ends_with 0 run --until-empty
sent_times paused 0
ends_with 0 status --json
says '"of": "sender"'
ends_with 0 resume --sender +14155238886
says 'Nothing is paused'
ends_with 2 pause --tenant a --account b
ends_with 0 run --until-empty
# How far it is is told in lines; on a terminal in one, which is written anew and taken away at the end.
tells '^[0-9]+ [a-z]+.*accepted'
! grep -q $'\r' "$work/err" || fail "no plain lines: $(cat "$work/err")"
sent_once paused
echo '{"key": "p-2", "to": "+447700900123", "body": "seen"}' | takes 0 enqueue
seen=$(TERM=xterm script -qec "'$twiliowa' outbox run --until-empty" /dev/null) || fail "run on a terminal: $seen"
[[ $seen = *$'\r'[0-9]*accepted*$'\033[K'*$'\r\033[K'* ]] || fail "on a terminal: $seen"
sent_once seen
echo "cancel, pause, resume: as it should be"

# A lost answer: the message went, its look finds it. One that nothing shows is left to a person.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-after", "count": 1}'
echo '{"key": "l-1", "to": "+447700900123", "body": "the answer is lost"}' | takes 0 enqueue
ends_with 0 run --until-empty --settle 30s
sent_once 'the answer is lost'
ends_with 0 show l-1 --json
says '"evidence": "list"'
says '"sid": "SM[0-9a-f]{32}"'
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-before", "count": 1}'
echo '{"key": "l-2", "to": "+447700900123", "body": "nothing shows it"}' | takes 0 enqueue
ends_with 3 run --until-empty --settle 0s --json
says '"in_doubt": true'
says '"unknown": 1'
ends_with 2 resolve l-2
ends_with 2 resolve l-2 --drop --not-sent
ends_with 2 resolve l-2 --suspect --drop
ends_with 1 resolve m-1 --tenant shop --drop
tells 'KEY: names a job that is'
ends_with 0 resolve l-2 --not-sent --by ann --why 'not in the console'
says '^state +ready$'
ends_with 0 show l-2
says '^decided +20.* by ann: not in the console$'
ends_with 0 show l-2 --json
says '"by": "ann"'
ends_with 0 run --until-empty
sent_once 'nothing shows it'
ends_with 0 resolve --suspect --drop --json
says '"resolved": 0'
ends_with 0 suspect --since 2200-01-01T00:00:00Z
says '^suspect +0$'
ends_with 2 suspect --since yesterday
echo "what is in doubt: as it should be"

# Who wants nothing gets nothing, and is not asked for again and again.
customer '"action": "stop"'
echo '{"key": "s-1", "to": "+447700900123", "body": "unwanted"}' | takes 0 enqueue
ends_with 0 run --until-empty
ends_with 0 show s-1
says '^state +dead: opted_out$'
sent_times unwanted 0
ends_with 0 retry s-1
says '^state +ready$'
ends_with 0 run --until-empty
ends_with 1 retry m-2
echo "opt-outs: as it should be"

# Purged is only what is said, by who agrees.
ends_with 2 purge --unchanged-since 2200-01-01T00:00:00Z
tells '--yes is missing'
ends_with 0 show s-1
on_terminal() { TERM=xterm script -qec "$*" /dev/null; }
seen=$(echo n | on_terminal "'$twiliowa' outbox purge --unchanged-since 2200-01-01T00:00:00Z") &&
    fail "purged without a yes: $seen"
[[ $seen = *'Remove the final jobs'*'[y/N]'*'Nothing was removed.'* ]] || fail "asked: $seen"
ends_with 0 show s-1
ends_with 0 purge --unchanged-since 2200-01-01T00:00:00Z --yes --json
says '"removed": [1-9]'
ends_with 1 show s-1
echo "purge: as it should be"

# Sealed, nothing can be read without the keys; and who lacks them does not begin.
TWILIOWA_STORE=$(new_store sealed)
TWILIOWA_KEYS=$("$twiliowa" outbox keys new k1 2>/dev/null)
export TWILIOWA_KEYS
echo '{"key": "order-42", "to": "+447700900456", "body": "a secret"}' | takes 0 enqueue
ends_with 0 show order-42
! whole_store sealed | grep -aqE '7700900456|a secret|order-42' || fail "the store can be read"
(
    unset TWILIOWA_KEYS
    ends_with 1 run --until-empty
    tells 'TWILIOWA_KEYS: is not set, and the jobs are sealed'
)
TWILIOWA_KEYS=$("$twiliowa" outbox keys rotate k2 2>/dev/null)
ends_with 0 run --until-empty --no-opt-outs
sent_once 'a secret'
ends_with 0 show order-42
ends_with 0 keys reseal
says '^sealed +1$'
ends_with 0 keys reseal
says '^sealed +0$'
TWILIOWA_KEYS=$(head -n 1 <<<"$TWILIOWA_KEYS")
ends_with 0 show order-42
unset TWILIOWA_KEYS
TWILIOWA_STORE=$(store_named jobs)
echo "keys: as it should be"

# What the page says.
[ "$engine" = postgresql ] || (
    mkdir "$work/page" && cd "$work/page"
    # shellcheck source=docs/code/command_line.sh
    . "$tree/docs/code/command_line.sh"
    echo '{"key": "page", "to": "+447700900456", "body": "from the page"}' >messages.jsonl
    hand_over_and_send >"$work/out" 2>"$work/err" || fail "the page's commands: $(cat "$work/out" "$work/err")"
    hand_over_a_line >"$work/out" && says '"key":"order-42"'
    expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-before", "count": 1}'
    ends_with 3 run --until-empty --settle 0s --no-opt-outs
    decide_about_it >"$work/out" && says '^state +ready'
    sent_once 'from the page'
)

# Refused by Twilio, a worker ends and says so.
echo '{"key": "a-1", "to": "+447700900456", "body": "not yet"}' | takes 0 enqueue
TWILIO_AUTH_TOKEN=wrong ends_with 1 run --until-empty --json
says '"kind": "authentication"'
sent_times 'not yet' 0
ends_with 0 resume --account ''
ends_with 0 run --until-empty
sent_once 'not yet'
echo "a wrong token: as it should be"

# A worker without an end: it sends what comes, serves Twilio's reports, and SIGTERM ends it in order.
port=$(free_port)
"$twiliowa" outbox run --webhook-port $port --public-url "http://127.0.0.1:$port" >"$work/out" 2>"$work/err" &
worker=$!
until grep -q 'Enter at Twilio' "$work/err"; do kill -0 $worker || fail "no worker: $(cat "$work/err")"; sleep 0.05; done
echo '{"key": "w-1", "to": "+447700900456", "body": "with a report"}' >"$work/one"
"$twiliowa" outbox enqueue "$work/one" >/dev/null
for _ in {1..100}; do
    state=$("$twiliowa" outbox show w-1 --json | grep -oE '"state": "[a-z]+"' | head -n 1)
    [[ $state != *delivered* ]] || break
    sleep 0.1
done
[[ $state = *delivered* ]] || fail "no report has come in: $state"
expect 'HTTP/1.1 200' POST /emulator/webhook "{\"owner\": \"whatsapp:+14155238886\", \"url\": \"http://127.0.0.1:$port/whatsapp\"}"
opted_out() { "$twiliowa" customer show +447700900123 --store "$(customers_of jobs)" 2>&1 | grep -q everything; }
opted_out || fail "the refusal of a message is not remembered"
customer '"action": "start"'
for _ in {1..100}; do
    opted_out || break
    sleep 0.1
done
! opted_out || fail "the worker has not learnt of the return"
kill -TERM $worker
wait $worker || fail "a worker that is asked to end ends with $?: $(cat "$work/err")"
stop
hides_numbers
echo "a worker with webhooks: as it should be"
