#!/usr/bin/env bash
# Usage: platform.sh <run> <build tree>. Two organisations set themselves up, send and are written to; one of them attacks
# the other, and the world attacks both. The emulator's lists of messages are the truth.
set -euo pipefail
# shellcheck source=tests/systems/platform_lib.sh
. "$(dirname "$0")/platform_lib.sh"
export PLATFORM_CHATBOT_MS=100 PLATFORM_MOST_WAITING=50
start_platform "$1" "$2"

# Only who has a bearer token; what is missing or wrong is told by its name.
BEARER=wrong call A GET config
answers 401
BEARER='' call A POST send '{}'
answers 401
call A GET config
answers 404
call A GET nothing
answers 404
call A GET validate
answers 404 '"field":"config"'
call A POST config "$(config_of "${ACCOUNT_A%a}" "$TOKEN_A" "$SENDER_A")"
answers 400 '"field":"twilio_account_sid"'
call A POST config "{\"twilio_account_sid\": \"$ACCOUNT_A\", \"twilio_phone_number\": \"$SENDER_A\"}"
answers 400 '"field":"twilio_auth_token"'
call A POST config "$(config_of "$ACCOUNT_A" "$TOKEN_A" 12)"
answers 400 '"field":"twilio_phone_number"'
call A POST config "$(config_of "$ACCOUNT_A" "$TOKEN_A" "$SENDER_A" ', "webhook_url": "https://attacker.example/"')"
answers 400 '"field":"webhook_url"'
call A POST config "$(config_of "$ACCOUNT_A" "$TOKEN_A" "$SENDER_A" ', "is_active": "yes"')"
answers 400 '"field":"body"'

# What is wrong is said: a token that Twilio refuses, a number that is not the account's; until then nothing is sent.
call A POST config "$(config_of "$ACCOUNT_A" "$TOKEN_B" "$SENDER_A")"
answers 200 '"is_validated":false'
! grep -qE "$TOKEN_B" <<<"$answer" || fail "the token is shown"
call A GET validate
answers 200 '"valid":false.*"level":"wrong","subject":"credentials"'
call A POST send '{"to": "+447700900901", "message": "Hello", "chatbot_id": "ann"}'
answers 409 '"field":"config"'
call A POST config "$(config_of "$ACCOUNT_A" "$TOKEN_A" "$SENDER_B")"
answers 200
call A GET validate
answers 200 '"valid":false.*"level":"wrong","subject":"sender"'
configured A ", \"webhook_url\": \"$WEBHOOK_URL#rc=5&rp=all\""
call A GET validate
answers 200 '"valid":true.*"level":"ok","subject":"sender"'
call A GET config
answers 200 "\"twilio_account_sid\":\"$ACCOUNT_A\",\"twilio_phone_number\":\"whatsapp:.14155550001\".*\"is_active\":true,\"is_validated\":true"
! grep -qE "$TOKEN_A" <<<"$answer" || fail "the token is shown"

# A message, once, however often it is asked for, at either process.
for wrong in '"to": "12", "message": "m", "chatbot_id": "ann":to' '"to": "sms:+447700900901", "message": "m", "chatbot_id": "ann":to' \
    '"to": "+447700900901", "chatbot_id": "ann":message' '"to": "+447700900901", "message": "m":chatbot_id'; do
    call A POST send "{${wrong%:*}}"
    answers 400 "\"field\":\"${wrong##*:}\""
done
call A POST send '{"to": "+447700900901", "message": 5, "chatbot_id": "ann"}'
answers 400 '"field":"message"'
call A POST send '{"to": "+447700900901", "message": "m", "chatbot_id": "nobody"}'
answers 404 '"field":"chatbot_id"'
says A +447700900901 'Is it here?' >/dev/null
session_says A +447700900901 '"role":"user","text":"Is it here\?".*"role":"assistant","text":"ann has read 1 of your messages\."'
sends A +447700900901 'Your parcel is here.'
first=$id
for each in "$PROCESS_A" "$PROCESS_B"; do
    at=$each sends A 'whatsapp:+447700900901' 'Your parcel is here.'
    [ "$id" = "$first" ] || fail "what is repeated is another"
