# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# Nights to fill a history with, and what looks at it; sourced by it_history*.sh behind lib.sh.
dfuhil=$build/dfuhil
writer=$build/tools/history-writer

if [ ! -x "$dfuhil" ]; then
  echo "skip - dfuhil history: it is not in this build"
  exit 0
fi
export XDG_STATE_HOME=/nowhere DFUBENCH_NOW=2026-03-06T12:00
unset NO_COLOR

# line WORD...: for the writer, with tabs between
line()
{
  local IFS=$'\t'

  printf '%s\n' "$*"
}

# good SCENARIO...: passed at once
good()
{
  local scenario

  for scenario; do
    line add "$scenario" passed 1 '' passed 150000 ''
  done
}

# night DAY VERSION: a run in March 2026 of what standard input adds
night()
{
  line begin desk dfu-util "$2" "2026-03-0${1}T02:00"
  cat
  line end 0 'a night' "2026-03-0${1}T02:10"
}

# Five nights in which nothing changes but what is injected: a flake in the third, a regression that came with 0.12 in the fourth.
# In the second the rig fails once, which is nobody else's fault.
five_nights()
{
  {
    good smoke/list smoke/download smoke/upload | night 1 0.11
    {
      good smoke/list smoke/upload
      line add smoke/download error 1 rig skipped 90000 'relay 1: No such device'
      line add smoke/download passed 2 '' passed 150000 ''
    } | night 2 0.11
    {
      good smoke/list smoke/download
      line add smoke/upload failed 1 board passed 160000 'flash at 0x08000400 is 0xff instead of 0x3a'
      line add smoke/upload passed 2 '' passed 150000 ''
    } | night 3 0.11
    for day in 4 5; do
      {
        good smoke/list smoke/upload
        for attempt in 1 2; do
          line add smoke/download failed "$attempt" tool passed 140000 'exit status 74 instead of 0'
        done
      } | night "$day" 0.12
    done
  } | "$writer" h.sqlite >acks
  for day in 1 2 3 4 5; do
    line wear 326237753036 0x08000000 $((day * 10)) $((250000 + day * 1000)) |
      DFUBENCH_NOW=2026-03-0${day}T02:05 "$writer" h.sqlite >>acks
  done
  line wear 326237753036 0x08004000 8999 0 | DFUBENCH_NOW=2026-03-05T02:05 "$writer" h.sqlite >>acks
}

# history ARGUMENT...
history()
{
  ends 0 "$dfuhil" history --history h.sqlite "$@"
}

# sees EXPRESSION: of Python, about the JSON document d in the file `said`
sees()
{
  python3 - "$1" <<'END'
import json, sys
d = json.load(open('said'))
if not eval(sys.argv[1]):
    sys.exit(f'=> not so: {sys.argv[1]}')
END
}
