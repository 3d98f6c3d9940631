#!/usr/bin/env bash
# Usage: registration_talks.sh <run> <build tree>. What parents write, and what others send in their name: the
# conversation that registers players, over deaths of the process; texts within the 24 hours; floods.
set -euo pipefail
# shellcheck source=tests/systems/registration_lib.sh
. "$(dirname "$0")/registration_lib.sh"
start_registration "$1" "$2"

message() { call POST /message "{\"to\": \"$1\", \"text\": \"$2\"}" "${@:3}"; }

# Nobody is written to who has not written.
message +447700900201 'Bring your boots'
answers 409 '"field":"to"'
message 07700900201 'Bring your boots'
answers 400 '"field":"to"'
message +447700900201 ''
answers 400 '"field":"text"'
API_KEY=wrong message +447700900201 'Bring your boots'
answers 403

# Two players of one parent: asked about one after the other, by a process that dies between any two messages.
parent=+447700900201
trigger $parent
trigger $parent player_first_name='"Sam"' team_name='"Lions"'
# They go at once: either may be the newest.
both_are_there() { [ "$(bodies $parent | grep -c 'Player: \(Lee\|Sam\)')" -eq 2 ]; }
until_true "both templates are there" both_are_there
listed '\sopen\s.*"player_first_name":"Lee"' || fail "the player is not listed: $(list list)"
writes $parent 'Hi' 'Is this about Lee, Panthers?'
killed
writes $parent 'who?' 'Is this about Lee, Panthers?'
killed
taps $parent Yes 'What is the last name?'
killed
order $parent '"action": "media", "content_type": "image/png", "base64": "iVBORw0KGgo=", "text": "look"'
until_true "a file is answered" newest_is $parent 'We cannot look at files here.'
order $parent '"action": "location", "latitude": 53.4, "longitude": -2.2, "label": "Here", "address": "1 Road"'
until_true "a place is answered" newest_is $parent 'What is the last name?'
writes $parent "$(printf 'x%.0s' {1..81})" 'What is the last name?'
writes $parent "O'Neil-Çelik 🦁\\n\\\"{{1}}\\\"" 'When was Lee born?'
killed
for never in 23.4.2015 2015-02-30 2999-01-01 2015-04-23x -2015-04-23 soon; do
    before=$(sent_to $parent)
    order $parent "\"action\": \"text\", \"text\": \"$never\""
    asked_again() { [ "$(sent_to $parent)" -gt "$before" ]; }
    until_true "$never is answered" asked_again
    newest_is $parent 'When was Lee born?' || fail "$never is a birthday: $(bodies $parent | head -n 1)"
done
writes $parent 2015-04-23 "Lee O'Neil-Çelik 🦁 \\\"{{1}}\\\", born 2015-04-23. Is that right?"
killed
taps $parent 'Start again' "What is the player's first name?"
writes $parent Leo 'What is the last name?'
writes $parent Field 'When was Leo born?'
writes $parent 2015-04-24 'Leo Field, born 2015-04-24. Is that right?'
killed
before=$(sent_to $parent)
taps $parent Yes 'Is this about Sam, Lions?'
[ "$(sent_to $parent)" -eq $((before + 2)) ] || fail "said twice: $(bodies $parent | head -n 4)"
bodies $parent | sed -n 2p | grep -q 'Thank you, Leo is registered' || fail "it is not said: $(bodies $parent | head -n 4)"
listed '\sconfirmed\s.*"date_of_birth":"2015-04-24".*"player_first_name":"Leo","player_last_name":"Field"' || fail "not recorded: $(list list)"
[ "$(list list | grep -c confirmed)" -eq 1 ] || fail "another is confirmed, too: $(list list)"
killed
# From here on each message comes twice, and is answered once.
hooks() { expect 'HTTP/1.1 200' POST /emulator/webhook_faults "{\"doubled\": $1}"; }
hooks 1
before=$(sent_to $parent)
writes $parent no "What is the player's first name?"
writes $parent Samuel 'What is the last name?'
writes $parent Field 'When was Samuel born?'
writes $parent 2017-01-01 'Samuel Field, born 2017-01-01. Is that right?'
writes $parent YES 'Thank you, Samuel is registered'
doubles_are_seen() { [ "$(grep -c ' webhook .*outcome=duplicate http_status=200 kind=message' "$REGISTRATION_LOG")" -ge 5 ]; }
until_true "the five doubles are seen" doubles_are_seen
[ "$(sent_to $parent)" -eq $((before + 5)) ] || fail "a double is answered: $(bodies $parent | head -n 8)"
hooks 0
writes $parent 'And now?' 'There is nothing to register for this number'
writes +447700900299 'Hello' 'There is nothing to register for this number'
# Without variables the club has not said who it is.
call POST /trigger '{"parent_tel": "+447700900202", "use_defaults": true}'
answers 202
until_true "the template is there" newest_is +447700900202 'Player: your player'
writes +447700900202 'Hi' "What is the player's first name?"