done
becomes A "$first" '"state":"delivered".*"sid":"(SM|MM)'
sends A +447700900901 'Another parcel.' 'Idempotency-Key: one'
second=$id
at=$PROCESS_B sends A +447700900901 'Another parcel.' 'Idempotency-Key: one'
[ "$id" = "$second" ] || fail "what is repeated is another"
call A POST send '{"to": "+447700900901", "message": "A third parcel.", "chatbot_id": "ann"}' 'Idempotency-Key: one'
answers 409 '"field":"key"'
becomes A "$second" '"state":"delivered"'
sent A +447700900901 3

# The chatbot knows what was said; what is long is cut where a reader would, in order.
says A +447700900901 'Tell me everything' >/dev/null
session_says A +447700900901 'parcel is here.*Another parcel.*everything.*ann has read 2 of'
until_true "the long answer is sent" has_sent A +447700900901 5
bodies A +447700900901 | sed -nE '1,2s/^"body":"(.*)"$/\1/p' >"$work/parts"
sed -n 2p "$work/parts" | grep -q '^ann has read 2 .*said of it\.$' || fail "the first part is: $(sed -n 2p "$work/parts")"
grep -qE '^[0-9]+\. There is.*40\. There is always something more that can be said of it\.$' <<<"$(sed -n 1p "$work/parts")" ||
    fail "the second part is: $(sed -n 1p "$work/parts")"
[ "$(sed -n 2p "$work/parts" | sed 's/\\n/n/g' | wc -m)" -le 1601 ] || fail "a part is too long"
call A GET sessions/whatsapp_+447700900999
answers 200 '"history":\[\]'

# Usage: of each message, of the day, and of the month, times 1.2.
has_used() { [ "$(sql "select sum(messages) from platform.usage_day where organisation = 'acme'")" = "$1" ]; }
until_true "the usage is logged" has_used 4
sum=$(sql "select count(*), sum(tokens), sum(charged) = sum(tokens) * 1.2 from platform.usage_message where organisation = 'acme'")
[[ $sum = '4|'*'|t' ]] || fail "the usage is $sum"
tokens=$(cut -d '|' -f 2 <<<"$sum")
call A GET usage
answers 200 '"days":\[\{"day":"[-0-9]+","messages":"[0-9]+","tokens":"[0-9]+","charged":"[0-9.]+"'
answers 200 "\"used\":\"$(awk "BEGIN { print $tokens * 1.2 }")\""
[ "$(sql "select count(*) from platform.usage_message u where organisation = 'acme' and tokens = 5 and sid ~ '^SM'")" = 1 ] ||
    fail "the message's usage is: $(sql "select * from platform.usage_message")"

# B attacks A. It has its own token, and nothing of A's.
call B POST config "$(config_of "$ACCOUNT_A" 00000000000000000000000000000000 "$SENDER_A")"
answers 200 '"is_validated":false'
call B GET validate
answers 200 '"valid":false'
call B POST send '{"to": "+447700900901", "message": "Forged", "chatbot_id": "bob"}'
answers 409 '"field":"config"'
# Even with A's token the account stays A's.
call B POST config "$(config_of "$ACCOUNT_A" "$TOKEN_A" "$SENDER_A")"
call B GET validate
answers 200 '"valid":false.*"subject":"account","what":"another organisation has it"'
call B POST send '{"to": "+447700900901", "message": "Forged", "chatbot_id": "bob"}'
answers 409 '"field":"config"'
call A GET config
answers 200 '"is_validated":true'
mine=$(says A +447700900902 'Whose am I?')
session_says A +447700900902 'ann has read 1'
is B sessions/whatsapp_+447700900902 '"history":\[\]' || fail "B reads A's session: $answer"
validated B
call B POST send '{"to": "+447700900902", "message": "m", "chatbot_id": "ann"}'
answers 404 '"field":"chatbot_id"'
call B POST send '{"to": "+447700900902", "message": "m", "chatbot_id": "old"}'
answers 409 '"field":"chatbot_id"'
call B GET "messages/$first"
answers 404
sends B +447700900903 'For you.' 'Idempotency-Key: one'
[ "$id" != "$second" ] || fail "B's key is A's"
says B +447700900903 'Hello' >/dev/null
session_says B +447700900903 'bob has read 1'
has_used 5 || fail "A pays for B"
# Webhooks: forged, of another tenant's token, of an account that nobody has; B's own one that names A's number.
for token in 00000000000000000000000000000000 "$TOKEN_B"; do
    [ "$(post_signed "$token" "$ACCOUNT_A" "$(new_sid)" +447700900904 "$SENDER_A" 'Forged')" = 403 ] || fail "a forged webhook passes"
