#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Nights by relays. In a guest. They are of two scenarios; with DFUBENCH_WHOLE=1 of all smoke scenarios:
# ci/vm/run -t 1800 -- hil/tests/vm_bench_relay_nights.sh
# guest: -k stock
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_nights.sh"

by_relays()
{
  desk relay_rig
  if [ -n "${DFUBENCH_WHOLE-}" ]; then
    nights relays files/upload-compares ' -U ' conformance --tag smoke
  else
    nights relays start/dfuerror ' 0x08000000 -D' start/dfuerror leave/application-starts
  fi
}

bench_modules
check 'five nights by relays: verdicts are as in this process, a flake and a regression are named' by_relays
finish
