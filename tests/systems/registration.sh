#!/usr/bin/env bash
# Usage: registration.sh <run> <build tree>. What other programs ask of the registration, right and wrong, and what the
# parents then have on their phones.
set -euo pipefail
# shellcheck source=tests/systems/registration_lib.sh
. "$(dirname "$0")/registration_lib.sh"
twiliowa=$2/tools/twiliowa
start_registration "$1" "$2"

# Who may ask, and for what.
for key in "" wrong "${REGISTRATION_API_KEY}x" "${REGISTRATION_API_KEY%?}"; do
    API_KEY=$key refused 403 x-api-key "$(player +447700900100)" || fail "the key '$key' is taken"
done
answer=$(TWILIOWA_BASE_URL=$REGISTRATION_URL ask POST /trigger "$(player +447700900100)")
answers 403
call GET /trigger
answers 405 '^Allow: POST'
call POST /nowhere
answers 404
call GET /messages/0123456789abcdef0123
answers 404

# What is missing or wrong is named.
for field in parent_tel parent_first_name player_first_name team_name age_group current_registration_season \
    membership_fee_amount subscription_fee_amount; do
    refused 400 $field "$(player +447700900100 $field=)"
    refused 400 $field "$(player +447700900100 $field='""')"
    refused 400 $field "$(player +447700900100 $field=null)"
    refused 400 $field "$(player +447700900100 $field='["x"]')"
done
for value in '" \n\t "' '"\u2028"' '"\u0000x"' "\"$(printf 'x%.0s' {1..81})\"" '{"a": 1}' true; do
    refused 400 team_name "$(player +447700900100 team_name="$value")"
done
refused 400 team_manager_1_full_name "$(player +447700900100 team_manager_1_full_name="\"$(printf 'é%.0s' {1..81})\"")"
for number in 07700900100 +44770090010x '+44 7700 900100' sms:+447700900100 whatsapp:GB.4f1a +4 '+44770090010012345' "'; --"; do
    refused 400 parent_tel "$(player "$number")"
done
refused 400 use_defaults "$(player +447700900100 use_defaults='"yes"')"
for body in '' '{' '[]' 'null' '{"parent_tel": "\xff"}' "$(printf '[%.0s' {1..60000})" $'{"parent_tel": "\xff"}'; do
    refused 400 body "$body"
done
call POST /trigger "$(player +447700900100 team_name="\"$(printf 'x%.0s' {1..70000})\"")"
answers 413
call POST /trigger "$(player +447700900100)" "Idempotency-Key: $(printf 'x%.0s' {1..101})"
answers 400 '"field":"Idempotency-Key"'
sent_are +447700900100 0

# A parent is written to, once.
trigger +447700900101
first=$answer
becomes "$id" delivered
answers 200 '"sid":"(SM|MM)[0-9a-f]{32}"'
# The request's id is in its answer, its line, and the lines about what became of it.
request=$(grep -oP '^X-Request-Id: \K[0-9a-f]{16}' <<<"$first") || fail "the answer has no id: $first"
grep -qE " api request=$request .*job=$id " "$REGISTRATION_LOG" || fail "the request is not logged"
until_true "what became of it is logged" grep -qE " job .*change=delivered job=$id .*tag=$request " "$REGISTRATION_LOG"
body='Hi Kim, registration is open.\n\nPlayer: Lee\nTeam: Panthers\nAge group: U11\nSeason: 2026/27\nMembership fee: 40.00\nSubscription fee: 26.5\n\nYour team manager: Ann Field\nNumber: +447700900999\n'
# Whom it went to is logged as a hash, beside the SID.
grep -qE " sent job=$id message_sid=(SM|MM)[0-9a-f]{32} recipient=twi1\..* tag=$request\$" "$REGISTRATION_LOG" || fail "it is not logged whom it went to"
newest_is +447700900101 "$body" || fail "another text: $(bodies +447700900101)"
call POST /trigger "$(player +447700900101)"
[ "${answer##*$'\r\n'}" = "${first##*$'\r\n'}" ] || fail "repeated it gets another answer: $answer, not $first"
killed
call POST /trigger "$(player +447700900101)"
[ "${answer##*$'\r\n'}" = "${first##*$'\r\n'}" ] || fail "repeated after a death it gets another answer: $answer"
sent_are +447700900101 1
again=$(player +447700900101)
call POST /trigger "$again" 'Idempotency-Key: order 1'
answers 202
second=$answer
call POST /trigger "$again" 'Idempotency-Key: order 1'
[ "${answer##*$'\r\n'}" = "${second##*$'\r\n'}" ] || fail "its key gets another answer: $answer, not $second"
[ "${answer##*$'\r\n'}" != "${first##*$'\r\n'}" ] || fail "a key of its own is not looked at"
call POST /trigger "$(player +447700900101 team_name='"Lions"')" 'Idempotency-Key: order 1'
answers 409 '"field":"key"'
until_true "the second one is sent" newest_is +447700900101 'Lee'
# Eight at once are one.
for i in {1..8}; do
    (call POST /trigger "$(player +447700900102)" && echo "${answer##*$'\r\n'}" >"$work/same.$i") &
    pids[i]=$!
