# shellcheck shell=bash
# For the tests of examples/systems/registration.
# shellcheck source=tests/systems/systems_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/systems_lib.sh"
export LC_ALL=C # lengths are bytes

# start_registration <run> <build tree>
start_registration() {
    start_system "$@"
    # shellcheck source=/dev/null
    . "$REGISTRATION_DIRECTORY/environment"
    SYSTEM_LOG=$REGISTRATION_LOG
}

# player <number> [<name>=<JSON>...]: what a trigger says. A value of none leaves the field out.
player() {
    local each name
    local -A said=([parent_tel]="\"$1\"" [parent_first_name]='"Kim"' [player_first_name]='"Lee"'
        [team_name]='"Panthers"' [age_group]='"U11"' [current_registration_season]='"2026/27"'
        [membership_fee_amount]='"40.00"' [subscription_fee_amount]=26.5
        [team_manager_1_full_name]='"Ann Field"' [team_manager_1_tel]='"+447700900999"')
    for each in "${@:2}"; do said[${each%%=*}]=${each#*=}; done
    local text=''
    for name in "${!said[@]}"; do
        [ -z "${said[$name]}" ] || text+="${text:+, }\"$name\": ${said[$name]}"
    done
    echo "{$text}"
}
# call <method> <path> [body] [header...]: with the key, and again when it was one too many; the answer, with its head,
# is in $answer.
call() {
    while
        answer=$(TWILIOWA_BASE_URL=$REGISTRATION_URL ask "$1" "$2" "${3-}" "x-api-key: ${API_KEY-$REGISTRATION_API_KEY}" "${@:4}")
        [[ $answer = 'HTTP/1.1 429 '* ]]
    do sleep "$(grep -oP '^Retry-After: \K[0-9]+' <<<"$answer")"; done
}
# answers <status> [regular expression]: what was answered last.
answers() {
    [[ $answer = "HTTP/1.1 $1 "* ]] || fail "not $1, but $answer"
    [ -z "${2-}" ] || grep -qE -- "$2" <<<"$answer" || fail "no $2 in: $answer"
}
# trigger <as player>: is taken in; its id is in $id.
# shellcheck disable=SC2034 # for who reads this
trigger() {
    call POST /trigger "$(player "$@")"
    answers 202 '"id":"[0-9a-f]{20}"'
    id=$(grep -oE '"id":"[0-9a-f]{20}"' <<<"$answer" | cut -d '"' -f 4)
}
# refused <status> <field> <body>: by the trigger, naming the field.
refused() {
    call POST /trigger "$3"
    answers "$1" "\"field\":\"$2\""
}
# becomes <id> <state>
is_in() { call GET "/messages/$1" && grep -qE "\"state\":\"$2\"" <<<"$answer"; }
becomes() { until_true "$1 is $2" is_in "$1" "$2"; }
# bodies <number>: of what was sent there, the newest first.
bodies() {
    ask GET "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json?PageSize=1000&To=whatsapp%3A%2B${1#+}" |
        { grep -oE '"body":"([^"\\]|\\.)*"' || true; }
}
newest_is() { bodies "$1" | head -n 1 | grep -qF -- "$2"; }
# order <customer> <JSON members>: what the parent does.
order() { expect 'HTTP/1.1 200' POST /emulator/customer "{\"customer\": \"$1\", $2}"; }
# writes <number> <text> <answer>: and reads that.
writes() {
    order "$1" "\"action\": \"text\", \"text\": \"$2\""
    until_true "$2 is answered $3" newest_is "$1" "$3"
}
taps() {
    order "$1" "\"action\": \"tap\", \"button\": \"$2\""
    until_true "$2 is answered $3" newest_is "$1" "$3"
}
# sent_are <number> <how many>
sent_are() { [ "$(sent_to "$1")" -eq "$2" ] || fail "$(sent_to "$1") messages went to $1, not $2: $(bodies "$1")"; }
works_again() { [ "$(grep -c ' info works' "$SYSTEM_LOG")" -gt "$1" ]; }
# killed: by SIGKILL, and started again.
killed() {
    local before
    before=$(grep -c ' info works' "$REGISTRATION_LOG")
    kill -KILL "$(cat "$REGISTRATION_PID_FILE")"
    until_true "it works again" works_again "$before"
}
list() { (cd "$REGISTRATION_DIRECTORY" && "$REGISTRATION" "$1"); }
listed() { list list | grep -qE -- "$1"; }

# Each line has its request, or what leads to it: a job's tag, which is the request's id, a message's SID, which is a webhook's,
# the id of a job, of a call; what came without a SID has but its webhook's line. And whatever was said, it was neither a number, nor a token, nor a text.
says_nothing() {
    ! grep -vE ' (request=[0-9a-f]{16}|tag=[0-9a-zA-Z]{16,34}|message_sid=[A-Z]{2}[0-9a-f]{32}|correlation_id=[0-9a-f]{20}|call_id=[0-9a-f]{16}|kind=unknown)( |$)' "$REGISTRATION_LOG" || fail "a line has no request"
    ! grep -nE "(44|0|\b)7700900[0-9]|4155238886|\b150055[56]|150055[56][0-9]{4}|$REGISTRATION_API_KEY|$TWILIO_AUTH_TOKEN|\b(Kim|Lee|Panthers|Ann Field)\b" \
        "$REGISTRATION_LOG" "$work/complaints" || fail "that says too much"
    grep -q 'recipient=twi1\.' "$REGISTRATION_LOG" || fail "the log has no hash of a number"
    ! grep -qaE '(44|0|\b)7700900' "$REGISTRATION_DIRECTORY"/*.db* || fail "a file has a number"
}
# It ends, and nothing is left of it.
leaves_nothing() {
    local process
    process=$(cat "$REGISTRATION_PID_FILE")
    end_system || fail "run ends with $?"
    ! kill -0 "$process" 2>/dev/null || fail "the process goes on"
    [ ! -e "$REGISTRATION_DIRECTORY" ] || fail "the directory is still there"
}
