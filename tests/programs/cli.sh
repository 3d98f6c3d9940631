#!/usr/bin/env bash
# Usage: cli.sh <emulator> <twiliowa> <source tree>. The command line as an interface: what it prints where,
# its JSON, its errors, its exit codes, and what docs/command-line.md shows.
set -euo pipefail
emulator=$1 twiliowa=$2 tree=$3
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"
unset NO_COLOR
twiliowa() { timeout 60 "$twiliowa" "$@"; }

# ends_with <status> <arguments...>: what it printed is in $work/out and $work/err.
ends_with() {
    local status=0
    twiliowa "${@:2}" >"$work/out" 2>"$work/err" </dev/null || status=$?
    [ "$status" -eq "$1" ] || fail "twiliowa ${*:2} ends with $status, not $1: $(cat "$work/out" "$work/err")"
}
says() { grep -qE -- "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"; }
tells() { grep -qE -- "$1" "$work/err" || fail "no $1 in: $(cat "$work/err")"; }
silent() { [ ! -s "$work/$1" ] || fail "std$1: $(cat "$work/$1")"; }
# An error as the object that is promised: all members, in their order.
error_is() { # <kind> <code> <field> <effect>
    tr -d '\n' <"$work/out" | grep -qE "^\{  \"error\": \{    \"kind\": \"$1\",    \"code\": $2,    \"field\": \"$3\",\
    \"message\": \"[^\"]+\",    \"advice\": \"[^\"]*\",    \"effect\": \"$4\"  \}\}$" || fail "no $1 $2 $3 $4: $(cat "$work/out")"
    silent err
}

# Without an account.
ends_with 1 account show
silent out
tells '^twiliowa: invalid request: TWILIO_ACCOUNT_SID: .*set it'
ends_with 1 account show --json
diff "$tree/docs/code/command_line.txt" "$work/out" || fail "docs/code/command_line.txt says something else"
error_is invalid_request 0 TWILIO_ACCOUNT_SID none
# shellcheck source=docs/code/command_line.sh
. "$tree/docs/code/command_line.sh"
[ "$(fail_json || true)" = "$(cat "$work/out")" ] || fail "the page's command says something else"
ends_with 1 account show --env-file "$work/nothing" --json
error_is invalid_request 0 --env-file none
echo "without an account: as it should be"

# A wrong command line.
for line in '' sender 'sender shov' 'senders list' 'sender show' 'sender show SM1' 'sender list more' \
    'account show --auth-token=hunter2' 'account show --auth-token hunter2' 'account show --base-url'; do
    # shellcheck disable=SC2086 # words
    ends_with 2 $line
    silent out
    tells '^twiliowa: '
    tells '--help|sender list'
    ! grep -q hunter2 "$work/err" || fail "a secret is repeated: $(cat "$work/err")"
    # shellcheck disable=SC2086 # words
    ends_with 2 --json $line
    error_is usage 0 '' none
done
ends_with 2 sender shov
tells "there is no command 'shov'"
echo "wrong command lines: as they should be"

# The page's list of commands is the program's own; write it anew with `twiliowa manual --format markdown`.
if twiliowa campaign --help >/dev/null 2>&1; then
    ends_with 0 manual --format markdown
    sed '1,/^<!-- twiliowa manual --format markdown -->$/d' "$tree/docs/command-line.md" | sed 1d | diff - "$work/out" ||
        fail "docs/command-line.md lists other commands"
    # Each command that an operator is told to type is one, and has these options.
    while IFS= read -r line; do
        # shellcheck disable=SC2046 # words
        ends_with 0 $(grep -oE '^[a-z -]*[a-z]( |$)' <<<"${line#twiliowa } " | sed 's/ --.*//') --help
        for option in $(grep -oE -- '--[a-z-]+' <<<"$line"); do says "$option"; done
    done < <(grep -oE '`twiliowa [a-z][^`]*`' "$tree/docs/operating.md" | tr -d '`' | sort -u)
fi
ends_with 0 manual
[ "$(head -n 1 "$work/out")" = ".TH TWILIOWA 1 \"\" \"twiliowa $(sed -nE 's/.*VERSION_STRING "([0-9.]+)".*/\1/p' \
    "$tree/include/twiliowa/version.hpp")\"" ] || fail "the manual begins so: $(head -n 1 "$work/out")"
! command -v groff >/dev/null || [ -z "$(groff -man -Tutf8 -ww "$work/out" 2>&1 >/dev/null)" ] ||
    fail "groff complains: $(groff -man -Tutf8 -ww "$work/out" 2>&1 >/dev/null | head)"
ends_with 0 --version
version=$(sed -nE 's/.*VERSION_STRING "([0-9.]+)".*/\1/p' "$tree/include/twiliowa/version.hpp")
[ "$(cat "$work/out")" = "twiliowa $version" ] || fail "the version is $(cat "$work/out")"
ends_with 0 --version --json
says "^  \"version\": \"$version\"$"
if twiliowa --version >/dev/full 2>"$work/err"; then fail "written to a full disk"; fi
tells 'could not be written'

