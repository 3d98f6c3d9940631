#!/usr/bin/env bash
# Usage: emulator_orders.sh <emulator>. What options and the control API make the account, a sender or a
# customer do.
set -euo pipefail
emulator=$1
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"
limits() { expect 'HTTP/1.1 200' POST /emulator/limits "$1"; }
create() { # <words of the answer> [parameters]
    expect "$1" POST "$messages" "From=whatsapp%3A%2B14155238886&To=${3-$lee}&${2-$template}"
}
# refused <words> <path> <JSON>
refused() {
    expect 'HTTP/1.1 400' POST "/emulator/$2" "$3"
    expect "$1" POST "/emulator/$2" "$3"
}

# Keys of the account.
key=SK0000000000000000000000000000000b
start --clock manual --api-key $key:secret --sandbox open-sesame
ASK_LOGIN=$key:secret expect 'HTTP/1.1 200' GET "$messages"
ASK_LOGIN=$key:other expect 'HTTP/1.1 401' GET "$messages"
echo "API keys: as it should be"

# A sandbox.
send "$template"
advance 10
expect '"error_code":63015' GET "$(message "$sid")"
customer '"action": "join", "code": "open-sesame"'
send "$template"
advance 10
expect '"status":"delivered"' GET "$(message "$sid")"
stop
echo "sandbox: as it should be"

# Customers without a number: who hides it, moves to another, and ids of nobody.
start --clock manual
customer '"action": "user_id", "user_id": "GB.4f1a", "parent_user_id": "GB.ENT.77"'
customer '"action": "hide_number"'
customer '"action": "text", "text": "Hi"'
expect '"from":"whatsapp:GB.ENT.77"' GET "$messages"
expect '"known_as":"whatsapp:GB.ENT.77"' GET /emulator/state
expect '"user_id":"whatsapp:GB.4f1a"' GET /emulator/state
for id in GB.4f1a GB.ENT.77; do
    create 'HTTP/1.1 201' "$template" "whatsapp%3A$id"
done
create 'HTTP/1.1 201' "$template" whatsapp%3AGB.nobody
advance 10
expect '"error_code":63003' GET "$messages?To=whatsapp%3AGB.nobody"
expect '"status":"delivered"' GET "$messages?To=whatsapp%3AGB.4f1a"
create 'HTTP/1.1 201'
expect '"known_as":"whatsapp:\+447700900123"' GET /emulator/state
customer '"action": "forget_number"'
expect '"known_as":"whatsapp:GB.ENT.77"' GET /emulator/state
customer '"action": "change_number", "number": "+447700900124"'
expect '"customer":"whatsapp:\+447700900124"' GET /emulator/state
refused 'is no phone number' customer '{"customer": "+447700900123", "action": "change_number", "number": "x"}'
refused 'is not a WhatsApp user id' customer '{"customer": "+447700900123", "action": "user_id", "user_id": "x"}'
stop
echo "customers without a number: as it should be"

# What a tapped button comes as.
tapped() { # <type> [options]
    start --clock manual --webhook http://127.0.0.1:1/ "${@:2}"
    content=$(ask POST /v1/Content \
        '{"language": "en", "types": {"twilio/quick-reply": {"body": "Tea?", "actions": [{"title": "Yes", "id": "yes"}]}}}' |
        grep -oE 'HX[0-9a-f]{32}' | head -n 1)
    customer '"action": "text", "text": "Hello"'  # opens the window
    send "ContentSid=$content"
    advance 10
    customer '"action": "tap", "button": "yes"'
    eventually "MessageType=$1" GET /emulator/state
    stop
}
tapped button
tapped interactive --interactive-taps
echo "taps: as it should be"

# Who has no WhatsApp, by the code of the day.
start --clock manual
for code in 63003 63024; do
    customer '"action": "whatsapp", "on": false, "error_code": '$code
    send "$template"
    advance 10
    expect "\"error_code\":$code" GET "$(message "$sid")"
done
refused 'error_code is not' customer '{"customer": "+447700900123", "action": "whatsapp", "error_code": 7}'
customer '"action": "whatsapp", "on": true'
echo "no WhatsApp: as it should be"

# Limits of the account.
limits '{"daily_messages": 0}'
create '"code":63038'
limits '{"daily_messages": null, "trial": ["+447700900999"]}'
create '"code":21608'
limits '{"trial": null}'
create 'HTTP/1.1 201'
limits '{"throttle": 1, "retry_after": 7}'
create 'Retry-After: 7'
create 'HTTP/1.1 201'
refused 'daily_messages is not' limits '{"daily_messages": "few", "trial": []}'
refused 'there is no daily' limits '{"daily": 1}'
refused 'messages_per_second is not' limits '{"messages_per_second": 0}'
refused 'trial is not' limits '{"trial": "+447700900123"}'
create 'HTTP/1.1 201'
advance 10
limits '{"messages_per_second": 0.1}'
for _ in 1 2 3; do send "$template"; done
advance 15
expect '"status":"queued"' GET "$(message "$sid")"
advance 10
expect '"status":"delivered"' GET "$(message "$sid")"
limits '{"messages_per_second": null}'
echo "limits: as it should be"

