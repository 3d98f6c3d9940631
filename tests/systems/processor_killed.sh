#!/usr/bin/env bash
# Usage: processor_killed.sh <emulator> <processor> <twiliowa> <killer>. The channel processor is killed by SIGKILL at
# each moment of one job's life at which it makes something last, or sends something: before and after each commit of
# queue, record and outbox, before and after each request and answer. The one that comes up after it, beyond the end of
# leases and time-outs, has to send the message once, whatever was done before.
set -euo pipefail
emulator=$1 twiliowa=$3 killer=$4
PROCESSOR=$2
# shellcheck source=tests/systems/processor_lib.sh
. "$(dirname "$0")/processor_lib.sh"
start --account $TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN
export TWILIOWA_BASE_URL PROCESSOR_VISIBILITY=30 PROCESSOR_WORKERS=1

# come_up [NAME=VALUE...]: the processor of $PROCESSOR_DIRECTORY, in $worker.
come_up() {
    env LD_PRELOAD="$killer" "$@" "$PROCESSOR" >>"$PROCESSOR_DIRECTORY/log" 2>&1 &
    worker=$!
}
worker=''
is_up() { kill -0 "$worker" 2>/dev/null; }
outbox() {
    TWILIOWA_KEYS_FILE=$PROCESSOR_DIRECTORY/keys "$twiliowa" outbox "$@" --store "sqlite:$PROCESSOR_DIRECTORY/processor.db"
}

# one_death <n>: dies at the n-th moment, comes up again, and all is well. 1: there is no such moment.
one_death() {
    local recipient=+447700$((100000 + $1)) port=$((20000 + RANDOM % 12000)) died=0 unknown=''
    export PROCESSOR_DIRECTORY=$work/$1
    SYSTEM_LOG=$PROCESSOR_DIRECTORY/log
    SECRETS=$PROCESSOR_DIRECTORY/secrets
    mkdir -p "$SECRETS"
    secret company-a "$account, $token, $sid"
    (umask 077 && echo "2026-11:$(openssl rand -base64 32)" >"$PROCESSOR_DIRECTORY/keys")
    export PROCESSOR_PORT=$port PROCESSOR_PUBLIC_URL=http://127.0.0.1:$port
    add job "$recipient"

    come_up KILLER_AT="$1"
    until has_settled 2>/dev/null; do
        is_up || break
        sleep 0.1
    done
    if is_up; then died=1; kill -TERM "$worker"; fi
    wait "$worker" 2>/dev/null || true
    [ $died -eq 0 ] || { rm -rf "$PROCESSOR_DIRECTORY"; return 1; }
    ! grep -q 'is taken' "$SYSTEM_LOG" || fail "the port was taken"

    # Beyond the visibility time-out, and the lease of what was under way.
    come_up KILLER_AHEAD=100
    local end=$((SECONDS + 60))
    until has_settled; do
        [ ! -e "$work/failed" ] || exit 1
        is_up || fail "the $1. moment: it does not come up again"
        [ $SECONDS -lt $end ] || fail "the $1. moment: $(outbox list --json 2>&1)"
        # Nothing shows it, and nothing was sent: only a person can know.
        if [ -z "$unknown" ] && outbox list --state unknown --json 2>/dev/null | grep -q '"key"' &&
            [ "$(sent_to "$recipient")" -eq 0 ]; then
            unknown=yes
            outbox resolve job --tenant company-a --not-sent >/dev/null
        fi
        sleep 0.1
    done
    kill -TERM "$worker"
    wait "$worker" || fail "the $1. moment: it ends with $?"
    sent_once "$recipient" job
    no_dead_letter job
    is_done job || fail "the $1. moment: the job is still in the queue"
    echo "$1${unknown:+, a person was asked}"
    rm -rf "$PROCESSOR_DIRECTORY"
}
has_settled() { has_status job delivered && is_done job; }

# Two at a time.
some() {
    for ((n = $1; n <= 400; n += 2)); do one_death $n || break; done
    echo "until $n" >"$work/until.$1"
}
(trap 'touch "$work/failed"; [ -z "$worker" ] || kill -KILL "$worker"' EXIT; some 1; trap - EXIT) &
first=$!
(trap 'touch "$work/failed"; [ -z "$worker" ] || kill -KILL "$worker"' EXIT; some 2; trap - EXIT) &
second=$!
status=0
wait $first || status=$?
wait $second || status=$?
[ $status -eq 0 ] || fail "not all is well"
cat "$work"/until.*
[ "$(cut -d ' ' -f 2 "$work/until.1")" -gt 20 ] || fail "there were few moments"
stop
