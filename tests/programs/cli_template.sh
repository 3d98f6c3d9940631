#!/usr/bin/env bash
# Usage: cli_template.sh <emulator> <twiliowa> <typed templates>. The verbs of `twiliowa template`: what they
# print, their JSON and exit codes; and the header that pull writes, with which a program sends.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
emulator=$1 twiliowa=$(realpath "$2") typed_templates=$3
twiliowa() { timeout 60 "$twiliowa" "$@"; }
# shellcheck source=docs/code/command_line.sh
. "$here/../../docs/code/command_line.sh"
# shellcheck source=tests/programs/emulator_lib.sh
. "$here/emulator_lib.sh"
export TERM=dumb

# ends_with <status> <arguments...>: what it printed is in $work/out and $work/err. $input is what it reads.
ends_with() {
    local status=0
    printf %s "${input-}" | timeout 60 "$twiliowa" template "${@:2}" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -eq "$1" ] || fail "twiliowa template ${*:2} ends with $status, not $1: $(cat "$work/out" "$work/err")"
}
is() { diff - "$work/out" || fail "another output"; }
says() { grep -qE -- "$1" "$work/out" || fail "no $1 in: $(cat "$work/out")"; }
tells() { grep -qE -- "$1" "$work/err" || fail "no $1 in: $(cat "$work/err")"; }
silent() { [ ! -s "$work/$1" ] || fail "std$1: $(cat "$work/$1")"; }
order=$here/cli_files/order_on_its_way.json built_in=HX00000000000000000000000000000001

# Without an account.
ends_with 0 check "$order"
silent out
tells 'Nothing is wrong'
ends_with 0 check "$order" --use session --json
is <<END
{
  "refused": false,
  "findings": []
}
END
silent err
input='{"friendly_name": "empty", "language": "en", "types": {}}' ends_with 1 check -
says '^refuse types [^ ]'
input='{"friendly_name": "empty", "language": "en", "types": {}}' ends_with 1 check - --json
says '"refused": true'
says '"level": "refuse"'
says '"path": "types"'
ends_with 2 check "$order" --use anything
for file in "$work/nothing" "$work"; do
    ends_with 1 check "$file" --json
    says '"field": "FILE"'
done
for text in '' '[]' '{"a": ' $'{"a": "\xff"}'; do
    input=$text ends_with 1 check -
    tells 'FILE: '
