# shellcheck shell=bash
# For the tests of examples/systems/shop.
# shellcheck source=tests/systems/systems_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/systems_lib.sh"

# Each step of a message's way is a commit, in a database that waits for its disk.
patience=60

# start_shop <run> <build tree>
start_shop() {
    start_system "$@"
    # shellcheck disable=SC2153 # run says them
    export TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN SYSTEM_LOG="$LOG_A $LOG_B $LOG"
    # shellcheck disable=SC2034 # of sql
    database=$SHOP_DATABASE
    messages=/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json
}
# call <method> <path> [body] [header...]: of the back end; the answer, with its head, is in $answer.
call() {
    # shellcheck disable=SC2153
    answer=$(TWILIOWA_BASE_URL=$SHOP_URL ask "$1" "$2" "${3-}" "x-api-key: ${API_KEY-$SHOP_API_KEY}" "${@:4}")
}
# answers <status> [regular expression]: what was answered last.
answers() {
    [[ $answer = "HTTP/1.1 $1 "* ]] || fail "not $1, but $answer"
    [ -z "${2-}" ] || grep -qE -- "$2" <<<"$answer" || fail "no $2 in: $answer"
}
# taken <path> <body> [header...]: is taken in; its id is in $id.
# shellcheck disable=SC2034 # for who reads this
taken() {
    call POST "$1" "$2" "${@:3}"
    answers 202 '"id":"[0-9a-f]{20}"'
    id=$(grep -oE '"id":"[0-9a-f]{20}"' <<<"$answer" | cut -d '"' -f 4)
}
# is <path> <regular expression>: what a look there says.
is() { call GET "$1" && grep -qE -- "$2" <<<"$answer"; }
becomes() { until_true "$1 says $2" is "/messages/$1" "$2"; }
# campaign_is <id> <regular expression>
campaign_is() { is "/campaigns/$1" "$2"; }
# member <name>: a number of the last answer.
member() { grep -oE "\"$1\":\"?[0-9.]+" <<<"$answer" | head -n 1 | grep -oE '[0-9.]+$' || echo 0; }
# customer <number> <JSON members>: what they do.
customer() { expect 'HTTP/1.1 200' POST /emulator/customer "{\"customer\": \"$1\", $2}"; }
order() { expect 'HTTP/1.1 200' POST "/emulator/$1" "$2"; }
# bodies <number as in To>: of what was sent there, the newest first.
bodies() { ask GET "$messages?PageSize=1000&To=${1//+/%2B}" | { grep -oE '"body":"([^"\\]|\\.)*"' || true; }; }
newest_is() { bodies "$1" | head -n 1 | grep -qF -- "$2"; }
# sent_are <number as in To> <how many>
sent_are() {
    local count
    count=$(bodies "$1" | wc -l)
    [ "$count" -eq "$2" ] || fail "$count messages went to $1, not $2: $(bodies "$1")"
}
# metric <'' or A or B> <name> [label="value"...]: of the process that serves, or of a worker, as Prometheus reads it;
# the sum of its series that have these labels.
metric() {
    local address=METRICS${1:+_$1} lines label
    lines=$(TWILIOWA_BASE_URL=${!address%/metrics} ask GET /metrics | tr -d '\r' | grep -E "^$2[ {]") || return 0
    for label in "${@:3}"; do lines=$(grep -F -- "$label" <<<"$lines") || return 0; done
    awk '{ sum += $NF } END { print sum }' <<<"$lines"
}
logs_say() { grep -qE -- "$1" "$LOG" "$LOG_A" "$LOG_B"; }

# all_are_0 <regular expression>: of the metrics of the process that serves.
all_are_0() {
    # shellcheck disable=SC2153
    TWILIOWA_BASE_URL=${METRICS%/metrics} ask GET /metrics 2>/dev/null | tr -d '\r' |
        awk -v which="$1" '$0 ~ which { found = 1; if ($NF > 0) other = 1 } END { exit !found || other }'
}
nothing_leaves() { all_are_0 '^twiliowa_outbox_jobs.state="(claimed|sending)"'; }
# is_idle: nothing is due, and nothing is under way.
is_idle() { all_are_0 '^twiliowa_outbox_(oldest_ready_seconds|jobs.state="(claimed|sending)")'; }

# Whatever was said, it was neither a number, nor a token, nor a text; and nothing of that is in the database.
says_nothing() {
    ! grep -nE "(44|0|\b)7700900[0-9]|4155238886|5551234567|\b150055[56]|150055[56][0-9]{4}|$SHOP_API_KEY|$TWILIO_AUTH_TOKEN|Thank you for|% off" \
        "$LOG" "$LOG_A" "$LOG_B" "$work/complaints" || fail "that says too much"
    # One of them tells outcomes.
    grep -q 'recipient=twi1\.' "$LOG" "$LOG_A" "$LOG_B" || fail "the log has no hash of a number"
    ! dump_tells "$SHOP_DATABASE" 447700900 'Thank you for' '% off' 'web form' || fail "the database can be read"
}
# It ends, and nothing is left of it.
leaves_nothing() {
    local processes
    processes=$(cat "$PID_FILE" "$PID_FILE_A" "$PID_FILE_B")
    end_system || fail "run ends with $?"
    for each in $processes; do ! kill -0 "$each" 2>/dev/null || fail "a process goes on"; done
    [ ! -e "$SHOP_DIRECTORY" ] || fail "the directory is still there"
}