# What Twilio shows late, or not at all.
order() { expect 'HTTP/1.1 200' POST "/emulator/$1" "$2"; } # <path> <JSON>
order lists '{"lag_seconds": 60}'
order prices '{"delay_seconds": 90}'
send "$template"
expect 'HTTP/1.1 200' GET "$(message "$sid")"
ask GET "$messages" | grep -q "$sid" && fail "a list that lags has the message at once"
advance 60
expect "$sid" GET "$messages"
expect '"price":null' GET "$(message "$sid")"
advance 60
expect '"price":"-0.00500"' GET "$(message "$sid")"
order lists '{"scheduled": false}'
expect '"lists":\{"lag_seconds":60.0,"scheduled":false\}' GET /emulator/state
order prices '{"never": 1}'
expect '"prices":\{"delay_seconds":90.0,"never":1.0\}' GET /emulator/state
refused 'lag_seconds is not' lists '{"lag_seconds": -1}'
refused 'there is no lag' lists '{"lag": 1}'
refused 'never is not' prices '{"never": 2}'
order lists '{"lag_seconds": 0, "scheduled": true}'
order prices '{"delay_seconds": 0, "never": 0}'
echo "lists and prices: as it should be"

# A request is under way as long as its answer has not left; this one's never does.
limits '{"concurrent_requests": 1}'
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "black-hole"}'
exec 4<>"/dev/tcp/127.0.0.1/${TWILIOWA_BASE_URL##*:}"
printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' "$messages?hangs" >&4
eventually 'Messages.json\?hangs' GET /emulator/state
expect 'HTTP/1.1 429' GET "$messages"
exec 4>&-
eventually 'HTTP/1.1 200' GET "$messages"
limits '{"concurrent_requests": null}'
stop
echo "requests under way: as it should be"

# What a webhook brings besides: the log shows what was sent, though nobody is there.
start --webhook http://127.0.0.1:9/whatsapp
customer '"action": "text", "text": "Hi", "parameters": {"Forwarded": "true", "ReferralNumMedia": "1"}'
eventually 'ReferralNumMedia=1.*Forwarded=true' GET /emulator/state
customer '"action": "media", "content_type": "image/png", "base64": "aGk=", "parameters": {"Frequent": "1"}'
eventually 'MediaContentType0=image%2Fpng.*Frequent=1' GET /emulator/state
refused 'parameters: A is not text' customer \
    '{"customer": "+447700900123", "action": "text", "parameters": {"A": 1}}'
refused 'parameters go with' customer \
    '{"customer": "+447700900123", "action": "stop", "parameters": {"A": "1"}}'
echo "parameters of webhooks: as it should be"

# What Twilio reports of the account and of a sender, and what WhatsApp decides about templates.
api=/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID
expect '"accounts":\[\{"balance":"100.00","currency":"USD","sid":"AC[0-9a-f]*","status":"active"' GET /emulator/state
order account '{"status": "suspended", "balance": "-0.50"}'
expect '"status":"suspended"' GET "$api.json"
expect '"balance":"-0.50","currency":"USD"' GET "$api/Balance.json"
expect '"balance":"-0.50"' GET /emulator/state
order account '{"status": "active"}'
refused 'status is none' account '{"status": "open"}'
refused 'account is none' account '{"account": "AC0000000000000000000000000000000f"}'
refused 'there is no name' account '{"name": "x"}'
senders=/v2/Channels/Senders?Channel=whatsapp
order sender '{"status": "OFFLINE", "quality_rating": "LOW",
    "offline_reasons": [{"code": "63020", "message": "Not paid"}], "pending_display_name": "Shop",
    "pending_display_name_status": "PENDING_REVIEW"}'
expect '"status":"OFFLINE"' GET "$senders"
expect '"pending_display_name":"Shop"' GET "$senders"
expect '"callback_url":"http://127.0.0.1:9/whatsapp"' GET "$senders"
expect '"quality_rating":"LOW"' GET /emulator/state
order sender '{"sender": "whatsapp:+14155238886", "status": "ONLINE", "offline_reasons": []}'
expect '"offline_reasons":null' GET "$senders"
refused 'sender is none' sender '{"sender": "whatsapp:+15550000000", "status": "ONLINE"}'
refused 'offline_reasons is not' sender '{"offline_reasons": "many"}'
refused 'callback_url does not begin' sender '{"callback_url": "bot"}'
refused 'there is no colour' sender '{"colour": "red"}'
made=$(ask POST /v1/Content '{"friendly_name": "tea", "language": "en", "types": {"twilio/text": {"body": "Tea is ready"}}}' |
    grep -oE 'HX[0-9a-f]{32}' | head -n 1)
