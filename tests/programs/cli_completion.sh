#!/usr/bin/env bash
# Usage: cli_completion.sh <twiliowa> <source tree>. What bash completes; and that zsh and fish read their scripts,
# where they are installed.
set -euo pipefail
twiliowa=$(realpath "$1") tree=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$1"; exit 1; }
twiliowa() { "$twiliowa" "$@"; }
# shellcheck source=docs/code/command_line.sh
. "$tree/docs/code/command_line.sh"
complete_it
[ "$(complete -p twiliowa)" = 'complete -F _twiliowa twiliowa' ] || fail "bash was told: $(complete -p twiliowa)"

# completes <words before the last> <last> <what it may become>
completes() {
    # shellcheck disable=SC2206 # words
    COMP_WORDS=(twiliowa $1 "$2")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _twiliowa
    [ "${COMPREPLY[*]}" = "$3" ] || fail "twiliowa $1 $2 becomes: ${COMPREPLY[*]}"
}
completes '' s 'send sender'
completes sender '' '--base-url --env-file --help --json list show'
completes sender s show
completes 'sender show' --j --json
completes '--json sender' l list
completes template s 'show submit'
completes 'template check x --use' '' 'session whatsapp'
completes '' --v --version
completes sender --v ''
if twiliowa outbox --help >/dev/null 2>&1; then
    completes outbox r 'resolve resume retry run'
    completes 'outbox keys' '' '--base-url --env-file --help --json new reseal rotate'
    completes 'outbox list --state' d 'dead delivered'
    completes inbox '' '--base-url --env-file --help --json catch-up drop list retry show status'
    completes 'inbox list --state' d 'dead done dropped'
    completes 'inbox list --kind' '' 'message status unknown'
fi
if twiliowa campaign --help >/dev/null 2>&1; then
    completes campaign r 'report resume retry'
    completes 'campaign retry spring --reason' e 'exhausted expired'
fi
completes completion '' '--base-url --env-file --help --json bash fish zsh'
cd "$work"
touch 'my file.env' other
completes '' my ''
completes 'template push' my 'my file.env'
! twiliowa outbox --help >/dev/null 2>&1 || completes 'outbox enqueue' my 'my file.env'
! twiliowa campaign --help >/dev/null 2>&1 || completes 'campaign add spring' my 'my file.env'
completes 'template pull --header' my 'my file.env'
completes 'sender list --env-file' my 'my file.env'
completes '--base-url' o ''
echo "bash: as it should be"

for shell in zsh fish; do
    twiliowa completion $shell >"$work/script"
    grep -q sender "$work/script" || fail "nothing for $shell"
    ! command -v $shell >/dev/null || $shell -n "$work/script" || fail "$shell does not take its script"
done
if command -v fish >/dev/null; then
    # shellcheck disable=SC2016 # for fish
    offered=$(PATH=$(dirname "$twiliowa"):$PATH fish --no-config -c \
        'twiliowa completion fish | source; complete -C "twiliowa sender "' | cut -f 1 | xargs)
    [ "$offered" = 'list show' ] || fail "fish offers: $offered"
fi
echo "zsh and fish: as they should be"
