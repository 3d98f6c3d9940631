# Reads C++ files named relative to the tree (include/..., src/...) and fails on an include that runs
# up the layers, straight or through other files, and on a public header that includes anything but
# the standard library and its own kind. Prints one line for each fault.
#
#   types <- http <- sending clients        types <- state <- all clients
#   types <- webhook <- receiving clients   testing, adapters: may use everything
#   detail: belongs to whoever includes it; nothing below may reach a client through it

# Layers that a file of a layer may reach. base, detail and the file's own layer always may.
BEGIN {
    reach["base"] = ""
    reach["types"] = ""
    reach["http"] = "types"
    reach["state"] = "types"
    reach["webhook"] = "types"
    reach["detail"] = "types http state webhook sending receiving"
    reach["sending"] = "types http state"
    reach["receiving"] = "types state webhook"
    reach["everything"] = "types http state webhook sending receiving"
    reach["testing"] = "types http state webhook sending receiving everything"
    reach["adapters"] = reach["testing"] " testing"
}

FNR == 1 { files[FILENAME] = 1 }

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    name = $0
    sub(/^[^<"]*[<"]/, "", name)
    sub(/[>"].*/, "", name)
    if (name ~ /^twiliowa\//)
        target = "include/" name
    else if ($0 ~ /"/)
        target = "src/" name
    else {
        if (FILENAME ~ /^include\// && layer_of(FILENAME) != "adapters" && name !~ /^[a-z_]+$/)
            fault(FILENAME, "public header includes <" name ">")
        next
    }
    edges[FILENAME] = edges[FILENAME] " " target
}

END {
    for (file in files) {
        split("", seen)
        split("", route)
        visit(file, file, layer_of(file))
        if (layer_of(file) == "detail" && ("http" in route) && ("webhook" in route))
            fault(file, "joins " route["http"] " and " route["webhook"] ": sending and receiving meet in types and state")
    }
    exit faults > 0
}

function visit(from, file, layer,    parts, count, i, to) {
    count = split(edges[file], parts, " ")
    for (i = 1; i <= count; i++) {
        to = layer_of(parts[i])
        if (!(to in route)) route[to] = parts[i]
        if (!may_reach(layer, to) && !(parts[i] in seen))
            fault(from, "(" layer ") reaches " parts[i] " (" to ")" (file == from ? "" : " through " file))
        if (!(parts[i] in seen)) {
            seen[parts[i]] = 1
            visit(from, parts[i], layer)
        }
    }
}

function may_reach(layer, to) {
    return to == layer || to == "base" || to == "detail" || index(" " reach[layer] " ", " " to " ") > 0
}

function layer_of(file,    path, name) {
    path = file
    sub(/^include\/twiliowa\//, "", path)
    sub(/^src\//, "", path)
    sub(/^messages_client\//, "", path)  # the sources of one client
    if (path ~ /\//) {
        sub(/\/.*/, "", path)
        if (!(path in reach)) fault(file, "is in no known layer")
        return path
    }
    name = path
    sub(/\..*/, "", name)
    if (name == "export" || name == "version") return "base"
    if (name == "twiliowa") return "everything"
    if (name ~ /^(request_validator|webhook_handler|messaging_response)$/) return "receiving"
    return "sending"
}

function fault(file, text) {
    if (!((file, text) in said)) print file ": " text
    said[file, text] = 1
    faults++
}
