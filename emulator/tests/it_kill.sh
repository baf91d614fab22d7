#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 at random moments: of the tool, of dfuemu, of its guardian, of several. DFUBENCH_RUNS: how many moments (60);
# DFUBENCH_SEED: which ones.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"

runs=${DFUBENCH_RUNS:-60}
seed=${DFUBENCH_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}

moments()
{
  need dfu-util python3
  ends 0 python3 "$clients/kill_moments.py" "$dfuemu" moments "$runs" "$seed"
  says said "0 of $runs moments left something behind"
}

has_grown()
{
  [ "$(stat -c %s run.pcapng 2>/dev/null || echo 0)" -gt 20000 ]
}

# What is there when dfuemu is killed in the middle of a run opens in Wireshark up to the last whole packet.
cut_capture()
{
  local pid

  need dfu-util tshark
  pattern 65536 1 >in.bin
  "$dfuemu" exec --time x50 --capture run.pcapng -- dfu-util -a 0 -s 0x08000000 -D in.bin >said 2>&1 &
  pid=$!
  until_true 20 has_grown
  kill -KILL "$pid"
  wait "$pid" || true
  tshark -r run.pcapng >packets 2>tshark.err || true
  [ "$(grep -c . packets)" -gt 20 ]
}

check "$runs moments (seed $seed) leave no process, no folder and no broken file" moments
check 'a capture that was cut opens in tshark' cut_capture
finish
