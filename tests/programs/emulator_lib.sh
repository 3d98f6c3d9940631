# shellcheck shell=bash
# For the tests of the emulator, whose path is in $emulator: to start it, to end it, to ask it something.
work=$(mktemp -d)
process=''
trap '[ -z "$process" ] || kill -KILL $process 2>/dev/null || true; rm -rf "$work"' EXIT
unset "${!TWILIO@}" SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS

start() { # <options>
    : >"$work/environment"
    # shellcheck disable=SC2154 # of who reads this
    "$emulator" --port 0 "$@" >"$work/environment" &
    process=$!
    until grep -q 'Ends with' "$work/environment"; do
        kill -0 $process || fail "the emulator did not start with $*"
        sleep 0.05
    done
    # shellcheck source=/dev/null
    . "$work/environment"
    messages=/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json
}
stop() {
    kill -TERM $process
    wait $process || fail "the emulator ended with status $?"
    process=''
}
fail() { echo "$1"; exit 1; }
# free_port: one at which nobody listens now; none of those that the kernel gives to who connects.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)) && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# ask <method> <path> [body] [header...]: the answer, with its head.
ask() {
    local type=${ASK_TYPE:-application/x-www-form-urlencoded} body=${3-} login
    login=$(printf %s "${ASK_LOGIN:-$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN}" | base64 -w 0)
    [[ $body != '{'* ]] || type=application/json
    exec 3<>"/dev/tcp/127.0.0.1/${TWILIOWA_BASE_URL##*:}"
    printf '%s\r\n' "$1 $2 HTTP/1.1" "Host: ${ASK_HOST:-127.0.0.1}" 'Connection: close' "Content-Type: $type" \
        "Authorization: Basic $login" "${@:4}" "Content-Length: ${#body}" '' >&3
    printf %s "$body" >&3
    tr -d '\0' <&3
    exec 3>&-
}
# expect <regular expression> <method> <path> [body]: what the answer must hold.
expect() {
    local answer
    answer=$(ask "${@:2}")
    grep -qE -- "$1" <<<"$answer" || fail "${*:2} gets no $1: $answer"
}
# eventually <regular expression> <method> <path> [body]
eventually() {
    local answer
    for _ in {1..400}; do
        answer=$(ask "${@:2}")
        ! grep -qE -- "$1" <<<"$answer" || return 0
        sleep 0.05
    done
    fail "${*:2} gets no $1 in the end: $answer"
}
# send <parameters...>: creates a message to Lee; its SID is in $sid.
send() {
    local answer
    answer=$(ask POST "$messages" "$(IFS='&' && echo "From=whatsapp%3A%2B14155238886&To=$lee&$*")")
    sid=$(grep -oE '"sid":"(SM|MM)[0-9a-f]{32}"' <<<"$answer" | head -n 1 | cut -d '"' -f 4)
    [ -n "$sid" ] || fail "not sent: $answer"
}
message() { echo "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages/$1.json"; }
customer() { expect 'HTTP/1.1 200' POST /emulator/customer "{\"customer\": \"+447700900123\", $1}"; }
advance() { expect 'HTTP/1.1 200' POST /emulator/clock "{\"advance_seconds\": $1}"; }
# shellcheck disable=SC2034 # for who reads this
lee=whatsapp%3A%2B447700900123 template=ContentSid=HX00000000000000000000000000000001
