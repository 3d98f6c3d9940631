#!/usr/bin/env bash
# Usage: cli_outbox_killed.sh <emulator> <twiliowa> <killer>. Workers that are killed while they send, and one that goes
# on: each message is at the emulator once. Many lines need little memory.
set -euo pipefail
emulator=$1 twiliowa=$2 killer=$3
# shellcheck source=tests/programs/outbox_lib.sh
. "$(dirname "$0")/outbox_lib.sh"
twiliowa() { timeout 250 "$twiliowa" "$@"; }
# The leases of the dead end after a minute: the clock of who comes then is ahead by most of it.
later() { LD_PRELOAD=$killer KILLER_AHEAD=45 "$@"; }
count=300

start --seed 12
for ((i = 0; i < count; i++)); do
    echo "{\"key\": \"k-$i\", \"to\": \"+447700900123\", \"body\": \"message $i.\"}"
done >"$work/messages.jsonl"
ends_with 0 enqueue "$work/messages.jsonl"
sent_bodies() { ask GET "$messages?PageSize=1000" | { grep -oE '"body":"message [0-9]+\."' || true; }; }
for least in 40 80 120; do
    "$twiliowa" outbox run --concurrency 8 --rate 100 --no-opt-outs >"$work/out" 2>&1 &
    worker=$!
    until [ "$(sent_bodies | wc -l)" -ge $least ]; do kill -0 $worker || fail "no worker: $(cat "$work/out")"; done
    kill -KILL $worker
    wait $worker 2>/dev/null || true
done
[ "$(sent_bodies | wc -l)" -lt $count ] || fail "killed too late"
# What was killed between the note and the send shows nowhere: nobody can know, so a person looks.
status=0
later twiliowa outbox run --until-empty --no-opt-outs --settle 20s >"$work/out" 2>&1 || status=$?
[ $status -eq 0 ] || [ $status -eq 3 ] || fail "the worker that goes on ends with $status: $(cat "$work/out")"
later ends_with 0 list --state unknown --json
grep -oE '"key":"k-[0-9]+"' "$work/out" | grep -oE '[0-9]+' >"$work/unknown" || true
[ "$(wc -l <"$work/unknown")" -le 24 ] || fail "more are unknown than were under way: $(cat "$work/unknown")"
while IFS= read -r number; do
    sent_times "message $number." 0
    later ends_with 0 resolve "k-$number" --not-sent
done <"$work/unknown"
later ends_with 0 run --until-empty --no-opt-outs --json
says "\"accepted\": $count"
sent_bodies | sort | uniq -c >"$work/sent"
[ "$(wc -l <"$work/sent")" -eq $count ] || fail "only $(wc -l <"$work/sent") messages were sent"
! grep -vqE '^ +1 ' "$work/sent" || fail "sent more than once: $(grep -vE '^ +1 ' "$work/sent")"
stop
echo "workers that were killed: as it should be"

# Handed over by the kilobyte, not by the file.
export TWILIOWA_STORE=sqlite:$work/many.db
awk 'BEGIN { for (i = 0; i < 50000; i++)
    printf "{\"key\": \"k-%d\", \"to\": \"+447700900123\", \"from\": \"+14155238886\", \"body\": \"%d %01000d\"}\n", i, i, 0 }' |
    (ulimit -v 400000 && takes 0 enqueue)
says '^handed over +50000$'
# Among so many random ids some look like the number that is nowhere.
twiliowa outbox list --json --limit 1000000 >"$work/out" </dev/null || fail 'it cannot be listed'
[ "$(wc -l <"$work/out")" -eq 50000 ] || fail "not all of them are listed"
echo "many lines: as it should be"