# Within the 24 hours a text goes, once; beyond them it does not.
message $parent 'Bring your boots'
answers 202
first=$answer
until_true "the text is there" newest_is $parent 'Bring your boots'
message $parent 'Bring your boots'
[ "${answer##*$'\r\n'}" = "${first##*$'\r\n'}" ] || fail "repeated it gets another answer: $answer"
[ "$(bodies $parent | grep -c 'Bring your boots')" -eq 1 ] || fail "it went twice"
message $parent "$(printf 'x%.0s' {1..1601})"
answers 400 '"field":"Body"'
# Who has said STOP gets nothing more.
taken_in() { grep -c ' webhook .* outcome=taken_in http_status=200 kind=message' "$REGISTRATION_LOG"; }
before=$(taken_in)
order $parent '"action": "stop"'
stop_is_taken_in() { [ "$(taken_in)" -gt "$before" ]; }
until_true "STOP is taken in" stop_is_taken_in
trigger $parent player_first_name='"Max"'
becomes "$id" dead
answers 200 '"code":21610'

# What others send in Twilio's name, and what is not as it should be.
hook() { TWILIOWA_BASE_URL=$REGISTRATION_URL ask "${METHOD:-POST}" "${TARGET-/webhook}" "$1" "${@:2}"; }
# signed <body>: parameters as name=value, sorted, not encoded.
signed() {
    local signature
    signature=$(printf %s "$REGISTRATION_URL/webhook$(tr '&' '\n' <<<"$1" | tr -d '=\n')" |
        openssl dgst -sha1 -hmac "$TWILIO_AUTH_TOKEN" -binary | base64)
    answer=$(hook "${1//+/%2B}" "X-Twilio-Signature: $signature")
}
sid=SM$(printf '0%.0s' {1..31})
inbound="AccountSid=$TWILIO_ACCOUNT_SID&Body=Hi&From=whatsapp:+447700900203&MessageSid=${sid}1&NumMedia=0&To=whatsapp:+14155238886"
for signature in '' 'X-Twilio-Signature: ' 'X-Twilio-Signature: YWJj' "X-Twilio-Signature: $(printf 'A%.0s' {1..5000})"; do
    answer=$(hook "$inbound" ${signature:+"$signature"})
    answers 403
done
answer=$(METHOD=GET hook '' 'X-Twilio-Signature: YWJj')
answers 405
answer=$(hook "$(printf 'x%.0s' {1..300000})")
answers 413
for body in '' '&&==&' 'Body' "${inbound/$sid/SMx}" "${inbound/NumMedia=0/NumMedia=-1}" "${inbound/NumMedia=0/NumMedia=99999999999}" \
    "${inbound/From=whatsapp:+447700900203/From=}" "AccountSid=$TWILIO_ACCOUNT_SID&MessageSid=${sid}2&MessageStatus=nonsense" \
    "AccountSid=$TWILIO_ACCOUNT_SID&MessageSid=${sid}3&NumMedia=2"; do
    signed "$body"
    [[ $answer = 'HTTP/1.1 '[24]* ]] || fail "'$body' gets $answer"
done
signed "AccountSid=$TWILIO_ACCOUNT_SID&Body=Hi&From=whatsapp:+447700900203&MessageSid=${sid}4&NumMedia=0&To=whatsapp:+14155238886"
answers 200
writes +447700900204 'Hello' 'There is nothing to register for this number'

# flood <key>: 300 requests, many at the same time; how many got which status, and when they may be repeated. $most may
# have passed in that time.
flood() {
    local begun=${EPOCHREALTIME/./}
    curl --no-progress-meter --parallel --parallel-max 60 -H "x-api-key: $1" -d "$(player +447700900205)" -o /dev/null \
        -w '%{http_code} %header{retry-after}\n' "$REGISTRATION_URL/trigger?[1-300]" |
        sort | uniq -c >"$work/counts"
    most=$((50 + 25 * (${EPOCHREALTIME/./} - begun) / 1000000 + 1))
    cat "$work/counts"
}
limits_to() { # <status>
    local answered
    answered=$(awk -v status="$1" '$2 == status { sum += $1 } END { print sum + 0 }' "$work/counts")
    [ "$answered" -ge 50 ] || fail "fewer than 50 are answered"
    [ "$answered" -le $most ] || fail "$answered are answered, and $most may be"
    grep -qE ' 429 [1-9]$' "$work/counts" || fail "a flood is not refused"
}
# Whoever has no key takes nothing from the one who has.
flood wrong
limits_to 403
answer=$(TWILIOWA_BASE_URL=$REGISTRATION_URL ask POST /trigger "$(player +447700900206)" "x-api-key: $REGISTRATION_API_KEY")
answers 202
flood "$REGISTRATION_API_KEY"
limits_to 202
until_true "the flood's one message is there" newest_is +447700900205 'Player: Lee'
sent_are +447700900205 1

# A day later, which the process does not know of, WhatsApp takes nothing but templates.
expect 'HTTP/1.1 200' POST /emulator/clock '{"advance_seconds": 90000}'
message +447700900204 'Bring your boots'
answers 202
id=$(grep -oE '[0-9a-f]{20}' <<<"${answer##*$'\r\n'}")
becomes "$id" undelivered
answers 200 '"code":63016'
trigger +447700900204
becomes "$id" delivered

says_nothing
leaves_nothing
