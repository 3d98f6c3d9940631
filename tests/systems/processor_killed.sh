#!/usr/bin/env bash
# Usage: processor_killed.sh <emulator> <processor> <twiliowa> <killer>. The channel processor is killed by SIGKILL at
# each moment of one job's life at which it makes something last, or sends something: before and after each commit of
# queue, record and outbox, before and after each request and answer. The one that comes up after it, beyond the end of
# leases and time-outs, has to send the message once, whatever was done before. And what nobody can know is looked for, and
# then left to a person.
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

# prepare <directory> <port>: of a processor of its own, with one company.
prepare() {
    export PROCESSOR_DIRECTORY=$work/$1 PROCESSOR_PORT=$2 PROCESSOR_PUBLIC_URL=http://127.0.0.1:$2
    SYSTEM_LOG=$PROCESSOR_DIRECTORY/log
    SECRETS=$PROCESSOR_DIRECTORY/secrets
    mkdir -p "$SECRETS"
    secret company-a "$account, $token, $sid"
    (umask 077 && echo "2026-11:$(openssl rand -base64 32)" >"$PROCESSOR_DIRECTORY/keys")
}

# one_death <n>: dies at the n-th moment, comes up again, and all is well. 1: there is no such moment.
one_death() {
    local recipient=+447700$((100000 + $1)) died=0 unknown=''
    prepare "$1" "$port"
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

# Two at a time, each at a port of its own.
some() {
    for ((n = $1; n <= 400; n += 2)); do one_death $n || break; done
    echo "until $n" >"$work/until.$1"
}
port=$(free_port)
(trap 'touch "$work/failed"; [ -z "$worker" ] || kill -KILL "$worker"' EXIT; some 1; trap - EXIT) &
first=$!
port=$(free_port)
(trap 'touch "$work/failed"; [ -z "$worker" ] || kill -KILL "$worker"' EXIT; some 2; trap - EXIT) &
second=$!
status=0
wait $first || status=$?
wait $second || status=$?
[ $status -eq 0 ] || fail "not all is well"
cat "$work"/until.*
[ "$(cut -d ' ' -f 2 "$work/until.1")" -gt 20 ] || fail "there were few moments"

# A message whose answer was lost, and of which Twilio knows nothing: looked for until there is nothing more to hope for, by
# processes that come up later and later, it is a dead letter with that reason. It goes when a person has said that it may.
port=$(free_port)
prepare doubtful "$port"
ends() {
    kill -TERM "$worker"
    wait "$worker" || fail "it ends with $?"
}
trap '[ -z "$worker" ] || kill -KILL "$worker" 2>/dev/null || true; kill -KILL $process 2>/dev/null || true; rm -rf "$work"' EXIT
come_up LOG_LEVEL=debug
# From here on its template is known.
add before +447700200001
until_true "the first one is delivered" has_status before delivered
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-before", "count": 1}'
add doubtful +447700200002
is_listed() { outbox list --state unknown --json 2>/dev/null | grep -q '"key": *"doubtful"'; }
until_true "it is listed" is_listed
looks() { grep -c ' job change=looked .*tag=doubtful' "$SYSTEM_LOG" || true; }
has_looked() { [ "$(looks)" -gt "$before" ] || is_dead doubtful 'held: '; }
for ((later = 60000; later <= 600000; later += 60000)); do
    ends
    before=$(looks)
    come_up KILLER_AHEAD=$later LOG_LEVEL=debug
    until_true "it has looked once more" has_looked
    ! is_dead doubtful 'held: ' || break
done
is_dead doubtful 'held: ' || fail "it is not held: $(outbox list --json)"
[ "$(looks)" -ge 5 ] || fail "it was held after $(looks) looks"
has_status doubtful held || fail "the record does not say so: $("$PROCESSOR" record)"
is_done doubtful || fail "it is still in the queue"
not_sent +447700200002
KILLER_AHEAD=$later LD_PRELOAD=$killer outbox resolve doubtful --tenant company-a --not-sent >/dev/null
until_true "what a person decided about is delivered" has_status doubtful delivered
sent_once +447700200002 doubtful
ends
worker=''
stop
