#!/usr/bin/env bash
# Usage: with_redis.sh <command...>. Starts Debian's Redis in a directory of its own, on a socket there, runs
# the command with its URL as a last argument and a key ring in the environment, and ends it. Where there is
# none it says so and ends with 77.
set -euo pipefail
program=/usr/bin/redis-server
if [ ! -x $program ]; then
    echo "SKIPPED: ${*##*/}: Redis is not installed"
    exit 77
fi
memory=/dev/shm
[ -w $memory ] || memory=${TMPDIR:-/tmp}
work=$(mktemp -d "$memory/twiliowa_XXXXXX")
process=''
trap '[ -z "$process" ] || { kill "$process" && wait "$process"; } 2>/dev/null || true; rm -rf "$work"' EXIT

$program --port 0 --unixsocket "$work/redis" --dir "$work" --save '' >"$work/log" 2>&1 &
process=$!
until [ -S "$work/redis" ]; do
    kill -0 $process || { cat "$work/log"; exit 1; }
    sleep 0.05
done
TWILIOWA_KEYS=2026-11:$(head -c 32 /dev/urandom | base64)
export TWILIOWA_KEYS
"$@" "unix://$work/redis"
