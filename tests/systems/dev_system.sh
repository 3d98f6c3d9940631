#!/usr/bin/env bash
# Usage: dev_system.sh <source tree> <build tree>. ./dev system lists the systems, runs one and says where to look; and a
# system goes by the account that the environment names, which is here one of another emulator.
set -euo pipefail
tree=$1 emulator=$2/tools/twiliowa-emulator
# shellcheck source=tests/systems/systems_lib.sh
. "$(dirname "$0")/systems_lib.sh"
account=AC00000000000000000000000000000017 token=fedcba9876543210fedcba9876543210
start --account $account:$token
real=$TWILIOWA_BASE_URL
unset "${!TWILIO@}"
# Nothing is installed.
mkdir "$work/bin"
for name in apt-get dpkg-query; do printf '#!/bin/sh\nprintf installed\n' >"$work/bin/$name"; done
chmod +x "$work"/bin/*
export PATH=$work/bin:$PATH TWILIOWA_BUILD=$2

"$tree/dev" system >"$work/list"
for each in "$tree"/examples/systems/*/run; do
    name=$(basename "$(dirname "$each")")
    grep -qE "^$name +[a-z].{10}" "$work/list" || fail "$name is not in the list: $(cat "$work/list")"
done
for wrong in nothing ../systems/processor ''; do
    status=0
    "$tree/dev" system "$wrong" 2>"$work/refused" || status=$?
    [ $status -eq 2 ] || fail "'$wrong' is a system: $status"
done

# runs <NAME=VALUE...>: the processor, in $system_pid; what it says becomes variables.
runs() {
    rm -f "$work/said"
    setsid env --default-signal=INT "$@" "$tree/dev" system processor >"$work/said" 2>"$work/complaints" &
    system_pid=$!
    until grep -qs 'Ctrl-C ends it' "$work/said"; do
        kill -0 $system_pid 2>/dev/null || fail "it did not start: $(cat "$work/said" "$work/complaints")"
        sleep 0.05
    done
    eval "$(grep -E '^[A-Z_]+=[^ ]*$' "$work/said")"
}
runs TWILIO_ACCOUNT_SID=not-this-one
shown() { sed -nE "s/^  $1 +(http.*)/\1/p" "$work/said"; }
page=$(shown "Twilio's emulator.* there")
[ "$page" = "$EMULATOR_URL/" ] || fail "the emulator's page is not told: $(cat "$work/said")"
TWILIOWA_BASE_URL=${page%/} TWILIO_ACCOUNT_SID=$account TWILIO_AUTH_TOKEN=$token expect '<html' GET /
[ "$(shown itself)" = "$PROCESSOR_URL" ] || fail "it does not say where it is"
[ "$(shown metrics)" = "$METRICS" ] || fail "it does not say where its metrics are"
worker=$(cat "$PROCESSOR_PID_FILE")
# Ctrl-C is to all of them.
kill -INT -- "-$system_pid"
wait "$system_pid" || fail "it ends with $?"
system_pid=''
! kill -0 "$worker" 2>/dev/null || fail "the processor goes on"
[ ! -e "$PROCESSOR_DIRECTORY" ] || fail "its directory is still there"

# The account of the environment: no emulator is begun, and what is sent is there.
port=$(free_port)
export TWILIO_ACCOUNT_SID=$account TWILIO_AUTH_TOKEN=$token
runs REAL_ACCOUNT=yes SYSTEM_PORT=$port SYSTEM_PUBLIC_URL=http://127.0.0.1:$port TWILIOWA_BASE_URL="$real" \
    TWILIO_WHATSAPP_NUMBER=whatsapp:+14155238886
[ -z "$EMULATOR_URL" ] || fail "there is an emulator"
export PROCESSOR_DIRECTORY TWILIOWA_BASE_URL=$real
"$PROCESSOR" add real <<END
{"company_data_payload": {"channel_config": {"whatsapp": {"whatsapp_credentials_id": "company-a",
  "company_whatsapp_number": "+14155238886"}}},
 "frontend_payload": {"recipient_data": {"recipient_tel": "+447700900141", "recipient_first_name": "Lee"}}}
END
is_delivered() { "$PROCESSOR" record | cut -f 1,3 | grep -qP '^real\tdelivered$'; }
until_true "it is delivered, and Twilio has said so" is_delivered
[ "$(sent_to +447700900141)" -eq 1 ] || fail "it was sent $(sent_to +447700900141) times"
status=0
env -u SYSTEM_PUBLIC_URL REAL_ACCOUNT=yes TWILIO_WHATSAPP_NUMBER=x "$tree/examples/systems/processor/run" \
    >/dev/null 2>"$work/refused" || status=$?
[ $status -ne 0 ] || fail "it starts without an address for Twilio"
grep -q SYSTEM_PUBLIC_URL "$work/refused" || fail "what is not set is not told"
end_system || fail "it ends with $?"
stop
