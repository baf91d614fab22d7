#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The suite with four real tools: build/matrix.html, .json and .md, build/junit-matrix.xml; if all tools could be had,
# scenarios/MATRIX.md too. Run by `make matrix`. Exit status: that of dfuhil run, not 0 if a result is not as the scenarios say.
# Environment: B (build directory), those of ci/tools.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
status=0
missing=0

set -- --json "$B/matrix.json" --html "$B/matrix.html" --junit "$B/junit-matrix.xml" --time virtual -q
: >"$B/matrix.tools"
: >"$B/matrix.missing"

# leave_out TOOL REASON
leave_out()
{
  echo "matrix: without $1: $2" >&2
  printf '%s\t%s\n' "$1" "$2" >>"$B/matrix.missing"
  missing=$((missing + 1))
}

if command -v dfu-util >/dev/null; then
  set -- "$@" --tool dfu-util
else
  leave_out dfu-util 'it is not installed'
fi
for tool in pydfu webdfu dfu-nusb; do
  if path=$(sh ci/tools.sh "$tool" 2>"$B/matrix.log"); then
    set -- "$@" --tool "$tool" --tool-path "$path"
    sh ci/tools.sh --version "$tool" >>"$B/matrix.tools"
  else
    leave_out "$tool" "$(sed -n 's/^tools: //p' "$B/matrix.log" | tail -n 1)"
  fi
done
if [ $missing -eq 4 ]; then
  echo 'matrix: there is no tool to run' >&2
  exit 1
fi
"$B/dfuhil" run "$@" scenarios || status=$?
[ $status -le 1 ] || exit $status
python3 ci/matrix.py "$B/matrix.json" "$B/matrix.tools" "$B/matrix.missing" >"$B/matrix.md" || exit 1
if [ $missing -eq 0 ]; then
  cp "$B/matrix.md" scenarios/MATRIX.md
else
  echo "matrix: scenarios/MATRIX.md stays as it is, for tools are missing: see $B/matrix.md" >&2
fi
exit $status
