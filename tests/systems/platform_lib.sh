# shellcheck shell=bash
# For the tests of examples/systems/platform.
# shellcheck source=tests/systems/systems_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/systems_lib.sh"

# Each step of a message's way is a commit, in a database that waits for its disk.
patience=60

# start_platform <run> <build tree>
start_platform() {
    start_system "$@"
    # shellcheck disable=SC2153 # run says them
    export TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN SYSTEM_LOG=$LOG_A
    # shellcheck disable=SC2034 # of sql
    database=$PLATFORM_DATABASE
}

# call <A or B> <method> <path below /api/whatsapp/> [body] [header...]: by that organisation, of ${at-the proxy}; the
# answer, with its head, is in $answer.
call() {
    local bearer=BEARER_$1
    # shellcheck disable=SC2153
    answer=$(TWILIOWA_BASE_URL=${at-$PLATFORM_URL} ask_bearer "${BEARER-${!bearer}}" "$2" "/api/whatsapp/$3" "${4-}" "${@:5}")
}
# ask_bearer <token> <method> <path> [body] [header...]: as `ask`, with that in place of a login.
ask_bearer() {
    exec 3<>"/dev/tcp/127.0.0.1/${TWILIOWA_BASE_URL##*:}"
    printf '%s\r\n' "$2 $3 HTTP/1.1" 'Host: 127.0.0.1' 'Connection: close' 'Content-Type: application/json' \
        "Authorization: Bearer $1" "${@:5}" "Content-Length: $(printf %s "${4-}" | wc -c)" '' >&3
    printf %s "${4-}" >&3
    tr -d '\0' <&3
    exec 3>&-
}
# answers <status> [regular expression]: what was answered last.
answers() {
    [[ $answer = "HTTP/1.1 $1 "* ]] || fail "not $1, but $answer"
    [ -z "${2-}" ] || grep -qE -- "$2" <<<"$answer" || fail "no $2 in: $answer"
}
# config_of <account> <token> <number> [more members]: as JSON.
config_of() { echo "{\"twilio_account_sid\": \"$1\", \"twilio_auth_token\": \"$2\", \"twilio_phone_number\": \"$3\"${4-}}"; }
# configured <A or B> [more members]: rightly.
configured() {
    local account=ACCOUNT_$1 token=TOKEN_$1 sender=SENDER_$1
    call "$1" POST config "$(config_of "${!account}" "${!token}" "${!sender}" "${2-}")"
    answers 200
}
# validated <A or B>
validated() {
    configured "$1"
    call "$1" GET validate
    answers 200 '"valid":true'
}
# sends <A or B> <number> <text> [header...]: is taken in; the first of its messages is in $id.
sends() {
    local chatbot=ann
    [ "$1" = A ] || chatbot=bob
    call "$1" POST send "{\"to\": \"$2\", \"message\": \"$3\", \"chatbot_id\": \"$chatbot\"}" "${@:4}"
    answers 202
    # shellcheck disable=SC2034 # for who reads this
    id=$(grep -oE '"messages":\["[0-9a-f]{20}' <<<"$answer" | grep -oE '[0-9a-f]{20}$')
}
# is <A or B> <path> <regular expression>: what a look there says.
is() { call "$1" GET "$2" && grep -qE -- "$3" <<<"$answer"; }
gets() { call "$1" GET "$3" && [[ $answer = "HTTP/1.1 $2 "* ]]; } # <A or B> <status> <path>
becomes() { until_true "message $2 says $3" is "$1" "messages/$2" "$3"; }
fail() {
    echo "$1"
    echo "The last answer: ${answer-}"
    tail -n 25 "$LOG_A" "$LOG_B"
    exit 1
}
# session_says <A or B> <number> <regular expression>
session_says() { until_true "the session of $2 says $3" is "$1" "sessions/whatsapp_$2" "$3"; }

# says <A or B> <customer> <text>: to that organisation, by the emulator; the message's SID.
says() {
    local sender=SENDER_$1
    ask POST /emulator/customer "{\"customer\": \"$2\", \"action\": \"${4-text}\", \"text\": \"$3\", \"sender\": \"${!sender}\"}" |
        grep -oE '(SM|MM)[0-9a-f]{32}' | head -n 1
}
order() { expect 'HTTP/1.1 200' POST "/emulator/$1" "$2"; }
# of <A or B> <command...>: at their account.
of() {
    local account=ACCOUNT_$1 token=TOKEN_$1
    TWILIO_ACCOUNT_SID=${!account} TWILIO_AUTH_TOKEN=${EMULATOR_TOKEN-${!token}} "${@:2}"
}
# bodies <A or B> <number>: of what they sent there, the newest first.
bodies() {
    local account=ACCOUNT_$1
    of "$1" ask GET "/2010-04-01/Accounts/${!account}/Messages.json?PageSize=1000&To=whatsapp%3A%2B${2#+}" |
        { grep -oE '"body":"([^"\\]|\\.)*"' || true; }
}
# has_sent <A or B> <number> <how many>
has_sent() { [ "$(bodies "$1" "$2" | wc -l)" -eq "$3" ]; }
# sent <A or B> <number> <how many>
sent() { has_sent "$@" || fail "$1 sent $2 $(bodies "$1" "$2" | wc -l) messages, and not $3: $(bodies "$1" "$2")"; }
# post_signed <signed with> <AccountSid> <SID> <customer> <To> <text of letters and spaces> [header...]: a webhook as Twilio
# makes it, and the status of its answer.
post_signed() {
    local signature
    # shellcheck disable=SC2153
    signature=$(printf %s "${WEBHOOK_URL}AccountSid$2Body$6Fromwhatsapp:$4MessageSid$3Towhatsapp:${5#whatsapp:}" |
        openssl dgst -sha1 -hmac "$1" -binary | base64)
    TWILIOWA_BASE_URL=${at-$PLATFORM_URL} ask POST /api/whatsapp/webhook \
        "AccountSid=$2&Body=${6// /+}&From=whatsapp%3A%2B${4#+}&MessageSid=$3&To=whatsapp%3A%2B${5#whatsapp:+}" \
        "X-Twilio-Signature: $signature" "${@:7}" | head -n 1 | cut -d ' ' -f 2
}
new_sid() { echo "SM$(openssl rand -hex 16)"; }
logs_say() { grep -qE -- "$1" "$LOG_A" "$LOG_B"; }

# Whatever was said, it was neither a number of a customer's, nor a token, nor a text; and nothing of that is in the
# database.
says_nothing() {
    ! grep -nE "(44|0|\b)7700900[0-9]|$BEARER_A|$BEARER_B|$TOKEN_A|$TOKEN_B|of your messages|parcel" "$LOG_A" "$LOG_B" "$work/complaints" ||
        fail "that says too much"
    grep -q ' session=twi1\.' "$LOG_A" "$LOG_B" || fail "no log has the hash of a session"
    ! dump_tells "$PLATFORM_DATABASE" 447700900 "$BEARER_A" "$BEARER_B" "$TOKEN_A" "$TOKEN_B" 'of your messages' parcel ||
        fail "the database can be read"
}
# It ends, and nothing is left of it.
leaves_nothing() {
    local processes
    processes=$(cat "$PID_FILE_A" "$PID_FILE_B")
    end_system || fail "run ends with $?"
    for each in $processes; do ! kill -0 "$each" 2>/dev/null || fail "a process goes on"; done
    [ ! -e "$PLATFORM_DIRECTORY" ] || fail "the directory is still there"
}
