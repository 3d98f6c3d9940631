#!/usr/bin/env bash
# Usage: soak_outbox.sh <emulator> <outbox_soak> [seconds] [seed]. Beside an emulator with the senders that it uses, and
# with OUTBOX_ENGINE=postgresql on a server that dies, too, and comes back.
set -euo pipefail
export EMULATOR_OPTIONS=''
for sender in +447700900101 +447700900102 +447700900103 +447700900104; do EMULATOR_OPTIONS+=" --sender $sender"; done
here=$(dirname "$0")
server=()
[ "${OUTBOX_ENGINE-}" != postgresql ] || server=(env POSTGRES_COMES_BACK=yes "$here/with_postgres.sh")
"${server[@]}" "$here/with_emulator.sh" "$@"
