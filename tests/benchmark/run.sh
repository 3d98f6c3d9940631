#!/usr/bin/env bash
# Usage: tests/benchmark/run.sh <build tree>. Runs every benchmark and prints its table. Starts an
# nginx on loopback, with a certificate of its own, and stops it again. `./dev bench` calls this.
set -euo pipefail
build=$(cd "$1" && pwd)
# shellcheck source=tests/benchmark/server.sh
. "$(dirname "$0")/server.sh"

bench() { find "$build" -name "$1" -type f -perm -u+x | head -n 1; }
title() { printf '\n== %s\n' "$1"; }

start_server
http1=https://127.0.0.1:$port_http1
http2=https://127.0.0.1:$port_http2

title 'Own work per send, without network (target: 4 us, 20 allocations)'
taskset -c "$cpu" "$(bench own_work)" --benchmark_repetitions=5 \
    --benchmark_report_aggregates_only=true 2>/dev/null | grep -E '^(Benchmark|.*_median)'

title 'Verifying a webhook of 20 parameters (target: 3.3 x the SHA-1 alone, 4 allocations)'
taskset -c "$cpu" "$(bench verify_webhook)" --benchmark_repetitions=9 \
    --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true \
    2>/dev/null | grep -E '^Benchmark|_median'

title 'Sealing 500 bytes, beside OpenSSL alone (target: 2 x)'
taskset -c "$cpu" "$(bench seal)" --benchmark_repetitions=9 \
    --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true \
    2>/dev/null | grep -E '^Benchmark|_median'

title 'An outbox in a file, beside bare SQLite (target: 0.8, 0.7, 0.9)'
mkdir -p "$work/outbox"
[ -z "$(bench outbox_beside_sqlite)" ] || "$(bench outbox_beside_sqlite)" "$work/outbox"
[ -z "$(bench outbox_start)" ] || "$(bench outbox_start)" "$work/outbox"

title 'Recipients of a campaign, beside bare inserts of the same rows (target: 1.3 x the time)'
mkdir -p "$work/campaign"
[ -z "$(bench campaign_beside_outbox)" ] || "$(bench campaign_beside_outbox)" "$work/campaign"

title 'An outbox in PostgreSQL, beside bare libpq (target: 0.7, 0.8); an inbox, beside bare inserts'
for program in outbox_beside_postgres "inbox_beside_inserts $work/outbox"; do
    read -ra command <<<"$program"
    [ -z "$(bench "${command[0]}")" ] ||
        "$(bench twiliowa_servers)" postgresql "$(bench "${command[0]}")" "${command[@]:1}" 2>/dev/null || true
done

title 'A store in Redis, beside bare hiredis (target: 0.85)'
if [ -n "$(bench redis_beside_hiredis)" ]; then
    "$(bench twiliowa_servers)" redis "$(bench redis_beside_hiredis)" || [ $? -eq 77 ]
else
    echo 'skipped: there is no hiredis'
fi

title 'A slot of a shared limit, with permits in hand (target: 200 ns)'
"$(bench limiter_reserve)"

title 'Beside bare libcurl, TLS on loopback, one CPU (target: 5 us more at most)'
"$(bench side_by_side)" "$cpu" "$work/ca.pem" "$http1" "$http2" \
    "${BENCHMARK_MESSAGES:-4000}" "${BENCHMARK_ROUNDS:-7}"

title 'A slow server (target: 0.95)'
if grep -q echo_sleep "$work/nginx.conf"; then
    # No ratio of CPU here: the server's own work must not add to its 50 ms.
    for process in "$server" $(cat "/proc/$server/task/$server/children"); do
        taskset -cp "$(((cpu + 1) % $(nproc)))" "$process" >/dev/null
    done
    "$(bench side_by_side)" slow "$cpu" "$work/ca.pem" "https://127.0.0.1:$port_slow"
else
    echo 'skipped: nginx has no echo module (libnginx-mod-http-echo)'
fi

title 'From process start to the first message (target: ratio 1.3)'
"$(bench start_up)" "$cpu" 60 "$(bench start_library)" "$(bench start_bare)" "$work/ca.pem" "$http2"

title 'The emulator, on all CPUs'
"$(bench emulator_load)" "$(bench twiliowa-emulator)" "${BENCHMARK_EMULATOR_MESSAGES:-10000}" "$work/outbox"

title 'What #include costs, in preprocessed lines (target: ratio 1.3 for twiliowa.hpp)'
"$here/../structure/line_budget.sh" "$here/../.." "${CXX:-g++}"
