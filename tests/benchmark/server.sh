# shellcheck shell=bash
# The nginx of the benchmarks, for run.sh and instructions.sh to source: start_server starts one on
# loopback, with a certificate of its own ($work/ca.pem), on $cpu; it ends with the script. Its ports:
# $port_plain, $port_http1 (TLS), $port_http2 and, where nginx has the echo module, $port_slow.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cpu=${BENCHMARK_CPU:-0}  # client and server share it; two CPUs would mostly measure wake-ups
work=$(mktemp -d)
server=

stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap stop EXIT

find_program() {  # on a user's path, sbin often is not
    PATH=$PATH:/usr/sbin:/sbin command -v "$1"
}

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj '/CN=benchmark CA' -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -subj '/CN=localhost' -keyout "$work/server.key" -out "$work/server.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$work/extensions"
    openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
        -CAcreateserial -days 2 -extfile "$work/extensions" -out "$work/server.pem" 2>/dev/null
}

free_port() {  # one in which nothing listens
    local port
    while port=$((20000 + RANDOM % 12000)); do
        if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

write_configuration() {
    local answer echo_module
    answer=$(cat "$here/answer.json")
    echo_module=$(find /usr/lib/nginx/modules -name ngx_http_echo_module.so 2>/dev/null || true)
    [ -z "$echo_module" ] || echo "load_module $echo_module;"
    cat <<END
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log $work/error.log warn;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    default_type application/json;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    server_tokens off;
    ssl_certificate $work/server.pem;
    ssl_certificate_key $work/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    add_header Twilio-Request-Id RQ00000000000000000000000000000001 always;
    server { listen 127.0.0.1:$port_plain; location / { return 201 '$answer'; } }
    server { listen 127.0.0.1:$port_http1 ssl; location / { return 201 '$answer'; } }
    server { listen 127.0.0.1:$port_http2 ssl http2; location / { return 201 '$answer'; } }
END
    if [ -n "$echo_module" ]; then
        cat <<END
    server {
        listen 127.0.0.1:$port_slow ssl;
        location / { echo_status 201; echo_read_request_body; echo_sleep 0.050; echo '$answer'; }
    }
END
    fi
    echo '}'
}

start_server() {
    local nginx
    make_certificate
    nginx=$(find_program nginx) || { echo "nginx is missing" >&2; exit 1; }
    port_plain=$(free_port)
    port_http1=$(free_port)
    port_http2=$(free_port)
    port_slow=$(free_port)
    write_configuration >"$work/nginx.conf"
    # Debian's nginx loads modules through files it includes; this configuration is all there is.
    taskset -c "$cpu" "$nginx" -p "$work" -c "$work/nginx.conf" 2>"$work/start.log" &
    server=$!
    for _ in {1..100}; do
        (: <"/dev/tcp/127.0.0.1/$port_http2") 2>/dev/null && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    echo "nginx did not start:" >&2
    cat "$work/start.log" "$work/error.log" >&2 || true
    exit 1
}

