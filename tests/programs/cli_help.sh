#!/usr/bin/env bash
# Usage: cli_help.sh <emulator> <twiliowa> [directory of files that examples name] [program that makes the
# store of customers that they name] [program that makes the inbox]. Of every command: its help begins with examples, and each of them is run, in order,
# against an emulator of its own; it takes no secret.
set -euo pipefail
emulator=$1 twiliowa=$2 files=${3-}
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"
mkdir "$work/bin" "$work/files"
ln -s "$(realpath "$twiliowa")" "$work/bin/twiliowa"
PATH=$work/bin:$PATH
[ -z "$files" ] || cp -r "$files"/. "$work/files"
[ -z "${4-}" ] || "$4" "$work/files/state.db"
[ -z "${5-}" ] || "$5" "$work/files/bot.db"
export TERM=dumb

# commands_of [words...]: every command that begins so, a line each.
commands_of() {
    local names name
    names=$(twiliowa "$@" --help | awk '/^Commands:$/ { list = 1; next } !NF { list = 0 } list { print $1 }')
    if [ -z "$names" ]; then
        echo "$*"
    else
        for name in $names; do commands_of "$@" "$name"; done
    fi
}

# A sender that is called at the URL of the examples.
start --clock x100 --webhook https://bot.example.com/whatsapp
# The first SID of an emulator is always the same: examples name it.
expect HX910a2dec89025cc1beeb8da1658eec67 POST /v1/Content '{"friendly_name": "new_offer", "language": "en",
    "variables": {"1": "Lee"}, "types": {"twilio/text": {"body": "Hi {{1}}, shoes are 20% off today"}}}'
cd "$work/files"
# Jobs as examples name them: one that waits, one that was not sent, one that nobody knows about.
if twiliowa outbox --help >/dev/null 2>&1; then
    quietly() { "$@" >"$work/out" 2>&1 || fail "$*: $(cat "$work/out")"; }
    enqueue() { # <key> <to>
        echo "{\"key\": \"$1\", \"to\": \"$2\", \"body\": \"On its way\"}" >"$work/one"
        quietly twiliowa outbox enqueue "$work/one" --store sqlite:outbox.db
    }
    expect 'HTTP/1.1 200' POST /emulator/customer '{"customer": "+447700900456", "action": "stop"}'
    enqueue order-44 +447700900456
    quietly twiliowa outbox run --store sqlite:outbox.db --until-empty
    expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "close-before", "count": 1}'
    enqueue order-45 +447700900123
    twiliowa outbox run --store sqlite:outbox.db --until-empty --settle 0s >"$work/out" 2>&1 || [ $? -eq 3 ] ||
        fail "$(cat "$work/out")"
    enqueue order-43 +447700900123
    (umask 077 && twiliowa outbox keys new k1 >keys.txt 2>"$work/out")
    TWILIOWA_KEYS_FILE=keys.txt quietly twiliowa outbox enqueue "$work/one" --store sqlite:sealed.db
fi
# Somebody who takes what is triggered; a message that examples show, and one that they cancel.
twiliowa listen --port 0 >"$work/listened" 2>"$work/listening" &
listener=$!
trap 'kill $listener 2>/dev/null || true; [ -z "$process" ] || kill -KILL $process 2>/dev/null || true; rm -rf "$work"' EXIT
until grep -q Listening "$work/listening"; do
    kill -0 $listener || fail "$(cat "$work/listening")"
    sleep 0.05
done
port=$(sed -nE 's/.*:([0-9]+);.*/\1/p' "$work/listening")
scheduled=$(twiliowa send text --to +447700900123 --body later --messaging-service MG00000000000000000000000000000001 \
    --send-at "$(date -u -d '+20 days' +%Y-%m-%dT%H:%M:%SZ)" | awk '/^message/ { print $2 }')
sent=$(twiliowa send text --to +447700900123 --body 'On its way' | awk '/^message/ { print $2 }')
# here <example>: with what there is here in place of what it names.
here() {
    local text=${1//localhost:[38]0[08]0/localhost:$port}
    text=${text//--port 8080/--port 0}
    text=${text//SM51bb54d8d101b5b9c34d0bff90150280/$scheduled}
    text=${text//SM910a2dec89025cc1beeb8da1658eec67/$sent}
    # It would listen for ever.
    [[ $text != 'twiliowa listen'* ]] || text="timeout --preserve-status -s TERM 3 $text"
    echo "$text"
}
count=0
while IFS= read -r command; do
    # shellcheck disable=SC2086 # words
    help=$(twiliowa $command --help)
    grep -qE '^Examples?:$' <<<"$(head -n 1 <<<"$help")" || fail "the help of $command begins so: $(head -n 1 <<<"$help")"
    ! grep -iE -- '--[a-z-]*(token|secret|password|auth)' <<<"$help" || fail "$command takes a secret"
    examples=$(sed -n '2,/^$/{s/^  //p}' <<<"$help")
    [ -n "$examples" ] || fail "$command has no example"
    while IFS= read -r example; do
        [[ $example = *"twiliowa $command"* ]] || fail "an example of $command: $example"
        bash -euo pipefail -c "$(here "$example")" >"$work/out" 2>&1 </dev/null || fail "$example: $(cat "$work/out")"
        [ -s "$work/out" ] || fail "$example prints nothing"
        count=$((count + 1))
    done <<<"$examples"
done < <(commands_of)
[ "$count" -ge 6 ] || fail "only $count examples"
cd /
stop
echo "$count examples: as they should be"
