#!/usr/bin/env bash
# Usage: soak_outbox.sh <emulator> <outbox_soak> [seconds] [seed]. Beside an emulator with the senders that it uses.
set -euo pipefail
export EMULATOR_OPTIONS=''
for sender in +447700900101 +447700900102 +447700900103 +447700900104; do EMULATOR_OPTIONS+=" --sender $sender"; done
"$(dirname "$0")/with_emulator.sh" "$@"
