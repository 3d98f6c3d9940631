# shellcheck shell=bash
# For the tests of `twiliowa outbox` and, where $noun says so, `twiliowa inbox`: $emulator and $twiliowa are the programs.
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/emulator_lib.sh"
unset "${!TWILIO@}"
twiliowa=$(realpath "$twiliowa")
twiliowa() { timeout 60 "$twiliowa" "$@"; }
export TERM=dumb TWILIOWA_STORE=sqlite:$work/jobs.db

# Of each engine: a store by its name, one that is empty, whether anything is in it, where `run` keeps what it knows
# of customers, and a message that a program in another language puts in, where there is one.
if [ "${engine:-sqlite}" = postgresql ]; then
    # shellcheck disable=SC2034 # for who reads this
    jobs_table=twiliowa.job
    store_named() { echo "postgresql:///$1"; }
    named_for_programs() { store_named "$1"; }
    new_store() { psql -qc "create database $1" >&2 && store_named "$1"; }
    ask_of() { psql -qAtd "$1" -c "$2"; }
    is_there() { [ -n "$(ask_of "$1" "select to_regnamespace('twiliowa')")" ]; }
    customers_of() { store_named "$1"; }
    keeps_customers() { [ -n "$(ask_of "$1" "select to_regclass('twiliowa.store_entry')")" ]; }
    whole_store() { pg_dump "$1"; }
    other_program() { ask_of jobs "select existed from twiliowa.enqueue('{\"key\": \"$1\", \"message\": $2}')" >/dev/null; }
else
    # shellcheck disable=SC2034 # for who reads this
    jobs_table=outbox_job
    store_named() { echo "sqlite:$work/$1.db"; }
    named_for_programs() { echo "$work/$1.db"; }
    new_store() { store_named "$1"; }
    is_there() { [ -e "$work/$1.db" ]; }
    customers_of() { store_named "$1" | sed 's/$/.state/'; }
    keeps_customers() { grep -qa '^SQLite' "$work/$1.db.state"; }
    whole_store() { cat "$work/$1".db*; }
    other_program() {
        command -v python3 >/dev/null || return 1
        python3 - "$work/jobs.db" "$@" <<'END'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute("insert into outbox_message (key, payload) values (?, ?)", sys.argv[2:])
END
    }
fi

# takes <status> <arguments...>: reads standard input; what it printed is in $work/out and $work/err.
takes() {
    local status=0
    twiliowa "${noun:-outbox}" "${@:2}" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq "$1" ] || fail "twiliowa ${noun:-outbox} ${*:2} ends with $status, not $1: $(cat "$work/out" "$work/err")"
    # Whatever it says, it says no number.
    [[ " $* " = *' --reveal '* ]] || hides_numbers
}
ends_with() { takes "$@" </dev/null; }
says() { grep -qE -- "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"; }
tells() { grep -qE -- "$1" "$work/err" || fail "no $1 in: $(cat "$work/err")"; }
silent() { [ ! -s "$work/$1" ] || fail "std$1: $(cat "$work/$1")"; }
hides() { ! grep -qE -- "$1" "$work/out" "$work/err" || fail "$1 in: $(cat "$work/out" "$work/err")"; }
hides_numbers() { hides '(^|[^0-9a-f])[0-9]*900(123|456)|7700900(123|456)'; }

# sent_times <body> <count>: how often the emulator has it.
sent_times() {
    local count
    count=$(ask GET "$messages?PageSize=1000" | { grep -oF "\"body\":\"$1\"" || true; } | wc -l)
    [ "$count" -eq "$2" ] || fail "'$1' was sent $count times, not $2"
}
sent_once() {
    local body
    for body; do sent_times "$body" 1; done
}
