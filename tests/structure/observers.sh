#!/usr/bin/env bash
# Usage: observers.sh <source tree>. Every event of Observer is passed on by CompositeObserver, tried
# by its test, written by LogObserver, and in docs/observability.md and docs/logs.md.
set -euo pipefail
cd "$1"
failures=0
events=$(sed -n 's/^ *virtual void on_\([a-z_]*\)(const .*/\1/p' include/twiliowa/types/observer.hpp)
[ "$(wc -w <<<"$events")" -ge 19 ] || { echo "observer.hpp has fewer events than it had" >&2; exit 1; }

# <event> <file> <what must be in it>
expect() {
    grep -qF -- "$3" "$2" && return
    echo "$2 lacks on_$1" >&2
    failures=1
}
for event in $events; do
    expect "$event" src/types/observer.cpp "void CompositeObserver::on_$event("
    expect "$event" tests/unit/types/observer_test.cpp "both.on_$event("
    expect "$event" include/twiliowa/log_observer.hpp "void on_$event("
    expect "$event" tests/unit/log/log_observer_test.cpp "log.on_$event("
    expect "$event" docs/observability.md "| \`on_$event\` |"
    expect "$event" docs/logs.md "| \`$event\` |"
done
exit $failures
