# shellcheck shell=bash
# What the pages say to type of ./dev. tests/programs/docs_commands.sh runs it.
try_it() {
    # [start]
    ./dev demo  # builds it all, sends to a fake Twilio, gets webhooks back, shows what happened
    ./dev test  # builds, and runs the tests; --all: all of them
    # [start]
}

measure_it() {
    # [bench]
    ./dev bench
    # [bench]
    # [instructions]
    ./dev bench --instructions
    # [instructions]
    # [fuzz]
    ./dev fuzz --runs 10000000
    # [fuzz]
}
