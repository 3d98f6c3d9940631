# shellcheck shell=bash
# What docs/command-line.md says to type. tests/programs/cli.sh and its neighbours run it.
look() {
    # [look]
    twiliowa account show
    twiliowa sender list
    # [look]
}

read_json() {
    # [json]
    twiliowa sender list --json
    # [json]
}

fail_json() {
    # [error]
    twiliowa account show --json
    # [error]
}

make_template() {
    # [template]
    twiliowa template check order_on_its_way.json --use whatsapp
    twiliowa template render order_on_its_way.json --variables '{"1": "Lee", "2": "42"}'
    twiliowa template push order_on_its_way.json
    # [template]
}

submit_template() {
    # [submit]
    sid=$(twiliowa template push order_on_its_way.json --json | grep -om 1 'HX[0-9a-f]*')
    twiliowa template submit "$sid" --name order_on_its_way --category UTILITY
    twiliowa template wait "$sid"
    # [submit]
}

pull_header() {
    # [header]
    twiliowa template pull --header my_templates.hpp --namespace shop::templates
    # [header]
}

ask_of_customer() {
    # [customer]
    export TWILIOWA_STORE=sqlite:state.db
    twiliowa customer show +447700900123
    twiliowa customer export +447700900123 >copy.json
    twiliowa customer forget +447700900123 --yes
    # [customer]
}

hand_over_and_send() {
    # [outbox]
    export TWILIOWA_STORE=sqlite:outbox.db
    twiliowa outbox enqueue messages.jsonl
    twiliowa outbox run --until-empty
    twiliowa outbox list --state held
    # [outbox]
}

hand_over_a_line() {
    # [line]
    echo '{"key": "order-42", "to": "+447700900123", "body": "On its way"}' |
        twiliowa outbox enqueue --json
    # [line]
}

migrate_by_hand() {
    # [migrate]
    twiliowa outbox migrate --print --store postgresql://outbox@/shop | psql -v ON_ERROR_STOP=1 shop
    # [migrate]
}

decide_about_it() {
    # [decide]
    twiliowa outbox show order-42
    twiliowa outbox resolve order-42 --not-sent
    # [decide]
}

look_after_dead_letters() {
    # [dead]
    export TWILIOWA_STORE=sqlite:bot.db
    twiliowa inbox list --state dead
    twiliowa inbox show SM00000000000000000000000000000001
    twiliowa inbox retry SM00000000000000000000000000000001
    twiliowa inbox drop SM00000000000000000000000000000002 --yes
    # [dead]
}

try_a_bot() {
    # [trigger]
    twiliowa trigger message --to http://localhost:8080/whatsapp --body 'Where is my order?'
    twiliowa trigger button --to http://localhost:8080/whatsapp --title Yes --payload order-yes
    twiliowa trigger status --to http://localhost:8080/whatsapp --status undelivered --error-code 63016
    # [trigger]
}

send_and_look() {
    # [send]
    twiliowa send text --to +447700900123 --body 'Your order is on its way'
    twiliowa messages list --to +447700900123 --limit 5
    twiliowa explain 63016
    # [send]
}

complete_it() {
    # [completion]
    . <(twiliowa completion bash)
    # [completion]
}