done
[ "$(post_signed "$TOKEN_B" AC000000000000000000000000000000ff "$(new_sid)" +447700900904 "$SENDER_A" 'Forged')" = 403 ] || fail "an unknown account passes"
[ "$(post_signed "$TOKEN_B" "$ACCOUNT_B" "$mine" +447700900902 "$SENDER_A" 'Forged')" = 200 ] || fail "B's own webhook is refused"
session_says B +447700900902 'Forged'
! is A sessions/whatsapp_+447700900902 Forged || fail "B writes into A's session"
until_true "B cannot answer as A" is B attention '"dead":\[\{.*"code":63007'
sent A +447700900902 1
sent A +447700900904 0

# Twilio tells of a message again, at either process: it is answered once.
again=$(says A +447700900914 'Are you there?')
for each in "$PROCESS_A" "$PROCESS_B" "$PROCESS_A"; do
    [ "$(at=$each post_signed "$TOKEN_A" "$ACCOUNT_A" "$again" +447700900914 "$SENDER_A" 'Are you there')" = 200 ] || fail "what comes again is refused"
done
session_says A +447700900914 '"role":"assistant","text":"ann has read 1 of your messages\."'
until_true "it is answered" has_sent A +447700900914 1

# What is no request of this API.
call A POST send "{\"to\": \"+447700900901\", \"message\": \"$(head -c 70000 /dev/zero | tr '\0' x)\", \"chatbot_id\": \"ann\"}"
answers 413
call A POST send "{\"to\": \"+447700900901\", \"message\": \"$(head -c 60000 /dev/zero | tr '\0' x)\", \"chatbot_id\": \"ann\"}"
answers 400 '"field":"message"'
call A POST send $'{"to": "+447700900901", "message": "\xff\xfe", "chatbot_id": "ann"}'
answers 400 '"field":"body"'
call A POST send '{"to": "+447700900901", "message": "a\u0000b", "chatbot_id": "ann"}'
answers 400 '"field":"message"'
call A POST send "$(printf '[%.0s' {1..20000})"
answers 400 '"field":"body"'
call A POST send '{"to": '
answers 400 '"field":"body"'
call A POST send '{"to": "+447700900901", "message": "m", "chatbot_id": "ann"}' "Idempotency-Key: $(printf 'k%.0s' {1..200})"
answers 400 '"field":"Idempotency-Key"'
call A GET "sessions/%ff'or''='"
answers 200 '"history":\[\]'
call A DELETE config
answers 404
BEARER=$'\xff\xfe' call A GET config
answers 401
call A POST send '{"to": "+447700900913", "message": "With any key.", "chatbot_id": "ann"}' $'Idempotency-Key: \xff\xfe'
answers 400 '"field":"Idempotency-Key"'
[ "$(TWILIOWA_BASE_URL=$PLATFORM_URL ask POST /api/whatsapp/webhook "$(head -c 300000 /dev/zero | tr '\0' x)" | head -n 1 | cut -d ' ' -f 2)" = 413 ] ||
    fail "a huge webhook is taken"
[ "$(post_signed "$TOKEN_A" "$ACCOUNT_A" short +447700900904 "$SENDER_A" 'Cut')" = 400 ] || fail "a SID that is none passes"

# Twilio says that it is too much: tried again, later each time, and sent once; a slow one is waited for.
order limits '{"throttle": 2, "retry_after": 1}'
sends A +447700900901 'After 429.'
becomes A "$id" '"state":"delivered"'
order fault '{"fault": "slow", "count": 1}'
sends A +447700900901 'After a while.'
becomes A "$id" '"state":"(accepted|delivered)"'
# An answer that is lost: a callback tells, and nothing is sent a second time. After a 500 nobody can know, and a person
# is asked.
order fault '{"fault": "close-after", "count": 1}'
sends A +447700900901 'Into the dark.'
becomes A "$id" '"state":"delivered"'
order fault '{"fault": "500", "count": 1}'
sends A +447700900901 'Into the void.'
void=$id
becomes A "$void" '"state":"unknown"'
is A attention "\"unknown\":\\[\\{\"id\":\"$void\"" || fail "it is not listed: $answer"
is A attention '"session":"whatsapp_\+447700900901","text":"Into the void\."' || fail "whose it is, is not said: $answer"
is B attention '"unknown":\[\]' || fail "A's are listed for B: $answer"
call B POST "attention/$void" '{"decision": "not_sent", "by": "bob"}'
answers 404
call A POST "attention/$void" '{"decision": "perhaps", "by": "ann"}'
answers 400 '"field":"decision"'
call A POST "attention/$void" '{"decision": "drop", "by": "ann"}'
answers 200 '"changed":true'
sent A +447700900901 8

