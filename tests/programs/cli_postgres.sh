#!/usr/bin/env bash
# Usage: cli_postgres.sh <twiliowa> <source tree>. `--store postgresql://...` of `twiliowa outbox`, over a PostgreSQL to which the
# environment points and which this script stops: passwords come by files and the environment alone and are never
# repeated; what is wrong with a server, a database or a role has a name and a way out; the SQL runs by hand.
set -euo pipefail
twiliowa=$(realpath "$1") tree=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$1"; exit 1; }
unset "${!TWILIO@}" PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE
export TERM=dumb TWILIO_WHATSAPP_NUMBER=+14155238886

# takes <status> <arguments...>: reads standard input; what it printed is in $work/out and $work/err.
takes() {
    local status=0
    timeout 60 "$twiliowa" outbox "${@:2}" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq "$1" ] || fail "twiliowa outbox ${*:2} ends with $status, not $1: $(cat "$work/out" "$work/err")"
    ! grep -qE 'canary|tested' "$work/out" "$work/err" || fail "a password is repeated: $(cat "$work/out" "$work/err")"
}
ends_with() { takes "$@" </dev/null; }
says() { grep -qE -- "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"; }
tells() { grep -qE -- "$1" "$work/err" || fail "no $1 in: $(cat "$work/err")"; }
ask_of() { psql -qAtd "$1" -c "$2"; }
job() { echo "{\"key\": \"$1\", \"to\": \"+447700900123\", \"body\": \"one\"}"; }

# A role that the server asks for its password, and none that owns anything.
psql -qc "create role guarded login password 'tested'" -c 'create database jobs' -c 'create database hand' shop
jobs=postgresql://guarded@/jobs

# URLs that are none, and passwords where anybody would see them.
for url in postgresql://guarded:canary@/jobs postgres://guarded:canary@127.0.0.1/jobs 'postgresql:///jobs?password=canary' \
    'postgresql:///jobs?user=guarded&sslpassword=canary'; do
    ends_with 1 status --store "$url"
    tells '--store: holds a password'
    tells 'PGPASSFILE'
    TWILIOWA_STORE=$url ends_with 1 status --json
    says '"field": "TWILIOWA_STORE"'
done
ends_with 1 migrate --print --store postgresql://guarded:canary@/jobs
for url in 'postgresql:///jobs?canary=1' 'postgresql:///jobs?host=a,b,c&port=1,2' 'postgresql://%/jobs'; do
    ends_with 1 status --store "$url"
    tells '--store: is no address of a PostgreSQL server'
    tells 'postgresql://role@host/database'
done
for url in 'host=/tmp password=canary' mysql://canary sqlite: postgresql postgresql:/jobs; do
    ends_with 1 status --store "$url"
    tells '--store: names no store'
done
echo "wrong URLs: as they should be"

# Servers, databases and logins that are not there.
ends_with 4 status --store 'postgresql:///jobs?host=/nowhere'
tells 'store: cannot be reached'
ends_with 4 status --store postgresql:///nowhere
tells 'store: has no such database'
ends_with 4 status --store "$jobs" --json
says '"message": ".*store: refuses the login.*PGPASSFILE'
PGPASSWORD=canary ends_with 4 status --store "$jobs"
tells 'store: refuses the login \(PostgreSQL 28P01\)'
PGPASSWORD=canary ends_with 4 status --store postgresql://nobody_canary_less@/jobs
tells 'store: refuses the login'
ends_with 4 status --store 'postgresql:///jobs?options=-csynchronous_commit%3Doff'
tells 'store: does not wait for its commits'
echo "logins: as they should be"

# No tables; a role that may not make them; the owner makes them by hand; the role may not use them; it may.
export PGPASSWORD=tested
ends_with 4 status --store "$jobs"
tells 'store: lacks its tables of the outbox'
tells 'run twiliowa outbox migrate'
job a-1 | takes 4 enqueue --store "$jobs"
tells 'this role may not make them'
tells 'have the owner of the database run what twiliowa outbox migrate --print shows'
[ -z "$(ask_of jobs "select to_regnamespace('twiliowa')")" ] || fail "something was made"
ends_with 4 migrate --store "$jobs"
tells 'this role may not make them'
PGHOST=/nowhere ends_with 0 migrate --print --store "$jobs" --json
PGHOST=/nowhere ends_with 0 migrate --print --store "$jobs"
psql -qXv ON_ERROR_STOP=1 -d jobs -f "$work/out" >/dev/null
ends_with 4 status --store "$jobs"
tells 'store: refuses this role'
tells 'grant it usage of the schema twiliowa'
psql -qd jobs -c 'grant usage on schema twiliowa to guarded' \
    -c 'grant select, insert, update, delete on all tables in schema twiliowa to guarded'
