#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In virtual time two recordings of the same run are the same, byte for byte, whoever else needs the processor. DFUBENCH_RUNS: how
# many recordings are compared of each client (3).
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

if [ "$(uname -m)" != x86_64 ]; then
  echo 'skip - recordings of the same run: virtual time works on x86_64 only'
  exit 0
fi
runs=${DFUBENCH_RUNS:-3}
bin=$work/bin
mkdir "$bin"

# same COMMAND...: what `dfuemu exec` records of it; with OPTIONS
same()
{
  local i equal=1

  for ((i = 1; i <= runs; i++)); do
    timeout -k 5 "${LIMIT:-120}" "$dfuemu" exec --time virtual --seed 1 --capture "$i.pcapng" "${options[@]}" -- "$@"
    [ "$i" -eq 1 ] && continue
    if cmp 1.pcapng "$i.pcapng"; then
      equal=$((equal + 1))
      rm "$i.pcapng"
    fi
  done
  echo "$equal of $runs are equal"
  [ "$(stat -c %s 1.pcapng)" -gt 2000 ]
  [ "$equal" -eq "$runs" ]
}

options=()

with_dfu_util()
{
  need dfu-util
  pattern 40000 1 >in.bin
  same dfu-util "$@"
}

upload()
{
  need dfu-util
  same sh -c 'rm -f out.bin; exec dfu-util -a 0 -s 0x08000000:65536 -U out.bin'
}

one_after_another()
{
  local options=(--boards 2)

  need dfu-util
  pattern 40000 1 >in.bin
  same sh -c 'dfu-util -p 1-1 -a 0 -s 0x08000000 -D in.bin && dfu-util -p 1-2 -a 0 -s 0x08000000:leave -D in.bin'
}

replugged()
{
  local options=(--fault 'unplug=700ms from=4s')

  need dfu-util
  pattern 400000 1 >in.bin
  same sh -c 'dfu-util -a 0 -s 0x08000000 -D in.bin || { sleep 1; dfu-util -a 0 -s 0x08000000 -D in.bin; }'
}

mass_erase()
{
  [ -x "$bin/$1" ] || skip 'the client was not built'
  same "$bin/$1" "${@:2}"
}

with_pyusb()
{
  local python=python3 candidate

  for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import usb.core' 2>/dev/null && python=$candidate && break
  done
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  pattern 20000 1 >in.bin
  same "$python" "$@"
}

# The terminal of the application, which what is written comes back through; none of it may depend on when who runs.
terminal()
{
  printf '\0\0\2\40\211\1\0\10' >flash.img
  local options=(--boot0 low --flash flash.img)

  same "$@"
}

with_shell()
{
  terminal bash -e -c '
    stty -F /dev/ttyACM0 raw -echo
    exec 5<>/dev/ttyACM0
    for i in 1 2 3 4 5 6 7 8; do
      printf "line %d\n" $i >&5
      echo "another" >/dev/ttyACM0
      read -r -t 10 line <&5
      read -r -t 10 other <&5
      [ "$line $other" = "line $i another" ]
      ! read -r -t 1.5 line <&5
    done
    seq 1 5000 >&5 & head -c 23893 <&5 | cksum; wait $!'
}

with_pyserial()
{
  local python=python3 candidate

  for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import serial' 2>/dev/null && python=$candidate && break
  done
  "$python" -c 'import serial' || skip 'there is no pyserial (python3-serial)'
  terminal "$python" "$clients/serial_port.py" "$@"
}

with_node()
{
  need node
  [ -d "$cache/node-usb-$1/node_modules/usb" ] || skip "the package usb@$1 was not fetched; it_node.sh does"
  pattern 20000 1 >in.bin
  same node "$clients/flash_node.js" "$cache/node-usb-$1" flash in.bin
}

with_fwupd()
{
  need fwupdtool
  mkdir state
  export HOME="$PWD/state" STATE_DIRECTORY="$PWD/state" CACHE_DIRECTORY="$PWD/state" XDG_CACHE_HOME="$PWD/state" \
    XDG_DATA_HOME="$PWD/state" FWUPD_LOCALSTATEDIR="$PWD/state"
  same fwupdtool --plugins dfu get-devices --json
}

compile()
{
  local name=$1

  need gcc
  shift
  gcc -std=c11 -O1 -Wall -Wextra -Werror -pthread -o "$bin/$name" "$clients/$name.c" "$@"
}

with_libusb()
{
  need gcc pkg-config
  pkg-config --exists libusb-1.0 || skip 'there are no headers of libusb (libusb-1.0-0-dev)'
  # shellcheck disable=SC2046 # words
  compile "$1" $(pkg-config --cflags --libs libusb-1.0)
}

dates()
{
  local i

  need dfu-util tshark
  for i in 1 2; do
    timeout 60 "$dfuemu" exec --time virtual --capture "$i.pcapng" -- dfu-util -l
  done
  cmp 1.pcapng 2.pcapng
  tshark -r 1.pcapng -c 1 -T fields -e frame.time_epoch | grep '^15778368[0-9][0-9]\.'
}

all()
{
  check "recordings of dfu-util are the same: a download and leave$1" with_dfu_util -a 0 -s 0x08000000:leave -D in.bin
  check "a mass erase and a download$1" with_dfu_util -a 0 -s 0x08000000:mass-erase:force -D in.bin
  check "an upload$1" upload
  check "of two boards, one after the other$1" one_after_another
  check "of a board that is replugged$1" replugged
  check "of a terminal, by a shell$1" with_shell
  check "of a terminal, by pyserial, in small pieces$1" with_pyserial talk
  check "of a terminal, by pyserial, read while it is written$1" with_pyserial much
  check "of libusb with a time-out$1" mass_erase mass_erase_libusb sync 5000
  check "of its events$1" mass_erase mass_erase_libusb async 40000
  check "of events that time out$1" mass_erase mass_erase_libusb async 5000
  check "of a tool that sleeps meanwhile$1" mass_erase mass_erase_libusb sync 5000 100
  check "of ioctls$1" mass_erase mass_erase_ioctl 5000
  check "of pyusb$1" with_pyusb "$clients/flash_pyusb.py" flash in.bin
  check "of pyusb with a time-out$1" with_pyusb "$clients/mass_erase_pyusb.py" 5000
  check "of node usb 2.18.0$1" with_node 2.18.0
  check "of node usb 3.1.0$1" with_node 3.1.0
  check "of fwupdtool$1" with_fwupd
}

check 'clients with libusb build' with_libusb mass_erase_libusb
check 'clients with ioctls build' compile mass_erase_ioctl
all ''
check 'captures of virtual time begin in 2020' dates
busy_pids=()
for i in 1 2; do
  timeout 600 bash -c 'while :; do :; done' &
  busy_pids+=("$!")
done
trap 'kill "${busy_pids[@]}" 2>/dev/null; rm -rf "$work"' EXIT
all ', beside busy loops'
finish
