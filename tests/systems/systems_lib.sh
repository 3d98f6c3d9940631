# shellcheck shell=bash
# For the tests of examples/systems: to start a system by its `run`, and to ask the emulator beside it.
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../programs/emulator_lib.sh"
system_pid=''
trap 'end_system || true; [ -z "$process" ] || kill -KILL $process 2>/dev/null || true; rm -rf "$work"' EXIT

# start_system <run> <build tree>: its NAME=VALUE lines become variables.
start_system() {
    rm -f "$work/said"
    TWILIOWA_BUILD=$2 "$1" >"$work/said" 2>"$work/complaints" &
    system_pid=$!
    until grep -qs '^READY$' "$work/said"; do
        kill -0 $system_pid 2>/dev/null || did_not_start "$1"
        sleep 0.05
    done
    eval "$(grep -E '^[A-Z_]+=[^ ]*$' "$work/said")"
    # What `ask` goes by.
    export TWILIOWA_BASE_URL=$EMULATOR_URL
}
did_not_start() { # <run>
    local status=0
    wait "$system_pid" || status=$?
    system_pid=''
    [ $status -ne 77 ] || { echo "SKIPPED: $(basename "$0"): $(tail -n 1 "$work/complaints")"; exit 77; }
    fail "$1 did not start: $(cat "$work/complaints")"
}
end_system() {
    [ -n "$system_pid" ] || return 0
    kill -TERM "$system_pid" 2>/dev/null || true
    local status=0
    wait "$system_pid" || status=$?
    system_pid=''
    return $status
}

# until_true <what> <command...>: within 20 seconds, or $patience.
until_true() {
    local end=$((SECONDS + ${patience:-20}))
    until "${@:2}"; do
        [ $SECONDS -lt $end ] || fail "waited in vain until $1"
        sleep 0.1
    done
}
# sent_to <number>: how many messages the emulator has for it.
sent_to() {
    ask GET "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json?PageSize=1000&To=whatsapp%3A%2B${1#+}" |
        { grep -oE '"sid":"(SM|MM)[0-9a-f]{32}"' || true; } | sort -u | wc -l
}
# later <seconds>: for the emulator, and then for the system's database, by which everything is sent. What is sent between the
# two goes by a clock that is behind Twilio's.
gone=0
later() {
    order clock "{\"advance_seconds\": $1}"
    later_for_database "$1"
}
later_for_database() {
    gone=$((gone + $1))
    sql "create or replace function twiliowa.now() returns timestamptz language sql stable as
        'select pg_catalog.statement_timestamp() + interval ''$gone seconds'''"
}
# sql <statement>: of the system's $database; its rows alone.
sql() { psql -qXAt "$database" -c "$1"; }
# no_look_is_due: what nobody can know is looked for so far.
no_look_is_due() { [ "$(sql 'select count(*) from twiliowa.job where next_look <= extract(epoch from twiliowa.now()) * 1000000')" -eq 0 ]; }
# dump_tells <database> <text>...: whether one of them is to be read in what the database keeps; says which. Most texts are bytes
# there, which are dumped as hexadecimal digits.
dump_tells() {
    local text
    pg_dump "$1" >"$work/dump"
    for text in "${@:2}"; do
        ! grep -qF -e "$text" -e "$(printf %s "$text" | od -An -v -tx1 | tr -d ' \n')" "$work/dump" || { echo "It has $text"; return 0; }
    done
    return 1
}
fail() {
    echo "$1"
    # shellcheck disable=SC2086 # one or more
    [ -z "${SYSTEM_LOG-}" ] || tail -n 25 $SYSTEM_LOG
    exit 1
}
