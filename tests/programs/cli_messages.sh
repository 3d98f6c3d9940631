#!/usr/bin/env bash
# Usage: cli_messages.sh <emulator> <twiliowa> <example webhook server> <source tree>. What sends and shows messages, what
# explains errors, and what tries a bot: webhooks that are made, shown, verified and forwarded.
set -euo pipefail
emulator=$1 twiliowa=$2 bot=$3 tree=$4
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"
listeners=()
trap 'kill ${listeners[@]+"${listeners[@]}"} 2>/dev/null || true; [ -z "$process" ] || kill -KILL $process 2>/dev/null || true; rm -rf "$work"' EXIT
twiliowa() { timeout 60 "$twiliowa" "$@"; }

# ends_with <status> <arguments...>: what it printed is in $work/out and $work/err.
ends_with() {
    local status=0
    twiliowa "${@:2}" >"$work/out" 2>"$work/err" </dev/null || status=$?
    [ "$status" -eq "$1" ] || fail "twiliowa ${*:2} ends with $status, not $1: $(cat "$work/out" "$work/err")"
}
says() { grep -qE -- "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"; }
says_not() { ! grep -qE -- "$1" "$work/out" "$work/err" || fail "$1 in: $(cat "$work/out" "$work/err")"; }
tells() { grep -qE -- "$1" "$work/err" || fail "no $1 in: $(cat "$work/err")"; }
value_of() { sed -nE "s/^ *\"$1\": \"?([^\",]*)\"?,?$/\\1/p" "$work/out" | head -n 1; }
# in_time <file> <regular expression>: it comes to be in the file.
in_time() {
    for _ in {1..400}; do
        ! grep -qE -- "$2" "$1" || return 0
        sleep 0.05
    done
    fail "no $2 in: $(cat "$1")"
}

# Codes need neither an account nor a network.
ends_with 0 explain 63016
says '^advice +send an approved template'
ends_with 0 explain --json 'HTTP 400 error: Unable to create record: 21610, 63016 and 21610, +15005521610'
[ "$(grep -c '"code"' "$work/out")" -eq 2 ] || fail "two codes: $(cat "$work/out")"
ends_with 1 explain 'it does not work'
tells 'WHAT: holds no code'
ends_with 0 explain 39999 --json
says '"category": "unknown"'
echo "explain: as it should be"

start --clock x100 --seed 1
to=+447700900123
ends_with 0 send template --to $to --content-sid HX00000000000000000000000000000001 \
    --variables '{"1": "Lee", "2": "A-1042"}' --json
says '"status": "queued"'
says '"to": "whatsapp:\+44\*+23"'
says '"body": null'
sid=$(value_of sid)
# What does not fit is refused before anything is sent.
ends_with 1 send template --to $to --content-sid HX00000000000000000000000000000001 --variables '{"1": "Lee"}'
tells 'variable "2" is missing'
# The way out is the command's own, and no C++.
tells 'if that is what you want, add --use-default NAME'
! grep -qF 'use_default(' "$work/err" || fail "C++: $(cat "$work/err")"
ends_with 0 send template --to $to --content-sid HX00000000000000000000000000000001 --variables '{"1": "Lee"}' \
    --use-default 2
ends_with 0 send template --to $to --content-sid HX00000000000000000000000000000001 --use-all-defaults
ends_with 0 send template --to $to --content-sid HX00000000000000000000000000000001 --unchecked
ends_with 1 send template --to $to --content-sid HX1 --variables '{}'
ends_with 1 send text --to 12 --body Hi
tells 'To: '
ends_with 2 send text --to $to
# A free-form text to who has not written: the reason, in the end.
ends_with 0 send text --to $to --body 'Your order is on its way' --json
text=$(value_of sid)
eventually '"status":"undelivered"' GET "$(message "$text")"
ends_with 0 explain "$text"
says '^status +undelivered'
says '^code +63016'
says_not '7700900123|Your order'
ends_with 0 explain "$text" --json --reveal
says '"code": 63016'
says '"body": "Your order is on its way"'
ends_with 0 send media --to $to --media-url https://example.com/receipt.pdf --body 'Your receipt'
ends_with 0 send location --to $to --latitude 51.5007 --longitude -0.1246 --name 'Big Ben' --reveal
says '^to +whatsapp:\+447700900123'
ends_with 2 send location --to $to --latitude north --longitude 1 --name x
echo "send: as it should be"

# Nobody can know whether it was sent: exit code 3.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-after", "count": 1}'
ends_with 3 send text --to $to --body 'Are you there?' --json
says '"kind": "outcome_unknown"'
says '"effect": "unknown"'
says_not '7700900123'
# Nothing was done: exit code 4.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "429", "count": 20}'
ends_with 4 send text --to $to --body 'Are you there?'
expect 'HTTP/1.1 200' POST /emulator/fault '{"clear": true}'
echo "outcomes: as they should be"