# B floods, and so do those who write to it: beyond what may wait is refused; A's message goes on, and so does A's customer.
flooded=$SECONDS
flood() {
    local n
    for ((n = $1; n < $1 + 40; n++)); do
        call B POST send "{\"to\": \"+447700900905\", \"message\": \"m\", \"chatbot_id\": \"bob\"}" "Idempotency-Key: flood $n"
        [[ $answer = 'HTTP/1.1 '@(202|429)' '* ]] || fail "not 202 or 429, but $answer"
        echo "${answer:9:3}"
        [[ $(post_signed "$TOKEN_B" "$ACCOUNT_B" "$(new_sid)" "+4477009${n:0:1}0914" "$SENDER_B" 'Flood') = @(200|503) ]] || fail "not 200 or 503"
    done
}
sql "update platform.organisation set messages_a_minute = 2 where id = 'bolt'"
floods=()
for n in 1000 2000 3000; do
    flood $n >"$work/flood_$n" &
    floods+=($!)
done
says A +447700900906 'Still there?' >/dev/null
session_says A +447700900906 'ann has read 1'
sends A +447700900906 'Beside the flood.'
becomes A "$id" '"state":"delivered"'
for each in "${floods[@]}"; do wait "$each" || fail "a flood is not answered: $(cat "$work"/flood_*)"; done
[ "$(cat "$work"/flood_* | grep -c 202)" -le 56 ] || fail "more wait than may"
grep -q 429 "$work"/flood_* || fail "nothing of the flood is refused"
most=$((2 * ((SECONDS - flooded) / 60 + 2)))
[ "$(bodies B +447700900905 | wc -l)" -le $most ] || fail "B sends more than two a minute"

# B holds as many requests as it may, and ends none: one more of its own is too many, and A's go on.
held=()
for _ in {1..8}; do
    exec {connection}<>"/dev/tcp/127.0.0.1/${PLATFORM_URL##*:}"
    printf '%s\r\n' 'POST /api/whatsapp/send HTTP/1.1' 'Host: 127.0.0.1' "Authorization: Bearer $BEARER_B" 'Content-Length: 100' '' >&"$connection"
    held+=("$connection")
done
until_true "one more is too many" gets B 429 config
call A GET config
answers 200
[ "$(post_signed "$TOKEN_A" "$ACCOUNT_A" "$again" +447700900914 "$SENDER_A" 'Are you there')" = 200 ] || fail "A's webhook is refused"
for connection in "${held[@]}"; do exec {connection}>&-; done
until_true "B's go on" gets B 200 config

# Switched off: what comes is answered 200 and not kept; what was asked for waits.
configured B ', "is_active": false'
before=$(sql 'select count(*) from twiliowa.events')
ignored=$(new_sid)
[ "$(post_signed "$TOKEN_B" "$ACCOUNT_B" "$ignored" +447700900907 "$SENDER_B" 'Hello')" = 200 ] || fail "it is not answered 200"
[ "$(post_signed "$TOKEN_A" "$ACCOUNT_B" "$(new_sid)" +447700900907 "$SENDER_B" 'Hello')" = 403 ] || fail "a forged one passes"
[ "$(sql 'select count(*) from twiliowa.events')" -eq "$before" ] || fail "it is kept"
sends A +447700900906 'Meanwhile.'
becomes A "$id" '"state":"delivered"'
until_true "it is told" logs_say ' webhook .*outcome=switched_off'
off=$(bodies B +447700900905 | wc -l)
sql "update platform.organisation set messages_a_minute = 1000 where id = 'bolt'"
later 1800
sends A +447700900906 'Half an hour later.'
becomes A "$id" '"state":"delivered"'
sent B +447700900905 "$off"
configured B
is B config '"is_validated":true' || fail "B has lost its account: $answer"
until_true "what waited goes" has_sent B +447700900905 "$(cat "$work"/flood_* | grep -c 202)"
sent B +447700900907 0
configured B ', "is_active": false'
sends B +447700900915 'When I am back.'
back=$id
sends A +447700900906 'Meanwhile again.'
becomes A "$id" '"state":"delivered"'
sent B +447700900915 0
configured B
becomes B "$back" '"sid":"(SM|MM)'

