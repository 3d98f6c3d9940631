#!/usr/bin/env bash
# Usage: metrics.sh <metrics_text> <docs_metrics> <source tree>. What MetricsObserver says is what Prometheus reads,
# docs/metrics.md lists and the dashboard and the alerts use; and the alerts are made by what they say.
set -euo pipefail
program=$1 shown=$2 tree=$3
page=$tree/docs/metrics.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failures=0
complain() { echo "$@"; failures=1; }

# section <heading>: name, type and labels of each metric in the table of that section, one a line.
section() {
    sed -n "/^## $1\$/,/^## /p" "$page" | awk -F '|' '
        $2 ~ /^ `twiliowa_/ {
            gsub(/[ `]/, "", $2)
            sub(/,.*/, "", $3)
            gsub(/ /, "", $3)
            gsub(/`/, "", $4)
            n = split($4, words, " ")
            for (i = 2; i <= n; i++) for (j = i; j > 1 && words[j] < words[j - 1]; j--) { t = words[j]; words[j] = words[j - 1]; words[j - 1] = t }
            line = $2 " " $3
            for (i = 1; i <= n; i++) line = line " " words[i]
            print line
        }' | sort
}
# given: the same of what a program says.
given() {
    awk '
        /^# TYPE twiliowa_/ { name = $3; type[name] = $4; labels[name] = "" }
        /^twiliowa_/ {
            text = $0
            if (text !~ /^[a-z_]+{/) next
            sub(/^[a-z_]+{/, "", text)
            names = ""
            while (match(text, /^,?[a-z_]+="([^"\\]|\\.)*"/)) {
                label = substr(text, 1, RLENGTH)
                text = substr(text, RLENGTH + 1)
                sub(/^,/, "", label)
                sub(/=.*/, "", label)
                if (label != "le") names = names " " label
            }
            labels[name] = names
        }
        END { for (each in type) print each " " type[each] labels[each] }' "$1" | sort
}
# used <file>: the metrics that it names.
used() { grep -oE 'twiliowa_[a-z_]+' "$1" | sed -E 's/_(bucket|sum|count)$//' | sort -u; }

"$program" >"$work/everything"
"$shown" >"$work/shown"

# The table, and what is given.
section 'What is counted' >"$work/counted"
section 'Your gauges' >"$work/later"
given "$work/everything" >"$work/given"
diff "$work/counted" "$work/given" || complain "docs/metrics.md lists (<) what is not given (>)"
[ -s "$work/later" ] || complain "docs/metrics.md has no names for sources"
comm -12 <(cut -d ' ' -f 1 "$work/counted") <(cut -d ' ' -f 1 "$work/later") >"$work/both"
[ ! -s "$work/both" ] || complain "listed twice: $(cat "$work/both")"
cut -d ' ' -f 1 "$work/counted" "$work/later" | sort >"$work/names"

# What the files use, and what there is; it can fail.
used_is_there() {
    local missing
    missing=$(comm -23 <(used "$1") "$work/names")
    [ -z "$missing" ] || { echo "${1#"$tree"/} uses what there is not: $missing"; return 1; }
}
for file in docs/monitoring/alerts.yml docs/monitoring/dashboard.json examples/systems/dealer/alerts.yml; do
    [ "$(used "$tree/$file" | wc -l)" -gt 2 ] || complain "$file uses nothing"
    used_is_there "$tree/$file" || failures=1
done
echo 'sum(rate(twiliowa_call_total[5m]))' >"$work/wrong"
! used_is_there "$work/wrong" >/dev/null || complain "a name that does not exist was taken"
python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$tree/docs/monitoring/dashboard.json" 2>"$work/log" ||
    ! command -v python3 >/dev/null || complain "the dashboard is no JSON: $(cat "$work/log")"

# Each operation of the library has a label value.
grep -rhozE '"[a-z]+\.[a-z]+",[[:space:]]*HttpMethod' "$tree/src" | tr '\0' '\n' | grep -oE '"[a-z.]+"' | tr -d '"' |
    sort -u >"$work/operations"
grep -oE '"[a-z]+\.[a-z]+"' "$tree/src/metrics/event_metrics.cpp" | tr -d '"' | sort >"$work/known"
[ "$(wc -l <"$work/operations")" -gt 15 ] || complain "the operations are not found"
diff "$work/operations" "$work/known" || complain "src/metrics/event_metrics.cpp does not know the operations (<)"

if ! command -v promtool >/dev/null; then
    [ $failures = 0 ] || exit 1
    echo "SKIPPED: $(basename "$0"): promtool is not installed (Debian's package prometheus)"
    exit 77
fi

for text in everything shown; do
    promtool check metrics <"$work/$text" >"$work/log" 2>&1 || complain "what is $text: $(cat "$work/log")"
done
printf '# TYPE a_total gauge\na_total{b="c\n"} 1\n' >"$work/bad"
! promtool check metrics <"$work/bad" >/dev/null 2>&1 || complain "promtool takes anything"
for rules in docs/monitoring examples/systems/dealer; do
    promtool check rules "$tree/$rules/alerts.yml" >"$work/log" 2>&1 || complain "$rules: $(cat "$work/log")"
done
# What the dashboard asks for, as rules.
{
    printf 'groups:\n  - name: dashboard\n    rules:\n'
    sed -nE 's/^ *"expr": "(.*)",$/\1/p' "$tree/docs/monitoring/dashboard.json" |
        sed 's/\\"/"/g; s/\$__rate_interval/5m/g; s/\$instance/.*/g' |
        awk '{ printf "      - record: panel:%d\n        expr: '"'%s'"'\n", NR, $0 }'
} >"$work/panels.yml"
[ "$(grep -c 'record:' "$work/panels.yml")" -gt 20 ] || complain "the dashboard asks for nothing"
promtool check rules "$work/panels.yml" >"$work/log" 2>&1 || complain "the dashboard: $(cat "$work/log")"
promtool test rules "$tree/tests/programs/alerts_test.yml" >"$work/log" 2>&1 || complain "$(cat "$work/log")"
# Each alert is tested: that it comes, and that it does not.
grep -oE 'alert: [A-Za-z]+' "$tree/docs/monitoring/alerts.yml" | cut -d ' ' -f 2 | while read -r alert; do
    awk -v alert="$alert" '
        $1 == "alertname:" { here = $2 == alert }
        $1 == "exp_alerts:" && here { if ($2 == "[]") quiet = 1; else loud = 1 }
        END { exit !(quiet && loud) }' "$tree/tests/programs/alerts_test.yml" || echo "$alert is not tested both ways"
done >"$work/untested"
[ ! -s "$work/untested" ] || complain "$(cat "$work/untested")"
exit $failures
