#!/usr/bin/env bash
# Usage: cli_customer_postgres.sh <twiliowa> <customer_state>. `twiliowa customer` over a PostgreSQL, to which
# the environment points: what it shows, erases and refuses. What is common to all stores is in cli_customer.sh.
set -euo pipefail
twiliowa=$1 customer_state=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$1"; exit 1; }
unset "${!TWILIO@}"
export TERM=dumb TWILIOWA_STORE=postgresql:///shop

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

# No store, or none that is one: nothing is made, and nothing of a password is repeated.
ends_with 4 show $number
tells 'store: lacks its tables of the store'
ends_with 4 show $number --store postgresql:///nowhere
tells 'store: has no such database'
ends_with 4 show $number --store "postgresql:///shop?host=/nowhere"
tells 'store: cannot be reached'
ends_with 1 show $number --store postgresql://shop:canary@/shop
tells '--store: holds a password'
tells PGPASSFILE
hides canary
TWILIOWA_STORE="postgresql:///shop?password=canary" ends_with 1 show $number
tells 'TWILIOWA_STORE: holds a password'
hides canary
ends_with 1 show $number --store 'postgresql:///shop?canary=1'
tells '--store: is no address of a PostgreSQL server'
hides canary
ends_with 1 show $number --store mysql://canary
tells '--store: names no store'
hides canary
echo "without a store: as it should be"

"$customer_state" postgresql:///shop
ends_with 0 show $number
says 'whatsapp:\+14155238886 +open until 20.*everything'
hides '900123|4f1a77'
ends_with 0 export $number --store postgresql:///shop
says '"user_id": "GB.4f1a77"'
ends_with 0 forget $number --yes
ends_with 0 show $number
tells 'Nothing is kept'
# The opt-out has outlived it.
ends_with 0 show $number --sender +14155238886
says 'not known +everything'
echo "show, export and forget: as they should be"

# In the same database, a job, an event and what they have agreed to.
"$customer_state" postgresql:///shop '' postgresql:///shop postgresql:///shop
pg_dump shop >"$work/dump"
grep -q 447700900123 "$work/dump" || grep -q "$(printf %s 447700900123 | od -An -tx1 | tr -d ' \n')" "$work/dump" ||
    fail "the number is not there before"
ends_with 0 export $number
for text in 'The order of the day' 'A question' 'said so' 'in the dialogue dialogue'; do says "$text"; done
ends_with 0 forget $number --yes --json --dialogue dialogue --dialogue returns
for part in outbox inbox consents dialogue "dialogue returns"; do says "\"$part\""; done
tr -d '\n ' <"$work/out" | grep -qF '"not_yet":[]' || fail "$(cat "$work/out")"
pg_dump shop >"$work/dump"
! grep -q 447700900123 "$work/dump" || fail "the number is still there"
# Columns of bytes are written in hexadecimal.
! grep -q "$(printf %s 447700900123 | od -An -tx1 | tr -d ' \n')" "$work/dump" || fail "the number is still there"
echo "jobs, events, consents and dialogues: as they should be"
