#!/usr/bin/env bash
# Usage: docs_commands.sh <source tree> <build tree>. Types what README.md and docs/getting-started.md say of
# ./dev, of the first message and of the first webhook; ./dev demo must print what docs/code/demo.txt says.
# What takes long is only looked up: ./dev must know it. Where there is no curl it says what it leaves out.
set -euo pipefail
tree=$1 built=$2
work=$(mktemp -d)
# shellcheck disable=SC2064 # the value of now
trap "kill \$(jobs -p) 2>/dev/null || true; wait; rm -rf '$work'" EXIT
# Of the caller's account nothing may take part.
unset "${!TWILIO@}"
fail() { echo "$1" >&2; exit 1; }

# A tree in which everything is built and installed already. The ports are free ones.
mkdir -p "$work"/twiliowa/build/dev/{examples,tools} "$work/bin"
cd "$work/twiliowa"
cp "$tree/dev" .
ln -s "$built"/examples/example_* build/dev/examples
rm build/dev/examples/example_webhook_server
script() { printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod +x "$1"; }
script build/dev/tools/twiliowa-emulator "exec '$built/tools/twiliowa-emulator' \"\$@\" \${PORT-}"
script build/dev/examples/example_webhook_server "[ -z \"\${ANY_PORT-}\" ] || exec >'$work/bot'
exec '$built/examples/example_webhook_server' \${ANY_PORT-\$1}"
script ../bin/cmake 'exit 0'
script ../bin/apt-get 'exit 0'
script ../bin/dpkg-query 'printf installed'
PATH=$work/bin:$PATH

repository=$(sed -nE 's/^ *REPO (.*)/\1/p' "$tree/packaging/vcpkg/ports/twiliowa/portfile.cmake")
git() { [ "$*" = "clone https://github.com/$repository" ] || fail "git $*: the port has another address"; }
cd() { [ "$1" = twiliowa ] || builtin cd "$@"; }
./dev() {
    command ./dev help | grep -qE "^\./dev $1 " || fail "./dev help does not know $1"
    [ "$1" != demo ] || command ./dev demo
}
# What may differ: ports, SIDs, how far a message has come when it is looked at, what comes first.
steady() {
    sed -E '/^# \[/d; s/(127\.0\.0\.1):[0-9]+/\1:0/; s/(SM|RQ)[0-9a-f]{32}/\1/
        s/  (queued|sending|sent|delivered|read) +to /  - to /' "$1" | sort -u
}

# shellcheck source=docs/code/dev.sh
. "$tree/docs/code/dev.sh"
# shellcheck source=docs/code/getting_started.sh
. "$tree/docs/code/getting_started.sh"
try_it >"$work/demo"
diff <(steady "$work/demo") <(steady "$tree/docs/code/demo.txt") ||
    fail "./dev demo does not print what docs/code/demo.txt says"
look_at_systems
measure_it
get_it >/dev/null

export PORT='--port 0' ANY_PORT=0
send_it >sent
grep -qE '^SM[0-9a-f]{32} is queued' sent || fail "the example did not send: $(cat sent)"
if ! command -v curl >/dev/null; then
    echo "SKIPPED: programs.docs.commands: the webhook, as curl is not installed"
    kill "$emulator"
    exit
fi
# The bot's port is a free one, and an order that is refused is a failure.
curl() {
    local address
    until address=$(grep -oE '127[.0-9]+:[0-9]+' "$work/bot"); do sleep 0.05; done
    command curl -sS "${@//127.0.0.1:8081/$address}" -w '\n%{http_code}\n'
}
true >"$work/bot"
receive_it >received
[ "$(grep -cx 200 received)" -eq 2 ] || fail "an order was refused: $(cat received)"
for _ in {1..200}; do
    ! grep -q '^200 message .* handled$' "$work/bot" || break
    sleep 0.05
done
grep -q '^200 message .* handled$' "$work/bot" || fail "the bot got no webhook: $(cat "$work/bot" received)"
stop_it
echo "as it should be"
