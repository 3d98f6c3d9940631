#!/usr/bin/env bash
# Usage: run.sh <directory to install to> <test file> [program]. Runs a Node test with the packages that
# package.json names; says so and ends with 77 where they, or Twilio's documents, cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1 test=$2

skip() { echo "SKIPPED: npm.${test%_test.mjs}: $1"; exit 77; }

if [ "$test" = contract_test.mjs ]; then
    document=${TWILIOWA_SHARED:-$here/../../../shared}/twilio/openapi/twilio_api_v2010.json
    [ -r "$document" ] || skip "Twilio's OpenAPI document is not there"
    CONTRACT_ARGUMENTS="$(realpath "$document")|$3"
    export CONTRACT_ARGUMENTS
fi
if [ "$test" = page_test.mjs ]; then
    browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
        skip "Chromium is not installed"
    export PAGE_ARGUMENTS="$browser|$3"
fi
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
[ "$(node -p 'process.versions.node.split(".")[0] >= 18')" = true ] || skip "node is older than 18"
mkdir -p "$work"
if ! cmp -s "$here/package.json" "$work/package.json" || [ ! -d "$work/node_modules" ]; then
    cp "$here/package.json" "$work/package.json.new"
    (cd "$work" && cp package.json.new package.json &&
        npm install --no-package-lock --no-audit --no-fund --silent >npm.log 2>&1) ||
        { rm -f "$work/package.json"; skip "npm cannot install the packages"; }
fi
cp "$here"/*.mjs "$here"/../../docs/code/*.cjs "$work/"
cd "$work" && exec node --test --test-reporter=spec "$test"
