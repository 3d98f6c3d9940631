#!/usr/bin/env bash
# Usage: dealer_killed.sh <run> <build tree> <killer>. Customers write, and a person at the help desk does, while both
# processes of the dealer's agent die by SIGKILL, again and again, each at a moment of chance: before or after it makes
# something last, or sends something, to Twilio, Redis, the help desk or who asked. Each message is answered once, and the
# help desk has it once. What nobody can know is told to people, who decide.
set -euo pipefail
# shellcheck source=tests/systems/dealer_lib.sh
. "$(dirname "$0")/dealer_lib.sh"
killer=$3 kills=$work/kills ahead=$work/ahead deaths=$([ -n "${TWILIOWA_LONG_TESTS-}" ] && echo 60 || echo 8)
cat >"$work/under" <<END
#!/usr/bin/env bash
[ ! -e "$kills" ] || export LD_PRELOAD=$killer KILLER_AT=\$((50 + RANDOM % 700))
[ ! -e "$ahead" ] || export LD_PRELOAD=$killer KILLER_AHEAD=\$(cat "$ahead")
exec "\$@"
END
chmod +x "$work/under"
export DEALER_WORKFLOW_MS=0-500 DEALER_UNDER=$work/under
start_dealer "$1" "$2"
# The list is looked at again half a minute after a message, and after two.
patience=240

# insists <command...>: what has no answer, or another one, is asked for again, as it may be.
insists() {
    local end=$((SECONDS + patience))
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $end ] || fail "in vain: $*"
        sleep 0.1
    done
}
is_taken() { [ "$(post_signed "$DEALER_URL" "$1" "$2" Hello)" = 200 ]; } # <SID> <customer>
agent_offers() { [ "$(agent_says $((9000 + $1)) "$number" "Offer $1")" = 200 ]; }
lives() { cat "$LOG_A" "$LOG_B" | grep -c ' info works'; }
kill_both() { kill -KILL "$(cat "$PID_FILE_A")" "$(cat "$PID_FILE_B")" 2>/dev/null || true; }

# A person has taken one conversation over, and writes there.
taken_over=$(says +447700900800 Hello)
until_true "the help desk has the answer" is_at_desk "out/$taken_over/1"
number=$(desk_number "$taken_over")
set_status "$number" open

before=$(lives) rounds=0 day=0
touch "$kills"
kill_both
while [ $(($(lives) - before)) -lt "$deaths" ]; do
    rounds=$((rounds + 1))
    customer=+44$((7700910000 + rounds))
    sid=$(says $customer Hello)
    echo "$sid $customer" >>"$work/rounds"
    # Twilio tries a few times more, and so does who is not answered.
    insists is_taken "$sid" $customer
    insists agent_offers $rounds
done
rm "$kills"
kill_both
echo "$rounds rounds, $(($(lives) - before)) lives"

# all_sent: body and number of each message to a customer, but for the first answer.
all_sent() {
    ask GET "/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json?PageSize=1000" |
        { grep -oE '"(body":"[^"]*"|to":"whatsapp:[^"]*")' || true; } | paste - - |
        grep -E '7700910|Offer' | grep -v 4155238886 || true
}
# What is not there, and of which nobody knows: that it was not sent is a person's word.
complete() {
    local key sent
    sent=$(all_sent)
    [ "$(grep -c . <<<"$sent")" -lt $((2 * rounds)) ] || return 0
    for key in $(outbox list --state unknown --json | grep -oP '"key": ?"\K[^"]*'); do
        if [[ $key = agent/* ]]; then
            ! grep -q "\"Offer $((${key:6:4} - 9000))\"" <<<"$sent" || continue
        else
            customer=$(grep "^${key%/*} " "$work/rounds" | cut -d ' ' -f 2)
            ! grep -qF "$customer" <<<"$sent" || continue
        fi
        echo "a person has to say what became of $key"
        outbox resolve "$key" --not-sent >/dev/null
    done
    return 1
}
until_true "all is sent" complete
all_sent | sort >"$work/sent"
[ "$(wc -l <"$work/sent")" -eq $((2 * rounds)) ] || fail "$(wc -l <"$work/sent") messages are sent in $rounds rounds"
[ "$(uniq -d "$work/sent" | wc -l)" -eq 0 ] || fail "some are sent twice: $(uniq -d "$work/sent")"
none_waits() { [ "$("$DEALER" record | cut -f 1,3 | grep -cE $'^(out|agent)/[^\t]*\t(ready|accepted|sent)$')" -eq 0 ]; }
# What Twilio told while nobody was there for longer than it tries is asked for a day later.
end=$((SECONDS + 30))
until none_waits || [ $SECONDS -ge $end ]; do sleep 0.2; done
if ! none_waits; then
    echo "asked for a day later"
    day=90000
    echo $day >"$ahead"
    kill_both
fi
until_true "all is delivered" none_waits

# The help desk has each message, and each answer, once.
desk_has() { at "$DESK_URL" GET /messages | grep -oE '"source_id":"(in|out)/[^"]*"' | sort >"$work/desk"; }
desk_has_all() { desk_has && [ "$(wc -l <"$work/desk")" -ge $((2 * rounds + 2)) ]; }
until_true "the help desk has all" desk_has_all
[ "$(wc -l <"$work/desk")" -eq $((2 * rounds + 2)) ] || fail "the help desk has $(wc -l <"$work/desk") of $rounds rounds"
[ "$(uniq -d "$work/desk" | wc -l)" -eq 0 ] || fail "the help desk has something twice: $(uniq -d "$work/desk")"

# After a 500 nobody can know. Ten minutes later people are told so; what they say holds.
# Another question to Twilio may have had the 500: then the next customer writes.
is_settled() { has_state "$void/1" unknown || has_status "out/$void/1" delivered; }
for nobody in +4477009008{01..05}; do
    expect 'HTTP/1.1 200' POST /emulator/fault '{"fault": "500", "count": 1}'
    void=$(says $nobody Hello)
    until_true "it went, or nobody knows" is_settled
    ! has_state "$void/1" unknown || break
done
has_state "$void/1" unknown || fail "all is known after a 500"
sent $nobody 0
echo $((day + 700)) >"$ahead"
kill_both
until_true "people are told" is_at_desk "note/$void/1/dead"
at "$DESK_URL" GET /messages | grep "note/$void" | grep -q 'Nobody knows' || fail "the note does not say it"
sent $nobody 0
outbox resolve "$void/1" --not-sent >/dev/null
until_true "it goes then" has_status "out/$void/1" delivered
sent $nobody 1

says_nothing
leaves_nothing