ends_with 0 messages list --to $to
[ "$(head -n 1 "$work/out" | awk '{ print $1 }')" = SID ] || fail "a table: $(cat "$work/out")"
says "^$sid "
says_not '7700900123'
all=$(($(wc -l <"$work/out") - 1))
[ "$all" -eq 8 ] || fail "8 messages: $(cat "$work/out")"
ends_with 0 messages list --to $to --limit 2 --json --reveal
[ "$(wc -l <"$work/out")" -eq 2 ] || fail "2 messages: $(cat "$work/out")"
says '^\{"sid":"SM[0-9a-f]{32}","status":"[a-z]+","direction":"outbound-api".*"to":"whatsapp:\+447700900123".*"body":"Are you there\?"'
ends_with 0 messages list --since 2099-01-01T00:00:00Z
tells 'There is no such message'
ends_with 2 messages list --since yesterday
ends_with 2 messages list --limit 0
ends_with 0 messages show "$text"
says '^error +63016 '
ends_with 2 messages show HX1
ends_with 1 messages show SMffffffffffffffffffffffffffffffff
at=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)
ends_with 1 send text --to $to --body later --send-at "$at"
ends_with 2 send text --to $to --body later --send-at tomorrow
ends_with 0 send text --to $to --body later --send-at "$(date -u -d '+20 days' +%Y-%m-%dT%H:%M:%SZ)" --json \
    --messaging-service MG00000000000000000000000000000001
says '"status": "scheduled"'
scheduled=$(value_of sid)
ends_with 0 messages cancel "$scheduled"
says '^status +canceled'
ends_with 1 messages cancel "$sid"
tells '30409'
echo "messages: as they should be"

# listen_to <name> <options...>: what it prints is in $work/<name>, its port in $port.
listen_to() {
    local name=$1
    "$twiliowa" listen "${@:2}" >"$work/$name" 2>"$work/$name.err" &
    listeners+=($!)
    in_time "$work/$name.err" 'Listening|Asks for'
    port=$(sed -nE 's/.*127\.0\.0\.1:([0-9]+);.*/\1/p' "$work/$name.err")
}
listen_to last --port 0 --json
last=$port
listen_to first --port 0 --forward-to "http://127.0.0.1:$last"
first=http://127.0.0.1:$port/whatsapp?tenant=7
ends_with 0 trigger message --to "$first" --body 'Hello 447700900123' --name Lee --json
says '"status": 200'
triggered=$(value_of sid)
in_time "$work/first" "message $triggered from whatsapp:\+44\*+23, signed -> 200"
# Behind the first one the last still knows which URL was signed.
in_time "$work/last" "\"kind\":\"message\",\"sid\":\"$triggered\".*\"signature\":\"ok\",\"answer\":200"
! grep -q 7700900123 "$work/first" "$work/last" || fail "a number is shown: $(cat "$work/first")"
ends_with 0 trigger button --to "$first" --title Yes --payload order-yes
ends_with 0 trigger list --to "$first" --title Red --id red
ends_with 0 trigger location --to "$first" --latitude 51.5007 --longitude -0.1246 --label 'Big Ben'
ends_with 0 trigger media --to "$first" --media-url https://example.com/photo.jpg --content-type image/png
ends_with 0 trigger stop --to "$first" --param OptOutType=STOP
ends_with 0 trigger status --to "$first" --sid "$sid" --status undelivered --error-code 63016
in_time "$work/first" "status $sid undelivered 63016, signed -> 200"
# The same SID twice is what a redelivery is.
ends_with 0 trigger message --to "$first" --sid "$triggered"
[ "$(grep -c "$triggered" "$work/first")" -eq 2 ] || fail "not twice: $(cat "$work/first")"
# Another account's token: seen, told, and forwarded all the same.
TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdee ends_with 0 trigger message --to "$first"
in_time "$work/first" 'NOT signed by Twilio: mismatch -> 200'
ends_with 4 trigger message --to http://127.0.0.1:1/whatsapp
says 'unreachable'
ends_with 2 trigger message --to "$first" --sid SM1
ends_with 2 trigger message --to "$first" --param =1
ends_with 2 listen
ends_with 2 listen --poll
ends_with 1 listen --port "$last"
tells -- '--port: is taken'
# What the page says to type.
# shellcheck source=docs/code/command_line.sh
. "$tree/docs/code/command_line.sh"
(
    twiliowa() { timeout 60 "$twiliowa" "${@//localhost:8080/127.0.0.1:$last}"; }
    try_a_bot
    send_and_look
) >"$work/out" 2>&1 || fail "the page's commands: $(cat "$work/out")"
says '^advice +send an approved template'
echo "trigger, listen: as they should be"

