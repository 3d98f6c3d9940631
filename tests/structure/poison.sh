#!/usr/bin/env bash
# Usage: poison.sh <source tree> <compiler...>. Compiles every public header after the macros that
# platform and GUI headers are known to define. Standard headers come first: they are not ours.
set -euo pipefail
tree=$1
shift
unit=$(mktemp --suffix=.cpp)
trap 'rm -f "$unit"' EXIT

cd "$tree/include"
headers=$(find twiliowa -name '*.hpp' | sort)
{
    # shellcheck disable=SC2086 # a list of files
    grep -hE '^#include <' $headers | grep -v '<twiliowa/' | sort -u
    for name in ALTERNATE BEGIN BOOL CALLBACK CONST DELETE DIFFERENCE DOMAIN DOUBLE EMPTY END ERROR \
        FALSE FAR GET HUGE IGNORE IN INFINITE INTERFACE NEAR NONE NO_ERROR OPTIONAL OUT OVERFLOW \
        PASCAL POST PUT STRICT SUCCESS TEXT TIMEOUT TRUE UNKNOWN VOID Always Bool Button1 Convex \
        Expose False None Status Success True Unsorted emit far foreach huge interface linux near \
        pascal signals slots small unix DeleteFile GetMessage GetObject SendMessage; do
        printf "#undef %s\n#define %s POISONED +++ !\n" "$name" "$name"
    done
    for name in max min major makedev minor require verify; do
        printf "#undef %s\n#define %s(...) POISONED +++ !\n" "$name" "$name"
    done
    for header in $headers; do echo "#include <$header>"; done
} >"$unit"
"$@" -std=c++20 -fsyntax-only -I. "$unit"
