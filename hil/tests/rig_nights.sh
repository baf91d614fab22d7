# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# Five nights on the bench in software: verdicts, recordings, history, a flake and a regression. In a guest.
. "$(dirname "${BASH_SOURCE[0]}")/rig_bench.sh"

# night STATUS DATE SCENARIO...: on the bench that the rig file asks for
night()
{
  local want=$1

  export DFUBENCH_NOW=$2
  shift 2
  ends "$want" timeout -k 5 600 "$dfuhil" rig bench rig.yaml --time x20 -- "$dfuhil" nightly --rig ./rig.yaml --retries 1 "$@" \
    --folder nights --history h.sqlite --tool-path dfu-util="$PWD/tool"
}

# What was played there has the verdict of the board in this process, and a recording.
as_in_process()
{
  local file

  "$dfuhil" run "$@" --json here.json >/dev/null
  jq -r '.results[] | "\(.scenario) \(.verdict)"' here.json | sort >here
  jq -r '.results[] | select(.tool == "dfu-util" and .verdict != "skipped") | "\(.scenario) \(.verdict)"' nights/latest/report.json |
    sort >there
  cat there
  [ -s there ]
  [ -z "$(comm -13 here there)" ]
  cut -d ' ' -f 1 there | while read -r file; do
    file=nights/latest/captures/$rig/$(echo "$file" | tr / -).dfu-util.pcapng
    "$dfuemu" show "$file" >/dev/null
    [ "$(stat -c %s "$file")" -gt 2000 ]
  done
}

# nights RIG FLAKE WORDS SCENARIO...: five of them; FLAKE is a flake in the second night, by those words of the tool's, and in the
# last one all that leaves has got worse.
nights()
{
  local rig=$1 flake=$2 words=$3

  shift 3
  need dfu-util jq
  night 0 2026-03-01T02:00 "$@"
  says said 'night of 2026-03-01 02:00 UTC: good'
  says said "rig $rig: fit, "
  as_in_process "$@"
  echo "$words" >flake
  night 0 2026-03-02T02:00 "$@"
  [ ! -e flake ]
  says said "  $flake (dfu-util) on $rig: exit status 70"
  says said 'it fails 1 of 2 times; the emulated board passes it'
  night 0 2026-03-03T02:00 "$@"
  says_not said 'flaky:'
  night 0 2026-03-04T02:00 "$@"
  echo 0.12 >version
  night 1 2026-03-05T02:00 --retries 0 "$@"
  says said "  leave/application-starts (dfu-util) on $rig: "
  says said ', and on the emulated board with the same seed just so'
  says said 'new tonight: first bad night 2026-03-05 02:00 UTC, last good one 2026-03-04 02:00 UTC; what changed: dfu-util 0.11 -> 0.12'
  jq -e '.status == 1 and [.cases[] | [.scenario, .is]] == [["leave/application-starts", "tool"]]' nights/latest/summary.json
  ends 0 "$dfuhil" history --history h.sqlite first-bad
  says said leave/application-starts
  says said '0.11 -> 0.12'
  ends 0 "$dfuhil" history --history h.sqlite flakes
  says said "$flake"
}