done
ends_with 0 render "$order" --variables '{"2": "42"}'
is <<<'Hi there, your order 42 is on its way'
silent err
ends_with 0 render "$order" --variables '{"name": "Lee"}'
tells 'no variable \{\{name\}\}'
input='{"types": {"twilio/quick-reply": {"body": "Hi {{1}},\nwell?\u001b[2J", "actions": [{"title": "Yes", "id": "y"}]}}}'
ends_with 0 render -
is <<'END'
Hi {{1}},
well? [2J
[Yes]
END
tells '\{\{1\}\} has neither'
ends_with 0 render - --variables '{"1": "Lee"}' --json
says '"body": "Hi Lee,\\nwell\?\\u001b\[2J"'
says '"id": "y"'
says '"unfilled": \[\]'
input=''
ends_with 1 render "$order" --variables '{"1": 1}' --json
says '"field": "--variables"'
ends_with 1 render $built_in
tells TWILIO_ACCOUNT_SID
echo "without an account: as it should be"

# With one.
start
ends_with 0 render $built_in --variables '{"1": "Lee", "2": "42"}'
is <<<'Hi Lee, your order 42 is on its way'
ends_with 0 list
says "^$built_in  order_on_its_way  en +twilio/text  approved$"
ends_with 0 show $built_in
says '^approval +approved$'
says '"body": "Hi \{\{1\}\}, your order \{\{2\}\} is on its way"'
ends_with 0 show $built_in --json
says '"sid": "'$built_in'"'
says '"status": "approved"'
ends_with 2 show SM1
ends_with 1 show HX00000000000000000000000000000009 --json
says '"kind": "not_found"'

ends_with 0 diff "$order" $built_in
silent out
sed 's/is on its way/has left/; s/"2": "0000"/"2": "0000", "3": "x"/; s/{{1}}/{{ 1 }}/' "$order" >"$work/changed"
ends_with 1 diff "$work/changed" $built_in
is <<'END'
types.twilio/text.body
  file:   "Hi {{1}}, your order {{2}} has left"
  Twilio: "Hi {{1}}, your order {{2}} is on its way"
variables.3
  file:   "x"
  Twilio: none
END
ends_with 1 diff "$work/changed" $built_in --json
says '"same": false'
says '"twilio": null'
sed -i 's/, "3": "x"//' "$work/changed"

ends_with 0 push "$order"
is <<<"unchanged $built_in order_on_its_way"
ends_with 0 push "$work/changed" --json
says '"action": "created"'
sid=$(grep -oE 'HX[0-9a-f]{32}' "$work/out" | head -n 1)
ends_with 0 push "$work/changed"
is <<<"unchanged $sid order_on_its_way_v2"
ends_with 0 diff "$work/changed" "$sid"
sed -i 's/has left/is packed/' "$work/changed"
ends_with 0 push "$work/changed"
is <<<"updated $sid order_on_its_way_v2"
input='{"friendly_name": "empty", "language": "en", "types": {}}' ends_with 1 push - --json
says '"field": "types"'
sed 's/on_its_way/on_the_way/; s/{{2}} is/{{2}} will be/' "$order" >"$work/order_on_its_way.json"
(cd "$work" && make_template >out 2>err) || fail "the page's commands fail: $(cat "$work/out" "$work/err")"
says '^created HX.* order_on_the_way$'
echo "list, show, diff, push: as they should be"

# A template is judged after a minute: by the emulator's clock.
ends_with 1 wait "$sid" --json
says '"kind": "invalid_request"'
ends_with 2 submit "$sid" --name changed --category GOSSIP
ends_with 2 submit "$sid" --category UTILITY
ends_with 0 submit "$sid" --name changed --category utility --send-ttl 600 --keep-category --json
says '"status": "received"'
says '"category": "UTILITY"'
says '"send_ttl_seconds": 600'
says '"allow_category_change": false'
ends_with 1 submit "$sid" --name changed --category UTILITY
ends_with 4 wait "$sid" --timeout 1s --json
says '"kind": "timeout"'
ends_with 2 wait "$sid" --timeout 1
ends_with 2 wait "$sid" --timeout 99999999h
stop
start --clock manual
judged() { # <name>: submitted under that name, and judged
    ends_with 0 push "$work/changed" --json
    sid=$(grep -oE 'HX[0-9a-f]{32}' "$work/out" | head -n 1)
    ends_with 0 submit "$sid" --name "$1" --category MARKETING
    says '^approval +received$'
    advance 600 && advance 600
}
(cd "$work" && submit_template >out 2>err) &
submission=$!
eventually '"status":"received"' GET '/v1/ContentAndApprovals?PageSize=10'
advance 600
advance 600
wait $submission || fail "the page's commands fail: $(cat "$work/out" "$work/err")"
says '^approval +approved$'
judged changed
ends_with 0 wait "$sid"
says '^approval +approved$'
sed -i 's/is packed/is in the post/' "$work/changed"
judged reject_me
ends_with 1 wait "$sid"
says "^approval +rejected: .*contains 'reject'"
ends_with 1 wait "$sid" --json
says '"status": "rejected"'
says '"rejection_reason": "The name'
ends_with 0 show "$sid"
says '^approval +rejected: '
stop
echo "submit, wait: as they should be"

# What pull writes does not depend on the order in which templates come, or on when.
start --clock manual
create() { expect '"sid":"HX' POST /v1/Content "{\"friendly_name\": \"$1\", \"language\": \"$2\", \"types\": {\"$3\": $4}}"; }
text() { create "$1" "${3:-en}" twilio/text "{\"body\": \"$2\"}"; }
text 'Reminder!' 'Your order number is {{1}}, and it arrives by {{2}} at {{3}}'
text reminder 'Recuerdo para {{name}}' es
text reminder 'Hi {{1}} and {{2}}, your {{3}}: {{Name}} {{name}} {{10}}'
text delete 'No {{class}}, no {{to}}, no {{content_sid}}, no {{2nd}}, no {{_x}}'
text '2fa' 'Nothing to fill in'
text '\ud83c\udf89' 'No letter in its name \ud83c\udf89'
# shellcheck disable=SC1003 # a backslash at the end
text '*/ } \\\" ??/\n#error \u2028 \\' '\nHi {{1}}, \u202e*/ #error \\\\'
create 'Order update' en twilio/call-to-action '{"body": "Order {{1}}", "actions":
    [{"type": "URL", "title": "Track", "url": "https://example.com/track/{{2}}"}]}'
create invoice en twilio/media '{"body": "Your invoice", "media": ["https://example.com/{{1}}"]}'
create code en whatsapp/authentication '{"actions": [{"type": "COPY_CODE", "copy_code_text": "Copy"}]}'
cd "$work"
ends_with 0 pull --header my-templates.hpp --namespace shop::templates --file templates.json
tells 'Written: my-templates.hpp'
says "^$built_in  shop::templates::order_on_its_way$"
diff "$here/typed_templates.hpp" my-templates.hpp || fail "another header"
ends_with 0 pull
cmp "$work/out" templates.json
says '"contents": \['
grep '"sid"' templates.json | LC_ALL=C sort -c || fail "the list is in another order"
ends_with 0 pull --json
cmp "$work/out" templates.json
advance 100000
ends_with 0 pull --header my-templates.hpp --namespace shop::templates --json
says '"changed": \[\]'
says '"name": "shop::templates::invoice"'
pull_header >"$work/out" 2>"$work/err"
cmp my-templates.hpp my_templates.hpp || fail "the page's command writes another header"
ends_with 0 pull --header my-templates.hpp
grep -q '^namespace my_templates {$' my-templates.hpp || fail "another namespace"
for name in 1st shop:: std 'a b' 'a::__b' class; do ends_with 2 pull --header other.hpp --namespace "$name"; done
ends_with 2 pull --namespace shop
ends_with 1 pull --header nowhere/other.hpp --json
says '"field": "--header"'
cp my-templates.hpp before.hpp
TWILIO_AUTH_TOKEN=wrong ends_with 1 pull --header my-templates.hpp
cmp before.hpp my-templates.hpp || fail "the header is another"
"$typed_templates" templates.json
cd /
stop
echo "pull: as it should be"
