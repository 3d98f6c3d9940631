# shellcheck shell=bash
# What docs/ says to type of the emulator. tests/programs/docs_emulator.sh runs it.
run_it() {
    # [run]
    twiliowa-emulator --port 8081 -- ./my_service
    # [run]
}

start_it() {
    # [start]
    rm -f emulator.env
    twiliowa-emulator --port 8081 --sender sms:+15551234567 --env-file emulator.env &
    until [ -e emulator.env ]; do sleep 0.1; done
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

clear_faults() {
    # [clear]
    curl "$TWILIOWA_BASE_URL/emulator/fault" -H 'Content-Type: application/json' -d '{"clear": true}'
    # [clear]
}

send_sms() {
    # [sms]
    curl -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" \
         "$TWILIOWA_BASE_URL/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json" \
         --data-urlencode From=+15551234567 --data-urlencode To=+447700900123 -d Body=Hello
    curl "$TWILIOWA_BASE_URL/emulator/customer" -H 'Content-Type: application/json' \
         -d '{"customer": "+447700900123", "sender": "+15551234567", "action": "text", "text": "Hi"}'
    # [sms]
}

make_template() {
    # [template]
    login="$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN"
    template=$(curl -s -u "$login" "$TWILIOWA_BASE_URL/v1/Content" -H 'Content-Type: application/json' \
        -d '{"friendly_name": "tea", "language": "en", "variables": {"1": "Lee"},
             "types": {"twilio/text": {"body": "Hi {{1}}, tea is ready."}}}' |
        grep -o 'HX[0-9a-f]*' | head -n 1)
    curl -u "$login" "$TWILIOWA_BASE_URL/v1/Content/$template/ApprovalRequests/whatsapp" \
         -H 'Content-Type: application/json' -d '{"name": "tea", "category": "UTILITY"}'
    curl "$TWILIOWA_BASE_URL/emulator/clock" -H 'Content-Type: application/json' \
         -d '{"advance_seconds": 61}'
    curl -u "$login" "$TWILIOWA_BASE_URL/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json" \
         -d To=whatsapp:%2B447700900123 -d From=whatsapp:%2B14155238886 -d "ContentSid=$template"
    # [template]
}

run_unchanged() {
    # [unchanged]
    unshare --user --map-root-user --mount --net sh -ec '
        ip link set lo up
        cp /etc/hosts hosts
        echo "127.0.0.1 api.twilio.com content.twilio.com" >> hosts
        mount --bind hosts /etc/hosts
        exec twiliowa-emulator --tls --port 443 --allow-host api.twilio.com \
            --allow-host content.twilio.com -- ./my_service'
    # [unchanged]
}
