# Compares two files of lines `versions <text>` and `part <name> <floor> <ratio> <allocations> ...`:
# the baseline, whose sixth field is the share by which a part may change, and what was measured.
/^#/ || NF == 0 { next }
FNR == NR && $1 == "versions" { baseline_versions = $0 }
FNR == NR && $1 == "part" { ratio[$2] = $4; allocations[$2] = $5; bound[$2] = $6 }
FNR == NR { next }
$1 == "versions" { versions = $0 }
$1 == "part" {
    seen[$2] = 1
    printf "%-16s %9.3f x %-12s %8.1f allocations%s\n", $2, $4, $3, $5,
        (NF > 5 ? sprintf("  (%d instructions)", $6) : "")
    if (!($2 in ratio)) { say($2 ": is not in the baseline"); next }
    if (changed($4, ratio[$2], bound[$2])) say($2 ": " $4 " x " $3 ", in the baseline " ratio[$2])
    if (changed($5, allocations[$2], bound[$2])) say($2 ": " $5 " allocations, in the baseline " allocations[$2])
}
function changed(now, before, share) { return now > before * (1 + share) || now < before * (1 - share) }
function say(what) { changes[++count] = what }
END {
    if (versions == "") { print "no versions were given"; exit 1 }
    for (part in ratio) if (!(part in seen)) say(part ": is not measured")
    other = versions != baseline_versions
    for (i = 1; i <= count; ++i) print changes[i] (other ? " (other versions: reported only)" : "")
    if (count == 0) { print "as the baseline" (other ? ", though with other versions" : ""); exit 0 }
    if (other) { print "here:     " versions; print "baseline: " baseline_versions; exit 0 }
    print "Explain it, and make it the baseline in the same commit: ./dev bench --instructions --write \"why\""
    exit 1
}
