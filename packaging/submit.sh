#!/usr/bin/env bash
# Usage: submit.sh <archive> <directory>. Writes what vcpkg and ConanCenter are sent for this version:
# <directory>/vcpkg and <directory>/conan are parts of their repositories. The archive is the one that
# https://github.com/twiliowa/twiliowa/archive/v<version>.tar.gz serves.
set -euo pipefail
archive=$(realpath "$1") output=$2
tree=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -nE 's/.*VERSION_STRING "([0-9.]+)".*/\1/p' "$tree/include/twiliowa/version.hpp")
sum() { "sha$1sum" "$archive" | cut -d' ' -f1; }

rm -rf "$output/vcpkg" "$output/conan"
mkdir -p "$output"/vcpkg/{ports,versions/t-} "$output/conan/recipes/twiliowa"
output=$(cd "$output" && pwd)

cd "$output/vcpkg"
cp -r "$tree/packaging/vcpkg/ports/twiliowa" ports
sed -i "s/SHA512 0$/SHA512 $(sum 512)/" ports/twiliowa/portfile.cmake
# vcpkg knows a version by the hash that git gives the port's folder.
export GIT_DIR=$PWD/hash.git
git init -q --bare "$GIT_DIR"
git --work-tree=. -c core.bare=false add ports
hash=$(git write-tree --prefix=ports/twiliowa/)
rm -rf "$GIT_DIR"
unset GIT_DIR
cat >versions/t-/twiliowa.json <<END
{
  "versions": [
    {
      "git-tree": "$hash",
      "version": "$version",
      "port-version": 0
    }
  ]
}
END
# The rest of that file is vcpkg's: this is what is put into its "default".
cat >versions/baseline.json <<END
{
  "default": {
    "twiliowa": {
      "baseline": "$version",
      "port-version": 0
    }
  }
}
END

cd "$output/conan/recipes/twiliowa"
mkdir all
cp "$tree/packaging/conan/all/conanfile.py" all
cp -r "$tree/test_package" all
cat >config.yml <<END
versions:
  "$version":
    folder: all
END
cat >all/conandata.yml <<END
sources:
  "$version":
    url: "https://github.com/twiliowa/twiliowa/archive/v$version.tar.gz"
    sha256: "$(sum 256)"
END
