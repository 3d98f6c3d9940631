#!/usr/bin/env bash
# Usage: cli_campaign_killed.sh <emulator> <twiliowa> <killer> [postgresql]. `campaign add` and workers that are killed
# with SIGKILL and begun again: nobody gets a message twice, everybody is sent to or listed with the reason, and the
# numbers add up.
set -euo pipefail
emulator=$1 twiliowa=$2 killer=$3 engine=${4-sqlite}
# shellcheck source=tests/programs/outbox_lib.sh
. "$(dirname "$0")/outbox_lib.sh"
twiliowa() { timeout 250 "$twiliowa" "$@"; }
# shellcheck disable=SC2034 # for outbox_lib.sh
noun=campaign
hides_numbers() { hides '44779[0-9]{7}'; }
outbox() { noun=outbox takes "$@" </dev/null; }
number_of() { grep -oE "\"$1\":[0-9]+" "$work/out" | head -n 1 | grep -oE '[0-9]+$' || echo 0; }
# The leases of the dead end after a minute: the clock of who comes then is ahead by most of it.
later() { LD_PRELOAD=$killer KILLER_AHEAD=45 "$@"; }
rows=20000 pieces='3500 9200 15100' few=400
if [ "$engine" = postgresql ]; then
    export TWILIOWA_CUSTOMER_KEY=0123456789abcdef0123456789abcdef
    rows=6000 pieces='2500 4300' few=200
    # Leases are of the server's time.
    later() {
        psql -qd jobs -c "create or replace function twiliowa.now() returns timestamptz language sql stable
            as 'select pg_catalog.statement_timestamp() + interval ''45 s'''"
        "$@"
    }
fi
TWILIOWA_STORE=$(new_store jobs)

start --seed 12
# ---- Killed while it adds. The pipe is fed piece by piece, so that it is killed in the middle.
echo '{"id": "many", "message": {"body": "To many"}}' | takes 0 new -
awk -v rows=$rows 'BEGIN { print "to,tag"; for (i = 0; i < rows; i++)
    if (i % 1000 == 7) printf "nobody %d,t-%d\n", i, i; else printf "+44779%07d,t-%d\n", i, i }' >"$work/many.csv"
added_to() { twiliowa campaign status "$1" --json >"$work/out" && number_of recipients; }
mkfifo "$work/pipe"
for part in $pieces; do
    "$twiliowa" campaign add many - --csv <"$work/pipe" >"$work/added" 2>&1 &
    adder=$!
    exec 4>"$work/pipe"
    head -n "$part" "$work/many.csv" >&4
    # All of it but the last piece.
    until [ "$(added_to many)" -ge $((part / 1000 * 1000 - 1000)) ]; do kill -0 $adder || fail "no adder: $(cat "$work/added")"; done
    kill -KILL $adder
    wait $adder 2>/dev/null || true
    exec 4>&-
done
before=$(added_to many)
[ "$before" -lt $rows ] || fail "killed too late"
ends_with 1 add many "$work/many.csv" --json
refused=$(grep -oE '"refused": [0-9]+' "$work/out" | grep -oE '[0-9]+$')
added=$(grep -oE '"added": [0-9]+' "$work/out" | grep -oE '[0-9]+$')
known=$(grep -oE '"known": [0-9]+' "$work/out" | grep -oE '[0-9]+$')
[ $((refused + added + known)) -eq $rows ] || fail "not all rows: $(cat "$work/out")"
[ "$known" -eq "$before" ] || fail "$before were in, and $known are known"
[ "$(added_to many)" -eq $rows ] || fail "$(added_to many) recipients of $rows"
ends_with 0 report many --out "$work/report.csv"
[ "$(wc -l <"$work/report.csv")" -eq $((rows + 1)) ] || fail "the report has others"
[ "$(cut -d , -f 1 "$work/report.csv" | sort -u | wc -l)" -eq $((rows + 1)) ] || fail "somebody is in twice"
[ "$(grep -c ',dead,refused,' "$work/report.csv")" -eq $((rows / 1000)) ] || fail "others are refused"
echo "an addition that was killed: as it should be"

# Asked to end, it says so; what it has of its last piece is added by who adds the file again.
echo '{"id": "asked", "message": {"body": "Asked"}}' | takes 0 new -
"$twiliowa" campaign add asked - --csv <"$work/pipe" >"$work/added" 2>&1 &
adder=$!
exec 4>"$work/pipe"
head -n 1500 "$work/many.csv" >&4
until [ "$(added_to asked)" -eq 1000 ]; do kill -0 $adder || fail "no adder: $(cat "$work/added")"; done
kill -TERM $adder
(trap '' PIPE; while kill -0 $adder && echo nobody, >&4; do :; done) 2>/dev/null || true
exec 4>&-
status=0
wait $adder || status=$?
[ $status -eq 4 ] || fail "asked to end, it ends with $status: $(cat "$work/added")"
grep -q 'interrupted at line' "$work/added" || fail "asked to end, it says: $(cat "$work/added")"
echo "an addition that was asked to end: as it should be"

# ---- Killed while it sends.
echo '{"id": "few", "message": {"body": "To few"}}' | takes 0 new -
head -n $((few + 1)) "$work/many.csv" >"$work/few.csv"
ends_with 1 add few "$work/few.csv"
ends_with 0 start few
sent() { ask GET "$messages?PageSize=1000" | { grep -oE '"to":"whatsapp:\+44779[0-9]+"' || true; }; }
for least in $((few * 15 / 100)) $((few * 37 / 100)) $((few * 6 / 10)); do
    "$twiliowa" outbox run --concurrency 8 --rate 60 --no-opt-outs >"$work/out" 2>&1 &
    worker=$!
    until [ "$(sent | wc -l)" -ge $least ]; do kill -0 $worker || fail "no worker: $(cat "$work/out")"; done
    kill -KILL $worker
    wait $worker 2>/dev/null || true
done
[ "$(sent | wc -l)" -lt $((few - 1)) ] || fail "killed too late"
status=0
later twiliowa outbox run --until-empty --no-opt-outs --settle 20s >"$work/out" 2>&1 || status=$?
[ $status -eq 0 ] || [ $status -eq 3 ] || fail "the worker that goes on ends with $status: $(cat "$work/out")"
[ "$(sent | sort | uniq -d | wc -l)" -eq 0 ] || fail "somebody got it twice: $(sent | sort | uniq -d)"
ends_with 0 status few --json
total=$(number_of recipients)
[ "$total" -eq $few ] || fail "$total recipients of $few: $(cat "$work/out")"
[ "$(number_of waiting)" -eq 0 ] || fail "somebody waits: $(cat "$work/out")"
[ $(($(number_of sent) + $(number_of in_doubt) + $(number_of dead))) -eq $few ] || fail "the numbers: $(cat "$work/out")"
# What was killed between the note and the send is known to nobody, and nowhere at Twilio.
[ "$(number_of in_doubt)" -le 24 ] || fail "more are in doubt than were under way: $(cat "$work/out")"
[ "$(sent | wc -l)" -eq "$(number_of sent)" ] || fail "$(sent | wc -l) were sent, and it says: $(cat "$work/out")"
ends_with 0 report few --reveal
grep -E ',(accepted|delivered|undelivered),' "$work/out" | grep -oE '\+44779[0-9]+' | sort >"$work/said"
diff <(sent | grep -oE '\+44779[0-9]+' | sort) "$work/said" || fail "the report says others"
stop
echo "workers that were killed: as it should be"
