#!/usr/bin/env bash
# Usage: tests/benchmark/load.sh <build tree> [dealer|registration|shop]... The systems of examples/systems under load,
# each as its `run` starts it, all on this machine. `./dev bench load` calls this. LOAD_SECONDS (5) is how long a round
# takes, LOAD_ROUNDS (3) how many there are, LOAD_RECIPIENTS (10000) how many a campaign has.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
build=$(cd "$1" && pwd)
seconds=${LOAD_SECONDS:-5} rounds=${LOAD_ROUNDS:-3} recipients=${LOAD_RECIPIENTS:-10000}
request_load=$build/tests/benchmark/request_load
path=/webhooks/twilio/whatsapp

title() { printf '\n== %s\n' "$1"; }
# value <name> <result of request_load>
value() { tr ' ' '\n' <<<"$2" | sed -n "s/^$1=//p"; }
# median <file of results> <name>
median() {
    local line
    while read -r line; do value "$2" "$line"; done <"$1" | sort -g |
        awk '{ all[NR] = $1 } END { print NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2 }'
}
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
verdict() { awk "BEGIN { print ($1) ? \"met\" : \"missed\" }"; }
listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# started <pid> <log> <command...>: waits until the command is true, as long as the process runs.
started() {
    until "${@:3}"; do
        kill -0 "$1" 2>/dev/null || { cat "$2" >&2; exit 1; }
        sleep 0.05
    done
}

# The express peer's packages are npm's; without them the dealer is measured alone.
has_express() {
    local packages=$build/express_peer
    command -v node >/dev/null && command -v npm >/dev/null || { echo 'express: skipped: no node, or no npm'; return 1; }
    mkdir -p "$packages"
    cmp -s "$here/express_peer/package.json" "$packages/installed.json" ||
        { cp "$here/express_peer/package.json" "$packages/" &&
            (cd "$packages" && npm install --no-package-lock --no-audit --no-fund --silent >npm.log 2>&1) &&
            cp "$here/express_peer/package.json" "$packages/installed.json"; } ||
        { echo 'express: skipped: npm cannot install its packages'; return 1; }
    cp "$here/express_peer/server.mjs" "$packages/"
}

# start_peer <name> <command...>: a process for each core.
start_peer() {
    local i port all_ports='' all_pids=''
    for ((i = 0; i < $(nproc); i++)); do
        port=$(free_port)
        PORT=$port PUBLIC_URL=$public_url REDIS_PORT=$REDIS_PORT "${@:2}" >"$work/$1$i" 2>&1 &
        peer_pids+=" $!"
        started $! "$work/$1$i" listens "$port"
        all_ports+=${all_ports:+,}$port all_pids+=${all_pids:+,}$!
    done
    printf -v "$1_ports" %s "$all_ports"
    printf -v "$1_pids" %s "$all_pids"
    peers+=" $1"
}

