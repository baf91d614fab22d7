#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The published matrix, scenarios/MATRIX.md, against the suite that it is about, and the script that makes it. No tool is needed.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
scenarios=$repo/scenarios
matrix=$scenarios/MATRIX.md

tools()
{
  sed -n 's/^| scenario | \(.*\) |$/\1/p' "$matrix" | sed 's/ | /\n/g'
}

# Lines SCENARIO TOOL CELL
cells()
{
  awk -F ' *[|] *' '
    $2 == "scenario" { for (i = 3; i < NF; i++) tool[i] = $i }
    $2 ~ /^\[/ { id = $2; sub(/^\[/, "", id); sub(/\].*/, "", id); for (i = 3; i < NF; i++) print id "\t" tool[i] "\t" $i }
  ' "$matrix"
}

rows_are_scenarios()
{
  (cd "$scenarios" && find . -name '*.yaml' ! -path './measure/*' | sed 's|^\./||; s|\.yaml$||') | LC_ALL=C sort >there
  cells | cut -f 1 | LC_ALL=C sort -u | diff - there
  [ "$(tools | wc -l)" -eq 4 ]
  [ "$(cells | wc -l)" -eq $((4 * $(wc -l <there))) ]
  cells | cut -f 3 | sort -u | sed 's/^(\(.*\))$/\1/' >words
  ! grep -v -x -e ok -e known -e - words
}

# What a scenario expects of a tool is what the matrix shows, with its reason.
failures_are_expected()
{
  local id

  while read -r id; do
    sed -n "s|^  - {tool: \([^,]*\), why: .*|$id\t\1|p" "$scenarios/$id.yaml"
  done < <(cells | cut -f 1 | sort -u) | LC_ALL=C sort >expected
  cells | awk -F '\t' '$3 == "known" { print $1 "\t" $2 }' | LC_ALL=C sort >known
  diff expected known
  sed -n '/^## What fails/,/^## /s/^- \([^ ,]*\), \([^:]*\): known: ..*/\1\t\2/p' "$matrix" | LC_ALL=C sort | diff known -
}

# The sums, also those in README.md
sums_are_right()
{
  local tool

  while read -r tool; do
    cells | awk -F '\t' -v tool="$tool" '$2 == tool { n[$3]++ } END { print n["ok"] + 0, "|", n["known"] + 0, "| 0 |", n["-"] + 0, "|" }' >sums
    grep -E "^\| $tool \| .* \| $(sed 's/|/\\|/g' sums)$" "$matrix" >line
    grep -q -x -F -e "$(cat line)" "$repo/README.md"
  done < <(tools)
}

report()
{
  cat >scenario.yaml <<'YAML'
name: one
tags: [download]
YAML
  cat >report.json <<'JSON'
{"interrupted": false, "planned": 3, "tools": ["a", "b", "c"], "results": [
 {"scenario": "x/one", "tool": "a", "tool-version": "1.2", "verdict": "passed", "message": null, "file": "scenario.yaml"},
 {"scenario": "x/one", "tool": "b", "tool-version": null, "verdict": "failed", "message": "flash | differs\nmore", "file": "scenario.yaml"},
 {"scenario": "x/one", "tool": "c", "tool-version": null, "verdict": "skipped", "message": "c has no erase", "file": "scenario.yaml"}]}
JSON
  printf 'b\tof yesterday\n' >versions
  printf 'd\tit cannot be had\n' >missing
}

made_of_a_report()
{
  report
  python3 "$repo/ci/matrix.py" report.json versions missing >made
  cat made
  says made '| a | 1.2 | 1 | 0 | 0 | 0 |'
  says made '| b | of yesterday | 0 | 0 | 1 | 0 |'
  says made '| [x/one](x/one.yaml) | ok | **fails** | - |'
  # shellcheck disable=SC1003 # a backslash
  says made '- x/one, b: **fails**: flash \| differs'
  says_not made more
  says made '- c: has no erase: x/one'
  says made 'Without d: it cannot be had.'
  sed -i 's/tags:.*/tags: [download, scripted]/' scenario.yaml
  python3 "$repo/ci/matrix.py" report.json versions missing >made
  says made '| a | 1.2 | 0 | 0 | 0 | 0 |'
  says made '| [x/one](x/one.yaml) | (ok) | (**fails**) | (-) |'
  sed -i 's/"planned": 3/"planned": 4/' report.json
  ends 1 python3 "$repo/ci/matrix.py" report.json versions missing
  says said 'the run has not come to its end'
}

check 'the published matrix has each scenario, and no other' rows_are_scenarios
check 'what it shows failing is what the scenarios expect, with reasons' failures_are_expected
check 'its sums are right, and those of README.md' sums_are_right
check 'the script makes it of a report' made_of_a_report
finish
