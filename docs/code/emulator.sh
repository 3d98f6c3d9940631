# shellcheck shell=bash
# What docs/ says to type of the emulator. tests/programs/docs_emulator.sh runs it.
start_it() {
    # [start]
    twiliowa-emulator --port 8081 > emulator.env &
    until grep -qs 'Ends with' emulator.env; do sleep 0.1; done
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
