#!/usr/bin/env bash
# Usage: registration_killed.sh <emulator> <registration> <twiliowa> <killer> <template>. The registration is killed by
# SIGKILL at each moment of a trigger and of the parent's answer at which it makes something last, or sends something. A
# caller who got no answer asks again; the parent writes once. The one that comes up after it, beyond the end of leases,
# has to send the template once and the question once. One moment of three, others each time; with TWILIOWA_LONG_TESTS
# each of them, which ./dev soak does.
set -euo pipefail
emulator=$1 twiliowa=$3 killer=$4
REGISTRATION=$2
# shellcheck source=tests/systems/registration_lib.sh
. "$(dirname "$0")/registration_lib.sh"
start --sender +15551234567
sid=$("$twiliowa" template push "$5" --json 2>/dev/null | grep -oE 'HX[0-9a-f]{32}' | head -n 1)
"$twiliowa" template submit "$sid" --name registration_is_open --category UTILITY >/dev/null
expect 'HTTP/1.1 200' POST /emulator/approval "{\"template\": \"$sid\", \"status\": \"approved\"}"
# The header is what `template pull` writes of it.
"$twiliowa" template pull --header "$work/club_templates.hpp" --namespace registration::templates >/dev/null 2>&1
diff "$(dirname "$5")/club_templates.hpp" "$work/club_templates.hpp" || fail "another header"
export REGISTRATION_API_KEY=0123456789abcdef TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN TWILIOWA_BASE_URL
cd "$work"

