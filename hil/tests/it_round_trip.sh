#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The round trip: what a client does is recorded; the recording plays the device, and the client says the same; it is sent
# to a board, and the answers are the same. Over `exec` here and now with each client that there is, over the other fronts with
# their recordings in fixtures/captures/fronts (`make check-trips` makes new ones). Prints the table of both, which
# fixtures/captures/README.md has.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
trip=$tests/fronts/trip.sh
recordings=$fixtures/captures/fronts
clients=(dfu-util dfu-util-options pyusb node-usb node-usb-3 fwupdtool pydfu webdfu dfu-nusb)
declare -A cell

if [ ! -x "$dfuhil" ]; then
  echo 'skip - the round trip: dfuhil is not in this build'
  exit 0
fi
if [ "$(uname -m)" != x86_64 ]; then
  echo 'skip - the round trip: virtual time works on x86_64 only'
  exit 0
fi

# plays FILE CLIENT...: as the device; what the clients say is in the file `again`
plays()
{
  local file=$1 status=0

  shift
  LC_ALL=C timeout -k 5 100 "$dfuemu" replay --time virtual --json how.json "$file" -- "$trip" "$@" >again 2>errors || status=$?
  cat errors
  [ "$status" -ne 77 ] || skip "$(tail -n 1 errors)"
  [ "$status" -eq 0 ]
  python3 - <<'PYTHON'
import json

how = json.load(open("how.json"))
assert how["departures"] == how["liberties"] == 0, how
assert how["devices"] and all(d["requests"] == d["played"] for d in how["devices"]), how
PYTHON
}

# answers FILE: as the host
answers()
{
  ends 0 timeout -k 5 100 "$dfuhil" replay "$1"
  says said 'no difference in '
}

fresh()
{
  local status=0

  timeout -k 5 100 "$dfuemu" exec --time virtual --serial "$serial" --capture c.pcapng -- "$trip" "$1" >once 2>errors || status=$?
  cat once errors
  [ "$status" -ne 77 ] || skip "$(tail -n 1 errors)"
  [ "$status" -eq 0 ]
  plays c.pcapng "$1"
  diff once again
  answers c.pcapng
}

# same_version CLIENT VERSION: of another one the requests are others, too.
same_version()
{
  need "$1"
  case $1 in
  dfu-util) here=$(dfu-util --version | sed -n '1s/^dfu-util //p') ;;
  fwupdtool) here=$(fwupdtool --version 2>/dev/null | sed -n 's/^runtime *org.freedesktop.fwupd  *//p') ;;
  esac
  [ "$here" = "$2" ] || skip "$1 $2 was recorded, and $here is here"
}

# stored RECORDING
stored()
{
  local names here

  mapfile -t names < <(sed -n 's/^== //p' "$recordings/$1.txt")
  case ${names[0]} in
  dfu-util) same_version dfu-util "$(sed -n '/^dfu-util [0-9]/{s/^dfu-util //p;q}' "$recordings/$1.txt")" ;;
  fwupdtool) same_version fwupdtool 2.0.20 ;;
  esac
  [ ${#names[@]} -gt 0 ]
  plays "$recordings/$1.pcapng" "${names[@]}"
  diff "$recordings/$1.txt" again
  answers "$recordings/$1.pcapng"
}

# One byte that a client sends is another one: both directions tell it, at that packet.
can_fail()
{
  local packet

  need dfu-util tshark
  packet=$(python3 "$tests/clients/flip_byte.py" "$recordings/vhci.pcapng" c.pcapng dnload:1 1000 0x80)
  ends 1 "$dfuemu" replay --time virtual c.pcapng -- "$trip" dfu-util
  says said "c.pcapng: packet $packet at "
  says said 'departs from the recording: byte 1000 of the data is 0x'
  # What was written is read back: the difference is there.
  ends 1 "$dfuhil" replay c.pcapng
  says said 'data, byte 1000'
}

# tried FRONT CLIENT... -- SENTENCE FUNCTION ARGUMENT...: a check, and the cells that it fills
tried()
{
  local front=$1 names=() before=$failures result=yes name

  shift
  while [ "$1" != -- ]; do
    names+=("$1")
    shift
  done
  shift
  wanted "$1" || return 0
  check "$@"
  [ "$failures" -eq "$before" ] || result=no
  [ ! -f "$work/$count/reason" ] || result=skipped
  for name in "${names[@]}"; do
    cell[$front,$name]=$result
  done
}

# An empty cell was not tried.
table()
{
  local front name line=

  echo "| client | exec$(printf ' | %s' "${fronts[@]}") |"
  echo "|---|---$(printf '|%.0s---' "${fronts[@]}")|"
  for name in "${clients[@]}"; do
    line="| $name |"
    for front in exec "${fronts[@]}"; do
      line+=" ${cell[$front,$name]-} |"
    done
    echo "$line"
  done
}

# Clients that are missing here make no difference.
as_in_the_readme()
{
  local name

  sed -n '/^| client | exec/,/^$/p' "$fixtures/captures/README.md" | grep . >readme
  cp ../table now
  for name in "${clients[@]}"; do
    if grep -q "^| $name |.* skipped |" now; then
      sed -i "/^| $name |/d" readme now
    fi
  done
  diff readme now
}

# Cells that are not tried here: what is known of them, and why
while IFS=$'\t' read -r front name known _; do
  case $front in '' | '#'*) continue ;; esac
  cell[$front,$name]=$known
done <"$recordings/cells.tsv"

# is_here CLIENT: those that ci/tools.sh fetches, or builds in minutes, are tried where that has been done (make matrix).
is_here()
{
  local tools=${DFUBENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dfubench}/tools

  case $1 in
  pydfu) [ -f "${PYDFU:-$tools/pydfu/pydfu.py}" ] ;;
  webdfu) compgen -G "$tools/webdfu-*/node_modules" >/dev/null ;;
  dfu-nusb) compgen -G "$tools/dfu-nusb-*/bin/download" >/dev/null ;;
  esac
}

for name in "${clients[@]}"; do
  if ! is_here "$name"; then
    echo "# not run here: exec, $name: 'sh ci/tools.sh $name' has not fetched it" >&2
    cell[exec,$name]=skipped
    continue
  fi
  tried exec "$name" -- "exec, $name: recorded, it plays the device and the host again" fresh "$name"
done
fronts=(vhci usbip redir raw-gadget gadget gadget-alts)
for front in "${fronts[@]}"; do
  for said in "$recordings/$front.txt" "$recordings/$front"/*.txt; do
    said=${said#"$recordings"/}
    mapfile -t names < <(sed -n 's/^== //p' "$recordings/$said")
    if ! is_here "${names[0]}"; then
      echo "# not run here: $front, ${names[0]}: 'sh ci/tools.sh ${names[0]}' has not fetched it" >&2
      cell[$front,${names[0]}]=skipped
      continue
    fi
    tried "$front" "${names[@]}" -- "$front, ${names[*]}: the recording plays the device and the host again" stored "${said%.txt}"
  done
done
check 'another byte in such a recording is told by either' can_fail
table | tee "$work/table"
[ -n "${DFUBENCH_ONLY-}" ] || check 'the table is that of fixtures/captures/README.md' as_in_the_readme
finish
