#!/usr/bin/env bash
# Usage: emulator_options.sh <emulator>. What the command line may say, and may not.
set -euo pipefail
emulator=$1

# refused <status> <words> <options...>
refused() {
    local status=0 output
    output=$("$emulator" "${@:3}" 2>&1 </dev/null) || status=$?
    [ "$status" -eq "$1" ] || { echo "'${*:3}' ends with $status, not $1"; exit 1; }
    grep -qF -- "$2" <<<"$output" || { echo "'${*:3}' says: $output"; exit 1; }
}

help=$("$emulator" --help)
for word in '--port N' '--webhook URL' '--clock real|xN|manual' close-before '+15005563016' \
    '+150055 and any code' manual@ '--api-key SK' '--sandbox CODE' '--allow-host NAME' '--env-file FILE' \
    'close-before, close-after'; do
    grep -qF -- "$word" <<<"$help" || { echo "--help does not say $word"; exit 1; }
done
refused 2 "does not begin with http" --webhook ftp://x
refused 2 "and a host" --webhook http:///whatsapp
refused 2 "need --webhook" --fallback http://localhost/
refused 2 "a time like" --clock manual@yesterday
refused 2 "a time like" --clock manual@2200-01-01T00:00:00Z
refused 2 "is not a name like" --allow-host http://emulator.test
refused 2 "write SK and 32" --api-key SKx:secret
refused 2 "is not real, manual, or x" --clock fast
refused 2 "there is no fault 'fire'" --fault fire=0.5
refused 2 "not a number from 0 to 1" --fault reset=2
refused 2 "is not a number" --seed many
refused 2 "unknown option '--prot'" --prot 1
refused 2 "--port needs a value" --port
refused 2 "not a number from 0 to 65535" --port 70000
refused 2 "the SID is not AC" --account ACx:token
refused 2 "write the SID, a colon and the token" --account AC00000000000000000000000000000001
refused 2 "is there twice" --account AC00000000000000000000000000000001:a --account AC00000000000000000000000000000001:b
refused 2 "is not a number like" --sender me
refused 2 "--tls takes no value" --tls=yes
refused 2 "write AP and 32" --application APx=http://localhost/
refused 1 "cannot run /nowhere/program" -- /nowhere/program
refused 1 "cannot write /nowhere/file" --env-file /nowhere/file
refused 1 "cannot write /nowhere/file" --state /nowhere/file -- true
refused 1 "cannot listen on" --host 203.0.113.1

# A right run prints nothing that looks like an error.
output=$("$(dirname "$0")/with_emulator.sh" "$emulator" true 2>&1)
[ -z "$output" ] || { echo "with_emulator.sh says: $output"; exit 1; }