# webhooks <name> <as request_load>: to all of its processes.
webhooks() {
    local ports=$1_ports pids=$1_pids
    "$request_load" kind=webhooks url="$public_url$path" path=$path account="$TWILIO_ACCOUNT_SID" token="$TWILIO_AUTH_TOKEN" \
        ports="${!ports}" pids="${!pids}" "${@:2}"
}
# in_turns <title> <as request_load>: rounds of all peers; a line of the table for each, and how it is beside express.
in_turns() {
    local who round
    for ((round = 0; round < rounds; round++)); do
        for who in $peers; do webhooks "$who" seconds="$seconds" "${@:2}" >>"$work/$1.$who"; done
    done
    for who in $peers; do
        printf '%-28s %-8s %6.0f/s %6.1f ms %6.1f ms %7.0f us\n' "$1" "$who" "$(median "$work/$1.$who" per_second)" \
            "$(median "$work/$1.$who" p50_ms)" "$(median "$work/$1.$who" p99_ms)" "$(median "$work/$1.$who" cpu_us)"
    done
    [[ $peers = *express ]] || return 0
    for who in ${peers% express}; do
        printf '%-28s %-8s a CPU second answers %s x what one of express does\n' "$1" "$who" \
            "$(ratio "$(median "$work/$1.$who" per_cpu_second)" "$(median "$work/$1.express" per_cpu_second)")"
    done
}
# dealer_is_at: its two processes, for `webhooks`.
dealer_is_at() {
    dealer_ports=${METRICS_A%/metrics},${METRICS_B%/metrics}
    dealer_ports=${dealer_ports//http:\/\/127.0.0.1:/}
    dealer_pids=$(cat "$PID_FILE_A"),$(cat "$PID_FILE_B")
}

# Beside it are its checks alone, on Redis (webhook_checks.cpp), and the same on express. The workflow thinks for a minute, so
# that what is counted of the dealer is the way to the answer, the writing down included.
load_dealer_beside_express() {
    # shellcheck source=tests/systems/dealer_lib.sh
    . "$root/tests/systems/dealer_lib.sh"
    export SYSTEM_RESTARTS=no SYSTEM_PUBLIC_URL=https://dealer.example.com DEALER_WORKFLOW_MS=60000-60000
    start_dealer "$root/examples/systems/dealer/run" "$build"
    local who all
    public_url=$SYSTEM_PUBLIC_URL peers=dealer
    dealer_is_at
    title 'The dealer, two processes: webhooks until they are answered, half of them, 99 % within; CPU of one (goal: 10 x)'
    peer_pids=''
    # shellcheck disable=SC2154 # of emulator_lib.sh
    trap 'kill $peer_pids 2>/dev/null || true; end_system || true; rm -rf "$work"' EXIT
    start_peer checks "$build/tests/benchmark/webhook_checks" ends
    start_peer kept "$build/tests/benchmark/webhook_checks" keeps
    ! has_express || NODE_ENV=production start_peer express node "$build/express_peer/server.mjs"
    # Until what compiles as it runs has compiled what is often run.
    for who in $peers; do webhooks "$who" seconds=2 least=3000 close=yes >/dev/null; done
    all=$peers
    # As nginx asks by default, the dealer's among them: a connection for each.
    peers=${all/ kept/}
    in_turns 'new messages' close=yes
    in_turns 'repeated messages' close=yes repeated=50
    # The dealer, and its checks as it serves them, would end each by themselves.
    peers=${all#dealer checks }
    in_turns 'new, connections kept' close=no
    # It would wait for those who think.
    kill -KILL ${dealer_pids//,/ }
}

# within <name of a histogram> <seconds>: the share of both processes' observations.
within() {
    local base
    for base in "${METRICS_A%/metrics}" "${METRICS_B%/metrics}"; do at "$base" GET /metrics; done | tr -d '\r' |
        awk -v name="$1" -v most="$2" '
            index($0, name "_bucket{") == 1 && /kind="message"/ && index($0, "le=\"" most "\"") { in_time += $NF }
            index($0, name "_count{") == 1 && /kind="message"/ { all += $NF }
            END { printf "%.2f", 100 * in_time / all }'
}
count_handled() {
    local base
    for base in "${METRICS_A%/metrics}" "${METRICS_B%/metrics}"; do at "$base" GET /metrics; done | tr -d '\r' |
        awk '/^twiliowa_inbox_until_handled_seconds_count.*kind="message"/ { all += $NF } END { print all + 0 }'
}
all_handled() { [ "$(count_handled)" -ge "$1" ]; }

# From the webhook to its answer in the outbox, which is in the commit that ends the message.
load_dealer_queue() {
    # shellcheck source=tests/systems/dealer_lib.sh
    . "$root/tests/systems/dealer_lib.sh"
    export SYSTEM_RESTARTS=no DEALER_WORKFLOW_MS=0-0
    start_dealer "$root/examples/systems/dealer/run" "$build"
    # shellcheck disable=SC2034 # of webhooks
    public_url=$DEALER_URL
    dealer_is_at
    title 'The dealer, 100 webhooks a second, all of it: in the queue, 99 % within 100 ms'
    local result
    result=$(webhooks dealer rate=100 seconds=$((seconds * 4)) connections=32)
    until_true 'all are handled' all_handled "$(value answered "$result")"
    printf '%-44s %8s ms (half: %s ms; CPU of one, its answer and the help desk included: %s us): %s\n' \
        'written down and answered, 99 % within' "$(value p99_ms "$result")" "$(value p50_ms "$result")" \
        "$(value cpu_us "$result")" "$(verdict "$(value p99_ms "$result") < 100")"
    local share
    share=$(within twiliowa_inbox_until_handled_seconds 0.1)
    printf '%-44s %8s %%\n' 'handled, its answer enqueued, within 100 ms' "$share"
}

# An emulator that takes 0.3 s is one behind an nginx that waits so long.
start_slow_twilio() {
    local echo_module
    PATH=$PATH:/usr/sbin
    echo_module=$(find /usr/lib/nginx/modules -name ngx_http_echo_module.so 2>/dev/null || true)
    [ -n "$echo_module" ] || { echo 'skipped: nginx has no echo module (libnginx-mod-http-echo)'; exit 77; }
    slow_port=$(free_port)
    cat >"$work/nginx.conf" <<END
load_module $echo_module;
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log stderr warn;
events {}
http {
    access_log off;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server {
        listen 127.0.0.1:$slow_port;
        location / { echo_read_request_body; echo_sleep 0.3; echo_exec @twilio; }
        location @twilio { proxy_pass $EMULATOR_URL; proxy_set_header Host \$http_host; }
    }
}
END
    nginx -p "$work" -c "$work/nginx.conf" -e stderr >"$work/nginx.log" 2>&1 &
    slow=$!
    started $slow "$work/nginx.log" listens "$slow_port"
}

load_registration() {
    # shellcheck source=tests/systems/registration_lib.sh
    . "$root/tests/systems/registration_lib.sh"
    export SYSTEM_RESTARTS=no
    start_registration "$root/examples/systems/registration/run" "$build"
    start_slow_twilio
    local port=${REGISTRATION_URL##*:} pid before result
    # The same once more, with another way to Twilio.
    kill -TERM "$(cat "$REGISTRATION_PID_FILE")"
    while listens "$port"; do sleep 0.05; done
    before=$(grep -c ' info works' "$REGISTRATION_LOG")
    (cd "$REGISTRATION_DIRECTORY" && TWILIOWA_BASE_URL=http://127.0.0.1:$slow_port REGISTRATION_PORT=$port \
        REGISTRATION_PUBLIC_URL=$REGISTRATION_URL exec "$REGISTRATION" >>"$REGISTRATION_LOG" 2>&1) &
    pid=$!
    # shellcheck disable=SC2064 # the values of now
    trap "kill $pid $slow 2>/dev/null || true; wait $pid $slow 2>/dev/null || true; end_system || true; rm -rf '$work'" EXIT
    started $pid "$REGISTRATION_LOG" works_again "$before"

    title 'The registration, with a Twilio that takes 0.3 s: 25 a second held, 429 beyond, an answer under 0.5 s'
    triggers() {
        "$request_load" kind=triggers path=/trigger key="$REGISTRATION_API_KEY" ports="$port" pids=$pid connections=32 "$@"
    }
    result=$(triggers rate=25 seconds=$((seconds * 3)))
    local asked=$((seconds * 3 * 25)) answered
    answered=$(value answered "$result")
    printf '%-44s %8s of %s (average: %s ms, 99 %%: %s ms): %s\n' '25 a second: taken in' "$answered" $asked \
        "$(value mean_ms "$result")" "$(value p99_ms "$result")" \
        "$(verdict "$answered == $asked && $(value mean_ms "$result") < 500")"
    result=$(triggers rate=100 seconds=$((seconds * 3)))
    answered=$(value answered "$result")
    local most refused
    most=$(awk "BEGIN { printf \"%.0f\", 50 + 25 * $(value took "$result") }")
    refused=$(value status_429 "$result")
    printf '%-44s %8s of %s, 429: %s of %s (average: %s ms): %s\n' '100 a second, with the burst of 50: taken in' \
        "$answered" "$most" "${refused:-0}" $((seconds * 3 * 100)) "$(value mean_ms "$result")" \
        "$(verdict "$answered <= $most + 1 && $answered >= 0.9 * $most && $answered + ${refused:-0} == $((seconds * 3 * 100))")"
}

load_shop() {
    # shellcheck source=tests/systems/shop_lib.sh
    . "$root/tests/systems/shop_lib.sh"
    export SHOP_PER_SECOND=50000
    start_shop "$root/examples/systems/shop/run" "$build"
    title "The shop: a campaign of $recipients, two workers, until all are sent"
    order limits '{"messages_per_second": null}'
    call POST /campaigns "{\"id\": \"load\", \"columns\": {\"1\": \"discount\"},
        \"message\": {\"content_sid\": \"$PROMOTION_TEMPLATE\", \"category\": \"MARKETING\"}}"
    answers 201 '"phase":"draft"'
    {
        echo to,discount,consent_at,consent_source
        for ((n = 0; n < recipients; n++)); do echo "+$((447700900000 + n)),30,2026-11-01,web form $n"; done
    } >"$work/load.csv"
    local begin end
    begin=$(date +%s%N)
    call POST /campaigns/load/recipients "$(cat "$work/load.csv")"
    answers 200 '"known":0'
    end=$(date +%s%N)
    printf '%-44s %8s 1/s\n' 'recipients taken in' "$(awk "BEGIN { printf \"%.0f\", $recipients / (($end - $begin) / 1e9) }")"
    # Not so often that it takes their CPU.
    all_sent() { sleep 0.5 && call GET /campaigns/load && [ "$(member sent)" -ge "$recipients" ]; }
    begin=$(date +%s%N)
    call POST /campaigns/load/start
    answers 200 '"phase":"running"'
    # shellcheck disable=SC2034 # of until_true
    patience=$((60 + recipients / 10))
    until_true 'all are sent' all_sent
    end=$(date +%s%N)
    printf '%-44s %8s 1/s (%s s)\n' 'messages sent' \
        "$(awk "BEGIN { printf \"%.0f\", $recipients / (($end - $begin) / 1e9) }")" \
        "$(awk "BEGIN { printf \"%.1f\", ($end - $begin) / 1e9 }")"
}

[ -x "$request_load" ] || { echo "$request_load is not built" >&2; exit 1; }
case ${2-all} in
dealer_beside_express | dealer_queue | registration | shop) [ $# -gt 2 ] || { "load_$2"; exit; } ;;
esac
parts=("${@:2}")
[ $# -gt 1 ] || parts=(dealer registration shop)
status=0
for part in "${parts[@]}"; do
    case $part in
    dealer) steps='dealer_beside_express dealer_queue' ;;
    registration | shop | dealer_beside_express | dealer_queue) steps=$part ;;
    *) echo "load.sh does not know $part" >&2; exit 2 ;;
    esac
    for step in $steps; do
        result=0
        "$0" "$build" "$step" || result=$?
        # 77: what it needs is not there, and it has said so.
        [ $result -eq 0 ] || [ $result -eq 77 ] || status=1
    done
done
exit $status
