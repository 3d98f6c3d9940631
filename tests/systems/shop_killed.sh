#!/usr/bin/env bash
# Usage: shop_killed.sh <run> <build tree>. A campaign of 300, with TWILIOWA_LONG_TESTS of 10,000, to three countries over
# the night in which London's clocks change: paused and resumed, its workers and the process that serves killed by SIGKILL,
# opt-outs that arrive meanwhile, answers that are lost, callbacks that come twice, a slow queue at Twilio, a budget that is not
# enough for all. Nobody gets it twice, nobody outside of the hours, and what is shown is true.
set -euo pipefail
# shellcheck source=tests/systems/shop_lib.sh
. "$(dirname "$0")/shop_lib.sh"
recipients=$([ -n "${TWILIOWA_LONG_TESTS-}" ] && echo 10000 || echo 300)
patience=$((60 + recipients / 20))
export SHOP_HOURS=09:00-20:00 SHOP_PER_SECOND=$((80 + recipients / 10))
start_shop "$1" "$2"
each=$((recipients / 3)) rate=$((recipients / 15 + 10))
declare -A first=([york]=12125550000 [tokyo]=819015550000 [london]=447700900000)
declare -A zone=([york]=America/New_York [tokyo]=Asia/Tokyo [london]=Europe/London)
shown=/campaigns/sale

