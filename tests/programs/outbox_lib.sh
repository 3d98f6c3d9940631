# shellcheck shell=bash
# For the tests of `twiliowa outbox`: $emulator and $twiliowa are the programs.
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/emulator_lib.sh"
unset "${!TWILIO@}"
twiliowa=$(realpath "$twiliowa")
twiliowa() { timeout 60 "$twiliowa" "$@"; }
export TERM=dumb TWILIOWA_STORE=sqlite:$work/jobs.db

# takes <status> <arguments...>: reads standard input; what it printed is in $work/out and $work/err.
takes() {
    local status=0
    twiliowa outbox "${@:2}" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq "$1" ] || fail "twiliowa outbox ${*:2} ends with $status, not $1: $(cat "$work/out" "$work/err")"
    # Whatever it says, it says no number.
    [[ " $* " = *' --reveal '* ]] || hides_numbers
}
ends_with() { takes "$@" </dev/null; }
says() { grep -qE -- "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"; }
tells() { grep -qE -- "$1" "$work/err" || fail "no $1 in: $(cat "$work/err")"; }
silent() { [ ! -s "$work/$1" ] || fail "std$1: $(cat "$work/$1")"; }
hides() { ! grep -qE -- "$1" "$work/out" "$work/err" || fail "$1 in: $(cat "$work/out" "$work/err")"; }
hides_numbers() { hides '900(123|456)'; }

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
