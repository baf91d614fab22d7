#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One test for each thing that a board shows, the same over every front: bodies.sh FRONT KERNEL [FEATURE...]
# KERNEL: the version of the kernel that the front goes through, or `alts`, one without the gaps that versions have.
# Run where the board of serial number 326237753036 can be seen, at twenty times its speed, and with a control socket.
# Environment: dfuemu (the program), ctl_socket, client (front_libusb, built), gaps (the table), wait_seconds.
# Downloads and uploads are dfu-util's; but where the table says that it cannot work, the client's.
#
# A feature that the table says this front lacks with this kernel is tried all the same: if it is there, the table is wrong.
# shellcheck disable=SC2154 # the environment's
# shellcheck disable=SC2317 # the bodies are called by name
set -u
export LC_ALL=C
front=$1
kernel=$2
shift 2
serial=326237753036
scale=20
wait_seconds=${wait_seconds:-30}
work=$(mktemp -d "${TMPDIR:-/tmp}/bodies-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
mkfifo "$work/nothing" || exit 1
failures=0

ctl()
{
  "$dfuemu" ctl "$ctl_socket" "$@"
}

# device ID: sets `device` to the sysfs folder of the configured device with that VID:PID, false if there is none. Only
# builtins: it is asked often, and a guest is slow.
device()
{
  local folder vendor product value

  for folder in /sys/bus/usb/devices/*-*; do
    case $folder in *:*) continue ;; esac
    { read -r vendor <"$folder/idVendor" && read -r product <"$folder/idProduct" &&
      read -r value <"$folder/bConfigurationValue"; } 2>/dev/null || continue
    if [ "$vendor:$product" = "$1" ] && [ -n "$value" ]; then
      device=$folder
      return 0
    fi
  done
  return 1
}

# number ID: sets `number` to its address, or to nothing
number()
{
  number=
  if device "$1"; then
    { read -r number <"$device/devnum"; } 2>/dev/null || :
  fi
}

# wait_for COMMAND...: for as long as is reasonable
wait_for()
{
  local deadline=$((SECONDS + wait_seconds))

  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "=> never true within $wait_seconds s: $*"
      return 1
    fi
    # No program of its own, whose start takes longer than the pause
    read -r -t 0.05 _ <>"$work/nothing" || true
  done
}

gone()
{
  ! device "$1"
}

# another ID NUMBER: it is there, and not the one of that address
another()
{
  number "$1"
  [ -n "$number" ] && [ "$number" != "$2" ]
}

# says FILE TEXT
says()
{
  grep -q -F -e "$2" "$1" && return 0
  echo "=> '$2' is missing from $1:"
  cat "$1"
  return 1
}

# is FILE TEXT: the file of sysfs holds that
is()
{
  local text

  IFS= read -r text <"$device/$1"
  [ "$text" = "$2" ] && return 0
  echo "=> $1 is '$text' instead of '$2'"
  return 1
}

# The board as it is when power has just come, whatever the last body left: rules and the cable are what that one took care of.
fresh()
{
  local before

  number 0483:df11
  before=$number
  ctl power off
  ctl power on
  wait_for another 0483:df11 "$before"
}

# option_bytes TEXT: the board has them
option_bytes()
{
  ctl options show >now
  grep -q -F -e "$1" now
}

# noise BYTES SEED: the same each time
noise()
{
  awk -v n="$1" -v s="$2" 'BEGIN { for (i = 0; i < n / 16; i++) { s = (s * 69069 + 12345) % 2147483648; printf "%08x%08x", s, i } }' |
    head -c "$1"
}

dfu()
{
  dfu-util -d 0483:df11 "$@"
}

# download FILE: to the start of the flash
download()
{
  if [ "$tool" = client ]; then
    "$client" flash "$1"
  else
    dfu -a 0 -s 0x08000000 -D "$1"
  fi
}

# upload FILE LENGTH
upload()
{
  if [ "$tool" = client ]; then
    "$client" read "$1" "$2"
  else
    dfu -a 0 -s "0x08000000:$2" -U "$1"
  fi
}

# ---- the bodies; the comment is the sentence ----

list() # dfu-util lists four alternate settings
{
  dfu -l >said
  [ "$(grep -c "Found DFU: \[0483:df11\] ver=2200, .*serial=\"$serial\"" said)" -eq 4 ] || { cat said; return 1; }
}

names() # the alternate settings have the names of the ROM
{
  dfu -l | sed -n 's/.*alt=\([0-9]\), name="\(.*\)", serial.*/\1 \2/p' | sort >got
  diff - got <<'END'
0 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg
1 @Option Bytes  /0x1FFFC000/01*016 e
2 @OTP Memory /0x1FFF7800/01*512 e,01*016 e
3 @Device Feature/0xFFFF0000/01*004 e
END
}

identity() # numbers, texts and power are those of the ROM
{
  device 0483:df11
  is bcdDevice 2200 && is bMaxPacketSize0 64 && is bNumConfigurations 1 && is bDeviceClass 00 &&
    is manufacturer STMicroelectronics && is product 'STM32  BOOTLOADER' && is serial "$serial" && is speed 12 &&
    is bNumInterfaces ' 1' && is bmAttributes c0 && is bMaxPower 100mA
}

verbose() # lsusb -v reads the descriptors, of four settings with the name of each
{
  # What lsusb makes of descriptors that full speed does not have is not asked.
  lsusb -v -d 0483:df11 >said 2>/dev/null
  [ "$(grep -c 'bInterfaceProtocol  *2' said)" -eq 4 ] || { cat said; return 1; }
  says said 'MaxPower              100mA'
  says said '@Option Bytes  /0x1FFFC000/01*016 e'
  says said '@Device Feature/0xFFFF0000/01*004 e'
}

usb1() # bcdUSB is 1.00
{
  device 0483:df11
  is version ' 1.00'
}

functional() # the host sees the DFU functional descriptor: 2048 bytes a transfer, version 1.1a
{
  # In binary, as the host has read it: 09 21 0b ff 00 00 08 1a 01
  device 0483:df11
  od -An -v -tx1 "$device/descriptors" | tr -d ' \n' >got
  says got 09210bff0000081a01
}

flash() # what is downloaded is uploaded again
{
  noise 2500 1 >in.bin
  download in.bin
  upload out.bin 2500
  cmp in.bin out.bin
}

options() # alternate setting 1 reads the option bytes
{
  dfu -a 1 -s 0x1FFFC000:16 -U out.bin
  od -An -v -tx1 out.bin | tr -d ' \n' >got
  ctl options show >want
  grep -q "$(cat got)" want || { cat got want; return 1; }
}

otp() # alternate setting 2 reads the OTP area, erased
{
  dfu -a 2 -s 0x1FFF7800:528 -U out.bin
  [ "$(tr -d '\377' <out.bin | wc -c)" -eq 0 ] && [ "$(wc -c <out.bin)" -eq 528 ]
}

feature() # alternate setting 3 can be selected, and reads the device feature
{
  dfu -a 3 -s 0xFFFF0000:4 -U out.bin
  [ "$(wc -c <out.bin)" -eq 4 ]
}

start() # the first status is dfuERROR, errFIRMWARE; the second is dfuIDLE, also for the next tool
{
  if [ "$tool" = client ]; then
    { "$client" status; upload out.1 4; "$client" status; } >said
  else
    dfu -v -a 0 -s 0x08000000:4 -U out.1 >said 2>&1
    dfu -v -a 0 -s 0x08000000:4 -U out.2 >>said 2>&1
    sed -i -n 's/^DFU state(\([0-9]*\)) = .*status(\([0-9]*\)).*/\1 \2/p' said
  fi
  tr '\n' ';' <said >got
  grep -q -E '^10 10;(2 0;)+$' got || { cat got; return 1; }
}

held() # the GETSTATUS behind a mass erase is answered when that is over: 16 s of the board
{
  "$client" hold 60000 >said
  cat said
  awk -v s=$scale '$1 == "done" && $2 * s >= 15.9 { held = 1 } END { exit !held }' said
}

taken_back() # a host that gives up takes the held GETSTATUS back; the board goes on, and serves the next tool
{
  "$client" hold 250 >said
  says said 'timeout 0.'
  while ctl status | grep -q 'flash_busy: yes'; do ctl in 1s time; done
  flash
}

leave() # after :leave the bootloader is gone and the application's device there
{
  noise 400 2 >noise.bin
  { printf '\0\0\2\40\211\1\0\10'; cat noise.bin; } >in.bin
  if [ "$tool" = client ]; then
    download in.bin
    "$client" leave
  else
    dfu -a 0 -s 0x08000000:leave -D in.bin
  fi
  wait_for device 0483:5740
  is product 'STM32 Virtual ComPort'
  wait_for gone 0483:df11
}

back() # a reset with BOOT0 high brings the bootloader back, in dfuERROR
{
  leave
  ctl reset
  wait_for device 0483:df11
  wait_for gone 0483:5740
  start
}

serial() # cdc-acm makes a terminal of the application, and what is written comes back
{
  leave
  wait_for test -c /dev/ttyACM0
  stty -F /dev/ttyACM0 raw -echo
  exec 5<>/dev/ttyACM0
  printf 'hello, board\n' >&5
  IFS= read -r -t "$wait_seconds" line <&5
  exec 5>&-
  [ "$line" = 'hello, board' ]
}

silent() # a board that never answers makes the host time out, not hang; then it works again
{
  ctl fault add 'silent on=getstatus,count=any'
  ! "$client" hold 500 >said 2>&1 || return 1
  says said 'GETSTATUS failed: -7'
  ctl fault clear
  flash
}

stall() # a STALL is told from other errors, and a clean run follows
{
  ctl fault add 'stall on=getstatus'
  ! "$client" hold 500 >said 2>&1 || return 1
  says said 'GETSTATUS failed: -9'
  flash
}

bus_error() # a transfer that nobody acknowledges is a protocol error, told from a STALL; a clean run follows
{
  ctl fault add 'bus-error on=getstatus'
  ! "$client" hold 500 >said 2>&1 || return 1
  says said 'GETSTATUS failed: -1'
  flash
}

unplug() # a cable that is pulled in mid-download fails the tool; back in, a clean run succeeds
{
  noise 6000 3 >in.bin
  number 0483:df11
  before=$number
  ctl fault add 'unplug on=write,count=2'
  ! download in.bin || return 1
  wait_for gone 0483:df11
  ctl plug
  wait_for another 0483:df11 "$before"
  flash
}

reset() # option bytes that are written reset the board: it enumerates again, in dfuERROR
{
  number 0483:df11
  before=$number
  # The factory's, but for BOR level 1 (RM0090 3.7.1: bits 2 and 3 of the first byte)
  printf '\353\252\024\125\353\252\024\125\377\177\000\200\377\177\000\200' >ob.bin
  if [ "$tool" = client ]; then
    "$client" options ob.bin
  else
    dfu -a 1 -s 0x1FFFC000:will-reset -D ob.bin
  fi
  # The answer to the last request, which need not come, is no sign that they are written.
  wait_for option_bytes ebaa1455
  wait_for another 0483:df11 "$before"
  start
}

# ---- running them ----

# These change nothing, and do not need a board that has just started.
as_it_is=' names identity verbose usb1 functional options otp feature '

# ordinal VERSION: sets `ordinal` to a number that grows with it
ordinal()
{
  local major minor

  IFS=. read -r major minor _ <<<"$1"
  ordinal=$((major * 1000 + ${minor%%[!0-9]*}))
}

# applies VERSIONS: of the table, to this kernel
applies()
{
  local this

  [ "$1" = any ] && return 0
  [ "$kernel" = alts ] && return 1
  ordinal "$kernel"
  this=$ordinal
  ordinal "${1#*[<=]}"
  case $1 in
  '<'*) [ "$this" -lt "$ordinal" ] ;;
  *) [ "$this" -ge "$ordinal" ] ;;
  esac
}