# all_sent: a line for each message to a customer that the emulator has: the number, and when it left for WhatsApp, or
# null. Twilio's queue is slow on that evening.
all_sent() {
    local page="$messages?PageSize=1000" answer
    while [ -n "$page" ]; do
        answer=$(ask GET "$page")
        { grep -oE '"(date_sent":("[^"]*"|null)|to":"[^"]*")' || true; } <<<"$answer" | paste - - |
            sed -nE '/14155238886"$/d; s/.*"date_sent":"?([^"\t]*)"?.*"to":"([^"]*)"/\2\t\1/p'
        page=$(grep -oE '"next_page_uri":"[^"]*"' <<<"$answer" | cut -d '"' -f 4 || true)
    done
}
count_sent() { all_sent | wc -l; }
sent_at_least() { call GET $shown && [ "$(member sent)" -ge "$1" ]; }
# until_idle: nothing is due, nor soon again; what was under way with a process that was killed has come up again.
until_idle() {
    until_true "nothing is due" is_idle
    until_true "nothing is about to be tried again" nothing_is_tried_again
}
nothing_is_tried_again() {
    [ "$(sql 'select count(*) from twiliowa.job
        where state = 0 and tries > 0 and not_before <= twiliowa.microseconds() + 600000000')" = 0 ]
}
# killed <PID_FILE...>: each, as soon as it runs again if it was killed before.
killed() {
    for name; do until_true "$name names who runs" kills "$name"; done
    # Beyond the leases of what was under way. First where validity periods are reckoned: the other worker goes on sending,
    # and what it sends between the two is not to be kept by Twilio until after the hours.
    later_for_database 90
    order clock '{"advance_seconds": 90}'
}
kills() { kill -KILL "$(cat "${!1}")" 2>/dev/null; }
answers_again() { is "$shown" '"id":"sale"' 2>/dev/null; }
# stops <place> <from> <to>: that many of its customers write STOP.
stops() {
    local n
    for ((n = $2; n <= $3; n++)); do customer "+$((first[$1] + n))" '"action": "stop"'; done
}
stops_taken() { [ "$(grep -c ' webhook .*outcome=handled http_status=200 kind=message' "$LOG")" -ge "$1" ]; }
# at <time>: goes on until then.
at() { later $(($(date -d "$1" +%s) - $(date +%s) - gone)); }

# saturday <year>: the one before the last Sunday in March.
saturday() { date -ud "$1-03-31 - $(($(date -ud "$1-03-31" +%w) + 1)) days" +%F; }
evening=$(saturday "$(date -u +%Y)")
[ "$(date -ud "$evening 20:00" +%s)" -gt "$(date +%s)" ] || evening=$(saturday $(($(date -u +%Y) + 1)))
sunday=$(date -ud "$evening + 1 day" +%F)

# It is Saturday evening, 21:00 in London: 17:00 in New York, Sunday 6:00 in Tokyo.
at "${evening}T21:00:00Z"
order prices '{"never": 1}'
# New York's need four hours of three.
order limits "{\"messages_per_second\": $(awk "BEGIN { print $each / 14400 }")}"
# For 9 of 10, at 0.08 each.
cents=$((recipients * 72 / 10))
budget=$((cents / 100)).$(printf %02d $((cents % 100)))
call POST /campaigns "{\"id\": \"sale\", \"message\": {\"content_sid\": \"$PROMOTION_TEMPLATE\", \"category\": \"MARKETING\"},
    \"columns\": {\"1\": \"discount\"}, \"rate\": {\"messages\": $rate, \"per\": 1},
    \"quiet_hours\": {\"hours\": \"09:00-20:00\", \"morning_spread\": 1200}, \"guards\": {\"unknowns\": 200, \"failures_percent\": 0},
    \"budget\": {\"amount\": \"$budget\", \"currency\": \"USD\"}}"
answers 201 '"phase":"draft"'
{
    echo to,discount,tag,consent_at,consent_source
    for place in york tokyo london; do
        for ((n = 0; n < each; n++)); do echo "+$((first[$place] + n)),30,$place-$n,2026-11-01,web form $n"; done
    done
} >"$work/sale.csv"
for known in 0 $((each * 3)); do
    call POST $shown/recipients "$(cat "$work/sale.csv")"
    answers 200 "\"known\":$known"
done
call POST $shown/start
answers 200 '"phase":"running"'

# New York, now, while Twilio fails and callbacks come twice and in any order; both workers are killed in the middle of it.
order webhook_faults '{"doubled": 0.2, "reordered": 0.2}'
for fault in close-after 500 429; do order fault "{\"fault\": \"$fault\", \"probability\": 0.02}"; done
until_true "a quarter is sent" sent_at_least $((each / 4))
killed PID_FILE_A PID_FILE_B
until_true "half is sent" sent_at_least $((each / 2))
killed PID_FILE_B
order fault '{"clear": true}'
until_idle
[ "$(count_sent)" -le "$each" ] || fail "others than New York's are sent"

# Tokyo in the morning: some write STOP before, some while it is paused.
stops tokyo 0 4
at "${sunday}T00:12:00Z"
order limits '{"messages_per_second": null}'
until_true "some of Tokyo's are sent" sent_at_least $((each + each / 10))
call POST $shown/pause
answers 200 '"phase":"paused"'
until_true "nothing more leaves" nothing_leaves
before=$(count_sent)
stops tokyo $((each - 5)) $((each - 1))
until_true "ten STOPs are known" stops_taken 10
[ "$(count_sent)" -eq "$before" ] || fail "it goes on while it is paused"
call POST $shown/resume
answers 200 '"phase":"running"'
killed PID_FILE PID_FILE_A
until_true "it answers again" answers_again
at "${sunday}T00:30:00Z"
until_idle

# London: not at 8:30 by its new time, but from 9:00 on; there the budget ends.
at "${sunday}T07:30:00Z"
until_idle
! all_sent | grep -q $'+4477' || fail "London is woken"
at "${sunday}T08:10:00Z"
until_true "some of London's are sent" sent_at_least $((each * 2))
at "${sunday}T08:30:00Z"
budget_ends() { is $shown '"phase":"paused".*"problem":"[^"]*budget'; }
until_true "the budget pauses it" budget_ends
# What is in doubt is looked for; then a person is asked.
at "${sunday}T19:30:00Z"
all_known() { is $shown '"in_doubt":' && ! grep -qE '"(unknown|sending|claimed)":[1-9]' <<<"$answer"; }
# Each of the looks comes so long after the one before; nothing is sent meanwhile, and all is still kept.
for _ in {1..12}; do
    until_true "it has looked" no_look_is_due
    ! all_known || break
    later 36000
done
until_true "all is known to be sent, or held" all_known
call GET $shown
sent=$(member sent) in_doubt=$(member in_doubt) spend=$(member spend)
[ "$(member recipients)" -eq $((each * 3)) ] || fail "others are recipients: $answer"
[ $((sent + in_doubt + $(member waiting) + $(member dead))) -eq $((each * 3)) ] || fail "the numbers do not add up: $answer"
[ "$(member opted_out)" -ge 5 ] || fail "STOPs are not heard: $answer"
awk "BEGIN { exit !($spend <= $budget && $spend - 0.08 * ($sent + $in_doubt) < 0.001 && $spend - 0.08 * ($sent + $in_doubt) > -0.001) }" ||
    fail "$spend of $budget for $sent and $in_doubt in doubt"
call GET /attention
[ "$(grep -oE '"campaign":"sale"' <<<"$answer" | wc -l)" -eq "$in_doubt" ] || fail "$in_doubt are in doubt, and listed: $answer"
call POST $shown/cancel
answers 200 '"phase":"cancelled".*"waiting":0'

# Nobody twice, nobody who wrote STOP before, nobody outside of the hours; and who is said to have got it has.
all_sent >"$work/sent"
[ "$(cut -f 1 "$work/sent" | sort | uniq -d | wc -l)" -eq 0 ] || fail "somebody got it twice: $(cut -f 1 "$work/sent" | sort | uniq -d)"
[ "$(wc -l <"$work/sent")" -eq "$sent" ] || fail "$(wc -l <"$work/sent") were sent, and it says $sent"
for n in {0..4}; do ! grep -q "+$((first[tokyo] + n))" "$work/sent" || fail "who wrote STOP gets it"; done
for place in "${!zone[@]}"; do
    grep "+${first[$place]:0:4}" "$work/sent" | cut -f 2 | { grep -v null || true; } | TZ=${zone[$place]} date -f - +%H:%M | sort >"$work/hours"
    [ -s "$work/hours" ] || fail "nobody in $place gets it"
    awk '$1 < "09:00" || $1 >= "20:00"' "$work/hours" | grep . && fail "somebody in $place is woken"
done
# Twilio drops what would be too late, and the report says so.
late=$(grep -c 'null$' "$work/sent" || true)
[ "$late" -ge $((each / 10)) ] || fail "the queue kept $late until it was night"
call GET $shown/report
[ "$(grep -cE ',(york|tokyo|london)-[0-9]+,' <<<"$answer")" -eq $((each * 3)) ] || fail "the report lacks some"
[ "$(grep -cE ',(accepted|delivered|undelivered),' <<<"$answer")" -eq "$sent" ] || fail "the report says others"
says_nothing
leaves_nothing
