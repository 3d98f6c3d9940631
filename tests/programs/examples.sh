#!/usr/bin/env bash
# Usage: examples.sh <directory of the examples>. Runs every example as a user would, against what the
# environment points at, and looks for what each must say.
set -euo pipefail
directory=$1

# run <name> <line that must occur>...
run() {
    local output line
    output=$("$directory/example_$1" 2>&1) || { echo "$1 failed:"; echo "$output"; exit 1; }
    for line in "${@:2}"; do
        grep -qE -- "$line" <<<"$output" && continue
        echo "$1 does not say '$line', but:"
        echo "$output"
        exit 1
    done
    echo "$1: as it should be"
}

run send_template 'SM[0-9a-f]{32} is queued'
run demo 'InvalidRequestError|field: +To' 'code: +21655' '^Done\.'
run queue_worker '^job-1 +sent +SM' '^job-2 +sent' '^job-3 +refused' '^job-4 +refused' \
    '0 left in the queue, 0 parked'
run async
run coroutine
run fmt_log
run mock_transport
run check_signature '^accepted$' 'refused: mismatch. signed for https, you passed http'
run model_variables 'sent (SM|MM)' 'variable "2" is missing; the template expects "1", "2" and was given "1"' \
    'variable "name" is not one of' 'is a number, not a string' 'is not valid JSON'

# WhatsApp's reviewers are at once done with what was submitted.
emulator() { curl -fsS "$TWILIOWA_BASE_URL/emulator/$1" -H 'Content-Type: application/json' "${@:2}"; }
review() {
    local template
    for _ in $(seq 100); do
        template=$(emulator state | sed 's/{{[^}]*}}//g' |
            grep -oE '"approval":"(received|pending)"[^}]*"sid":"HX[0-9a-f]{32}"' |
            grep -oE 'HX[0-9a-f]{32}') && break
        sleep 0.1
    done
    emulator approval -d "{\"template\": \"$template\", \"status\": \"approved\"}" >/dev/null
}
review &
run template_lifecycle 'order_shipped is created' 'WhatsApp says: approved' 'SM[0-9a-f]{32} is'
wait $!
run template_lifecycle 'order_shipped is unchanged' 'SM[0-9a-f]{32} is'
run webhook_test 'The bot behaves'
run conversation_test

# Nothing is in the environment: the first variable that is missing is named.
if output=$(env -u TWILIO_ACCOUNT_SID "$directory/example_send_template" 2>&1); then
    echo "send_template needs no account?"
    exit 1
fi
grep -q TWILIO_ACCOUNT_SID <<<"$output" || { echo "not named: $output"; exit 1; }
