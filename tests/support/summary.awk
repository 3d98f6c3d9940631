# Reads what `ctest -V` wrote. Prints the output of the tests that failed and the names of those that
# were skipped, then the line "N passed, N failed, N skipped". A doctest program counts as its test
# cases, of which one call may run a part; any other test as one. Fails if a test did, or if there was none.

# A line of a test's output: "12: text".
/^[0-9]+: / {
    id = $1 + 0
    output[id] = output[id] $0 "\n"
    if ($0 ~ /^[0-9]+: \[doctest\] test cases:/) {
        gsub(/[^0-9|]/, "")
        split($0, count, "|")
        is_doctest[id] = 1
        doctest_passed[id] = count[2]
        doctest_failed[id] = count[3]
    } else if ($2 == "SKIPPED:") {
        skips_itself[id]++
        sub(/^[0-9]+: /, "")
        skip_lines[id] = skip_lines[id] $0 "\n"
    } else if ($2 == "SKIPPED" && $3 == "(marked):") {
        doctest_marked[id]++
        sub(/^[0-9]+: /, "")
        skip_lines[id] = skip_lines[id] $0 "\n"
    }
}

# A verdict: " 3/12 Test  #3: name ......***Failed  0.01 sec".
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    match($0, /#[0-9]+: [^ ]+/)
    id = substr($0, RSTART + 1) + 0
    name = substr($0, RSTART, RLENGTH)
    sub(/^#[0-9]+: /, "", name)
    is_passed = ($0 ~ /   Passed +[0-9.]+ sec/)
    if (is_doctest[id]) {
        passed += doctest_passed[id] - skips_itself[id]
        failed += doctest_failed[id]
        skipped += skips_itself[id] + doctest_marked[id]
        if (!is_passed && !doctest_failed[id]) failed++
    } else if (is_passed)
        passed++
    else if ($0 ~ /\*\*\*Skipped/) {
        skipped++
        skip_lines[id] = skip_lines[id] "SKIPPED: " name "\n"
    } else
        failed++
    if (!is_passed && $0 !~ /\*\*\*Skipped/) failures = failures "---- " name "\n" output[id]
    if (skip_lines[id]) skips = skips skip_lines[id]
}

END {
    printf "%s%s%d passed, %d failed, %d skipped\n", failures, skips, passed, failed, skipped
    exit failed > 0 || passed == 0
}
