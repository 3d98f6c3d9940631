# Doxygen's filter for headers. Where Doxygen found, without it, that a public name has no comment
# (build/docs/undocumented), it puts in what docs/names.txt says of that name in that class. `try_` and
# `async_` forms refer to the verb that they are a form of, if the class has it (build/docs/xml/index.xml).
# Lines keep their numbers.
function last_part(name) {
    sub(/<.*/, "", name)
    sub(/^.*::/, "", name)
    return name
}
function say(line, key) {
    said[line] = words[key]
    print key >>"build/docs/names_used"
}
function read_words(    line, at, head, text, name, classes, n, i) {
    while ((getline line < "docs/names.txt") > 0) {
        if (line ~ /^#/ || !(at = index(line, ": "))) continue
        head = substr(line, 1, at - 1)
        text = substr(line, at + 2)
        if (match(head, / \([^()]+\)$/)) {
            name = substr(head, 1, RSTART - 1)
            n = split(substr(head, RSTART + 2, RLENGTH - 3), classes, ", ")
            for (i = 1; i <= n; i++) words[classes[i] "::" name] = text
        } else words[head] = text
    }
}
function read_members(    line, scope) {
    while ((getline line < "build/docs/xml/index.xml") > 0) {
        if (!match(line, /<name>[^<]*/)) continue
        name = substr(line, RSTART + 6, RLENGTH - 6)
        if (line ~ /<compound /) scope = last_part(name)
        else members[scope "::" name] = 1
    }
}
BEGIN {
    read_words()
    read_members()
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
            scope = last_part(scope)
        }
        if (text ~ /^operator ?\(\)/) text = "operator()"
        else sub(/ ?\(.*$/, "", text)
        # A class is told of with the names around it, a member after its own.
        if (scope == "" && match(text, /::[^:]*$/)) scope = last_part(substr(text, 1, RSTART - 1))
        sub(/^.*::/, "", text)
        sub(/ +$/, "", text)
        verb = text
        sub(/^(try|async)_/, "", verb)
        if ((scope "::" text) in words) say(number[1], scope "::" text)
        else if (number[1] in said || !((scope "::" verb) in members)) continue
        else if (text ~ /^try_/) said[number[1]] = "As `" verb "`, as a Result; throws no TwilioError."
        else if (text ~ /^async_/) said[number[1]] = "As `" verb "`, calling back with the Result."
    }
}
FNR in said { printf "/** %s */ ", said[FNR] }
{ print }
