# shellcheck shell=bash
# What docs/campaigns.md says to type. tests/programs/cli_campaign.sh runs it.
make_and_look() {
    # [make]
    export TWILIOWA_STORE=sqlite:spring.db
    twiliowa campaign new spring.json --prices prices.csv
    twiliowa campaign add spring customers.csv --country GB
    twiliowa campaign check spring --prices prices.csv
    twiliowa campaign test spring --to +447700900199 --variables '{"1": "Lee"}'
    # [make]
}

run_it() {
    # [run]
    twiliowa campaign start spring
    twiliowa outbox run --until-empty --prices prices.csv --budget 2000/month
    twiliowa campaign status spring
    twiliowa campaign report spring --out report.csv
    # [run]
}

watch_it() {
    # [watch]
    twiliowa campaign status spring --watch
    # [watch]
}

mend_it() {
    # [mend]
    twiliowa campaign pause spring --why 'the price is wrong'
    twiliowa campaign resume spring
    twiliowa campaign retry spring --reason exhausted
    twiliowa campaign spend --from 2026-11-01
    # [mend]
}
