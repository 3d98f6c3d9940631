#!/usr/bin/env bash
# Usage: docs_python.sh <program>. Runs what the documentation shows of Twilio's library for Python; where
# that is not installed, checks its syntax, says so and ends with 77.
set -euo pipefail
for python in python3 /usr/bin/python3; do
    if "$python" -c 'import twilio.rest' 2>/dev/null; then
        # The program that finds the emulator by itself, and those of Twilio's that do not.
        case $1 in
        */emulator.py) exec "$python" -B "$1" ;;
        *) exec "$python" -B "$(dirname "$0")/twilio_here.py" "$1" ;;
        esac
    fi
done
! command -v python3 >/dev/null || python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$1"
echo "SKIPPED: programs.docs.python: python3-twilio is not installed"
exit 77
