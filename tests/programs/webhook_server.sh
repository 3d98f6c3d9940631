#!/usr/bin/env bash
# Usage: webhook_server.sh <emulator> <directory of the examples>. The example bot behind a real web server:
# customers of the emulator write to it, and its answers reach them.
set -euo pipefail
emulator=$1 bot=$2/example_webhook_server
account=AC00000000000000000000000000000000 token=a-token customer=+447700900123
work=$(mktemp -d)
# shellcheck disable=SC2064 # the value of now
trap "kill \$(jobs -p) 2>/dev/null || true; wait; rm -rf '$work'" EXIT
unset "${!TWILIO@}"

# await <command...>: until it succeeds, 20 seconds at most.
await() {
    local i
    for i in {1..400}; do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.05
    done
    echo "waited in vain for: $*"
    tail -n 50 "$work"/{bot,emulator,state}
    exit 1
}

# request <method> <path> <content type> <body>: over HTTP, as the account; prints the answer.
request() {
    local credentials
    credentials=$(printf '%s:%s' "$account" "$token" | base64 -w0)
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
        "$1" "$2" "$credentials" "$3" "${#4}" "$4" >&3
    cat <&3
    exec 3<&-
}

# customer <JSON members of what the customer does>
customer() {
    local answer
    answer=$(request POST /emulator/customer application/json "{\"customer\": \"$customer\", $1}")
    grep -q '^HTTP/1.1 200' <<<"$answer" || { echo "refused: $1: $answer"; exit 1; }
}

in_state() {
    request GET /emulator/state application/json '' >"$work/state"
    grep -qF -- "$1" "$work/state"
}
in_log() { grep -qE -- "$1" "$work/bot"; }

TWILIO_AUTH_TOKEN=$token "$bot" 0 >"$work/bot" 2>&1 &
await in_log 'Listening on port'
webhook=$(sed -n 's/^ *\(http:.*\)$/\1/p' "$work/bot")
"$emulator" --port 0 --account "$account:$token" --webhook "$webhook" --status-callback "$webhook" \
    >"$work/emulator" 2>&1 &
await grep -q 'Ends with' "$work/emulator"
# shellcheck source=/dev/null
. "$work/emulator"
port=${TWILIOWA_BASE_URL##*:}

customer '"action": "text", "text": "Where is my order?"'
await in_state 'You said: Where is my order?'
customer '"action": "text", "text": "Help"'
await in_state 'Write something, send a picture, or tap a button.'
customer '"action": "media", "content_type": "image/png", "base64": "iVBORw0KGgo=", "text": ""'
await in_state 'Thank you for the image/png'
customer '"action": "location", "latitude": 51.5, "longitude": -0.1, "label": "Big Ben", "address": ""'
await in_state 'So that is where you are: Big Ben'

sid=$(request POST /v1/Content application/json \
    '{"language": "en", "types": {"twilio/quick-reply": {"body": "Tea?", "actions": [{"title": "Yes, please", "id": "yes"}]}}}' |
    grep -oE 'HX[0-9a-f]{32}' | head -n 1)
request POST "/2010-04-01/Accounts/$account/Messages.json" application/x-www-form-urlencoded \
    "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B${TWILIO_WHATSAPP_NUMBER#+}&ContentSid=$sid" |
    grep -q '^HTTP/1.1 201' || { echo "the template was not taken"; exit 1; }
await in_state 'Tea?'
customer '"action": "tap", "button": "yes"'
await in_state 'You chose yes'

# Its log has the life of its own answers, and nothing of what was said or by whom.
await in_log 'SM[0-9a-f]{32} is delivered'
in_log '^200 message +SM[0-9a-f]{32} handled$' || { echo "no webhook in the log"; cat "$work/bot"; exit 1; }
for secret in 'my order' 447700900123 "$token" 'Big Ben'; do
    ! in_log "$secret" || { echo "the log has '$secret'"; exit 1; }
done

# What Twilio did not sign is refused, without a word.
emulator_port=$port port=$(sed -E 's#^http://127.0.0.1:([0-9]+)/.*#\1#' <<<"$webhook")
request POST /whatsapp application/x-www-form-urlencoded 'MessageSid=SM1&Body=forged' >"$work/forged"
grep -q '^HTTP/1.1 403' "$work/forged" || { cat "$work/forged"; exit 1; }
await in_log '^403 .*missing_signature'
port=$emulator_port
! in_state 'You said: forged' || { echo "the forged one was answered"; exit 1; }
echo "as it should be"
