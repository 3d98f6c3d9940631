#!/usr/bin/env bash
# Usage: webhook_server.sh <emulator> <directory of the examples>. The example bot behind a real web server:
# customers of the emulator write to it, and its answers reach them.
set -euo pipefail
emulator=$1 example=$2/example_webhook_server
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"
account=AC00000000000000000000000000000000 token=a-token

in_log() { grep -qE -- "$1" "$work/bot"; }
await_log() {
    for _ in {1..400}; do
        ! in_log "$1" || return 0
        sleep 0.05
    done
    cat "$work/bot"
    fail "the bot's log has no $1"
}
answered() { eventually "$1" GET /emulator/state; }

TWILIO_AUTH_TOKEN=$token "$example" 0 >"$work/bot" 2>&1 &
bot=$!
trap 'kill $bot $process 2>/dev/null || true; rm -rf "$work"' EXIT
await_log 'Listening on port'
webhook=$(sed -n 's/^ *\(http:.*\)$/\1/p' "$work/bot")
start --account "$account:$token" --webhook "$webhook" --status-callback "$webhook"

customer '"action": "text", "text": "Where is my order?"'
answered 'You said: Where is my order\?'
customer '"action": "text", "text": "Help"'
answered 'Write something, send a picture, or tap a button\.'
customer '"action": "media", "content_type": "image/png", "base64": "iVBORw0KGgo=", "text": ""'
answered 'Thank you for the image/png'
customer '"action": "location", "latitude": 51.5, "longitude": -0.1, "label": "Big Ben", "address": ""'
answered 'So that is where you are: Big Ben'

content=$(ask POST /v1/Content \
    '{"language": "en", "types": {"twilio/quick-reply": {"body": "Tea?", "actions": [{"title": "Yes, please", "id": "yes"}]}}}' |
    grep -oE 'HX[0-9a-f]{32}' | head -n 1)
# shellcheck disable=SC2154 # of emulator_lib.sh
expect '^HTTP/1.1 201' POST "$messages" "To=$lee&From=whatsapp%3A%2B${TWILIO_WHATSAPP_NUMBER#+}&ContentSid=$content"
answered 'Tea\?'
customer '"action": "tap", "button": "yes"'
answered 'You chose yes'

# Its log has the life of its own answers, and nothing of what was said or by whom.
await_log 'SM[0-9a-f]{32} is delivered'
in_log '^200 message +SM[0-9a-f]{32} handled$' || { cat "$work/bot"; fail "no webhook in the log"; }
for secret in 'my order' 447700900123 "$token" 'Big Ben'; do
    ! in_log "$secret" || fail "the log has '$secret'"
done

# What Twilio did not sign is refused, without a word.
TWILIOWA_BASE_URL=${webhook%/whatsapp*} expect '^HTTP/1.1 403' POST /whatsapp 'MessageSid=SM1&Body=forged'
await_log '^403 .*missing_signature'
! ask GET /emulator/state | grep -q 'You said: forged' || fail "the forged one was answered"
stop
echo "as it should be"
