#!/usr/bin/env bash
# Usage: conan_recipe.sh <source tree> <scratch directory> <compiler>. conan_recipe.py, where there is
# Python; elsewhere it says so and ends with 77.
set -euo pipefail
if ! command -v python3 >/dev/null; then
    echo "SKIPPED: structure.conan_recipe: python3 is not installed"
    exit 77
fi
exec python3 -B "$(dirname "$0")/conan_recipe.py" "$@"
