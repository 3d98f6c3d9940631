# Reads commands of a compiler, one a line, each with its source at the end, and lets those use a precompiled header
# that may: the first of `headers` that the source includes anyway.
#
# It must hide no include that lacks. In the source itself nothing can: what it uses is below what it includes. But
# an own header that it includes first is proved by that to stand alone. So what is precompiled has to be what such a
# header includes, too, or what comes before it: public headers, which are compiled each by itself, and others' headers.
#
# -v include=I: the folder of the public headers; -v headers="types/result ..." -v folder=F: F/types_result.pch is of
# <twiliowa/types/result.hpp>.

BEGIN { count = split(headers, header, " ") }

{
    split("", folders)
    number = 0
    for (i = 1; i < NF; i++) if ($i ~ /^-I/) folders[++number] = substr($i, 3)
    chosen = choice($NF)
    if (chosen != "") sub(/ -o /, " -include-pch " folder "/" chosen ".pch -o ")
    print
}

function choice(source,    files, n, i, h, name) {
    split("", seen)
    n = split(included(source), files, " ")
    for (i = 1; i <= n; i++) {
        visit(files[i])
        for (h = 1; h <= count; h++) {
            if (!(("twiliowa/" header[h] ".hpp") in seen)) continue
            name = header[h]
            gsub(/\//, "_", name)
            return name
        }
        if (files[i] !~ /^twiliowa\//) return ""
    }
    return ""
}

# All that a file leads to.
function visit(file,    files, n, i) {
    if (file in seen) return
    seen[file] = 1
    n = split(included(file), files, " ")
    for (i = 1; i <= n; i++) visit(files[i])
}

# The headers of this tree that a file includes: public ones by their names, others by their paths.
function included(file,    line, name, path, all) {
    if (file in known) return known[file]
    all = ""
    path = file ~ /^twiliowa\// ? include "/" file : file
    while ((getline line < path) > 0) {
        if (line !~ /^#include [<"]/) continue
        name = substr(line, 11)
        sub(/[>"].*/, "", name)
        if (name !~ /^twiliowa\//) name = line ~ /"/ ? found(name, path) : ""
        all = all " " name
    }
    close(path)
    return known[file] = all
}

# An own header, beside the file or in one of the folders.
function found(name, file,    i, path) {
    sub(/[^\/]*$/, "", file)
    if (exists(file name)) return file name
    for (i = 1; i <= number; i++) if (exists(folders[i] "/" name)) return folders[i] "/" name
    return "unknown"
}

function exists(path,    line) {
    if (!(path in there)) {
        there[path] = (getline line < path) >= 0
        close(path)
    }
    return there[path]
}
