#!/usr/bin/env bash
# Usage: document_names.sh <source tree>. docs/names.txt speaks for a name in the classes that it says, and
# for no other: what nobody has described stays undescribed, and ./dev docs fails.
set -euo pipefail
filter=$1/docs/tools/document_names.awk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p docs build/docs/xml

cat >docs/names.txt <<'END'
# A comment: no name.
Letter::body: The text of the letter.
empty (Letter, Box): Whether it holds nothing.
try_create (Letter): As the constructor.
END
cat >build/docs/xml/index.xml <<'END'
<compound refid="1" kind="class"><name>post::Letter</name>
  <member refid="2" kind="function"><name>send</name></member>
  <member refid="3" kind="function"><name>try_send</name></member>
</compound>
<compound refid="4" kind="struct"><name>post::Probe</name>
  <member refid="5" kind="function"><name>try_send</name></member>
</compound>
END
# Its name, or "-" where it must stay as it is; the declaration; what Doxygen says of it.
cat >names <<'END'
body|std::string body;|Member body (variable) of class post::Letter
empty|bool empty() const;|Member empty() const (function) of class post::Letter
empty|bool empty();|Member empty() (function) of class post::Box< T >
try_create|static R try_create();|Member try_create() (function) of class post::Letter
try_send|R try_send();|Member try_send() (function) of class post::Letter
async_send|void async_send(F);|Member async_send(F f) (function) of class post::Letter
-|std::string body;|Member body (variable) of struct post::Probe
-|int code;|Member code (variable) of struct post::Probe
-|bool empty();|Member empty() (function) of struct post::Probe
-|R try_send();|Member try_send() (function) of struct post::Probe
-|R try_nonsense();|Member try_nonsense() (function) of struct post::Probe
-|void async_anything();|Member async_anything() (function) of struct post::Probe
-|R try_create();|Member try_create() (function) of struct post::Probe
-|struct Letter {|Compound post::Letter
END
cut -d'|' -f2 names >probe.hpp
awk -F'|' '{ print "/src/probe.hpp:" NR ": warning: " $3 " is not documented." }' names >build/docs/undocumented
awk -f "$filter" probe.hpp >described.hpp

paste -d'|' names described.hpp | awk -F'|' '
    ($1 == "-") == ($4 ~ /^\/\*\*/) { print ($1 == "-" ? "described: " : "not described: ") $3; failed = 1 }
    END { exit failed }'
grep -q '^/\*\* The text of the letter. \*/ std::string body;$' described.hpp
grep -q 'As `send`, as a Result' described.hpp
