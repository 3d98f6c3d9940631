#!/usr/bin/env bash
# Usage: docs_emulator.sh <build tree> <docs/code/emulator.sh>. Types what the documentation says of the
# emulator; says so and ends with 77 where there is no curl.
set -euo pipefail
built=$(realpath "$1")
command -v curl >/dev/null || { echo "SKIPPED: programs.docs.emulator: curl is not installed"; exit 77; }
unset "${!TWILIO@}" SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS
fail() { echo "$1" >&2; exit 1; }
work=$(mktemp -d)
# shellcheck disable=SC2064 # the value of now
trap "kill \$(jobs -p) 2>/dev/null || true; wait; rm -rf '$work'" EXIT
cd "$work"

# The pages take a fixed port; here it is a free one.
mkdir bin
cat >bin/twiliowa-emulator <<END
#!/usr/bin/env bash
exec '$built/tools/twiliowa-emulator' "\${@/#8081/0}"
END
script() { printf '#!/bin/sh -e\n%s\n' "$1" >my_service && chmod +x my_service; }
chmod +x bin/twiliowa-emulator
PATH=$work/bin:$PATH
# shellcheck source=docs/code/emulator.sh
. "$2"

# shellcheck disable=SC2016 # for the service
ask='curl -sS -o /dev/null -w "%{http_code}\n" -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN"'
messages="2010-04-01/Accounts/\$TWILIO_ACCOUNT_SID/Messages.json"
script "$ask \"\$TWILIOWA_BASE_URL/$messages\""
[ "$(run_it)" = 200 ] || fail "a service beside it: $(run_it)"

# A program that knows no other address than Twilio's, nor of any other certificate.
if unshare --user --map-root-user --mount --net ip link set lo up 2>/dev/null; then
    script "$ask https://api.twilio.com/$messages; $ask https://content.twilio.com/v1/Content"
    [ "$(run_unchanged | xargs)" = '200 200' ] || fail "a program unchanged: $(run_unchanged)"
else
    echo "SKIPPED: programs.docs.emulator: the program that is left unchanged, as there are no namespaces"
fi

curl() { command curl -sS -w '\n%{http_code}\n' "$@"; }
# done <what> <status...>: what is typed there gets these.
gets() {
    local output
    output=$("$1")
    [ "$(grep -xE '[0-9]{3}' <<<"$output" | xargs)" = "${*:2}" ] || fail "$1: $output"
}
start_it
gets order_it 200 200
gets clear_faults 200
gets send_sms 201 200
output=$(curl() { command curl -sS "$@"; } && make_template)
grep -q '"body":"Hi Lee, tea is ready."' <<<"$output" || fail "make_template: $output"
grep -q '"status":"received"' <<<"$output" || fail "make_template: $output"
command curl -sS "$TWILIOWA_BASE_URL/emulator/state" | grep -q '"sender":"+15551234567"' || fail "no SMS is in the page"
echo "as it should be"
