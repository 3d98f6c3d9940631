#!/usr/bin/env bash
# Usage: cli_inbox.sh <emulator> <twiliowa> <source tree> <inbox_state> [postgresql]. The verbs of `twiliowa inbox` on an
# inbox that inbox_state has left: how it stands, what is dead and why, what a person decides, and what is fetched from
# Twilio's list. In a file, or in a database of the PostgreSQL to which the environment points.
set -euo pipefail
emulator=$1 twiliowa=$2 tree=$(realpath "$3") inbox_state=$(realpath "$4") engine=${5:-sqlite} noun=inbox
# shellcheck source=tests/programs/outbox_lib.sh
. "$(dirname "$0")/outbox_lib.sh"
sid() { echo "SM0000000000000000000000000000000$1"; }
shows_no_control() { ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$work/out" "$work/err" || fail "raw: $(cat -v "$work/out" "$work/err")"; }
# state_is <number> <state>
state_is() { ends_with 0 show "$1" && says "^state +$2\$"; }

# No store, or none that is one.
TWILIOWA_STORE='' ends_with 1 status
tells 'TWILIOWA_STORE: is not set'
ends_with 1 list --store postgresql://me:hunter2@db/jobs
tells '--store: holds a password'
hides hunter2
TWILIOWA_STORE=$(new_store bot)
ends_with 4 status --json
says '"field": "store"'
! is_there bot || fail "status makes a store"
"$inbox_state" "$(named_for_programs bot)" >"$work/out" || fail "no inbox: $(cat "$work/out")"
echo "without a store: as it should be"

ends_with 0 status
says '^STATE +EVENTS +OLDEST$'
says '^waiting +1 +20[0-9TZ:-]+$'
says '^running +1 +20'
says '^done +2$'
says '^dead +2 +20'
ends_with 0 status --json
says '"dead": 2'
says '"dropped": 0'
says '"oldest_waiting": "20'
ends_with 2 list --state asleep
tells '--state is none of waiting\|running\|done\|dead\|dropped'
ends_with 0 list
[ "$(wc -l <"$work/out")" -eq 7 ] || fail "not six: $(cat "$work/out")"
says '^NUMBER +SID +KIND +STATE +TRIES +ARRIVED +PROBLEM$'
says "^1 +$(sid 1) +message +dead +1 +20.*the handler threw"
ends_with 0 list --limit 2
tells 'There may be more'
ends_with 0 list --kind status --json
[ "$(wc -l <"$work/out")" -eq 1 ] || fail "others are statuses, too: $(cat "$work/out")"
says "^\{\"number\":4,\"sid\":\"$(sid 4)\",\"kind\":\"status\",\"account_sid\":\"AC0+1\",\"state\":\"done\",\"tries\":1,\"problem\":\"\",\"from\":\"whatsapp:\+14155238886\",\"to\":\"whatsapp:\+44\*+23\",\"arrived_at\":\"20"
ends_with 0 list --state dead --json
[ "$(wc -l <"$work/out")" -eq 2 ] || fail "others are dead, too: $(cat "$work/out")"
ends_with 0 list --state dropped
tells 'There is no such event'
echo "status, list: as they should be"

# What a dead letter is: why, and what somebody wrote, which no terminal obeys.
ends_with 0 show "$(sid 1)"
says '^state +dead$'
says '^tries +1$'
says '^problem +.*the handler threw'
says '^arrived +20'
says '^from +whatsapp:\+44\*+23$'
says '^to +whatsapp:\+14155238886$'
says '^profile name +A \[31mnn  2J \+44\*+23$'
says '^body +fail, and call \+44 \*+ \*+56$'
shows_no_control
ends_with 0 show "$(sid 1)" --json
says '"profile_name": "A\\u001b\[31mnn'
ends_with 0 show 1 --reveal
says '^from +whatsapp:\+447700900123$'
says '^body +fail, and call \+44 7700 900456$'
ends_with 0 show "$(sid 4)" --json
says '"status": "delivered"'
ends_with 0 show "$(sid 5)"
says '^state +running$'
for name in "$(sid 9)" 99 order-42; do
    ends_with 1 show "$name" --json
    says '"field": "SID"'
done
echo "show: as it should be"

# Tried again, it waits for the service. What cannot be is named, the others are done.
ends_with 1 retry "$(sid 1)" 1 "$(sid 3)" 99 --json
[ "$(cat "$work/out")" = "{\"number\":1,\"sid\":\"$(sid 1)\",\"kind\":\"message\",\"state\":\"waiting\"}" ] ||
    fail "retry says: $(cat "$work/out")"
tells "^$(sid 3): is done: only what is dead is tried again$"
tells '^99: names no event of this inbox$'
[ "$(wc -l <"$work/err")" -eq 2 ] || fail "more is refused: $(cat "$work/err")"
state_is 1 waiting
says '^out of order +yes'
says '^not before +20'
ends_with 2 retry
ends_with 0 retry 2
says "^2  $(sid 2)  message  waiting$"
# Dropped is only what is said, by who agrees.
ends_with 2 drop "$(sid 2)" "$(sid 6)"
tells '--yes is missing'
state_is 2 waiting
ends_with 1 drop "$(sid 5)"
tells "^$(sid 5): is running: only what is dead or waits"
ends_with 0 drop "$(sid 2)" "$(sid 6)" --yes
[ "$(grep -c dropped "$work/out")" -eq 2 ] || fail "drop says: $(cat "$work/out")"
state_is 2 dropped
ends_with 1 drop 2 --yes
ends_with 1 retry 2
echo "retry, drop: as they should be"

# What Twilio lists and no webhook has brought. Where windows and opt-outs are kept has to be known.
start --seed 13
customer '"action": "text", "text": "where is my order?"'
customer '"action": "media", "data": "AAAA", "content_type": "image/png"'
customer '"action": "stop"'
since=2026-01-01T00:00:00Z
ends_with 2 catch-up
ends_with 2 catch-up --since yesterday
ends_with 1 catch-up --since $since --no-opt-outs --sender shop
tells '^twiliowa: invalid request: --sender: '
ends_with 0 catch-up --since $since --no-opt-outs --sender +14155550199
says '^listed +0$'
if [ "$engine" = sqlite ]; then
    ends_with 4 catch-up --since $since
    [ ! -e "$work/bot.db.state" ] || fail "catch-up makes a store of customers"
fi
ends_with 0 list --state waiting --json
[ "$(wc -l <"$work/out")" -eq 1 ] || fail "taken in without being learnt: $(cat "$work/out")"
(
    unset TWILIO_AUTH_TOKEN
    ends_with 1 catch-up --since $since --no-opt-outs
    tells 'TWILIO_AUTH_TOKEN'
)
# The service's, which has no key so far.
twiliowa outbox run --until-empty --store "$(new_store service)" --make-key >"$work/out" 2>"$work/err" ||
    fail "$(cat "$work/out" "$work/err")"
known=$(customers_of service)
ends_with 1 catch-up --since $since --customer-store "$known"
tells 'TWILIOWA_CUSTOMER_KEY: is not set, and the store holds no key'
ends_with 0 catch-up --since $since --customer-store "$known" --make-key
says '^taken in +3$'
says '^listed +3$'
twiliowa customer show +447700900123 --store "$known" >"$work/out" 2>&1
says '^whatsapp:\+14155238886 +open until 20'
ends_with 0 catch-up --since $since --customer-store "$known" --json
says '"taken": 0'
ends_with 0 list --state waiting --json
[ "$(grep -c '"from":"whatsapp:+44\*' "$work/out")" -eq 4 ] || fail "not taken in: $(cat "$work/out")"
last=$(grep -oE '"number":[0-9]+' "$work/out" | cut -d : -f 2 | sed -n 3p)
ends_with 0 show "$last" --json
says '"caught_up": true'
says "\"url\": \"$TWILIOWA_BASE_URL/2010-04-01/Accounts/"
echo "catch-up: as it should be"

# Without the key of a sealed inbox it can be decided, and not be read.
TWILIOWA_STORE=$(new_store sealed)
TWILIOWA_KEYS=$("$twiliowa" outbox keys new k1 2>/dev/null)
export TWILIOWA_KEYS
twiliowa outbox run --until-empty --no-opt-outs >"$work/out" 2>&1 || fail "$(cat "$work/out")"
ends_with 0 catch-up --since $since --no-opt-outs
says '^taken in +3$'
! whole_store sealed | grep -aqE '7700900123|my order' || fail "the store can be read"
ends_with 0 show 1
says '^body +where is my order\?$'
(
    unset TWILIOWA_KEYS
    ends_with 0 show 1
    says '^webhook +not kept any more, or sealed'
    says '^state +waiting$'
)
TWILIOWA_KEYS=$("$twiliowa" outbox keys rotate k2 2>/dev/null)
twiliowa outbox keys reseal >"$work/out"
says '^events +3$'
TWILIOWA_KEYS=$(head -n 1 <<<"$TWILIOWA_KEYS")
ends_with 0 show 1
says '^body +where is my order\?$'
unset TWILIOWA_KEYS
stop
echo "keys: as it should be"

# What the page says.
[ "$engine" = postgresql ] || (
    mkdir "$work/page" && cd "$work/page"
    "$inbox_state" bot.db
    # shellcheck source=docs/code/command_line.sh
    . "$tree/docs/code/command_line.sh"
    look_after_dead_letters >"$work/out" 2>"$work/err" || fail "the page's commands: $(cat "$work/out" "$work/err")"
    says '^2 .* dropped$'
)
echo "the page: as it should be"
