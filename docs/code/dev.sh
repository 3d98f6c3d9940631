# shellcheck shell=bash
# What the pages say to type of ./dev. tests/programs/docs_commands.sh runs it.
try_it() {
    # [start]
    ./dev demo  # builds it all, sends to a fake Twilio, gets webhooks back, shows what happened
    ./dev test  # builds, and runs the tests; --all: all of them
    # [start]
}

look_at_systems() {
    # [systems]
    ./dev system            # which there are
    ./dev system processor  # runs one, and says where to look
    # [systems]
}

measure_it() {
    # [bench]
    ./dev bench
    # [bench]
    # [load]
    ./dev bench load
    # [load]
    # [instructions]
    ./dev bench --instructions
    # [instructions]
    # [fuzz]
    ./dev fuzz --runs 10000000
    # [fuzz]
}