# With one.
start --env-file "$work/env"
ends_with 0 account show
silent err
diff - "$work/out" <<END || fail "another account"
account  $TWILIO_ACCOUNT_SID
name     FakeTwilio
status   active
type     Full
created  2026-01-01T00:00:00Z
balance  100.00 USD
END
ends_with 0 account show --json
diff - "$work/out" <<END || fail "another account"
{
  "sid": "$TWILIO_ACCOUNT_SID",
  "owner_account_sid": "$TWILIO_ACCOUNT_SID",
  "friendly_name": "FakeTwilio",
  "status": "active",
  "type": "Full",
  "date_created": "2026-01-01T00:00:00Z",
  "balance": "100.00",
  "currency": "USD"
}
END
ends_with 0 sender list
says '^SID +SENDER +STATUS +QUALITY +LIMIT$'
says '^XE[0-9a-f]{32}  whatsapp:\+14155238886  ONLINE  HIGH     10K Customers/24hr$'
ends_with 0 --json sender list
[ "$(cat "$work/out")" = "$(read_json)" ] || fail "--json before the command says something else"
[ "$(grep -oE '"[a-z_]+":' "$work/out" | tr -d '":\n ')" = "senderssidsender_idstatusquality_ratingmessaging_limit\
friendly_namedisplay_namepending_display_namepending_display_name_statuspending_display_name_status_datewaba_id\
callback_urlcallback_methodstatus_callback_urloffline_reasons" ] || fail "a sender is $(cat "$work/out")"
sid=$(grep -oE 'XE[0-9a-f]{32}' "$work/out")
ends_with 0 sender show "$sid"
says '^messaging limit +10K Customers/24hr$'
ends_with 1 sender show XE00000000000000000000000000000009 --json
error_is not_found 20404 '' none
look >/dev/null || fail "the page's commands fail"
# A number in an error would be somebody's; the sender itself is what was asked for.
TWILIO_AUTH_TOKEN=hunter2 ends_with 1 sender list
silent out
! grep -qE 'hunter2|\+1415' "$work/err" || fail "an error tells too much: $(cat "$work/err")"
echo "with an account: as it should be"

# Variables from a file: what is set already wins.
sed 's/TOKEN=.*/TOKEN=other/' "$work/env" >"$work/wrong"
ends_with 0 account show --env-file "$work/wrong"
(
    unset "${!TWILIO@}"
    ends_with 0 account show --env-file "$work/env"
    ends_with 1 account show --env-file "$work/wrong" --json
    error_is authentication 20003 '' none
)
url=$TWILIOWA_BASE_URL
TWILIOWA_BASE_URL=nonsense ends_with 0 account show --base-url "$url"
ends_with 4 account show --base-url http://127.0.0.1:1 --json
error_is transport 0 '' none

# What a doctor finds.
ends_with 0 doctor
says '^ok       credentials         Twilio takes the credentials$'
says "^ok       clock               agrees with Twilio's$"
silent err
ends_with 1 doctor --callback-url http://localhost/whatsapp
says '^wrong    callback_url        Twilio cannot reach it'
says '^                             -> give the address'
ends_with 1 doctor --sender +15550001111 --json
tr -d ' \n' <"$work/out" | grep -qE '^\{"findings":\[\{"level":"ok","subject":"credentials","what":"[^"]+","way_out":""\},' || fail "a doctor's findings: $(cat "$work/out")"
says '^      "level": "wrong",$'
(
    unset TWILIO_WHATSAPP_NUMBER
    ends_with 1 doctor
    ends_with 0 doctor --messaging-service MG00000000000000000000000000000001
    says '^warning  sender              not looked at'
)

# Ctrl-C or SIGTERM (what runs in the background of a script is spared the first): what is under way is
# cancelled, long before it would be out of time.
expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "black-hole", "count": 1}'
"$twiliowa" account show --json >"$work/out" 2>"$work/err" &
asked=$!
eventually '"fault":"black-hole","method"' GET /emulator/state
kill -INT $asked
# Twice at once is one: timeout and npm pass a signal on to a process and to its group.
for _ in {1..50}; do kill -TERM $asked 2>/dev/null || break; done
status=0
wait $asked || status=$?
[ $status -eq 4 ] || fail "interrupted it ends with $status: $(cat "$work/out" "$work/err")"
error_is cancelled 0 '' none
echo "variables and failures: as they should be"

# Colours: on a terminal, and only there.
on_terminal() { TERM=xterm script -qc "$*" /dev/null; }
[[ $(on_terminal "$twiliowa nonsense") = $'\033[31mtwiliowa:'* ]] || fail "no colour on a terminal"
[[ $(NO_COLOR=1 on_terminal "$twiliowa nonsense") != *$'\033'* ]] || fail "a colour in spite of NO_COLOR"
ends_with 2 nonsense
! grep -q $'\033' "$work/err" || fail "a colour in a file"
stop
echo "colours: as they should be"
