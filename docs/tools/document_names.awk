# Doxygen's filter for headers. Where Doxygen found, without it, that a public name has no comment
# (build/docs/undocumented), it puts in what docs/names.txt says of the name. `try_` and `async_` forms refer
# to the verb that they are a form of. Lines keep their numbers.
function use(name) {
    print name >>"build/docs/names_used"
    return words[name]
}
BEGIN {
    while ((getline line < "docs/names.txt") > 0) {
        if (line ~ /^#/ || !(at = index(line, ": "))) continue
        words[substr(line, 1, at - 1)] = substr(line, at + 2)
    }
    file = ARGV[1]
    while ((getline line < "build/docs/undocumented") > 0) {
        if (!match(line, /:[0-9]+: [a-z]+: (Member|Compound) .* is not documented\.$/)) continue
        path = substr(line, 1, RSTART - 1)
        if (substr(path, length(path) - length(file) + 1) != file) continue
        split(substr(line, RSTART + 1), number, ":")
        text = line
        sub(/^.*: (Member|Compound) /, "", text)
        sub(/ is not documented\.$/, "", text)
        scope = ""
        if (match(text, / of (class|struct|namespace|file) .*$/)) {
            scope = substr(text, RSTART, RLENGTH)
            text = substr(text, 1, RSTART - 1)
            sub(/^ of [a-z]+ /, "", scope)
            sub(/<.*/, "", scope)
            sub(/^.*::/, "", scope)
        }
        if (text ~ /^operator ?\(\)/) text = "operator()"
        else sub(/ ?\(.*$/, "", text)
        sub(/^.*::/, "", text)
        sub(/ +$/, "", text)
        if ((scope "::" text) in words) said[number[1]] = use(scope "::" text)
        else if (number[1] in said) continue
        else if (text in words) said[number[1]] = use(text)
        else if (text ~ /^try_/) said[number[1]] = "As `" substr(text, 5) "`, as a Result; throws no TwilioError."
        else if (text ~ /^async_/) said[number[1]] = "As `" substr(text, 7) "`, calling back with the Result."
    }
}
FNR in said { printf "/** %s */ ", said[FNR] }
{ print }
