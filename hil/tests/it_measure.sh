#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a person with a board runs once, scenarios/measure, on the emulated one: there all is as modelled, unless something is wrong.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil

measure()
{
  need dfu-util
  ends 0 "$dfuhil" run --tool dfu-util --tools-folder "$fixtures/tools" --color never "$@" >/dev/null
}

as_modelled()
{
  measure --json all.json "$repo/scenarios/measure"
  grep -q '^0 of [0-9]* are not as modelled' said
  # Each assumption of the F407's list but those that nobody can measure by USB, or that are closed
  grep -o '^| U[0-9][0-9]*' "$repo/emulator/core/profiles/f407.md" | tr -d '| ' | sort >listed
  python3 -c '
import json
for r in json.load(open("all.json"))["results"]:
    for m in r["measurements"]:
        print(m["unknown"])' | sort -u >measured
  printf '%s\n' U15 U16 U20 | sort - measured | diff listed -
}

differs()
{
  measure --fault 'status=errVENDOR:dfuERROR on=getstatus,count=3' "$repo/scenarios/measure/u21-wrong-state.yaml"
  says said 'wrong_state = WRONG_STATE_STALL_TO_ERROR (dfuERROR): CHANGE it, the profile has WRONG_STATE_STALL_STAYS'
  says said '1 of 1 are not as modelled'
}

unknown_answer()
{
  measure --fault 'status=errCHECK_ERASED:dfuERROR on=getstatus,count=4' "$repo/scenarios/measure/u14-feature-refused.yaml"
  says said 'feature_refusal_status = errCHECK_ERASED: none of the known answers; the profile has 0x01'
}

nothing_to_measure()
{
  need dfu-util
  sed 's/request: GETSTATUS/request: DETACH/' "$repo/scenarios/measure/u21-wrong-state.yaml" >none.yaml
  ends 1 "$dfuhil" run --tool dfu-util --tools-folder "$fixtures/tools" --color never none.yaml
  says said "nothing to measure: no request is 'DETACH'"
}

not_with_the_rest()
{
  "$dfuhil" run --list conformance >list
  "$dfuhil" run --list measure >measures
  says_not list '^measure/'
  [ "$(wc -l <measures)" -ge 20 ]
}

check 'on the emulated board all is as modelled, and each assumption is asked about' as_modelled
check 'what differs is told, with the field to change' differs
check 'so is an answer that nobody has thought of' unknown_answer
check 'a request that was never made is a failure' nothing_to_measure
check 'they are not run with the suite, but by name' not_with_the_rest
