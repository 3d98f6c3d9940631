#!/usr/bin/env bash
# Usage: emulator_program.sh <emulator>. A program that the emulator runs, and the file that points others at it.
set -euo pipefail
emulator=$1
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"
export TMPDIR=$work

# ends_with <status> <command...>
ends_with() {
    local status=0
    timeout 60 "${@:2}" >"$work/output" 2>&1 || status=$?
    [ "$status" -eq "$1" ] || fail "${*:2} ends with $status, not $1: $(cat "$work/output")"
}

# The program has the environment, its words as they are, and the last word on the status.
# shellcheck disable=SC2016 # for the program
ends_with 7 "$emulator" --tls --sender sms:+15551234567 -- bash -c 'echo "$TWILIOWA_BASE_URL $TWILIO_ACCOUNT_SID \
$TWILIO_AUTH_TOKEN $TWILIO_WHATSAPP_NUMBER $*"; grep -c BEGIN "$SSL_CERT_FILE"; exit 7' name 'a b' --port
grep -qE '^https://127.0.0.1:[0-9]+ AC[0-9a-f]{32} [^ ]+ \+14155238886 a b --port$' "$work/output" ||
    fail "the program has: $(cat "$work/output")"
[ "$(wc -l <"$work/output")" -eq 2 ] || fail "the emulator prints, too: $(cat "$work/output")"
# shellcheck disable=SC2016 # for the program
ends_with 143 "$emulator" -- bash -c 'kill -TERM $$'
# shellcheck disable=SC2016 # for the program
ends_with 3 "$emulator" -- bash -c 'trap "exit 3" TERM; kill -TERM $PPID; while :; do sleep 0.1; done'
# shellcheck disable=SC2016 # for the program
ends_with 141 "$emulator" -- bash -c 'kill -PIPE $$'
echo "programs: as it should be"

# The file is there when the emulator is, whole, for its owner alone; and not longer than it.
mkdir "$work/files"
ln -s "$work/elsewhere" "$work/files/environment"
start --env-file "$work/files/environment" --sender sms:+15551234567 --state "$work/files/state"
cmp "$work/environment" "$work/files/environment" || fail "the file says something else"
[ "$(stat -c %a "$work/files/environment")" = 600 ] || fail "others may read the file"
[ ! -e "$work/elsewhere" ] || fail "a link was followed"
grep -qx '# An SMS sender: +15551234567' "$work/environment" || fail "the SMS sender is not said"
[ "$TWILIO_WHATSAPP_NUMBER" = +14155238886 ] || fail "TWILIO_WHATSAPP_NUMBER is $TWILIO_WHATSAPP_NUMBER"
expect '"from":"\+15551234567"' POST "$messages" "From=%2B15551234567&To=%2B447700900123&Body=Hello"
# A link in the state's place is replaced, and what holds the token is its owner's.
ln -s "$work/elsewhere" "$work/files/state"
stop
[ ! -e "$work/files/environment" ] || fail "the file is still there"
[ ! -e "$work/elsewhere" ] || fail "the state went where a link leads"
[ "$(stat -c '%a %F' "$work/files/state")" = '600 regular file' ] || fail "the state is $(stat -c '%a %F' "$work/files/state")"
[ "$(ls "$work/files")" = state ] || fail "left over: $(ls "$work/files")"
# A state that cannot be read is not begun anew over.
mkdir "$work/files/directory"
ends_with 1 "$emulator" --state "$work/files/directory" -- true
grep -q 'cannot read' "$work/output" || fail "a state that is a directory: $(cat "$work/output")"
echo "files: as it should be"

# Whom a certificate makes a program trust nobody else has written: its directory is new.
start --tls
[[ $SSL_CERT_FILE = "$work"/twiliowa-emulator-*/certificate.pem ]] || fail "the certificate is $SSL_CERT_FILE"
[ "$(stat -c %a "$SSL_CERT_FILE" "$(dirname "$SSL_CERT_FILE")" | xargs)" = '600 700' ] || fail "others may change it"
stop
[ ! -e "$(dirname "$SSL_CERT_FILE")" ] || fail "the certificate is left over"
TMPDIR=/nowhere ends_with 1 "$emulator" --tls -- true
echo "certificates: as it should be"
