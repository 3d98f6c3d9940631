#!/usr/bin/env bash
# Usage: with_emulator.sh <emulator> <command...>. Starts the emulator on a free port of loopback, runs
# the command with the environment that points at it, and ends it with SIGTERM. Fails if either does.
# EMULATOR_OPTIONS: further options for the emulator.
set -euo pipefail
emulator=$1
shift
work=$(mktemp -d)
# Of the caller's environment nothing may reach the programs.
unset "${!TWILIO@}"

read -ra options <<<"${EMULATOR_OPTIONS-}"
"$emulator" --port 0 "${options[@]}" >"$work/environment" &
process=$!
export EMULATOR_PID=$process
trap 'kill -KILL $process 2>/dev/null || true; rm -rf "$work"' EXIT
until grep -qs 'Ends with' "$work/environment"; do
    kill -0 $process || { echo "the emulator did not start"; exit 1; }
    sleep 0.05
done
# shellcheck source=/dev/null
. "$work/environment"

status=0
"$@" || status=$?
kill -TERM $process
wait $process || { echo "the emulator ended with status $?"; status=1; }
exit $status
