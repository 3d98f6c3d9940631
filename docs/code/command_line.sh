# shellcheck shell=bash
# What docs/command-line.md says to type. tests/programs/cli.sh runs it.
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

complete_it() {
    # [completion]
    . <(twiliowa completion bash)
    # [completion]
}
