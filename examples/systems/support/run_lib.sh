# shellcheck shell=bash
# For the `run` of each system: builds what is not built, in build/systems or where TWILIOWA_BUILD says; starts an
# emulator of Twilio and the system's processes; starts those again that die, unless SYSTEM_RESTARTS=no; and ends all of
# it on Ctrl-C or SIGTERM, when what it made is removed.
#
# With REAL_ACCOUNT=yes there is no emulator: the account is that of TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, the sender
# TWILIO_WHATSAPP_NUMBER. SYSTEM_PUBLIC_URL is then the https address under which a proxy or a tunnel passes on to
# SYSTEM_PORT, which Twilio has to be told.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
build=${TWILIOWA_BUILD:-$root/build/systems}
# shellcheck disable=SC2034 # of who reads this
twiliowa=$build/tools/twiliowa
emulator=$build/tools/twiliowa-emulator
server=$build/tests/servers/twiliowa_servers
PATH=$PATH:/usr/sbin
declare -A pids ports
ending='' emulator_url=''

# begin <system> <processes> <servers> [target]...: the names of what is started, in the order in which it is ended; and
# what is built beside the program of the system's name. The folder is $here, the program $program.
begin() {
    here=$root/examples/systems/$1
    programs=$build/examples/systems/$1
    # shellcheck disable=SC2034 # of who reads this
    program=$programs/$1
    processes=$2 servers=$3
    local target path missing=''
    for target in "$1" twiliowa-emulator "${@:4}"; do
        case $target in
        twiliowa-emulator) path=$emulator ;;
        twiliowa_cli) path=$twiliowa ;;
        twiliowa_servers) path=$server ;;
        *) path=$programs/$target ;;
        esac
        [ -x "$path" ] || missing=yes
    done
    if [ -n "$missing" ]; then
        [ -e "$build/CMakeCache.txt" ] ||
            cmake -S "$root" -B "$build" -D CMAKE_BUILD_TYPE=Release -D TWILIOWA_BUILD_TESTS=OFF >&2
        cmake --build "$build" --parallel "$(nproc)" --target "$1" twiliowa-emulator "${@:4}" >&2
    fi
    [ "${REAL_ACCOUNT-}" = yes ] || unset "${!TWILIO@}"
    umask 077
    work=$(mktemp -d)
    trap end EXIT
    trap "trap '' TERM INT; exit 0" TERM INT
    echo "2026-11:$(openssl rand -base64 32)" >"$work/keys"
    chmod 400 "$work/keys"
}
end() {
    # Ctrl-C is to all that runs here, and who began this may ask for its end, too: once it ends, it ends.
    trap '' TERM INT
    ending=yes
    local name pid
    # Who calls first, who is called last.
    for name in $processes emulator $servers; do
        pid=${pids[$name]-}
        [ -n "$pid" ] || continue
        kill -TERM "$pid" 2>/dev/null || true
        while kill -0 "$pid" 2>/dev/null; do wait "$pid" 2>/dev/null || true; done
    done
    rm -rf "$work"
}

# Twilio's account, and its sender, as they are in the emulator.
account=AC0000000000000000000000000000000d token=0123456789abcdef0123456789abcdef sender=whatsapp:+14155238886
if [ "${REAL_ACCOUNT-}" = yes ]; then
    account=$TWILIO_ACCOUNT_SID token=$TWILIO_AUTH_TOKEN sender=$TWILIO_WHATSAPP_NUMBER
    : "${SYSTEM_PUBLIC_URL:?is not set: how does Twilio reach this?}"
fi
# start_emulator [option]...: its address is $emulator_url, what callers need in $work/environment.
start_emulator() {
    if [ "${REAL_ACCOUNT-}" = yes ]; then
        printf '%s\n' "TWILIO_ACCOUNT_SID=$account" "TWILIO_AUTH_TOKEN=$token" "TWILIO_WHATSAPP_NUMBER=$sender" \
            ${TWILIOWA_BASE_URL:+"TWILIOWA_BASE_URL=$TWILIOWA_BASE_URL"} >"$work/environment"
        return
    fi
    "$emulator" --port 0 --env-file "$work/environment" "$@" >"$work/emulator.log" 2>&1 &
    pids[emulator]=$!
    until [ -e "$work/environment" ]; do
        kill -0 "${pids[emulator]}" 2>/dev/null || { cat "$work/emulator.log" >&2; exit 1; }
        sleep 0.05
    done
    emulator_url=$(grep -oE "TWILIOWA_BASE_URL='?[^' ]+" "$work/environment" | grep -oE 'http.*')
    export TWILIOWA_BASE_URL=$emulator_url
}
# start_server <postgresql or redis>: in a directory of its own, which goes with it. What it says of itself is in variables:
# DATABASE_URL; or REDIS_PORT and REDIS_PID. It is `server` among what is ended.
start_server() {
    local line status=0
    "$server" "$1" >"$work/server" 2>"$work/server.log" &
    pids[server]=$!
    until grep -qs '^READY$' "$work/server"; do
        kill -0 "${pids[server]}" 2>/dev/null ||
            { wait "${pids[server]}" || status=$?; cat "$work/server.log" >&2; exit $status; }
        sleep 0.05
    done
    while IFS= read -r line && [ "$line" != READY ]; do declare -g "$line"; done <"$work/server"
}
# order <path> <JSON>: to the emulator; with a real account a person does it at Twilio.
order() {
    [ -n "$emulator_url" ] || return 0
    exec 3<>"/dev/tcp/127.0.0.1/${emulator_url##*:}"
    printf '%s\r\n' "POST /emulator/$1 HTTP/1.1" 'Host: localhost' 'Connection: close' \
        'Content-Type: application/json' "Content-Length: ${#2}" '' >&3
    printf %s "$2" >&3
    grep '^HTTP/1.1 200' <&3 >/dev/null || { echo "the emulator refuses $1" >&2; exit 1; }
    exec 3>&-
}
# template <name> <category>: pushed and approved; its SID.
template() {
    local sid file
    for file in "$here/$1.json" "$here/templates/$1.json"; do [ ! -e "$file" ] || break; done
    sid=$("$twiliowa" --env-file "$work/environment" template push "$file" --json 2>/dev/null |
        grep -oE 'HX[0-9a-f]{32}' | head -n 1)
    "$twiliowa" --env-file "$work/environment" template submit "$sid" --name "$1" --category "$2" >/dev/null
    order approval "{\"template\": \"$sid\", \"status\": \"approved\"}"
    echo "$sid"
}

