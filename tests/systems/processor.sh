#!/usr/bin/env bash
# Usage: processor.sh <run> <build tree>. Jobs of every kind go through the channel processor, from its queue to the emulator's
# list of messages, which is the truth.
set -euo pipefail
run=$1
# shellcheck source=tests/systems/processor_lib.sh
. "$(dirname "$0")/processor_lib.sh"

start_processor "$run" "$2"
secret accountless "$token, $sid"
secret tokenless "$account, $sid"
secret templateless "$account, $token"
secret no-such-template "$account, $token, \"twilio_template_sid\": \"HX00000000000000000000000000000099\""
secret bad-template "$account, $token, \"twilio_template_sid\": \"welcome\""
secret revoked "$account, $stale, $sid"
secret rotated "$account, $stale, $sid"
secret mended "$account, $sid"
echo "the secret is $stale" >"$SECRETS/garbled.json"

# What goes, and how.
add good +447700900101
add prefixed whatsapp:+447700900102 '' company-a whatsapp:+14155238886
add new-lines +447700900103 new_lines
add company-b +447700900104 '' company-b "$COMPANY_B_SENDER"
# The model is slower than the time-out: another worker takes it, and gets another answer.
add slow +447700900105 slow
# What a model writes.
for kind in null number missing extra number_as_name prose no_thread; do add $kind +447700900110 $kind; done
add overloaded +447700900110 fails
# The owner's five failures, and secrets that are not in order.
add revoked +447700900111 '' revoked
add national 07700900113
add invalid +15005550001
add no-whatsapp +15005563024
add no-such-template +447700900114 '' no-such-template
add bad-template +447700900114 '' bad-template
add accountless +447700900115 '' accountless
add tokenless +447700900115 '' tokenless
add templateless +447700900115 '' templateless
add garbled +447700900115 '' garbled
add nobody +447700900117 '' nobody
echo 'no JSON' | "$PROCESSOR" add garbage
echo '{}' | "$PROCESSOR" add empty
job +447700900118 | sed 's/"recipient_tel": "[^"]*", //' | "$PROCESSOR" add no-recipient
job +447700900118 | sed 's/"+14155238886"/17/' | "$PROCESSOR" add no-sender
# Last: they are given up after three deliveries, and what is in their way is put right before that.
add mended +447700900116 '' mended
add rotated +447700900112 '' rotated

until_true "rotated was tried" grep -q 'failed job=rotated http_status=401' "$PROCESSOR_LOG"
secret rotated "$account, $token, $sid"
secret mended "$account, $token, $sid"

for each in good prefixed new-lines company-b slow rotated mended; do
    until_true "$each is delivered" has_status $each delivered
    until_true "$each is acknowledged" is_done $each
    no_dead_letter $each
done
sent_once +447700900101 good
sent_once +447700900102 prefixed
sent_once +447700900103 new-lines
sent_once +447700900105 slow
sent_once +447700900112 rotated
sent_once +447700900116 mended
TWILIO_ACCOUNT_SID=AC0000000000000000000000000000000b TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210 \
    sent_once +447700900104 company-b
one=$(ask GET "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages/$(recorded prefixed 2).json")
grep -q '"from":"whatsapp:+14155238886"' <<<"$one" || fail "the sender is not prefixed once: $one"
grep -q '"to":"whatsapp:+447700900102"' <<<"$one" || fail "the recipient is not prefixed once: $one"
grep -qF "\"body\":\"$(recorded prefixed 5)\"" <<<"$one" || fail "the record has another text: $one"
grep -q '^Hi Lee and family, your order A-' <<<"$(recorded new-lines 5)" || fail "new lines: $(recorded new-lines 5)"
[[ $(recorded good 4) = thread_* ]] || fail "the record has no thread"

