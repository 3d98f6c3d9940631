#!/usr/bin/env bash
# Usage: platform_killed.sh <run> <build tree> <killer>. Two organisations send and are written to while both processes of
# the platform die by SIGKILL, again and again, each at a moment of chance: before or after something is sent, to Twilio,
# to the database or to who asked. Nobody gets anything twice, nothing is lost, and nobody pays twice.
set -euo pipefail
# shellcheck source=tests/systems/platform_lib.sh
. "$(dirname "$0")/platform_lib.sh"
killer=$3 kills=$work/kills dark=$work/dark deaths=$([ -n "${TWILIOWA_LONG_TESTS-}" ] && echo 60 || echo 4)
cat >"$work/under" <<END
#!/usr/bin/env bash
while [ -e "$dark" ]; do sleep 0.05; done
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
have_lived() { [ "$(lives)" -ge "$1" ]; }
# all_die <seconds>: both, at once, and both live again so much later. While somebody lives the clock goes as it does: a
# lease of who works would end, and what leaves meanwhile would be sent at another time by Twilio's clock.
all_die() {
    local before
    before=$(lives)
    touch "$dark"
    kill -KILL "$(cat "$PID_FILE_A")" "$(cat "$PID_FILE_B")" 2>/dev/null || true
    later "$1"
    rm "$dark"
    until_true "both live again" have_lived $((before + 2))
    # The proxy passes nothing on for a while to who did not answer it.
    until_true "they answer" gets A 200 usage 2>/dev/null
}

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
all_die 0
goes_on A ann &
a=$!
goes_on B bob &
b=$!
for ((n = 0; n < deaths; n++)); do
    until_true "one dies" have_lived $(($(lives) + 1))
    # Beyond the leases of what was under way.
    all_die 15
done
touch "$work/enough"
wait $a || fail "A has no answer"
wait $b || fail "B has no answer"
rm "$kills"
all_die 15
declare -A rounds=([A]=$(cat "$work/rounds_A") [B]=$(cat "$work/rounds_B"))
all=$((rounds[A] + rounds[B]))
echo "$all rounds, $(lives) lives"
answered() { [ "$(sql "select count(*) from platform.history where role = 'user'")" -eq $all ]; }
until_true "all are answered" answered

all_sent() { # <A or B>: number and text of each message.
    local account=ACCOUNT_$1
    of "$1" ask GET "/2010-04-01/Accounts/${!account}/Messages.json?PageSize=1000" |
        { grep -oE '"(body":"[^"]*"|to":"whatsapp:[^"]*")' || true; } | paste - - | grep -v 1415555
}
# looks_again: what nobody can know yet is looked for, two hours later.
looks_again() {
    until_true "it has looked" no_look_is_due
    [ "$(sql 'select count(*) from twiliowa.job where state = 3')" -eq 0 ] || all_die 7200
}
# At last a person is asked, who says of what is not in the list that it was not sent.
complete() { # <A or B>
    local id number text
    [ "$(all_sent "$1" | wc -l)" -lt $((2 * rounds[$1])) ] || return 0
    looks_again
    call "$1" GET attention || return 1
    while IFS=$'\t' read -r id number text; do
        ! all_sent "$1" | grep -F "\"$text\"" | grep -qF "$number" || continue
        echo "$1 has to say what became of $id"
        call "$1" POST "attention/$id" '{"decision": "not_sent", "by": "ann"}'
        answers 200 '"changed":true'
    done < <(grep -oE '"id":"[0-9a-f]{20}","state":"held"[^}]*' <<<"$answer" |
        sed -nE 's/^"id":"([^"]*)".*"session":"whatsapp_([^"]*)","text":"([^"]*)".*/\1\t\2\t\3/p')
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
    call A GET "sessions/whatsapp_+44$((7700920000 + n))"
    answers 200 "\"ann has read $((asked < 11 ? asked : 11)) of your messages.\",\"at\":\"[^\"]*\"\}\]"
done
# Each is in the usage, once, and costs 1.2.
all_charged() { [ "$(sql 'select count(*) from platform.usage_message')" -eq $((2 * all)) ] || { looks_again && false; }; }
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
