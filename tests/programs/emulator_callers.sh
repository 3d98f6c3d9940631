#!/usr/bin/env bash
# Usage: emulator_callers.sh <emulator>. What requests of other programs and of other sites' pages get.
set -euo pipefail
emulator=$1
# shellcheck source=tests/programs/emulator_lib.sh
. "$(dirname "$0")/emulator_lib.sh"

# A form of several parts is carried out as one of names and values is.
# parts <boundary> <name> <value>...
parts() {
    local boundary=$1
    shift
    while [ $# -gt 0 ]; do
        printf -- '--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' "$boundary" "$1" "$2"
        shift 2
    done
    printf -- '--%s--\r\n' "$boundary"
}
start
body=$(parts xYz From whatsapp:+14155238886 To whatsapp:+447700900123 Body 'Tea & cake = +1')$'\n'
multipart() { ask_as 'multipart/form-data; boundary=xYz' "$@"; }
ask_as() { ASK_TYPE=$1 expect "${@:2}"; }
multipart '"body":"Tea & cake = \+1"' POST "$messages" "$body"
multipart 'HTTP/1.1 201' POST "$messages" "$body"
ASK_TYPE='multipart/form-data; boundary="xYz"' expect 'HTTP/1.1 201' POST "$messages" "$body"
ASK_TYPE='multipart/form-data' expect 'HTTP/1.1 400' POST "$messages" "$body"
ASK_TYPE='multipart/form-data; boundary=other' expect 'HTTP/1.1 400' POST "$messages" "$body"
ASK_TYPE='multipart/form-data; boundary=xYz' expect 'HTTP/1.1 400' POST "$messages" "${body%--xYz--*}"
expect '"body":"Tea & cake = \+1"' GET "$messages"
echo "forms of several parts: as it should be"


# What a customer sends may be a page, and is not shown as one; nor is any answer.
customer '"action": "media", "content_type": "text/html", "base64": "PHNjcmlwdD4="'
media=$(ask GET "$messages?PageSize=1" | grep -oE '"media":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
file=${media%.json}/$(ask GET "$media" | grep -oE 'ME[0-9a-f]{32}' | head -n 1)
expect 'HTTP/1.1 (200|307)' GET "$file"
for path in "$file" "$messages"; do
    expect 'X-Content-Type-Options: nosniff' GET "$path"
    expect "Content-Security-Policy: default-src 'none'; sandbox" GET "$path"
done
echo "files: as it should be"

# A page of another site has no way in: neither to the orders, nor with the login that everybody knows.
elsewhere='Sec-Fetch-Site: cross-site'
grep -q 'HTTP/1.1 403' <<<"$(ask GET "$messages" '' "$elsewhere")" || fail "another site's page may list messages"
grep -q 'HTTP/1.1 403' <<<"$(ask POST "$messages" "From=whatsapp%3A%2B14155238886&To=$lee&$template" "$elsewhere")" ||
    fail "another site's page may send"
grep -q 'HTTP/1.1 403' <<<"$(ask GET /emulator/state '' "$elsewhere")" || fail "another site's page may look"
grep -q 'HTTP/1.1 403' <<<"$(ask POST /emulator/fault '{"clear": true}' "$elsewhere")" || fail "another site's page may order"
preflight=$(ask OPTIONS /emulator/fault '' 'Origin: http://evil.example' 'Access-Control-Request-Method: POST')
! grep -qi '^access-control-allow' <<<"$preflight" || fail "another site's page is let in: $preflight"
grep -q 'HTTP/1.1 200' <<<"$(ASK_LOGIN=a:b ask GET / '' "$elsewhere")" || fail "a link leads nowhere"
# Over http to an address that is not this machine's, browsers do not say that; nor do old ones.
for origin in http://evil.example https://evil.example:8443 null http://192.0.2.9 http://localhost.evil.example; do
    grep -q 'HTTP/1.1 403' <<<"$(ask GET "$messages" '' "Origin: $origin")" || fail "$origin may list messages"
    grep -q 'HTTP/1.1 403' <<<"$(ask POST "$messages" "From=whatsapp%3A%2B14155238886&To=$lee&$template" "Origin: $origin")" ||
        fail "$origin may send"
    grep -q 'HTTP/1.1 403' <<<"$(ask POST /emulator/fault '{"clear": true}' "Origin: $origin")" || fail "$origin may order"
done
for origin in http://localhost:3000 http://127.0.0.1 'http://[::1]:8080' http://app.localhost; do
    grep -q 'HTTP/1.1 200' <<<"$(ask GET "$messages" '' "Origin: $origin")" || fail "$origin may not list messages"
done
for site in same-origin same-site none; do
    grep -q 'HTTP/1.1 200' <<<"$(ask GET "$messages" '' "Sec-Fetch-Site: $site")" || fail "$site may not list messages"
done
stop
start --account AC0000000000000000000000000000000a:own
grep -q 'HTTP/1.1 200' <<<"$(ask GET "$messages" '' "$elsewhere")" || fail "who has a login of their own may not use it"
stop
echo "other sites: as it should be"

# Parts of an answer are not served: all of it is.
start
grep -q 'HTTP/1.1 200' <<<"$(ask GET /help '' 'Range: bytes=0-1,2-3')" || fail "ranges are served"
grep -q 'HTTP/1.1 414' <<<"$(ask GET "/$(printf '%08000d' 1)")" || fail "an endless address is taken"
stop
echo "ranges: as it should be"
