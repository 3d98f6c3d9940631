# shellcheck shell=bash
# For the tests of examples/systems/processor.
# shellcheck source=tests/systems/systems_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/systems_lib.sh"

export TWILIO_ACCOUNT_SID=AC0000000000000000000000000000000a TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdef
# What a secret may hold.
# shellcheck disable=SC2034 # of who reads this
{
    account="\"twilio_account_sid\": \"$TWILIO_ACCOUNT_SID\""
    token="\"twilio_auth_token\": \"$TWILIO_AUTH_TOKEN\""
    stale="\"twilio_auth_token\": \"00000000000000000000000000000000\""
    sid="\"twilio_template_sid\": \"HX00000000000000000000000000000001\""
}
secret() { # <id> <JSON members>
    echo "{$2}" >"$SECRETS/new" && mv "$SECRETS/new" "$SECRETS/$1.json"
}

# job <recipient> [what the model does] [company] [sender]: a context object.
job() {
    cat <<END
{"company_data_payload": {"channel_config": {"whatsapp": {"whatsapp_credentials_id": "${3:-company-a}",
  "company_whatsapp_number": "${4:-+14155238886}"}}},
 "frontend_payload": {"recipient_data": {"recipient_tel": "$1", "recipient_first_name": "Lee"}},
 "ai_config": {"stand_in": "${2-}"}}
END
}
# add <id> <as job>
add() { job "${@:2}" | "$PROCESSOR" add "$1"; }
waits() { "$PROCESSOR" jobs | grep -qP "^$1\t"; }
is_done() { ! waits "$1"; }
# is_dead <id> <regular expression>: a dead letter, for that reason.
is_dead() { "$PROCESSOR" dead | grep -qP "^$1\t.*$2"; }
no_dead_letter() { ! "$PROCESSOR" dead | grep -qP "^$1\t" || fail "$1 is dead: $("$PROCESSOR" dead)"; }
# has_status <id> <status>: in the record.
has_status() { "$PROCESSOR" record | cut -f 1,3 | grep -qP "^$1\t$2\$"; }
recorded() { "$PROCESSOR" record | grep -P "^$1\t" | cut -f "$2"; }
# sent_once <number> <id>: the emulator has one message, which is the record's.
sent_once() {
    local count sid
    count=$(sent_to "$1")
    [ "$count" -eq 1 ] || fail "$2 was sent $count times"
    sid=$(recorded "$2" 2)
    ask GET "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages/$sid.json" | grep -q "${1#+}" ||
        fail "$2 is not recorded with its SID, but '$sid'"
}
not_sent() { [ "$(sent_to "$1")" -eq 0 ] || fail "something was sent to $1"; }

# start_processor <run> <build tree>
start_processor() {
    export PROCESSOR_VISIBILITY=${PROCESSOR_VISIBILITY:-4} PROCESSOR_PAUSE=1 PROCESSOR_DELIVERIES=3 PROCESSOR_WORKERS=6
    start_system "$@"
    export PROCESSOR_DIRECTORY SYSTEM_LOG=$PROCESSOR_LOG
}

# Whatever was said, it was neither a number, nor a token, nor a text.
says_nothing() {
    "$PROCESSOR" dead >"$work/dead"
    ! grep -nE '(44|0|\b)7700900[0-9]|\b150055[56]|150055[56][0-9]{4}|4155238886|5551234567|0123456789abcdef|fedcba98|00000000000000000000000000000000|is on its way' \
        "$PROCESSOR_LOG" "$work/dead" "$work/complaints" || fail "that says too much"
    grep -q 'recipient=twi1\.' "$PROCESSOR_LOG" || fail "the log has no hash of a number"
    # The queue is a stand-in, and can be read.
    ! grep -qaE '(44|0|\b)7700900[0-9]|is on its way' "$PROCESSOR_DIRECTORY"/processor.db* || fail "the file can be read"
}

# It ends, and nothing is left of it.
leaves_nothing() {
    local worker
    worker=$(cat "$PROCESSOR_PID_FILE")
    end_system || fail "run ends with $?"
    ! kill -0 "$worker" 2>/dev/null || fail "the worker goes on"
    [ ! -e "$PROCESSOR_DIRECTORY" ] || fail "the directory is still there"
}