# What cannot go is dead at once, for its reason; what might, after three deliveries.
until_true "a null is refused" is_dead null 'variable "2" is null'
until_true "a number is refused" is_dead number 'variable "2" is a number'
until_true "what is missing is refused" is_dead missing 'variable "2" is missing'
until_true "what is too much is refused" is_dead extra 'variable "closing" is not one of'
until_true "a number in place of a name is refused" is_dead number_as_name 'variable number [123] is not one of'
until_true "prose is refused" is_dead prose 'wrote no JSON object'
until_true "an answer without a thread is refused" is_dead no_thread 'thread_id'
until_true "a number that is none is refused" is_dead national 'recipient_tel: does not begin with'
until_true "Twilio's refusal of a number is told" is_dead invalid 'dead 21211: .*correct the number'
until_true "who has no WhatsApp is told" is_dead no-whatsapp 'undelivered 63024; check the number'
until_true "a template that is not there is told" is_dead no-such-template 'has no such content template'
until_true "a template's SID that is none is told" is_dead bad-template 'ContentSid'
until_true "garbage is refused" is_dead garbage 'no JSON object'
until_true "what is missing of a job is named" is_dead empty 'whatsapp_credentials_id: is missing'
until_true "who it is for is missing" is_dead no-recipient 'recipient_tel: is missing'
until_true "a sender that is no text is named" is_dead no-sender 'company_whatsapp_number: is no text'
until_true "a model that fails is asked again" is_dead overloaded 'tried 3 times: .*overloaded'
until_true "refused credentials are tried again" is_dead revoked 'tried 3 times: .*HTTP 401'
grep -qE 'failed job=revoked http_status=401 .*error_code=20003 .*problem=".*" advice="' "$PROCESSOR_LOG" || fail "a failure is not logged in full"
# Refused by Twilio, it is Twilio's code.
grep -qE ' result .*http_status=400 .*error_code=21211 .*advice="' "$PROCESSOR_LOG" || fail "a refusal is not logged in full"
until_true "the account is named that a secret lacks" is_dead accountless 'tried 3 times: .*twilio_account_sid'
until_true "a secret that is no JSON is told" is_dead garbled 'tried 3 times: .*JSON'
until_true "the token is named that a secret lacks" is_dead tokenless 'tried 3 times: .*twilio_auth_token'
until_true "the template is named that a secret lacks" is_dead templateless 'tried 3 times: .*twilio_template_sid'
until_true "a secret that is not there is told" is_dead nobody 'tried 3 times: .*no secret of that id'
for number in 110 111 114 115 117 118; do not_sent +447700900$number; done
[ "$(grep -c 'asks_model job=overloaded' "$PROCESSOR_LOG")" -eq 3 ] || fail "the model was not asked three times"
for each in null number missing extra number_as_name prose no_thread invalid no-such-template bad-template; do
    [ "$(grep -c "asks_model job=$each\$" "$PROCESSOR_LOG")" -eq 1 ] || fail "$each was tried again"
done
has_status no-whatsapp undelivered || fail "the record does not say that it was not delivered"
"$PROCESSOR" jobs >"$work/left"
[ ! -s "$work/left" ] || fail "something is left in the queue: $(cat "$work/left")"

# The log has the SID, and a hash of the number.
grep -qE " sent .*message_sid=$(recorded good 2) recipient=twi1\..* tag=good\$" "$PROCESSOR_LOG" || fail "it is not logged whom good went to"
TWILIOWA_BASE_URL=${METRICS%/metrics} ask GET /metrics | tr -d '\r' >"$work/metrics"
grep -qE '^twiliowa_outbox_jobs\{state="delivered"\} 7$' "$work/metrics" || fail "the metrics have no jobs: $(cat "$work/metrics")"
grep -qE '^twiliowa_call_errors_total\{.*\} [1-9]' "$work/metrics" || fail "the metrics have no errors"

# A job that is delivered once more is known: no second message, and the model is not asked.
add good +447700900101
until_true "the repetition is acknowledged" is_done good
sent_once +447700900101 good
[ "$(grep -c 'asks_model job=good' "$PROCESSOR_LOG")" -eq 1 ] || fail "the model was asked twice about one job"

# Callbacks change the record; nobody else can.
ASK_TYPE=application/json expect 'HTTP/1.1 200' POST /emulator/customer '{"customer": "+447700900101", "action": "read"}'
until_true "it is read" has_status good read
forged=$(EMULATOR_URL='' TWILIOWA_BASE_URL=$PROCESSOR_URL ask POST /status/company-a \
    "MessageSid=$(recorded prefixed 2)&MessageStatus=read&AccountSid=$TWILIO_ACCOUNT_SID" 'X-Twilio-Signature: YWJj')
grep -q '^HTTP/1.1 403' <<<"$forged" || fail "a forged callback gets $forged"
TWILIOWA_BASE_URL=$PROCESSOR_URL expect 'HTTP/1.1 404' POST /status/nobody
has_status prefixed delivered || fail "a forged callback changes the record"

# Whoever was slower than another worker has found the job done, and refuses nothing.
all_ended() {
    [ "$(grep -cE ' (asks_model|handed_over_before) job=slow$' "$PROCESSOR_LOG")" -eq \
        "$(grep -cE ' (acknowledged|refused|failed) job=slow( |$)' "$PROCESSOR_LOG")" ]
}
until_true "every delivery has ended" all_ended
[ "$(grep -c ' asks_model job=slow$' "$PROCESSOR_LOG")" -gt 1 ] || fail "no other worker took the slow job"
! grep -q ' refused job=slow' "$PROCESSOR_LOG" || fail "who came second calls it refused"
sent_once +447700900105 slow

says_nothing
leaves_nothing
