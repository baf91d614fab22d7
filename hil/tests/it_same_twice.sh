#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole suite with dfu-util, recorded twice: all captures are the same, byte for byte, whether its scenarios were played one
# after the other or several at a time. DFUBENCH_RUNS: how often (2).
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil

if [ ! -x "$dfuhil" ]; then
  echo "skip - recordings of the suite: dfuhil is not in this build"
  exit 0
fi
if [ "$(uname -m)" != x86_64 ]; then
  echo "skip - recordings of the suite: virtual time works on x86_64 only"
  exit 0
fi
runs=${DFUBENCH_RUNS:-2}

record()
{
  timeout -k 5 400 "$dfuhil" run conformance --tool dfu-util --seed 1 --capture-dir "$1" -j "$2"
}

same()
{
  local i

  need dfu-util
  record first 1
  [ "$(find first -name '*.pcapng' | wc -l)" -gt 100 ]
  for ((i = 2; i <= runs; i++)); do
    record again $((i % 2 ? 1 : 4))
    diff -r first again
    rm -r again
  done
}

check 'the suite recorded twice gives the same captures' same
finish
