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

# Beside it, a job, an event and what they have agreed to: all of it is told of, and goes, and the number is in
# no file afterwards. The outbox is named, or what lies beside it.
everywhere=$work/everywhere
keep_everything() {
    rm -rf "$everywhere" && mkdir "$everywhere"
    "$customer_state" "$everywhere/shop.db.state" '' "$everywhere/shop.db" "$everywhere/shop.db.consents"
}
held_by() { grep -rl 447700900123 "$everywhere" | wc -l; }
for name in shop.db shop.db.state; do
    keep_everything
    [ "$(held_by)" -ge 2 ] || fail "not in both files: $(grep -rl 447700900123 "$everywhere")"
    ends_with 0 export $number --store "sqlite:$everywhere/$name"
    says 'The order of the day'
    says 'A question'
    says 'said so'
    says 'in the dialogue dialogue'
    hides 'in the dialogue returns'
    ends_with 0 export $number --store "sqlite:$everywhere/$name" --dialogue returns
    says 'in the dialogue returns'
    ends_with 0 forget $number --yes --json --store "sqlite:$everywhere/$name" --dialogue dialogue --dialogue returns
    for part in outbox inbox consents dialogue "dialogue returns"; do says "\"$part\""; done
    tr -d '\n ' <"$work/out" | grep -qF '"not_yet":[]' || fail "$(cat "$work/out")"
    [ "$(held_by)" -eq 0 ] || fail "it is in $(grep -rl 447700900123 "$everywhere")"
    ends_with 0 export $number --store "sqlite:$everywhere/$name"
    hides 'order of the day|A question|said so|in the dialogue'
done
# Elsewhere they are by their names; and an outbox in which nothing is known of customers is one, too.
keep_everything
mkdir "$everywhere/apart" && mv "$everywhere"/shop.db.state* "$everywhere/apart"
ends_with 0 forget $number --yes --store "sqlite:$everywhere/apart/shop.db.state" \
    --outbox-store "sqlite:$everywhere/shop.db" --consent-store "sqlite:$everywhere/shop.db.consents" \
    --dialogue dialogue --dialogue returns
[ "$(held_by)" -eq 0 ] || fail "it is in $(grep -rl 447700900123 "$everywhere")"
ends_with 4 forget $number --yes --outbox-store "sqlite:$everywhere/nothing"
keep_everything
rm "$everywhere"/shop.db.state*
ends_with 0 forget $number --yes --store "sqlite:$everywhere/shop.db"
[ "$(held_by)" -eq 0 ] || fail "it is in $(grep -rl 447700900123 "$everywhere")"
[ ! -e "$everywhere/shop.db.state" ] || fail "forget makes a store"
# Sealed, nobody is found without the keys: that is told, and not called done. What has not ended is not yet erased.
keys=$("$twiliowa" outbox keys new k1 2>/dev/null)
export TWILIOWA_KEYS=$keys
echo '{"key": "s-1", "from": "+14155238886", "to": "'$number'", "body": "sealed"}' |
    "$twiliowa" outbox enqueue --store "sqlite:$everywhere/sealed.db" >"$work/out" || fail "not enqueued"
(unset TWILIOWA_KEYS && ends_with 1 forget $number --yes --store "sqlite:$everywhere/sealed.db" && tells 'TWILIOWA_KEYS: is not set')
ends_with 4 forget $number --yes --store "sqlite:$everywhere/sealed.db"
"$twiliowa" outbox cancel s-1 --store "sqlite:$everywhere/sealed.db" >"$work/out"
ends_with 0 forget $number --yes --json --store "sqlite:$everywhere/sealed.db"
says '"outbox"'
unset TWILIOWA_KEYS
echo "jobs, events, consents and dialogues: as they should be"

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
