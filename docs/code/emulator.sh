# shellcheck shell=bash
# What docs/ says to type of the emulator. tests/programs/docs_emulator.sh runs it.
try_it() {
    # [try]
    cmake --build build/dev --target example_send_template
    build/dev/tools/twiliowa-emulator > emulator.env &
    sleep 1; . ./emulator.env
    build/dev/examples/example_send_template
    # [try]
}

start_it() {
    # [start]
    twiliowa-emulator --port 8081 > emulator.env &
    sleep 1
    . ./emulator.env
    # [start]
}

order_it() {
    # [orders]
    curl "$TWILIOWA_BASE_URL/emulator/customer" -H 'Content-Type: application/json' \
         -d '{"customer": "+447700900123", "action": "text", "text": "Hello"}'
    curl "$TWILIOWA_BASE_URL/emulator/fault" -H 'Content-Type: application/json' \
         -d '{"fault": "close-after", "count": 1}'
    # [orders]
}
