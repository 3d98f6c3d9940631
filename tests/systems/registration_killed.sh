#!/usr/bin/env bash
# Usage: registration_killed.sh <run> <build tree> <killer>. The registration is killed by SIGKILL at each moment of a
# trigger and of the parent's answer at which it makes something last, or sends something. The caller, who got no
# answer, asks again; the parent writes once. The one that comes up after it, beyond the end of leases, has to send
# the template once and the question once. A day later it refuses a text, by its own clock.
set -euo pipefail
# shellcheck source=tests/systems/registration_lib.sh
. "$(dirname "$0")/registration_lib.sh"