# come_up [NAME=VALUE...]: the registration of $REGISTRATION_DIRECTORY, in $worker.
worker=''
come_up() {
    env LD_PRELOAD="$killer" "$@" "$REGISTRATION" >>"$SYSTEM_LOG" 2>&1 &
    worker=$!
}
is_up() { kill -0 "$worker" 2>/dev/null; }
outbox() {
    TWILIOWA_KEYS_FILE=$REGISTRATION_DIRECTORY/keys "$twiliowa" outbox "$@" --store "sqlite:$REGISTRATION_DIRECTORY/registration.db"
}
count() { bodies "$parent" | grep -cF "$1" || true; }
has_settled() {
    [ "$(count 'Player: Lee')" -ge 1 ] && [ "$(count 'Is this about Lee')" -ge 1 ] &&
        [ "$(outbox list --state delivered --json 2>/dev/null | grep -c '"key"')" -ge 2 ]
}
# decide: nothing shows it, and nothing was sent: only a person can know.
decide() {
    local key
    for key in $(outbox list --state unknown --json 2>/dev/null | grep -oP '"key": ?"\K[^"]*'); do
        if [ "$(count "$([[ $key = trigger/* ]] && echo 'Player: Lee' || echo 'Is this about Lee')")" -eq 0 ]; then
            outbox resolve "$key" --not-sent >/dev/null
            people=', a person was asked'
        fi
    done
}
# live <seconds>: what caller and parent do, until all is well, or the process is dead.
live() {
    local end=$((SECONDS + $1))
    while is_up; do
        ! has_settled || return 0
        if [ -z "$asked" ]; then
            { call POST /trigger "$(player "$parent")"; } 2>/dev/null || answer=''
            [[ $answer != 'HTTP/1.1 202 '* ]] || asked=yes
        elif [ -z "$wrote" ] && [ "$(count 'Player: Lee')" -ge 1 ]; then
            order "$parent" "\"sender\": \"whatsapp:$TWILIO_WHATSAPP_NUMBER\", \"action\": \"text\", \"text\": \"Hi\""
            wrote=yes
        fi
        [ $SECONDS -lt $end ] || fail "the $moment. moment: asked '$asked', wrote '$wrote': $(outbox list --json 2>&1)"
        [ -z "$again" ] || decide
        sleep 0.1
    done
    return 1
}

message() { call POST /message "{\"to\": \"$parent\", \"text\": \"$1\"}"; }

# one_death <n>: dies at the n-th moment, comes up again, and all is well. 1: there is no such moment.
one_death() {
    local first parent=+447700$((100000 + $1)) asked='' wrote='' again='' people='' moment=$1
    export REGISTRATION_DIRECTORY=$work/$1
    SYSTEM_LOG=$REGISTRATION_DIRECTORY/log
    mkdir "$REGISTRATION_DIRECTORY"
    : >"$SYSTEM_LOG"
    (umask 077 && echo "2026-11:$(openssl rand -base64 32)" >"$REGISTRATION_DIRECTORY/keys")

    come_up KILLER_AT="$1"
    until grep -q ' info works' "$SYSTEM_LOG"; do
        is_up || break
        sleep 0.05
    done
    if ! is_up; then
        wait "$worker" 2>/dev/null || true
        grep -q 'is taken' "$SYSTEM_LOG" && fail "the port was taken"
        rm -rf "$REGISTRATION_DIRECTORY"
        return 0 # Before anybody asked for anything.
    fi
    if live 60; then
        kill -TERM "$worker"
        wait "$worker" || [ $? -eq 137 ] || fail "it does not end"
        # A day later, by its own clock, no text goes any more; one that was taken in before is answered as it was.
        come_up
        until_true "it works" works_again 1
        message 'Bring your boots'
        answers 202
        first=${answer##*$'\r\n'}
        kill -TERM "$worker"
        wait "$worker" || fail "it ends with $?"
        come_up KILLER_AHEAD=90000
        until_true "it works" works_again 2
        message 'Bring your boots'
        [ "${answer##*$'\r\n'}" = "$first" ] || fail "what was taken in before gets another answer: $answer, not $first"
        message 'And a ball'
        answers 409 '"field":"to"'
        kill -TERM "$worker"
        wait "$worker" || fail "it ends with $?"
        return 1
    fi
    wait "$worker" 2>/dev/null || true

    again=yes
    come_up KILLER_AHEAD=100 # beyond the leases of what was under way
    live 60 || fail "the $1. moment: it does not come up again"
    kill -TERM "$worker"
    wait "$worker" || fail "the $1. moment: it ends with $?"
    [ "$(count 'Player: Lee')" -eq 1 ] || fail "the $1. moment: the template went $(count 'Player: Lee') times"
    [ "$(count 'Is this about Lee')" -eq 1 ] || fail "the $1. moment: the question went $(count 'Is this about Lee') times"
    [ "$("$REGISTRATION" list | grep -c $'\topen\t')" -eq 1 ] || fail "the $1. moment: the player is not there once"
    echo "$1$people"
    rm -rf "$REGISTRATION_DIRECTORY"
}

step=$([ -n "${TWILIOWA_LONG_TESTS-}" ] && echo 1 || echo 3)
begin=$((RANDOM % step))
echo "from moment $((begin + 1)) on, each ${step}th"

# Two at a time, each with a sender of its own.
some() { # <first> <sender> <port>
    REGISTRATION_URL=http://127.0.0.1:$3
    export TWILIO_WHATSAPP_NUMBER=$2 REGISTRATION_PORT=$3 REGISTRATION_PUBLIC_URL=$REGISTRATION_URL
    expect 'HTTP/1.1 200' POST /emulator/webhook "{\"owner\": \"whatsapp:$2\", \"url\": \"$REGISTRATION_URL/webhook#rc=5&rp=all\"}"
    for ((n = $1 + begin; n <= 600; n += 2 * step)); do one_death $n || break; done
    worker=''
    echo "until $n" >"$work/until.$1"
}
port=$(free_port)
(trap '[ -z "$worker" ] || kill -KILL "$worker" 2>/dev/null || true' EXIT; some 1 +14155238886 "$port") &
first=$!
port=$(free_port)
(trap '[ -z "$worker" ] || kill -KILL "$worker" 2>/dev/null || true' EXIT; some 2 +15551234567 "$port") &
second=$!
status=0
wait $first || status=$?
wait $second || status=$?
[ $status -eq 0 ] || fail "not all is well"
cat "$work"/until.*
[ "$(cut -d ' ' -f 2 "$work/until.1")" -gt 20 ] || fail "there were few moments"
stop