# public_url <port>: how Twilio reaches what listens there.
public_url() { echo "${SYSTEM_PUBLIC_URL:-http://127.0.0.1:$1}"; }
# says <name> <pattern> [count]: waits until its log has that line more often than so; 1 if it ended before.
says() {
    until [ "$(grep -cs -- "$2" "$work/$1.log")" -gt "${3:-0}" ]; do
        kill -0 "${pids[$1]}" 2>/dev/null || return 1
        sleep 0.05
    done
}
# start <name> <port> [what] [pattern]: runs `what` (launch) with both in the background; says whether it came up. Its
# log and its id are $work/<name>.log and .pid.
start() {
    local before
    before=$(grep -cs -- "${4:- info works}" "$work/$1.log" || true)
    ports[$1]=$2
    ("${3:-launch}" "$1" "$2") >>"$work/$1.log" 2>&1 &
    pids[$1]=$!
    echo "${pids[$1]}" >"$work/$1.pid"
    says "$1" "${4:- info works}" "${before:-0}"
}
# start_somewhere <name> [what] [pattern]: on a port that is free, in $port.
start_somewhere() {
    for _ in {1..20}; do
        port=$((20000 + RANDOM % 12000))
        ! start "$1" $port "${@:2}" || return 0
        grep -qiE 'is taken|in use' "$work/$1.log" || break
    done
    tail -n 5 "$work/$1.log" >&2
    exit 1
}
# start_in_front <name> [what] [pattern]: the same of what Twilio reaches: at SYSTEM_PORT, if there is one.
start_in_front() {
    if [ -z "${SYSTEM_PORT-}" ]; then
        start_somewhere "$@"
    else
        port=$SYSTEM_PORT
        start "$1" "$port" "${@:2}" || { tail -n 5 "$work/$1.log" >&2; exit 1; }
    fi
}
# start_front <location> [what nginx is told in all] [what it is told there]: nginx, before two processes, a and b, of
# which it has yet to hear. Its address is $front.
start_front() {
    location=$1 told_in_all=${2-} told_there=${3-}
    start_in_front nginx start_nginx 'start worker process [0-9]'
    front=http://127.0.0.1:$port
}
start_nginx() {
    configure_nginx "$2"
    exec nginx -c "$work/nginx.conf" -e stderr
}
configure_nginx() { # <port>
    cat >"$work/nginx.conf" <<END
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log stderr notice;
events {}
http {
    access_log off;
    client_max_body_size 512k;
    client_body_buffer_size 512k;
    client_body_temp_path $work/nginx_body;
    proxy_temp_path $work/nginx_proxy;
    fastcgi_temp_path $work/nginx_fastcgi;
    uwsgi_temp_path $work/nginx_uwsgi;
    scgi_temp_path $work/nginx_scgi;
    upstream processes {
        server 127.0.0.1:${ports[a]-1} max_fails=1 fail_timeout=2s;
        server 127.0.0.1:${ports[b]-1} max_fails=1 fail_timeout=2s;
    }
    $told_in_all
    server {
        listen 127.0.0.1:$1;
        location $location {
            $told_there
            proxy_pass http://processes;
            proxy_set_header Host \$http_host;
            proxy_set_header X-Forwarded-For \$remote_addr;
            # Whatever comes may be repeated: a process that dies costs no request.
            proxy_next_upstream error timeout non_idempotent;
        }
    }
}
END
}
# start_behind: both processes, and nginx hears of them: its worker of before has taken its last connection then.
start_behind() {
    start_somewhere a
    start_somewhere b
    configure_nginx "${ports[nginx]}"
    kill -HUP "${pids[nginx]}"
    says nginx 'worker process [0-9]* exited' || { tail -n 5 "$work/nginx.log" >&2; exit 1; }
    until answers; do sleep 0.05; done
}
answers() { # what either process says of nothing
    exec 3<>"/dev/tcp/127.0.0.1/${ports[nginx]}"
    printf 'GET %s HTTP/1.0\r\n\r\n' "$location" >&3
    head -n 1 <&3 | grep -qE ' (401|404) '
}
# keep_running: a process that dies is started again, as by a service manager; one that does not come up is tried again.
keep_running() {
    local name failed=0 all down
    echo READY
    while [ -z "$ending" ]; do
        if [ "${SYSTEM_RESTARTS-}" = no ]; then
            wait "${pids[emulator]}" || true
            continue
        fi
        all=() down=''
        for name in $processes; do
            if ! kill -0 "${pids[$name]}" 2>/dev/null && ! start "$name" "${ports[$name]}"; then
                down=yes
                continue
            fi
            all+=("${pids[$name]}")
        done
        if [ -z "$down" ]; then
            failed=0
            # One that died just now may not be heard of.
            sleep 1 >/dev/null &
            wait -n $! "${all[@]}" || true
        elif [ $((++failed)) -eq 10 ]; then
            for name in $processes; do tail -n 5 "$work/$name.log" >&2; done
            exit 1
        fi
    done
}
