#!/usr/bin/env bash
# Usage: tests/benchmark/instructions.sh <build tree>
#        tests/benchmark/instructions.sh <build tree> --write "why it changed"
#        tests/benchmark/instructions.sh --self-test
# Counts instructions and allocations with callgrind and compares their ratios with
# instructions.baseline: fails where one changed by more than its bound, and only reports it where
# the versions are others. --write makes the counts the baseline, with the reason.
# `./dev bench --instructions` calls this.
set -euo pipefail
tests=$(cd "$(dirname "$0")" && pwd)
baseline=$tests/instructions.baseline

compare() { awk -f "$tests/instructions.awk" "$1" "$2"; }

# The comparison itself, on a made-up measurement: the baseline's own, and one thing changed in it.
self_test() {
    local work failed=0
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf '$work'" EXIT
    printf '%s\n' 'versions a' 'part x y 2.000 10.0 0.03' 'part z y 4.000 3.0 0.10' >"$work/baseline"
    expect() {  # <passes|fails> <what is said> <measurement>
        local verdict=passes
        printf '%s\n' "${@:3}" >"$work/measured"
        compare "$work/baseline" "$work/measured" >"$work/said" 2>&1 || verdict=fails
        if [ "$verdict" != "$1" ] || ! grep -q -e "$2" "$work/said"; then
            echo "instructions.awk: expected '$1' and '$2' of: ${*:3}" >&2
            cat "$work/said" >&2
            failed=1
        fi
    }
    local x='part x y 2.000 10.0' z='part z y 4.000 3.0'
    expect passes 'as the baseline' 'versions a' "$x" "$z"
    expect passes 'as the baseline' 'versions a' 'part x y 2.050 10.0' 'part z y 4.390 3.0'
    expect passes 'as the baseline' 'versions a' 'part x y 1.950 10.2' 'part z y 3.610 2.8'
    expect fails 'x: 2.080' 'versions a' 'part x y 2.080 10.0' "$z"
    expect fails 'x: 1.920' 'versions a' 'part x y 1.920 10.0' "$z"
    expect fails 'x: 11.0 allocations' 'versions a' 'part x y 2.000 11.0' "$z"
    expect fails 'z: 4.500' 'versions a' "$x" 'part z y 4.500 3.0'
    expect fails 'z: 3.590' 'versions a' "$x" 'part z y 3.590 3.0'
    expect fails 'x: 9.0 allocations' 'versions a' 'part x y 2.000 9.0' "$z"
    expect fails 'z: is not measured' 'versions a' "$x"
    expect fails 'w: is not in the baseline' 'versions a' "$x" "$z" 'part w y 1.000 1.0'
    expect passes 'x: 2.080.*other versions' 'versions b' 'part x y 2.080 10.0' "$z"
    expect fails 'no versions' "$x" "$z"
    [ $failed = 0 ] && echo "instructions.awk notices made-up changes"
    return $failed
}

# measure <directory>: what the program says, with the ratio of instructions to those of its floor.
measure() {
    local program
    program=$(find "$build" -name instructions -type f -perm -u+x | head -n 1)
    # One thread at a time, and in turns: how the two threads of an asynchronous send meet is the same
    # then in every run.
    taskset -c "$cpu" valgrind --tool=callgrind --instr-atstart=no --fair-sched=yes \
        --callgrind-out-file="$1/callgrind" --log-file="$1/valgrind.log" \
        "$program" "$work/ca.pem" "http://127.0.0.1:$port_plain" "https://127.0.0.1:$port_http1" \
        "https://127.0.0.1:$port_http2" >"$1/said" || { cat "$1/valgrind.log" >&2; return 1; }
    # Each dump has its name in "desc: Trigger: Client Request: name" and its count in "totals: n".
    awk -v extra="$(valgrind --version), $(uname -m)$(grep -qw avx2 /proc/cpuinfo && echo ' avx2')" '
        /^desc: Trigger: Client Request: / { name = $NF }
        /^totals: / { if (name != "") instructions[name] = $2; name = "" }
        /^versions / { print $0 ", " extra }
        /^part / { order[++n] = $2; floor[$2] = $3; times[$2] = $4; allocations[$2] = $5 }
        END {
            for (i = 1; i <= n; ++i) {
                p = order[i]
                each = instructions[p] / times[p]
                printf "part %s %s %.3f %.1f %d\n", p, floor[p],
                    each / (instructions[floor[p]] / times[floor[p]]), allocations[p] / times[p], each
            }
        }' "$1"/callgrind.* "$1/said"
}

# measure_jobs <directory>: what a worker's message costs, of the outbox alone and of a running campaign.
measure_jobs() {
    local program kind count of_outbox=
    program=$(find "$build" -name campaign_beside_outbox -type f -perm -u+x | head -n 1)
    for kind in outbox campaign; do
        mkdir "$1/$kind"
        valgrind --tool=callgrind '--toggle-collect=twiliowa::Outbox::run_until_idle()' \
            --callgrind-out-file="$1/$kind/callgrind" --log-file="$1/$kind/valgrind.log" \
            "$program" "$1/$kind" "$kind" 1000 >"$1/$kind/said" || { cat "$1/$kind/valgrind.log" >&2; return 1; }
        count=$(awk '$1 == "totals:" { print $2 }' "$1/$kind/callgrind")
        of_outbox=${of_outbox:-$count}
        awk -v kind="$kind" -v count="$count" -v of_outbox="$of_outbox" \
            'BEGIN { printf "part %s_job outbox_job %.3f 0 %d\n", kind, count / of_outbox, count / 1000 }'
    done
}

# write_baseline <measurement> <reason>: the bounds stay, and the reasons so far.
write_baseline() {
    {
        grep '^#' "$baseline"
        echo "# - $2"
        awk '
            NR == FNR { if ($1 == "part") bound[$2] = $6; next }
            /^versions / { print }
            /^part / { print $1, $2, $3, $4, $5, ($2 in bound ? bound[$2] : "0.03") }' \
            "$baseline" "$1"
    } >"$work/baseline"
    cp "$work/baseline" "$baseline"
}

if [ "${1:-}" = --self-test ]; then
    self_test
    exit
fi
build=$(cd "$1" && pwd)
# shellcheck source=tests/benchmark/server.sh
. "$tests/server.sh"
start_server
mkdir "$work/counts"
measure "$work/counts" >"$work/measured"
mkdir "$work/jobs"
measure_jobs "$work/jobs" >>"$work/measured"
if [ "${2:-}" = --write ]; then
    [ -n "${3:-}" ] || { echo "--write needs the reason" >&2; exit 2; }
    write_baseline "$work/measured" "$3"
fi
compare "$baseline" "$work/measured"
