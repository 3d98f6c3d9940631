#!/usr/bin/env bash
# Usage: cli_customer.sh <twiliowa> <customer_state>. The verbs of `twiliowa customer`: what they print, what
# they hide, what they refuse.
set -euo pipefail
twiliowa=$1 customer_state=$2
tree=$(realpath "$(dirname "$0")/../..")
# shellcheck source=docs/code/command_line.sh
. "$tree/docs/code/command_line.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$1"; exit 1; }
unset "${!TWILIO@}"
export TERM=dumb TWILIOWA_STORE=sqlite:$work/state.db

# ends_with <status> <arguments...>: what it printed is in $work/out and $work/err.
ends_with() {
    local status=0
    timeout 60 "$twiliowa" customer "${@:2}" >"$work/out" 2>"$work/err" </dev/null || status=$?
    [ "$status" -eq "$1" ] || fail "twiliowa customer ${*:2} ends with $status, not $1: $(cat "$work/out" "$work/err")"
}
says() { grep -qE -- "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"; }
tells() { grep -qE -- "$1" "$work/err" || fail "no $1 in: $(cat "$work/err")"; }
hides() { ! grep -qE -- "$1" "$work/out" "$work/err" || fail "$1 in: $(cat "$work/out" "$work/err")"; }
number=+447700900123

# No store, or none that is one.
ends_with 4 show $number
tells 'store: cannot be opened'
[ ! -e "$work/state.db" ] || fail "show makes a store"
ends_with 1 show $number --store postgres:db
tells '--store: names no store'
TWILIOWA_STORE='' ends_with 1 show $number
tells 'TWILIOWA_STORE: is not set'
echo "without a store: as it should be"

"$customer_state" "$work/state.db"
ends_with 0 show $number
says 'whatsapp:\+14155238886 +open until 20.*everything'
says '\+44\*+23'
hides '900123|4f1a77'
ends_with 0 show whatsapp:GB.4f1a77 --reveal --json
says '"everything": true'
says '"open": true'
says '"address": "whatsapp:\+447700900123"'
ends_with 0 show $number --sender +14155230000
says '14155230000 +not known +none'
ends_with 0 export $number
says '"found_closed"|"wrote"'
says '"user_id": "GB.4f1a77"'
ends_with 1 show 12
tells 'To: '
hides '900123'
echo "show and export: as they should be"

ends_with 2 forget $number
tells '--yes is missing'
ends_with 0 show $number
says everything
ends_with 0 forget $number --yes --json
tr -d '\n ' <"$work/out" | grep -qF '"not_yet":[]' || fail "$(cat "$work/out")"
says '"opt_outs"'
ends_with 0 show $number
tells 'Nothing is kept'
# The opt-out has outlived it.
ends_with 0 show $number --sender +14155238886
says 'not known +everything'
echo "forget: as it should be"

# A service with a key of its own: without it the opt-out would be lost.
rm "$work"/state.db*
"$customer_state" "$work/state.db" 'a key of the service that is long enough'
ends_with 1 forget $number --yes
tells 'TWILIOWA_CUSTOMER_KEY: is not set'
ends_with 0 show $number
says everything
tells 'TWILIOWA_CUSTOMER_KEY is not set'
export TWILIOWA_CUSTOMER_KEY='a key of the service that is long enough'
ends_with 0 forget $number --yes
ends_with 0 show $number --sender +14155238886
says 'not known +everything'
unset TWILIOWA_CUSTOMER_KEY
ends_with 0 forget $number --yes --make-key

# What the page says.
mkdir "$work/page"
"$customer_state" "$work/page/state.db"
twiliowa_program=$(realpath "$twiliowa")
twiliowa() { timeout 60 "$twiliowa_program" "$@"; }
(cd "$work/page" && ask_of_customer >said)
grep -q everything "$work/page/said" && grep -q 447700900123 "$work/page/copy.json" || fail "the page's commands"

# What cannot be written is not forgotten, and says so.
echo "a file that is something else" >"$work/other"
ends_with 4 forget $number --yes --store "sqlite:$work/other"
tells 'is no file of SQLite'
[ "$(cat "$work/other")" = "a file that is something else" ] || fail "the file was changed"
echo "keys and other files: as they should be"