# The table for this front and kernel, and the sentences, are read once: a guest takes its time to start programs.
declare -A gap_of sentence_of
while IFS=$'\t' read -r its_front its_kernel feature reason; do
  if [ "$its_front" = "$front" ] && applies "$its_kernel"; then
    gap_of[$feature]=$reason
  fi
done <"$gaps"
features=()
while IFS= read -r line; do
  if [[ $line =~ ^([a-z0-9_]+)\(\)\ #\ (.*) ]]; then
    features+=("${BASH_REMATCH[1]}")
    sentence_of[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
  fi
done <"${BASH_SOURCE[0]}"

# run FEATURE
run()
{
  local name=$1 folder=$work/$1 status reason sentence

  mkdir -p "$folder"
  sentence="$front: ${sentence_of[$name]}"
  reason=${gap_of[$name]-}
  (
    set -e
    cd "$folder"
    # What is not there is not waited for as long.
    [ -z "$reason" ] || wait_seconds=3
    [[ $as_it_is == *" $name "* ]] || fresh
    "$name"
  ) >"$folder/log" 2>&1 </dev/null
  status=$?
  [ -z "${TIMES-}" ] || echo "$name took $SECONDS s"
  SECONDS=0
  # What it did not get to clear up
  if [ $status -ne 0 ]; then
    { ctl fault clear && ctl plug; } >/dev/null
  fi
  if [ -n "$reason" ]; then
    if [ $status -eq 0 ]; then
      echo "not ok - $sentence (declared as a gap, and it works)"
      failures=$((failures + 1))
    else
      echo "gap - $sentence: $reason"
    fi
  elif [ $status -eq 0 ]; then
    echo "ok - $sentence"
  else
    echo "not ok - $sentence"
    failures=$((failures + 1))
    { echo "--- $sentence (status $status)"; tail -n 40 "$folder/log"; } >&2
  fi
}

wait_for device 0483:df11

# Not a test, but figures for the benchmark: transfers a second, seconds for 64 KiB, for 1 MiB
if [ "${1-}" = rates ]; then
  echo "rates $front $("$client" rates)"
  exit
fi

tool=dfu-util
[ -z "${gap_of[functional]-}" ] || tool=client
[ $# -gt 0 ] || set -- "${features[@]}"
for feature; do
  run "$feature"
done
[ $failures -eq 0 ]