refused 'was not submitted' approval "{\"template\": \"$made\", \"status\": \"approved\"}"
expect 'HTTP/1.1 201' POST "/v1/Content/$made/ApprovalRequests/whatsapp" '{"name": "tea", "category": "UTILITY"}'
order approval "{\"template\": \"$made\", \"status\": \"rejected\", \"reason\": \"SCAM\"}"
expect '"rejection_reason":"SCAM"' GET "/v1/Content/$made/ApprovalRequests"
expect '"approval":"rejected".*"body":"Tea is ready".*"rejection_reason":"SCAM"' GET /emulator/state
order approval "{\"template\": \"$made\", \"status\": \"approved\"}"
expect '"status":"approved"' GET "/v1/Content/$made/ApprovalRequests"
refused 'status: is none' approval "{\"template\": \"$made\", \"status\": \"pending\"}"
refused 'is no template' approval '{"template": "HX1", "status": "approved"}'
echo "accounts, senders and templates: as it should be"

# Where webhooks go.
refused 'url does not begin' webhook "{\"owner\": \"$TWILIO_ACCOUNT_SID\", \"url\": \"not a url\"}"
refused 'url does not begin' webhook "{\"owner\": \"$TWILIO_ACCOUNT_SID\", \"url\": \"http:///path\"}"
refused 'fallback_url does not begin' webhook \
    "{\"owner\": \"$TWILIO_ACCOUNT_SID\", \"url\": \"\", \"fallback_url\": \"ftp://x\"}"
refused 'owner is neither' webhook '{"owner": "whatsapp:+15550000000", "url": "http://127.0.0.1:9/"}'
for owner in "$TWILIO_ACCOUNT_SID" whatsapp:+14155238886 MG00000000000000000000000000000001; do
    expect 'HTTP/1.1 200' POST /emulator/webhook "{\"owner\": \"$owner\", \"url\": \"http://127.0.0.1:9/\"}"
done
stop
echo "addresses: as it should be"

# By which names it may be called.
start --allow-host Emulator.test
for name in localhost 127.0.0.1:1 '[::1]:80' emulator.test:80 EMULATOR.test.; do
    ASK_HOST=$name expect 'HTTP/1.1 200' GET /emulator/state
    ASK_HOST=$name expect 'HTTP/1.1 200' GET "$messages"
done
for name in evil.example localhost.evil.example 192.0.2.1 127.0.0.1.evil.example '[2001:db8::1]'; do
    ASK_HOST=$name expect 'HTTP/1.1 403' GET /emulator/state
    ASK_HOST=$name expect '--allow-host' GET "$messages"
done
stop
start --host 0.0.0.0
ASK_HOST=192.0.2.1:80 expect 'HTTP/1.1 200' GET /emulator/state
ASK_HOST=evil.example expect 'HTTP/1.1 403' GET /emulator/state
stop
echo "names: as it should be"

# Subaccounts: the main account's token opens them, and each has senders and keys of its own.
account=AC0000000000000000000000000000000a subaccount=AC0000000000000000000000000000000b
theirs=/2010-04-01/Accounts/$subaccount/Messages.json
subaccounts=(--clock manual --state "$work/subaccounts" --webhook http://127.0.0.1:9/hook --account $account:token
    --account $subaccount:own --sender +15551234567 --api-key $key:secret)
start "${subaccounts[@]}"
[ "$TWILIO_ACCOUNT_SID:$TWILIO_WHATSAPP_NUMBER" = "$account:+14155238886" ] || fail "another account is printed"
grep -q "$subaccount" "$work/environment" || fail "the subaccount is not printed"
from_theirs="From=whatsapp%3A%2B15551234567&To=$lee&$template"
expect "\"account_sid\":\"$subaccount\"" POST "$theirs" "$from_theirs"
ASK_LOGIN=$subaccount:own expect 'HTTP/1.1 201' POST "$theirs" "$from_theirs"
ASK_LOGIN=$key:secret expect 'HTTP/1.1 200' GET "$theirs"
ASK_LOGIN=$key:secret expect 'HTTP/1.1 401' GET "$messages"
ASK_LOGIN=$subaccount:own expect 'HTTP/1.1 401' GET "$messages"
expect 'HTTP/1.1 400' POST "$messages" "$from_theirs"
customer '"action": "text", "text": "Hi", "sender": "whatsapp:+15551234567"'
advance 10
expect '"status":"received"' GET "$theirs"
eventually '"verdict":"ok"' GET /emulator/state
stop
start "${subaccounts[@]:0:4}"
expect "\"subaccounts\":\[\"$subaccount\"\]" GET /emulator/state
expect '"senders":\["whatsapp:\+14155238886","whatsapp:\+15551234567"\]' GET /emulator/state
expect '"sender":"whatsapp:\+15551234567"' GET /emulator/state
expect 'HTTP/1.1 200' POST /emulator/webhook "{\"owner\": \"$subaccount\", \"url\": \"http://127.0.0.1:9/theirs\"}"
expect "\"$subaccount\":\"http://127.0.0.1:9/theirs\"" GET /emulator/state
expect 'HTTP/1.1 200' GET "$theirs"
stop
echo "subaccounts: as it should be"
