#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The suite against each mutant of dfu-reference: a scenario fails that the original passes, or a rule has a finding. With names of
# mutants as arguments: these alone. Run by `make mutants`; the matrix is build/mutants.md.
# Environment: SUITE: options and folders for dfuhil run, instead of all scenarios that run a tool.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
tsv=$repo/hil/tests/tools/mutants.tsv
matrix=${MATRIX:-$build/mutants.md}
scenarios=$repo/scenarios

if ! "$build/dfuhil" run --help >/dev/null 2>&1 || [ ! -x "$build/tools/dfu-reference" ]; then
  echo 'skip - mutants of the reference tool: dfuhil run or dfu-reference is not in this build'
  exit 0
fi

# adapter NAME VERIFIES: for dfu-reference as that mutant (or as it is). It verifies only if that is what is wrong: else the mutant
# would find its own mistake.
adapter()
{
  sed -e "s|^command:.*|command: $build/tools/dfu-reference|" -e "s|^words:|environment: {DFU_REFERENCE_MUTANT: \"${1#original*}\"}\n&|" \
    -e "$([ "$2" = yes ] || echo 's/ --verify,//')" "$repo/fixtures/tools/reference.yaml"
}

# play NAME VERIFIES: the suite, as NAME.json in the folder of all
play()
{
  local status=0 folder

  adapter "$1" "$2" >"$1.yaml"
  if [ -z "${SUITE-}" ]; then
    set -- "$1" --deadline 30s
    # A scripted host is no tool.
    for folder in "$scenarios"/*/; do
      [ "$(basename "$folder")" = host ] || set -- "$@" "$folder"
    done
  else
    # shellcheck disable=SC2086 # words
    set -- "$1" $SUITE
  fi
  "$build/dfuhil" run --tool "$1.yaml" --json "$work/$1.json" -q --color never "${@:2}" || status=$?
  [ "$status" -le 1 ]
}

caught()
{
  local name=$1 expected=$2 verifies=no original=original

  if [ "$name" = claims-verify ]; then
    verifies=yes
    original="original-verifying"
  fi
  play "$name" "$verifies"
  python3 "$repo/hil/tests/tools/mutant_matrix.py" "$name" "$expected" "$work/$original.json" "$work/$name.json" "$matrix" \
    >verdict || { cat verdict; return 1; }
}

{
  echo '| mutant | scenarios | which | rules |'
  echo '|---|---|---|---|'
} >"$matrix"
check 'the original goes through the suite' play original no
check 'the original goes through the suite, verifying' play original-verifying yes
while IFS=$'\t' read -r name bug expected _; do
  [ "${name#\#}" = "$name" ] || continue
  [ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
  check "mutant $name is caught: $bug" caught "$name" "$expected"
  [ ! -s "$work/$count/verdict" ] || sed 's/^/    /' "$work/$count/verdict"
done <"$tsv"
finish
