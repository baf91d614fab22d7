#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each scenario can fail: with what each_fails.tsv names it does, and without that it passes, for the same tool.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
tsv=$repo/hil/tests/each_fails.tsv
dfuhil=$build/dfuhil
scenarios=$repo/scenarios

if [ ! -x "$dfuhil" ] || [ ! -x "$build/tools/dfu-reference" ]; then
  echo 'skip - each scenario can fail: dfuhil or dfu-reference is not in this build (make unit)'
  exit 0
fi
if [ "$(uname -m)" != x86_64 ]; then
  echo 'skip - each scenario can fail: virtual time works on x86_64 only'
  exit 0
fi

rows()
{
  grep -v '^#' "$tsv"
}

rows_are_scenarios()
{
  rows | cut -f 1 | LC_ALL=C sort >named
  (cd "$scenarios" && find . -name '*.yaml' ! -path './measure/*' | sed 's|^\./||; s|\.yaml$||' | LC_ALL=C sort) >there
  # One row each, and none of what is not there any more.
  diff named there
  [ "$(rows | awk -F '\t' 'NF == 3 && $2 ~ /^(none|reference|dfu-util)$/ && $3 ~ /^(mutant|fault) ./' | wc -l)" -eq "$(wc -l <there)" ]
}

# What runs together: TOOL HOW. dfu-reference does not verify, or a mutant would find its own mistake; but where a mutant only
# claims to verify, its original does.
groups()
{
  rows | awk -F '\t' '{
    tool = $3 == "mutant claims-verify" ? "verifying" : $2 == "dfu-util" ? "dfu-util" : "reference"
    print tool "\t" $3 "\t" $1
    print tool "\toriginal\t" $1
  }'
}

# adapter TOOL HOW: file, or name
adapter()
{
  local mutant=

  [ "$1" != dfu-util ] || { echo dfu-util && return; }
  [ "${2%% *}" != mutant ] || mutant=${2#* }
  sed -e "s|^command:.*|command: $build/tools/dfu-reference|" -e "s|^words:|environment: {DFU_REFERENCE_MUTANT: \"$mutant\"}\n&|" \
    -e "$([ "$1" = verifying ] || echo 's/ --verify,//')" "$repo/fixtures/tools/reference.yaml" >adapter.yaml
  echo ./adapter.yaml
}

# play NUMBER TOOL HOW: all scenarios of that group; a line for each: TOOL HOW SCENARIO VERDICT MESSAGE
play()
{
  local number=$1 tool=$2 how=$3 options=() files=()

  mkdir "$number" && cd "$number" || return 1
  [ "${how%% *}" != fault ] || options=(--fault "${how#* }")
  mapfile -t files < <(groups | awk -F '\t' -v t="$tool" -v h="$how" -v s="$scenarios" '$1 == t && $2 == h { print s "/" $3 ".yaml" }')
  timeout -k 5 200 "$dfuhil" run --tool "$(adapter "$tool" "$how")" "${options[@]}" -j 1 -q --color never --json report \
    "${files[@]}" >said 2>&1 || true
  [ -s report ] || { cat said && return 1; }
  python3 -c '
import json, sys
for r in json.load(open("report"))["results"]:
    print(*sys.argv[1:], r["scenario"], r["verdict"], (r["message"] or "").split("\n")[0], sep="\t")' "$tool" "$how" >verdicts
}

play_all()
{
  local jobs=0 number=0 status=0 tool how

  # The largest first: none is left over that all others wait for.
  groups | cut -f 1,2 | sort | uniq -c | sort -rn | sed 's/^ *[0-9]* //' >list
  while IFS=$'\t' read -r tool how; do
    if [ "$tool" = dfu-util ] && ! command -v dfu-util >/dev/null; then
      continue
    fi
    if [ "$jobs" -ge "$(nproc)" ]; then
      wait -n || status=1
      jobs=$((jobs - 1))
    fi
    number=$((number + 1))
    (play "$number" "$tool" "$how") &
    jobs=$((jobs + 1))
  done <list
  while [ "$jobs" -gt 0 ]; do
    wait -n || status=1
    jobs=$((jobs - 1))
  done
  cat ./*/verdicts >"$work/verdicts"
  return "$status"
}

# fails SCENARIO TOOL HOW
fails()
{
  local tool=$2

  [ "$tool" != dfu-util ] || need dfu-util
  [ "$tool" != none ] || tool=reference
  [ "$3" != 'mutant claims-verify' ] || tool=verifying
  grep -F "	$1	" "$work/verdicts" | grep "^$tool	" || true
  grep -q "^$tool	original	$1	passed	" "$work/verdicts" || { echo '=> it does not pass without that' && return 1; }
  grep -q -F "$tool	$3	$1	failed	" "$work/verdicts" || { echo '=> it does not fail with that' && return 1; }
}

check 'each scenario has one row in each_fails.tsv' rows_are_scenarios
check 'all of them are played' play_all
while IFS=$'\t' read -r scenario tool how; do
  check "$scenario fails with $how" fails "$scenario" "$tool" "$how"
done < <(rows)
finish