# A token that has changed at Twilio: what is sent with the old one waits, and goes with the new one, without a restart.
call A POST config "$(config_of "$ACCOUNT_A" 00000000000000000000000000000000 "$SENDER_A")"
answers 200 '"is_validated":true'
[ "$(post_signed "$TOKEN_A" "$ACCOUNT_A" "$(new_sid)" +447700900909 "$SENDER_A" 'Hello')" = 403 ] || fail "a token that is no more passes"
sends A +447700900909 'With the new token.'
until_true "the account is paused" logs_say ' error pause .*of=account name=acme/'
validated B
sends B +447700900903 'Beside it.'
becomes B "$id" '"state":"delivered"'
sent A +447700900909 0
configured A
until_true "it goes with the new one" has_sent A +447700900909 1
[ "$(post_signed "$TOKEN_A" "$ACCOUNT_A" "$(new_sid)" +447700900909 "$SENDER_A" 'Hello')" = 200 ] || fail "the new token does not pass"
session_says A +447700900909 'ann has read 1'

# No active chatbot: a sentence, or nothing, and it is logged.
sql "update platform.chatbot set active = false where organisation = 'acme'"
says A +447700900910 'Anybody?' >/dev/null
until_true "it is logged" logs_say ' warning no_chatbot .*tenant=acme'
sql "update platform.organisation set sentence = 'We are not here.' where id = 'acme'"
says A +447700900910 'Nobody?' >/dev/null
until_true "the sentence goes" has_sent A +447700900910 1
bodies A +447700900910 | grep -q 'We are not here' || fail "they get: $(bodies A +447700900910)"
# What was asked for before is answered as it was.
sends A +447700900901 'Your parcel is here.'
[ "$id" = "$first" ] || fail "what is repeated is another"
call A POST send '{"to": "+447700900901", "message": "A new parcel.", "chatbot_id": "ann"}'
answers 409 '"field":"chatbot_id"'
sql "update platform.chatbot set active = true where organisation = 'acme'"

# The subscription: told of at 80 % and at 100 %, once; then 402 with the usage, and the customers get the sentence.
call A GET usage
used=$(grep -oE '"used":"[0-9.]+' <<<"$answer" | grep -oE '[0-9.]+$')
# Beyond what chatbots have reserved meanwhile.
sql "update platform.organisation set tokens_a_month = $(awk "BEGIN { print int(($used + 2000) / 0.8) }") where id = 'acme'"
sends A +447700900911 "$(printf 'many %.0s' {1..1600})"
is A usage '"percent":"80"' || fail "80 % is not told: $answer"
! is A usage '"percent":"100"' || fail "100 % is told: $answer"
words=$(printf 'word %.0s' {1..400})
for _ in 1 2; do
    call A POST send "{\"to\": \"+447700900911\", \"message\": \"$words\", \"chatbot_id\": \"ann\"}"
    answers 402 '"usage":\{"used":"[0-9.]+","left":"[0-9.]+","limit":"[0-9]+"'
done
is A usage '"percent":"100".*"percent":"80"' || fail "100 % is not told: $answer"
[ "$(sql "select count(*) from platform.notification where organisation = 'acme'")" = 2 ] || fail "it is told again"
[ "$(cat "$LOG_A" "$LOG_B" | grep -c ' quota_level ')" -eq 2 ] || fail "it is told again in the log"
says A +447700900912 'Hello' >/dev/null
until_true "the sentence goes" has_sent A +447700900912 1
logs_say ' warning no_tokens_left .*tenant=acme' || fail "it is not logged"
sends B +447700900903 'B has enough.'
becomes B "$id" '"state":"delivered"'
# What was refused costs nothing, and goes when there is enough.
sql "update platform.organisation set tokens_a_month = 100000 where id = 'acme'"
sends A +447700900911 "$words"
becomes A "$id" '"sid":"(SM|MM)'

says_nothing
leaves_nothing
