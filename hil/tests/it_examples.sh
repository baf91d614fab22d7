#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the manual pages of scenarios, adapters and rigs show is taken out of them, checked and run.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
page=$repo/hil/dfu-scenario.5

# names KIND PAGE: of the blocks behind comments `KIND: NAME`
names()
{
  sed -n "s/^\.\\\\\" $1: \([a-z0-9-]*\)\$/\1/p" "$2"
}

# block KIND NAME PAGE: its lines, as a reader sees them
block()
{
  awk -v comment="$1: $2" '
    substr($0, 1, 1) == "." && substr($0, 5) == comment { found = 1; next }
    found && /^\.Bd / { inside = 1; next }
    inside && /^\.Ed/ { exit }
    inside
  ' "$3" | sed 's/\\(dq/"/g; s/\\&//g; s/\\-/-/g; s/\\e/\\/g'
}

# A list of steps needs something around it.
scenario_of()
{
  cat <<'END'
name: an example of the manual page
why: Examples are to be true.
reference: dfu-scenario(5)
files:
  image: {size: 5000, seed: 7, bootable: true}
  blink: {firmware: blink}
END
  ! grep -q 'file: blink' <(block example "$1" "$page") || echo 'board: {application: firmware}'
  echo 'steps:'
  block example "$1" "$page" | sed 's/^/  /'
}

# What no tool here has is checked, and its reason stated.
runs()
{
  "$dfuhil" check --color never "$1"
  need dfu-util
  timeout 120 "$dfuhil" run --tool dfu-util --tools-folder "$fixtures/tools" --color never -v "$1" >said 2>&1 && return 0
  # What dfu-util has not, the suite's own tool has.
  if grep -q 'dfu-util has no' said; then
    timeout 120 "$dfuhil" run --tool reference --tool-path reference="$build/tools/dfu-reference" --color never -v "$1" >said 2>&1 &&
      return 0
  fi
  cat said
  if grep -q ' 0 failed, 1 skipped' said; then
    skip "$(grep -m 1 -o 'dfu-util has no .*' said || grep -m 1 '^skip' said)"
  fi
  return 1
}

example()
{
  scenario_of "$1" >"$1.yaml"
  [ "$(grep -c '' "$1.yaml")" -gt 6 ]
  runs "$1.yaml"
}

whole()
{
  block scenario "$1" "$page" >"$1.yaml"
  [ -s "$1.yaml" ]
  runs "$1.yaml"
}

adapter()
{
  block adapter "$1" "$repo/hil/dfu-tool.5" >"$1.yaml"
  [ -s "$1.yaml" ]
  "$dfuhil" check --color never "$1.yaml"
}

rig()
{
  block rig "$1" "$repo/hil/dfu-rig.5" >"$1.yaml"
  [ -s "$1.yaml" ]
  "$dfuhil" check --color never "$1.yaml"
}

shipped()
{
  local folder

  for folder in "$fixtures/tools" "$fixtures/rigs" "$repo/scenarios"; do
    [ -z "$(find "$folder" -name '*.yaml')" ] || "$dfuhil" check --color never "$folder"
  done
}

each_verb()
{
  local missing=

  for verb in $("$dfuhil" steps | sed -n 's/^\([a-z0-9-]*\):.*/\1/p' | grep -v -x expect); do
    names example "$page" | grep -q -x -e "$verb" || missing="$missing $verb"
  done
  [ -z "$missing" ] && return 0
  echo "=> no example of:$missing"
  return 1
}

check 'each step has an example' each_verb
for name in $(names scenario "$page"); do
  later "the scenario '$name' of the manual page is true" whole "$name"
done
for name in $(names example "$page"); do
  later "the example of '$name' is true" example "$name"
done
for name in $(names adapter "$repo/hil/dfu-tool.5"); do
  check "the adapter '$name' of the manual page is right" adapter "$name"
done
for name in $(names rig "$repo/hil/dfu-rig.5"); do
  check "the rig '$name' of the manual page is right" rig "$name"
done
check 'adapters, rigs and scenarios that are shipped are right' shipped
finish