job a-1 | takes 0 enqueue --store "$jobs"
says '^handed over +1$'
ends_with 0 status --store "$jobs"
says '^ready +1 '
ends_with 0 migrate --store postgresql:///jobs
says 'as this version wants it'
ends_with 0 migrate --store postgresql:///hand
ends_with 0 status --store postgresql:///hand
says 'There is no job'
echo "tables and rights: as they should be"

# Tables of a later version, and a schema of somebody else's.
# By hand from an earlier version: that SQL stops on any other.
ends_with 2 migrate --from 1 --store postgresql:///hand
ends_with 1 migrate --print --from 1 --store sqlite:jobs.db
tells '--from: is for a database'
ends_with 0 migrate --print --from 1 --store postgresql:///hand
says 'from version 1 to'
! psql -qXv ON_ERROR_STOP=1 -d hand -f "$work/out" >/dev/null 2>&1 || fail "migrated from another version"

# What the page says.
ask_of shop 'create database page' && (
    twiliowa() { "$twiliowa" "$@"; }
    psql() { command psql -q "${@:1:2}" page; }
    # shellcheck source=docs/code/command_line.sh
    . "$tree/docs/code/command_line.sh"
    migrate_by_hand >/dev/null
)
ends_with 0 status --store postgresql:///page
ask_of hand "update twiliowa.schema_version set version = 99"
ends_with 4 status --store postgresql:///hand
tells 'tables of a later version'
ends_with 4 migrate --store postgresql:///hand
tells 'tables of a later version'
psql -qd shop -c 'create schema twiliowa' -c 'create table twiliowa.mine (id int)'
job a-2 | takes 4 enqueue --store postgresql:///shop
tells 'a schema twiliowa of another program'
echo "other tables: as they should be"

# Passwords by a file, by a service, and by a file of variables.
unset PGPASSWORD
(umask 077 && echo '*:*:jobs:guarded:tested' >"$work/pass")
PGPASSFILE=$work/pass ends_with 0 status --store "$jobs"
printf '[outbox]\nhost=%s\ndbname=jobs\nuser=guarded\npassword=tested\n' "$PGHOST" >"$work/services"
(
    export PGSERVICEFILE=$work/services
    unset PGHOST PGUSER PGDATABASE
    ends_with 0 status --store 'postgresql:///?service=outbox'
    PGSERVICE=outbox ends_with 0 status --store postgresql://
)
printf 'TWILIOWA_STORE=%s\nPGPASSFILE=%s\n' "$jobs" "$work/pass" >"$work/env"
ends_with 0 status --env-file "$work/env"
says '^ready +1 '
echo "passwords: as they should be"

# The server goes away under a worker, which says so, and that nothing was done.
TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001 TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdef \
    TWILIOWA_STORE=postgresql:///jobs timeout 60 "$twiliowa" outbox run --account nobody --no-opt-outs \
    >"$work/run" 2>"$work/progress" &
worker=$!
until grep -q '1 ready' "$work/progress"; do kill -0 $worker || fail "no worker: $(cat "$work/progress")"; sleep 0.05; done
server=$(head -n 1 "$PGHOST/data/postmaster.pid")
kill -INT "$server"
while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
job a-3 | takes 4 enqueue --store postgresql:///jobs
tells 'line 1: from here on nothing was handed over|store: cannot be reached'
kill -TERM $worker
status=0
wait $worker || status=$?
[ $status -eq 4 ] || fail "a worker without its server ends with $status: $(cat "$work/run" "$work/progress")"
grep -q 'store: cannot be reached' "$work/progress" || fail "a worker without its server says: $(cat "$work/progress")"
echo "a server that goes away: as it should be"
