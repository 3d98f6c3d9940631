#!/usr/bin/env bash
# Usage: with_postgres.sh <command...>. Starts Debian's PostgreSQL in a directory of its own, on a socket there,
# runs the command with the environment that points at it (its database is `shop`), and ends it. Where there
# is none it says so and ends with 77. With POSTGRES_COMES_BACK=yes it is started again whenever it ends;
# SERVER_DIRECTORY is where its files lie, if not in memory.
set -euo pipefail
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$programs/initdb" ]; then
    echo "SKIPPED: ${*##*/}: PostgreSQL is not installed below /usr/lib/postgresql"
    exit 77
fi
memory=${SERVER_DIRECTORY:-/dev/shm}
[ -w $memory ] || memory=${TMPDIR:-/tmp}
work=$(mktemp -d $memory/twiliowa_XXXXXX)
process=''
end_server() {
    [ -n "$process" ] || return 0
    touch "$work/over"
    kill -QUIT "$(cat "$work/process")" && wait "$process"
}
trap 'end_server 2>/dev/null || true; rm -rf "$work"' EXIT

# It refuses to run as root.
as_its_user() { exec "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    user=$(getent passwd postgres nobody | head -n 1 | cut -d: -f1)
    chown "$user" "$work"
    as_its_user() { exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"; }
fi
cd "$work"
(as_its_user "$programs/initdb" -D "$work/data" --username=shop --auth=trust --encoding=UTF8 --locale=C \
    --no-sync) >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
serve() {
    while true; do
        (as_its_user "$programs/postgres" -D "$work/data" -c "unix_socket_directories=$work" -c listen_addresses= \
            -c dynamic_shared_memory_type=mmap) >>"$work/log" 2>&1 &
        echo $! >"$work/process"
        wait $! || true
        [ "${POSTGRES_COMES_BACK-}" = yes ] && [ ! -e "$work/over" ] || return 0
    done
}
serve &
process=$!
until sed -n 8p "$work/data/postmaster.pid" 2>/dev/null | grep -q ready; do
    kill -0 $process || { cat "$work/log"; exit 1; }
    sleep 0.05
done
export PGHOST=$work PGUSER=shop PGDATABASE=shop
"$programs/createdb" shop
cd "$OLDPWD"
"$@"
