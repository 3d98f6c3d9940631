#!/usr/bin/env bash
# Usage: platform_killed.sh <run> <build tree> <killer>. Two organisations send and are written to while both processes of
# the platform die by SIGKILL, again and again, each at a moment of chance: before or after something is sent, to Twilio,
# to the database or to who asked. Nobody gets anything twice, nothing is lost, and nobody pays twice.
set -euo pipefail
# shellcheck source=tests/systems/platform_lib.sh
. "$(dirname "$0")/platform_lib.sh"
killer=$3 kills=$work/kills deaths=$([ -n "${TWILIOWA_LONG_TESTS-}" ] && echo 200 || echo 8)
cat >"$work/under" <<END
#!/usr/bin/env bash
[ ! -e "$kills" ] || export LD_PRELOAD=$killer KILLER_AT=\$((400 + RANDOM % 6000))
exec "\$@"
END
chmod +x "$work/under"
export PLATFORM_CHATBOT_MS=20 PLATFORM_UNDER=$work/under
start_platform "$1" "$2"
validated A
validated B
sql 'update platform.organisation set messages_a_minute = 100000, tokens_a_month = 1000000'

# insists <command...>: what has no answer, or none of these, is asked for again, as it may be.
insists() {
    local end=$((SECONDS + patience))
    until "$@" 2>/dev/null; do [ $SECONDS -lt $end ] || fail "in vain: $*"; done
}
asks_to_send() { # <A or B> <chatbot> <number> <text>
    call "$1" POST send "{\"to\": \"$3\", \"message\": \"$4\", \"chatbot_id\": \"$2\"}" && [[ $answer = 'HTTP/1.1 202 '* ]]
}
writes() { # <A or B> <SID> <customer> <text>
    local token=TOKEN_$1 account=ACCOUNT_$1 sender=SENDER_$1
    [ "$(post_signed "${!token}" "${!account}" "$2" "$3" "${!sender}" "$4")" = 200 ]
}
lives() { cat "$LOG_A" "$LOG_B" | grep -c ' info works'; }
kill_both() { kill -KILL "$(cat "$PID_FILE_A")" "$(cat "$PID_FILE_B")" 2>/dev/null || true; }

# goes_on <A or B> <chatbot>: until there were deaths enough; how many rounds is in a file then.
goes_on() {
    local n=0
    while [ ! -e "$work/enough" ]; do
        n=$((n + 1))
        insists asks_to_send "$1" "$2" "+44$((7700910000 + n))" "The parcel $n."
        insists writes "$1" "$(new_sid)" "+44$((7700920000 + n % customers))" "Question $n"
    done
    echo $n >"$work/rounds_$1"
}
customers=3
touch "$kills"
before=$(lives)
kill_both
goes_on A ann &
a=$!
goes_on B bob &
b=$!
while [ $(($(lives) - before)) -lt "$deaths" ]; do
    # Beyond the leases of what was under way.
    later 10
    sleep 0.5
done
touch "$work/enough"
wait $a || fail "A has no answer"
wait $b || fail "B has no answer"
rm "$kills"
kill_both
declare -A rounds=([A]=$(cat "$work/rounds_A") [B]=$(cat "$work/rounds_B"))
all=$((rounds[A] + rounds[B]))
echo "$all rounds, $(($(lives) - before)) lives"
answered() { [ "$(sql "select count(*) from platform.history where role = 'user'")" -eq $all ] || { later 15 && false; }; }
until_true "all are answered" answered

all_sent() { # <A or B>: number and text of each message.
    local account=ACCOUNT_$1
    of "$1" ask GET "/2010-04-01/Accounts/${!account}/Messages.json?PageSize=1000" |
        { grep -oE '"(body":"[^"]*"|to":"whatsapp:[^"]*")' || true; } | paste - - | grep -v 1415555
}
# What nobody can know is looked for, and then a person is asked: whose word is that it was not sent.
complete() { # <A or B>
    local id
    [ "$(all_sent "$1" | wc -l)" -lt $((2 * rounds[$1])) ] || return 0
    later 7200
    call "$1" GET attention || return 1
    # shellcheck disable=SC2013 # words
    for id in $(grep -oE '"id":"[0-9a-f]{20}","state":"held"' <<<"$answer" | cut -d '"' -f 4); do
        echo "$1 has to say what became of $id"
        call "$1" POST "attention/$id" '{"decision": "not_sent", "by": "ann"}'
        answers 200 '"changed":true'
    done
    return 1
}
for each in A B; do
    until_true "all of $each is sent" complete $each
    all_sent $each | sort >"$work/sent"
    [ "$(wc -l <"$work/sent")" -eq $((2 * rounds[$each])) ] || fail "$(wc -l <"$work/sent") of ${rounds[$each]} rounds are sent: $(uniq -d "$work/sent")"
    [ "$(uniq -d "$work/sent" | wc -l)" -eq 0 ] || fail "some are sent twice: $(uniq -d "$work/sent")"
done
# Each answer knows what was asked before it, as far as it is told.
for ((n = 0; n < customers; n++)); do
    asked=$((rounds[A] / customers + (n > 0 && n <= rounds[A] % customers)))
    # The last death of both may be so short a time ago that nobody answers yet.
    until_true "there is an answer" gets A 200 "sessions/whatsapp_+44$((7700920000 + n))"
    answers 200 "\"ann has read $((asked < 11 ? asked : 11)) of your messages.\",\"at\":\"[^\"]*\"\}\]"
done
# Each is in the usage, once, and costs 1.2.
all_charged() { [ "$(sql 'select count(*) from platform.usage_message')" -eq $((2 * all)) ] || { later 7200 && false; }; }
until_true "all is charged" all_charged
[ "$(sql 'select sum(messages) from platform.usage_day')" -eq $((2 * all)) ] || fail "the days have $(sql 'select * from platform.usage_day')"
same_month=$(sql "select to_char(twiliowa.now(), 'YYYYMM') = to_char(now(), 'YYYYMM')")
for each in A:acme B:bolt; do
    [ "$same_month" = t ] || break
    is "${each%:*}" usage "\"used\":\"$(sql "select trim_scale(sum(charged)) from platform.usage_message where organisation = '${each#*:}'")\"" ||
        fail "the month is $answer"
done
says_nothing
leaves_nothing
