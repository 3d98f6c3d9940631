# shellcheck shell=bash
# What docs/getting-started.md says to type in the library's tree. tests/programs/docs_commands.sh runs it.
get_it() {
    # [get]
    git clone https://github.com/twiliowa/twiliowa
    cd twiliowa
    ./dev demo
    # [get]
}

send_it() {
    # [send]
    cmake --build build/dev --target example_send_template
    rm -f build/emulator.env
    build/dev/tools/twiliowa-emulator --env-file build/emulator.env & emulator=$!
    until [ -e build/emulator.env ]; do sleep 0.1; done
    . build/emulator.env
    build/dev/examples/example_send_template
    # [send]
}

receive_it() {
    # [receive]
    build/dev/examples/example_webhook_server 8081 & bot=$!
    until curl -s http://127.0.0.1:8081/; do sleep 0.1; done
    curl "$TWILIOWA_BASE_URL/emulator/webhook" -H 'Content-Type: application/json' \
         -d '{"owner": "whatsapp:+14155238886", "url": "http://127.0.0.1:8081/whatsapp"}'
    curl "$TWILIOWA_BASE_URL/emulator/customer" -H 'Content-Type: application/json' \
         -d '{"customer": "+447700900123", "action": "text", "text": "Where is my order?"}'
    # [receive]
}

stop_it() {
    # [stop]
    kill $bot $emulator
    # [stop]
}
