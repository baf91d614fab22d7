#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Faults while dfu-util reads, writes and leaves, then a clean run of it on the board as it was left: nobody presses
# reset, unless it is in the application or about to go there.
# test_fault.c does the same for each request in each state; here the host is a real one, in virtual time.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
export dfuemu

# One for each state of the ROM that dfu-util gets to, and for what it does there.
moments=(
  'on=any' 'state=dfuERROR' 'on=clrstatus' 'state=dfuUPLOAD-IDLE' 'on=read' 'on=erase,count=2' 'state=dfuDNLOAD-SYNC'
  'state=dfuDNBUSY' 'on=set-address,count=2' 'state=dfuDNLOAD-IDLE,count=2' 'on=write,count=3' 'on=leave'
  'state=dfuMANIFEST-SYNC'
)
# Where it meets a request for the status
replies=(
  'state=dfuERROR' 'state=dfuIDLE' 'state=dfuDNLOAD-SYNC' 'state=dfuDNBUSY' 'state=dfuDNLOAD-IDLE' 'count=9'
  'state=dfuMANIFEST-SYNC'
)

ready()
{
  need dfu-util
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
}

# faulty RULE SCRIPT: the script, which the fault disturbs, then a clean run. `first` has the script's status, and what
# the board met and was left as.
faulty()
{
  rm -f f.bin first
  # shellcheck disable=SC2016 # for the inner shell
  TIME=virtual ends 0 emu -q --control S --flash f.bin --fault "$1" -- bash -c '
    ctl() { "$dfuemu" ctl S "$@"; }
    status=0
    (set -e; eval "$1") >out 2>&1 || status=$?
    set -e
    { echo "status: $status"; ctl fault list; ctl status; } >first
    ctl fault clear
    # A board that is away for good waits for somebody; so does one that left the ROM, or will at the next request for
    # the status, which is what dfu-util begins with.
    ctl plug
    ctl power on
    ctl wait attached 200s
    # The first byte of an erase command alone is a mass erase, and while that lasts nobody gets an answer.
    while ctl status | grep -q "flash_busy: yes"; do ctl in 1s time; done
    ! ctl status | grep -q -e "mode: application" -e "mode: lockup" -e "state: dfuMANIFEST" || ctl reset
    dfu-util -w -a 0 -s 0x08000000 -D in.bin' bash "$2"
  grep -e status: -e fired: first
  cmp -n "$(stat -c %s in.bin)" in.bin f.bin
}

# everywhere ACTION MOMENT...
everywhere()
{
  local action=$1 moment

  ready
  shift
  # What the ROM takes for an application, so that leave has one
  {
    printf '\0\0\002\040\211\001\0\010'
    pattern 20000 1
  } >in.bin
  for moment in "$@"; do
    echo "== $action $moment"
    faulty "$action $moment" 'dfu-util -a 0 -s 0x08000000:4096 -U up.bin
      dfu-util -a 0 -s 0x08000000:leave -D in.bin'
    says first 'fired: 1'
    rm -f up.bin
  done
}

# The rule itself is the moment.
by_the_clock()
{
  local rule

  ready
  pattern 20000 2 >in.bin
  for rule in "$@"; do
    echo "== $rule"
    faulty "$rule" 'dfu-util -a 0 -s 0x08000000 -D in.bin'
    says first 'fired: 1'
  done
}

# Each block of 64 KiB: dfu-util fails, part of the block is there, and the next run is clean.
cut_everywhere()
{
  local block wrong=0

  ready
  pattern 65536 3 >in.bin
  for ((block = 1; block <= 32; block++)); do
    # shellcheck disable=SC2016
    faulty "power-cut=1s on=write,count=$block,after=$((997 * block % 30 + 1))ms" '
      status=0
      dfu-util -a 0 -s 0x08000000 -D in.bin || status=$?
      "$dfuemu" ctl S wait attached 5s
      "$dfuemu" ctl S flash save cut.bin
      exit $status'
    says first 'fired: 1'
    says_not first 'status: 0'
    # What was there before the cut stays; of the block in hand a part is written, of those after it nothing.
    [ "$block" -eq 1 ] || cmp -n "$(((block - 1) * 2048))" in.bin cut.bin
    cmp -n $((65536 - block * 2048)) -i $((block * 2048)) cut.bin <(tr '\0' '\377' </dev/zero | head -c 65536)
    if cmp -s -n 2048 -i $(((block - 1) * 2048)) in.bin cut.bin; then wrong=$((wrong + 1)); fi
    rm cut.bin
  done
  [ "$wrong" -eq 0 ]
}

# cut.bin is between what was there and an erased sector, for each moment of an erase.
cut_in_erases()
{
  local late

  ready
  pattern 49152 4 >in.bin
  pattern 49152 5 >old.bin
  for late in 5 100 200 300 395; do
    # shellcheck disable=SC2016
    faulty "power-cut=1s on=erase,address=0x08004000,after=${late}ms" '
      "$dfuemu" ctl S flash load old.bin
      status=0
      dfu-util -a 0 -s 0x08000000 -D in.bin || status=$?
      "$dfuemu" ctl S wait attached 5s
      "$dfuemu" ctl S flash save cut.bin
      exit $status'
    says first 'fired: 1'
    says_not first 'status: 0'
    python3 - "$late" <<'END'
import sys
old, cut = (open(name, "rb").read(49152) for name in ("old.bin", "cut.bin"))
first, second, third = (slice(16384 * n, 16384 * (n + 1)) for n in range(3))
assert cut[first] != old[first], "the sector before was erased"
assert cut[third] == old[third], "the one after it was not"
assert cut[second] not in (old[second], bytes([255]) * 16384), "half done"
END
    rm cut.bin
  done
}

for action in stall silent bus-error delay=6s; do
  later "after $action at any moment of dfu-util the next run is good" everywhere "$action" "${moments[@]}"
done
later 'after short data at any moment of dfu-util the next run is good' everywhere short=1 "${moments[@]}"
later 'after corrupt data at any moment of dfu-util the next run is good' everywhere corrupt "${moments[@]}"
later 'after a forged error at any moment of dfu-util the next run is good' everywhere status=errWRITE:dfuERROR "${replies[@]}"
later 'after a forged busy state at any moment of dfu-util the next run is good' everywhere status=OK:dfuDNBUSY "${replies[@]}"
gather
later 'after a pulled cable at any moment of dfu-util the next run is good' everywhere unplug=2s "${moments[@]}"
later 'after a pulled cable that stays out the next run is good' everywhere unplug "${moments[@]}"
later 'after a power cut at any moment of dfu-util the next run is good' everywhere power-cut=1s "${moments[@]}"
later 'after a reset at any moment of dfu-util the next run is good' everywhere reset "${moments[@]}"
gather
later 'after faults by the clock the next run is good' by_the_clock 'unplug=2s from=500ms' 'power-cut=1s from=700ms' \
  'reset from=600ms' 'flaky-hse=50s'
later 'after a power cut at any block of 64 KiB the next run is good' cut_everywhere
later 'after a power cut at any time of an erase the next run is good' cut_in_erases
finish
