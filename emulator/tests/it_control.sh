#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Faults and the control socket, with dfu-util and lsusb as the tools that see the effects.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
export dfuemu clients

# A board with a socket S; the rest is a script for the tool's side, in which `ctl` speaks to it.
bench()
{
  local script
  local -a options=()

  while [ $# -gt 1 ]; do
    options+=("$1")
    shift
  done
  # shellcheck disable=SC2016 # for the inner shell
  script='set -e
    ctl() { "$dfuemu" ctl S "$@"; }
    seen() { lsusb -d "$1" >/dev/null; }
    until_seen() { n=0; until seen "$1"; do n=$((n + 1)); [ $n -lt 200 ] || exit 91; sleep 0.02; done; }
    until_gone() { n=0; while seen "$1"; do n=$((n + 1)); [ $n -lt 200 ] || exit 92; sleep 0.02; done; }
    download() { dfu-util -a 0 -s 0x08000000 -D in.bin; }
    '$1
  emu --control S "${options[@]}" -- sh -c "$script"
}

answers()
{
  need lsusb
  # shellcheck disable=SC2016
  ends 0 bench '
    ctl status
    ctl --json status
    ctl time
    "$dfuemu" ctl --board 1 S boot1 low
    ctl --json status | python3 -c "import json, sys; r = json.load(sys.stdin); b = r[\"result\"][\"boards\"][0]; assert r[\"ok\"] and b[\"mode\"] == \"bootloader\" and b[\"address\"] == 2, r"
    [ "$(stat -c %a S)" = 600 ]
  '
  says said 'mode: bootloader'
  says said '"state":"dfuERROR"'
  [ ! -e S ]
}

statuses()
{
  # shellcheck disable=SC2016
  ends 0 bench '
    s=0; ctl board 7 unplug || s=$?; [ $s -eq 1 ]
    s=0; ctl unplgu || s=$?; [ $s -eq 2 ]
    s=0; ctl --json unplgu || s=$?; [ $s -eq 2 ]
    s=0; ctl --json board 7 unplug || s=$?; [ $s -eq 1 ]
    s=0; ctl || s=$?; [ $s -eq 2 ]
    s=0; "$dfuemu" ctl nowhere status || s=$?; [ $s -eq 125 ]
    s=0; ctl wait erased 50ms || s=$?; [ $s -eq 1 ]
    s=0; ctl fault add stall on=dnlaod || s=$?; [ $s -eq 2 ]
  '
  says said "there is no board 7"
  says said "did you mean 'unplug'?"
  says said "did you mean 'dnload'?"
  says said "cannot connect to 'nowhere'"
}

unplugged()
{
  need dfu-util lsusb
  pattern 65536 2 >in.bin
  # shellcheck disable=SC2016
  ends 0 bench --flash f.bin '
    seen 0483:df11
    ctl wait programmed >/dev/null && ctl unplug &
    if download; then exit 90; fi
    wait $!
    until_gone 0483:df11
    ctl plug
    ctl wait attached
    until_seen 0483:df11
    download
  '
  cmp -n 65536 in.bin f.bin
}

to_application()
{
  need lsusb
  printf '\0\0\002\040\211\001\0\010' >app.bin
  # shellcheck disable=SC2016
  ends 0 bench '
    seen 0483:df11
    ctl flash load app.bin
    ctl boot0 low
    ctl reset 20ms
    ctl wait booted application 5s
    until_seen 0483:5740
    if seen 0483:df11; then exit 90; fi
    ctl boot0 high
    ctl reset
    ctl wait booted bootloader 5s
    until_seen 0483:df11
    ctl flash save out.bin 0x080ff000
  '
  [ "$(stat -c %s out.bin)" -eq 4096 ]
}

two_clients()
{
  need lsusb
  # shellcheck disable=SC2016
  ends 0 bench '
    "$dfuemu" ctl S events >events & one=$!
    "$dfuemu" ctl --json S events >json & two=$!
    "$dfuemu" ctl S wait fault >/dev/null & three=$!
    until grep -q listening events && grep -q listening json; do sleep 0.02; done
    ctl in 300ms unplug & four=$!
    kill -9 $three
    ctl power off
    until grep -q "VDD low" events; do sleep 0.02; done
    kill -9 $one
    ctl power on
    ctl wait booted bootloader
    wait $four
    ctl status | grep "vbus: low"
    until grep -q VBUS json; do sleep 0.02; done
    kill $two
  '
  says events 'board 1: VDD low'
  says json '"event":"booted"'
  python3 -c 'import json; [json.loads(line) for line in open("json")]'
}

comes_and_goes()
{
  need lsusb
  # shellcheck disable=SC2016
  ends 0 bench --flash f.bin '
    ctl board add --serial 206737645746
    ctl board 2 wait listed
    [ "$(lsusb -d 0483:df11 | wc -l)" -eq 2 ]
    ctl wait listed | grep "already: yes"
    ctl board remove 1
    until [ "$(lsusb -d 0483:df11 | wc -l)" -eq 1 ]; do sleep 0.02; done
    dfu-util -l
    ctl boards
  '
  says said 'serial="206737645746"'
  [ -s f.bin ] && [ -s f-2.bin ]
}

faults()
{
  local fault

  need dfu-util
  pattern 20000 3 >in.bin
  for fault in 'stall on=write,count=3' 'bus-error on=getstatus,state=dfuDNLOAD-SYNC,count=5' 'unplug=500ms on=write,after=3ms' \
    'power-cut=500ms on=erase,address=0x08004000,after=20ms' 'reset on=write,address=0x08001000,after=5ms' \
    'status=errVERIFY:dfuERROR count=9' 'silent on=erase'; do
    echo "== $fault"
    rm -f f.bin
    # shellcheck disable=SC2016
    ends 0 bench --flash f.bin --fault "$fault" '
      if download; then exit 90; fi
      ctl fault list | grep "fired: 1"
      ctl wait attached 20s
      until_seen 0483:df11
      download
    '
    cmp -n 20000 in.bin f.bin
  done
}

repeats()
{
  need dfu-util
  pattern 8192 4 >in.bin
  for n in 1 2 3; do
    # shellcheck disable=SC2016
    ends 0 bench --flash "f$n.bin" --seed $((n / 3)) --fault 'corrupt on=write,count=any,probability=50%' 'download'
  done
  cmp f1.bin f2.bin
  if cmp -s f1.bin in.bin || cmp -s f1.bin f3.bin; then return 1; fi
}

flaky()
{
  need lsusb
  # shellcheck disable=SC2016
  ends 0 bench --fault 'flaky-hse=1000s' '
    if seen 0483:df11; then exit 90; fi
    ctl reset
    ctl wait listed 5s
    seen 0483:df11
  '
}

captured()
{
  need dfu-util tshark
  pattern 2048 5 >in.bin
  # shellcheck disable=SC2016
  ends 0 bench --capture c.pcapng --fault 'stall on=write' 'if download; then exit 90; fi'
  tshark -r c.pcapng -T fields -e usb.urb_status 2>/dev/null >statuses
  says statuses '-32'
}

# What programs that find a dfuemu running go by
tells_of_itself()
{
  need dfu-util lsusb
  pattern 2048 5 >in.bin
  printf '\0\0\002\040\211\001\0\010' >app.bin
  # shellcheck disable=SC2016
  ends 0 bench --capture c.pcapng --app f055:9800 '
    ctl about
    ctl --json about
    ctl wait requests 5 60s & waits=$!
    download
    wait $waits
    s=0; ctl wait requests 100000 50ms || s=$?; [ $s -eq 1 ]
    s=0; ctl software-entry || s=$?; [ $s -eq 1 ]
    ctl flash load app.bin
    ctl boot0 low
    ctl reset
    ctl wait booted application 5s
    until_seen f055:9800
    ctl software-entry
    until_seen 0483:df11
    ctl --json status >json
    python3 -c "import json; print(\"counted\", json.load(open(\"json\"))[\"result\"][\"events\"] > 15)"
  '
  says said 'command: exec'
  says said 'time: x50'
  says said "\"capture\":\"$PWD/c.pcapng\""
  says said '"application":"f055:9800"'
  says said 'runs no application'
  says said 'counted True'
}

# A sector that takes the datasheet's maximum, and one that takes what is typical
slow_erase()
{
  need dfu-util
  pattern 2048 5 >in.bin
  # shellcheck disable=SC2016
  TIME=virtual ends 0 bench '
    lasts() { start=$(ctl time | sed "s/[^0-9]//g"); download; echo $(($(ctl time | sed "s/[^0-9]//g") - start)); }
    ctl erase-times maximum; lasts >slow
    ctl erase-times typical; lasts >fast
    events=$(ctl --json status | sed "s/.*events.:\([0-9]*\).*/\1/")
    [ "$events" -gt 20 ]
  '
  [ $(($(tail -n 1 slow) - $(tail -n 1 fast))) -gt 150000 ]
}

sockets()
{
  # shellcheck disable=SC2016
  ends 0 bench 's=0; "$dfuemu" exec --control S -- true || s=$?; [ $s -eq 125 ]; ctl time'
  says said 'somebody listens there already'
  "$dfuemu" exec --control S -- sh -c 'echo >runs; exec sleep 30' &
  until_true 10 test -s runs
  kill -9 $!
  wait $! || true
  test -S S
  ends 0 bench 'ctl time'
  [ ! -e S ]
  echo kept >S
  ends 125 "$dfuemu" exec --control S -- true
  says S kept
  ends 125 "$dfuemu" exec --fault 'stall on=dnlaod' -- true
  says said "column 10: 'dnlaod': expected a request"
}

# virtually SCRIPT: in virtual time, of which minutes are to take less than 30 s; in it `lasts LEAST MOST STATUS
# COMMAND...` in whole seconds of the tool's clock, on which a busy machine may add some of those.
virtually()
{
  local start

  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
  start=$(date +%s%N)
  # shellcheck disable=SC2016
  TIME=virtual ends 0 bench '
    lasts() {
      least=$1 most=$2 want=$3 status=0 start=$(date +%s%N); shift 3
      "$@" || status=$?
      took=$((($(date +%s%N) - start) / 1000000000))
      echo "$took s, status $status: $*"
      [ $status -eq $want ] && [ $took -ge $least ] && [ $took -lt $((most + 25)) ]
    }
    '"$1"
  start=$(($(date +%s%N) - start))
  echo "$((start / 1000000)) ms by the clock of this machine"
  [ "$start" -lt 30000000000 ]
}

virtual_waits()
{
  printf '\0\0\002\040\211\001\0\010' >app.bin
  # shellcheck disable=SC2016
  virtually '
    lasts 10 11 0 ctl in 10s reset
    lasts 40 41 1 ctl wait erased 40s
    ctl flash load app.bin
    ctl boot0 low
    ctl in 20s reset & reset=$!
    lasts 20 21 0 ctl wait booted application 40s
    lasts 0 1 0 wait $reset
  '
}

virtual_client()
{
  # shellcheck disable=SC2016
  virtually '
    for way in recv read timeout poll child; do
      lasts 30 31 0 python3 "$clients/control.py" S "$way" "in 30s reset"
    done
    lasts 30 31 0 python3 "$clients/control.py" S recv "wait erased 30s"
  '
}

# Who waits for somebody else at a socket has time as it is.
virtual_stranger()
{
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
  python3 "$clients/control.py" T serve &
  until_true 10 test -S T
  # shellcheck disable=SC2016
  TIME=virtual ends 0 bench '"$dfuemu" ctl S in 1000s reset & python3 "$clients/control.py" T recv hello
    kill $!
    [ "$(ctl time | sed s/[^0-9]//g)" -lt 500000000 ]'
  wait $!
}

check 'ctl tells the status for people and for programs' answers
check 'ctl ends with a status that tells what went wrong' statuses
later 'a cable pulled in a download comes back for a good one' unplugged
later 'BOOT0 low and reset start the application, and back' to_application
later 'clients do not disturb each other, not even when killed' two_clients
later 'boards come and go in a run' comes_and_goes
later 'after each fault the next download is good' faults
later 'the same seed gives the same faults' repeats
later 'a flaky HSE hides the ROM until the next reset' flaky
later 'a capture shows what the host saw' captured
later 'about tells programs what they have found, and wait counts requests' tells_of_itself
later 'erase times can be changed in a run' slow_erase
later 'the socket file is handled with care' sockets
later 'in virtual time ctl waits in no time' virtual_waits
later 'in virtual time other clients wait in no time' virtual_client
later 'in virtual time whoever waits for a stranger waits' virtual_stranger
finish