# A bot of the library's, and what it answers.
TWILIO_AUTH_TOKEN=$TWILIO_AUTH_TOKEN "$bot" 0 >"$work/bot" 2>&1 &
listeners+=($!)
in_time "$work/bot" 'Listening on port'
webhook=$(sed -n 's/^ *\(http:[^ ]*\)$/\1/p' "$work/bot")
ends_with 0 trigger message --to "$webhook" --body 'Where is my order?'
says 'You said: Where is my order\?'
TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdee ends_with 1 trigger message --to "$webhook"
says 'inbound answered 403'
ends_with 0 trigger message --to "$webhook" --body 'Hello again'
# A doctor who calls it. It is on this machine, which Twilio cannot reach, and that is wrong.
ends_with 1 doctor --callback-url "${webhook%%#*}#rc=3&rp=all"
says '^ok +callback_answer +a signed request is answered 200'
says '^ok +callback_signature +what Twilio has not signed is refused \(403\)'
says '^ok +callback_retries '
says '^ok +proxy +none'
says '^ok +environment '
says '^ok +region '
# Its Twilio's time goes a hundred times as fast.
says "^warning +clock +is [0-9]+ s behind Twilio's"
TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdee ends_with 1 doctor --callback-url "${webhook%%#*}"
says '^wrong +callback_answer +a signed request is refused \(403\)'
says '^warning +callback_retries '
ends_with 1 doctor --callback-url "http://127.0.0.1:$last/"
says '^wrong +callback_signature +the bot takes requests that Twilio has not signed'
ends_with 1 doctor --callback-url http://127.0.0.1:1/
says '^wrong +callback_answer +the bot could not be called'
TWILIOWA_STORE=sqlite:$work/nothing.db ends_with 1 doctor
says '^wrong +store '
echo "a bot, and a doctor: as they should be"

# Without a port of one's own: what a customer writes is fetched, and brought to the bot.
listen_to poll --poll --every 1s --forward-to "http://127.0.0.1:$last/polled" --reveal
customer '"action": "text", "text": "Is anybody there?"'
in_time "$work/poll" 'message SM[0-9a-f]+ from whatsapp:\+447700900123: Is anybody there\? -> 200'
in_time "$work/last" "$(grep -oE 'SM[0-9a-f]{32}' "$work/poll" | head -n 1).*\"signature\":\"ok\""
grep -q 'lacks' "$work/poll.err" || fail "what the list lacks: $(cat "$work/poll.err")"
echo "listen --poll: as it should be"

# What Twilio has signed, computed by another program.
url=https://bot.example.com/whatsapp
printf %s 'To=whatsapp%3A%2B14155238886&Body=Hi+there&From=whatsapp%3A%2B447700900123' >"$work/hook.form"
signature=$(printf %s "${url}BodyHi thereFromwhatsapp:+447700900123Towhatsapp:+14155238886" |
    openssl dgst -sha1 -hmac "$TWILIO_AUTH_TOKEN" -binary | base64)
ends_with 0 verify --url $url --body "$work/hook.form" --signature "$signature"
says '^signature +ok'
ends_with 0 verify --url $url --body "$work/hook.form" --header "X-Twilio-Signature: $signature" \
    --header 'Host: bot.example.com' --header 'X-Forwarded-Proto: https' --explain --json
says '"url_by_headers": "https://bot.example.com/whatsapp"'
says '"ok": true'
[ "$(tr -d ' \n' <"$work/out" | grep -oE '"parameters":\[[^]]*\]')" = '"parameters":["Body","From","To"]' ] ||
    fail "the parameters: $(cat "$work/out")"
says_not '7700900123'
ends_with 1 verify --url http://bot.example.com/whatsapp --body "$work/hook.form" --signature "$signature"
says '^reason +mismatch'
says '^way out +.*https'
ends_with 1 verify --url $url --body "$work/hook.form"
says 'missing_signature'
ends_with 1 verify --url $url --body "$work/nothing" --signature "$signature"
ends_with 2 verify --body "$work/hook.form" --signature "$signature"
ends_with 2 verify --url $url --header nothing
TWILIO_AUTH_TOKEN='' ends_with 1 verify --url $url --signature x
tells 'TWILIO_AUTH_TOKEN: is not set'
echo "verify: as it should be"

# Becomes the emulator.
ends_with 0 emulator --port 0 -- true
says_not 'error'
[ "$(twiliowa emulator --port nothing >"$work/out" 2>&1; echo $?)" -ne 0 ] || fail "a wrong port is taken"
echo "emulator: as it should be"
stop
