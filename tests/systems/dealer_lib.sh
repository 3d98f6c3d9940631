# shellcheck shell=bash
# For the tests of examples/systems/dealer.
# shellcheck source=tests/systems/systems_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/systems_lib.sh"

# Each answer takes seconds of the workflow's.
patience=60

# start_dealer <run> <build tree>
start_dealer() {
    start_system "$@"
    # shellcheck disable=SC2153 # run says them
    export TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN DEALER_DIRECTORY SYSTEM_LOG=$LOG_A
    twiliowa=$2/tools/twiliowa
    # shellcheck disable=SC2034,SC2153 # of who reads these
    process_a=${METRICS_A%/metrics} process_b=${METRICS_B%/metrics}
}

# at <base URL> <as ask>: asks somebody else than the emulator.
at() { TWILIOWA_BASE_URL=$1 ask "${@:2}"; }
status_of() { head -n 1 | cut -d ' ' -f 2; }

# new_sid: another one each time.
new_sid() { echo "SM$(openssl rand -hex 16)"; }
# says <customer> <text>: by the emulator; the message's SID.
says() {
    ask POST /emulator/customer "{\"customer\": \"$1\", \"action\": \"${3:-text}\", \"text\": \"$2\"${4-}}" |
        grep -oE '(SM|MM)[0-9a-f]{32}' | head -n 1
}
# post_signed <base URL> <SID> <customer> <text of letters and spaces> [header...]: a webhook as Twilio
# makes it, and the status of its answer. SENDER: whom they wrote to.
post_signed() {
    local by=${CHANNEL-whatsapp:} to=whatsapp:${SENDER-+14155238886} signature
    # shellcheck disable=SC2153
    signature=$(printf %s "${WEBHOOK_URL}AccountSid${TWILIO_ACCOUNT_SID}Body$4From$by$3MessageSid$2To$to" |
        openssl dgst -sha1 -hmac "$TWILIO_AUTH_TOKEN" -binary | base64)
    at "$1" POST /webhooks/twilio/whatsapp \
        "AccountSid=$TWILIO_ACCOUNT_SID&Body=${4// /+}&From=${by/:/%3A}%2B${3#+}&MessageSid=$2&To=whatsapp%3A%2B${to#*+}" \
        "X-Twilio-Signature: ${FORGED-$signature}" "${@:5}" | status_of
}
# desk_says <JSON>: the help desk's webhook, and the status of its answer.
desk_says() {
    ASK_TYPE=application/json at "${DESK_WEBHOOK_URL%/webhooks*}" POST "/webhooks/${DESK_WEBHOOK_URL#*/webhooks/}" "$1" | status_of
}
# set_status <conversation> <status>: of the help desk.
set_status() {
    [ "$(desk_says "{\"event\": \"conversation_status_changed\", \"id\": $1, \"status\": \"$2\"}")" = 200 ] ||
        fail "the help desk's $2 is refused"
}
# agent_says <message number> <conversation> <text> [more members]
agent_says() {
    desk_says "{\"event\": \"message_created\", \"id\": $1, \"message_type\": \"outgoing\", \"private\": false,
        \"content\": \"$3\", \"sender\": {\"id\": 7, \"type\": \"user\"}, \"conversation\": {\"id\": $2} ${4-}}"
}

# second <command...>: at the dealer's second account.
second() { TWILIO_ACCOUNT_SID=$SECOND_ACCOUNT TWILIO_AUTH_TOKEN=$SECOND_TOKEN "$@"; }
# body_of_newest <number as in To>: of what was sent there.
body_of_newest() {
    ask GET "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json?PageSize=1&To=${1//+/%2B}" |
        { grep -oE '"body":"([^"\\]|\\.)*"' || true; }
}

# at_desk <entry>: how often the help desk has it.
at_desk() { at "$DESK_URL" GET /messages | grep -c "\"source_id\":\"$1\"" || true; }
is_at_desk() { [ "$(at_desk "$1")" -eq 1 ]; }
# desk_number <SID>: the number of the help desk's conversation in which that message is.
desk_number() { at "$DESK_URL" GET /messages | grep "\"source_id\":\"in/$1\"" | grep -oE '"conversation_id":[0-9]+' | cut -d : -f 2; }
# has_status <entry> <status>: in the record.
has_status() { "$DEALER" record | cut -f 1,3 | grep -qP "^$1\t$2\$"; }
# outbox <words...>: the command line's, of the dealer's file.
outbox() {
    TWILIOWA_KEYS_FILE=$DEALER_DIRECTORY/keys "$twiliowa" outbox "$@" --store "sqlite:$DEALER_DIRECTORY/dealer.db"
}
# has_state <key> <regular expression>: its job.
has_state() { outbox show "$1" --json | grep -qE "\"state\": ?\"($2)\""; }
record_says() { "$DEALER" record | grep -P "^$1\t" | grep -q "$2"; }
was_sent() { [ "$(sent_to "$1")" -ge "${2:-1}" ]; }
# sent <number> <times>
sent() {
    local count
    count=$(sent_to "$1")
    [ "$count" -eq "$2" ] || fail "$count messages were sent to $1, and not $2"
}
# log_says <regular expression>: either process's.
log_says() { grep -qE "$1" "$LOG_A" "$LOG_B"; }
count_in_logs() { cat "$LOG_A" "$LOG_B" | grep -cE "$1" || true; }
# metric <a or b> <name>: as Prometheus reads it.
metric() {
    local base=process_$1
    at "${!base}" GET /metrics | grep -v '^#' | grep -F "$2 " | cut -d ' ' -f 2
}
# metric_is <a or b> <name> <value>
metric_is() { [ "$(metric "$1" "$2")" = "$3" ]; }
total() { echo $(($(metric a "$1") + $(metric b "$1"))); }
total_is_at_least() { [ "$(total "$1")" -ge "$2" ]; }

# Whatever was said, it was neither a number, nor a text, nor a token; and the file of conversations is sealed.
says_nothing() {
    ! grep -nE '(44|0|\b)7700900[0-9]|\b150055[56]|150055[56][0-9]{4}|4155238886|0123456789abcdef|18,900|test drive' "$LOG_A" "$LOG_B" "$work/complaints" ||
        fail "that says too much"
    ! cat "$DEALER_DIRECTORY"/dealer.db* | grep -aqE '447700900|18,900|test drive' || fail "dealer.db can be read"
    grep -q 'customer=twi1\.' "$LOG_A" "$LOG_B" || fail "no log has the hash of a number"
}
# It ends, and nothing is left of it.
leaves_nothing() {
    local pids
    pids=$(cat "$PID_FILE_A" "$PID_FILE_B")
    end_system || fail "run ends with $?"
    # shellcheck disable=SC2086 # two of them
    ! kill -0 $pids 2>/dev/null || fail "a process goes on"
    [ ! -e "$DEALER_DIRECTORY" ] || fail "the directory is still there"
}