done
for pid in "${pids[@]}"; do wait "$pid" || fail "one of eight failed"; done
[ "$(cat "$work"/same.* | sort -u | wc -l)" -eq 1 ] || fail "eight at once get several answers: $(cat "$work"/same.*)"
until_true "one of eight is sent" newest_is +447700900102 'Lee'
sent_are +447700900102 1
sent_are +447700900101 2

# No variables: the template says its own.
call POST /trigger '{"parent_tel": "whatsapp:+447700900103", "use_defaults": true}'
answers 202
until_true "the template's own values are sent" newest_is +447700900103 'Hi there, registration is open.\n\nPlayer: your player\nTeam: as agreed\n'

# Whatever a text may hold arrives; what a template may not hold becomes a blank.
trigger +447700900104 player_first_name='"Zoë \"{{1}}\" \\ O'"'"'Neil 🦁"' team_name='" The\r\n\tReds\u2028 "' age_group='"<U11> & 100%"'
becomes "$id" delivered
newest_is +447700900104 'Player: Zoë \"{{1}}\" \\ O'"'"'Neil 🦁\nTeam: The Reds\nAge group: <U11> & 100%\n' || fail "special characters: $(bodies +447700900104)"
long="\"$(printf 'é%.0s' {1..80})\""
trigger +447700900105 {parent_first_name,player_first_name,team_name,age_group,current_registration_season}="$long" \
    {membership_fee_amount,subscription_fee_amount,team_manager_1_full_name,team_manager_1_tel}="$long"
becomes "$id" delivered
trigger +447700900106 team_manager_1_full_name='""' team_manager_1_tel=
becomes "$id" delivered
newest_is +447700900106 'manager: the club office\nNumber: see our website\n' || fail "what is empty: $(bodies +447700900106)"
for number in +5511987654321 +819012345678 +4915112345678 +27821234567; do
    trigger $number
    becomes "$id" delivered
done

# What Twilio and WhatsApp refuse is told, with what to do.
trigger +15005550001
becomes "$id" dead
answers 200 '"code":21211.*|"advice":"[^"]+'
trigger +15005563024
becomes "$id" undelivered
answers 200 '"code":63024'
grep -qE ' job change=dead .*error_code=21211 .*advice=".*tag=[0-9a-f]{16}' "$REGISTRATION_LOG" || fail "a refusal is not logged in full"

# Four at once to four people: none waits for another, nor for what never answers.
begun=${EPOCHREALTIME/./}
for i in 1 2 3 4; do
    (trigger +44770090011$i && echo "$id" >"$work/four.$i") &
    pids[i]=$!
done
for i in 1 2 3 4; do wait "${pids[i]}" || fail "the $i. of four failed"; done
ended=${EPOCHREALTIME/./}
for i in 1 2 3 4; do becomes "$(cat "$work/four.$i")" delivered; done
echo "four at once are answered in $(((ended - begun) / 1000)) ms"
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "black-hole", "count": 1}'
trigger +447700900121
until_true "it is on its way" is_in "$id" sending
hangs=$id
for i in 2 3 4; do
    trigger +44770090012$i
    becomes "$id" delivered
done
is_in "$hangs" sending || fail "the one that gets no answer is no longer on its way: $answer"
# Nobody can know whether that one was sent: a person decides.
becomes "$hangs" unknown
list held | grep -q "^$hangs"$'\tunknown\t' || fail "it is not listed: $(list held)"
call POST /trigger "$(player +447700900121)"
answers 202 "$hangs"
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-after", "count": 1}'
trigger +447700900125
becomes "$id" delivered # by Twilio's callback
sent_are +447700900125 1
# Whatever Twilio says, or does not: nothing goes twice.
for fault in slow 429-retry-after 500-after; do
    expect 'HTTP/1.1 200' POST /emulator/fault "{\"fault\": \"$fault\", \"count\": 1}"
    trigger +447700900126 player_first_name="\"$fault\""
    becomes "$id" delivered
done
sent_are +447700900126 3
# What may have been sent, and was not, is listed; it goes when a person has said so.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "500", "count": 1}'
trigger +447700900127
becomes "$id" unknown
sent_are +447700900127 0
list held | grep -q "^$id"$'\tunknown\t' || fail "it is not listed: $(list held)"
# run says where they are
# shellcheck disable=SC2153
TWILIOWA_KEYS_FILE=$TWILIOWA_KEYS_FILE TWILIOWA_STORE=$TWILIOWA_STORE "$twiliowa" outbox resolve "$id" --not-sent >/dev/null
becomes "$id" delivered
sent_are +447700900127 1

begun=${EPOCHREALTIME/./}
for i in {10..29}; do
    call POST /trigger "$(player "+4477009002$i")"
    answers 202
done
ended=${EPOCHREALTIME/./}
is_counted() {
    TWILIOWA_BASE_URL=${METRICS%/metrics} ask GET /metrics | tr -d '\r' >"$work/metrics"
    grep -qE "^$1 [1-9]" "$work/metrics" || fail "the metrics have no $1"
}
is_counted 'twiliowa_outbox_jobs\{state="delivered"\}'
is_counted 'twiliowa_calls_total\{.*operation="messages.create".*\}'
is_counted 'twiliowa_webhooks_total\{.*\}'
echo "an answer takes $(((ended - begun) / 20000)) ms on average"

says_nothing
leaves_nothing
