#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware of others, unmodified, on the emulated board: flashed by dfu-util, started by :leave, spoken to over its own USB; on the
# private bus, and in a guest with the kernel's drivers. Run by make check-firmware; never part of make check.
# Usage: ci/check-firmware.sh [IMAGE...]     of the names below; all that are there, if none is named
# Environment: DFUBENCH_FIRMWARE: the folder of the images, else firmware/ in the cache of the tests (~/.cache/dfubench). Or one
# by one: DFUBENCH_MICROPYTHON_STM32F4DISC, DFUBENCH_MICROPYTHON_PYBV10, DFUBENCH_MBOOT_PYBV10 with DFUBENCH_MICROPYTHON_MBOOT_PYBV10
# (that is flashed by it), DFUBENCH_LIBOPENCM3_CDCACM, DFUBENCH_TINYUSB_CDC_MSC, DFUBENCH_FREERTOS. Files are .dfu (DfuSe), or .bin
# for 0x08000000.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/../emulator/tests/lib.sh"

images=${DFUBENCH_FIRMWARE:-$cache/firmware}
usb=$clients/firmware_usb.py
all='micropython-stm32f4disc micropython-pybv10 mboot-pybv10 libopencm3-cdcacm tinyusb-cdc-msc freertos'
TIME=${TIME:-virtual}
LIMIT=${LIMIT:-180}
export usb dfuemu serial

# image NAME: its file, in $image
image()
{
  local variable=DFUBENCH_${1^^}

  variable=${variable//-/_}
  image=${!variable-}
  if [ -n "$image" ]; then
    [ -f "$image" ] || skip "$variable: there is no file '$image'"
    return
  fi
  for image in "$images/$1.dfu" "$images/$1.bin"; do
    [ ! -f "$image" ] || return 0
  done
  skip "there is no $1.dfu or $1.bin in $images"
}

engine()
{
  "$dfuemu" exec --app firmware -q -- true >said 2>&1 || skip "$(sed 's/.*--app firmware: //; q' said)"
}

# on_board SCRIPT: in a shell on the private bus, with the image in $image; `leave` has flashed and started it. BOOT0 is low from then
# on, so that no reset leads back to the bootloader.
on_board()
{
  need dfu-util
  # The one that has Debian's packages may not be the first in the path.
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import usb.core' 2>/dev/null && break
  done
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  engine
  export image python
  board --app firmware --flash flash.img --control S -v -- sh -e -c '
    ctl() { "$dfuemu" ctl S "$@"; }
    client() { "$python" "$usb" "$@"; }
    leave() {
      ctl boot0 low
      case $image in
      # :leave alone would leave for where the last element began, which is no table of vectors.
      *.dfu)
        dfu-util -a 0 -D "$image"
        dfu-util -a 0 -s 0x08000000:4:leave -U vector.bin
        ;;
      *) dfu-util -a 0 -s 0x08000000:leave -D "$image" ;;
      esac
    }
    '"$1" >said 2>events || {
    cat said
    tail -n 60 events
    return 1
  }
  cat said events
  # What goes wrong in the core, or has no model, is no success though all else works.
  ! grep -E 'cpu-fault|HardFault|lockup' events
}

micropython()
{
  image "$1"
  on_board '
    leave
    client f055:9800 there
    client f055:9800 names
    client f055:9800 repl "print(6*7)" 42
    client f055:9800 repl "import sys; print(sys.implementation.name, sys.platform)" "micropython pyboard"
    client f055:9800 disk PYBFLASH'
}

# A file that outlives a reset is in the flash that the board saves; the bootloader then reads the image as it was written.
micropython_returns()
{
  image "$1"
  [[ $image = *.dfu ]] || skip "$image is no DfuSe file"
  # The first element of the file: prefix 11 bytes, target 274, then address and size (UM0391).
  size=$(od -A n -t u4 -j 289 -N 4 "$image" | tr -d ' ')
  tail -c +294 "$image" | head -c "$size" >element
  export size
  on_board '
    leave
    client f055:9800 repl "f = open(\"/flash/kept.txt\", \"w\"); n = f.write(\"kept\"); f.close()" -
    client f055:9800 repl "import machine; machine.reset()"
    client f055:9800 repl "print(open(\"/flash/kept.txt\").read())" kept
    client f055:9800 repl "import machine; machine.bootloader()"
    client 0483:df11 there
    dfu-util -a 0 -s "0x08000000:$size" -U back.bin'
  cmp element back.bin
}

# Stop, standby and the watchdog, by their names there; the clock goes on meanwhile.
micropython_sleeps()
{
  image "$1"
  on_board '
    # woken STATEMENT: by a reset
    woken() {
      ctl wait reset 10s &
      client f055:9800 repl "$1"
      wait $!
    }
    leave
    client f055:9800 repl "import machine; machine.lightsleep(500); print(6*7)" 42
    client f055:9800 repl "import machine; machine.RTC().datetime((2024, 2, 28, 3, 23, 59, 58, 0))" -
    woken "import machine; machine.deepsleep(3000)"
    client f055:9800 repl "import machine; print(machine.reset_cause() == machine.DEEPSLEEP_RESET)" True
    client f055:9800 repl "import machine; print(machine.RTC().datetime()[:3])" "(2024, 2, 29)"
    woken "import machine; machine.WDT(timeout=1000)"
    client f055:9800 repl "import machine; print(machine.reset_cause() == machine.WDT_RESET)" True'
  says events 'reset by standby'
  says events 'reset by watchdog'
}

# A bootloader of others, which has a DFU mode of its own on OTG_FS: dfu-util flashes through it as through ST's.
mboot()
{
  image micropython-mboot-pybv10
  application=$image
  export application
  image mboot-pybv10
  on_board '
    leave
    sleep 1
    dfu-util -l
    dfu-util -a 0 -s :leave -D "$application"
    client f055:9800 repl "print(6*7)" 42
    client f055:9800 repl "import machine; machine.bootloader()"
    client 0483:df11 there
    dfu-util -l'
  [ "$(grep -c 'Found DFU: \[0483:df11\] ver=0300' said)" -eq 2 ]
}

# The whole circle as a scenario: the image lies beside a copy of it.
micropython_circle()
{
  image "$1"
  [[ $image = *.dfu ]] || skip "$image is no DfuSe file"
  [ -x "$build/dfuhil" ] || skip 'dfuhil is not in this build'
  need dfu-util
  engine
  cp "$repo/ci/micropython.yaml" .
  ln -s "$(realpath "$image")" micropython.dfu
  timeout -k 5 "$LIMIT" "$build/dfuhil" run ./micropython.yaml --tool dfu-util --time virtual
}

# mpremote_on BOARD OPTION...: MicroPython's own tool, by the terminal; one after the other, as a person would have it.
mpremote_on()
{
  "$@" -- sh -e -c '
    ctl() { "$dfuemu" ctl S "$@"; }
    mp() { echo "\$ mpremote $*"; "$tools/mpremote" connect /dev/ttyACM0 "$@"; }
    # restarts COMMAND...: and the port is there again
    restarts() {
      ctl wait reset 10s &
      "$@"
      wait $!
      ctl wait listed 10s
      until [ -c /dev/ttyACM0 ]; do sleep 0.1; done
    }
    ctl wait booted application 10s || true # or it is so
    until [ -c /dev/ttyACM0 ]; do sleep 0.1; done
    "$tools/mpremote" connect list
    mp eval "6*7"
    echo "print(\"from a file\", 6*8)" >hello.py
    mp fs cp hello.py :hello.py
    mp fs ls
    mp fs cat :hello.py
    mp run hello.py
    mp exec "f = open(\"big\", \"wb\"); f.write(bytes(range(256)) * 40); f.close()"
    mp fs cp :big big
    restarts mp reset
    mp exec "import hello"
    "$tools/mpremote" connect "id:$serial" soft-reset eval "6*9"
    mp bootloader
    until lsusb -d 0483:df11; do sleep 0.1; done' >said 2>events || {
    cat said
    tail -n 40 events
    return 1
  }
  cat said
  says said "/dev/ttyACM0 $serial f055:9800 MicroPython"
  [ "$(tr -d '\r' <said | grep -c -x -e 42 -e 54)" -eq 2 ]
  says said '26 hello.py'
  [ "$(grep -c '^from a file 48' said)" -eq 2 ]
  cmp big <(python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 40)')
  says said 0483:df11
}

# In virtual time with the formatting of the first start; then, on the same flash, in real time.
micropython_tool()
{
  image "$1"
  tools=$(sh "$repo/ci/tools.sh" mpremote 2>missing) || skip "$(sed 's/^tools: //' missing)"
  tools=${tools#*=}
  export tools
  on_board leave
  mpremote_on board --app firmware --flash flash.img --boot0 low --control S -v
  TIME=real
  mpremote_on board --app firmware --flash flash.img --boot0 low --control S -v
}

# The session as users report it, in $work/session.
micropython_session()
{
  image "$1"
  need lsusb
  on_board '
    exec 3>session
    shown() { echo "\$ $*" >&3; "$@" 2>&1 | sed "s/.*\r//" >&3; }
    # told TEXT: is said to the prompt, and what it says goes to the session
    told() { printf "%s\r" "$1" >&5; timeout 1 cat <&5 | tr -d "\r" >&3 || true; }
    shown lsusb
    case $image in
    *.dfu)
      shown dfu-util -a 0 -D "$image"
      ctl boot0 low
      shown dfu-util -a 0 -s 0x08000000:leave
      ;;
    *)
      ctl boot0 low
      shown dfu-util -a 0 -s 0x08000000:leave -D "$image"
      ;;
    esac
    until [ -c /dev/ttyACM0 ]; do sleep 0.1; done
    shown lsusb
    cd /dev; shown ls ttyACM0; cd - >&2
    echo "\$ screen /dev/ttyACM0" >&3
    stty -F /dev/ttyACM0 raw -echo
    exec 5<>/dev/ttyACM0
    told "$(printf "\003\002")"
    told "print(6*7)"
    told "import machine"
    told "machine.bootloader()"
    exec 5>&-
    echo >&3
    client 0483:df11 there
    shown lsusb'
  sed -i 's,-D .*/,-D ,' session
  cp session "$work/session"
  cat >want <<'END'
ID 0483:df11
dfu-util -a 0
Download done.
Transitioning to dfuMANIFEST state
ID f055:9800
ttyACM0
MicroPython v
>>> print(6*7)
42
>>> machine.bootloader()
ID 0483:df11
END
  from=0
  while IFS= read -r text; do
    line=$(tail -n +$((from + 1)) session | grep -n -F -m 1 -e "$text") || {
      echo "=> after line $from of the session there is no: $text"
      cat session
      return 1
    }
    from=$((from + ${line%%:*}))
  done <want
}

libopencm3()
{
  image libopencm3-cdcacm
  on_board '
    leave
    client 0483:5740 names
    client 0483:5740 echo'
}

tinyusb()
{
  image tinyusb-cdc-msc
  on_board '
    leave
    client cafe:4003 names
    client cafe:4003 echo
    client cafe:4003 disk'
}

freertos()
{
  image freertos
  on_board '
    leave
    sleep 2'
  says events 'task a: round 50, right'
  says events 'task b: round 50, right'
  says_not events WRONG
}

# A guest runs this script once more, with --guest.
# in_guest NAME [FRONT [KERNEL]]
in_guest()
{
  image "$1"
  need qemu-system-x86_64
  engine
  DFUBENCH_ONLY='' DFUBENCH_FIRMWARE_IMAGE=$(realpath "$image") DFUBENCH_FIRMWARE_FRONT=${2-} "$repo/ci/vm/run" -k "${3:-stock}" --host-commands \
    -t 600 "$repo/ci/check-firmware.sh" --guest "$1" | tee lines
  if grep '^skip' lines; then
    skip "$(sed -n 's/^skip - .*: //p' lines)"
  fi
  grep '^ok' lines
}

note()
{
  cat <<'NOTE'
note: MicroPython is under the MIT licence, parts of it are under others; among them is ST's USB device stack, under the MCD-ST Liberty
note: SW License Agreement V2 (http://www.st.com/software_license_agreement_liberty_v2), which says on what it may be used. The image
note: is yours; nothing of it is in this repository, and no copy of it is kept.
NOTE
}

if [ "${1-}" = --guest ]; then
  . "$repo/ci/check-firmware-guest.sh"
  finish
fi

case ${*:-micropython} in *micropython* | *mboot*) note ;; esac
# shellcheck disable=SC2086 # words
[ $# -gt 0 ] || set -- $all
for name; do
  case $name in
  micropython-*)
    check "$name: flashed, its prompt answers over USB, PYBFLASH is read" micropython "$name"
    check "$name: keeps a file over a reset, and machine.bootloader() is ST's" micropython_returns "$name"
    check "$name: sleeps lightly and deeply, and knows what woke it" micropython_sleeps "$name"
    check "$name: the whole circle, twice, as a scenario" micropython_circle "$name"
    check "$name: mpremote has it, in virtual and in real time" micropython_tool "$name"
    check "$name: the session as users report it" micropython_session "$name"
    [ ! -f "$work/session" ] || sed 's/^/    /' "$work/session"
    check "$name: cdc-acm and usb-storage have it" in_guest "$name"
    check "$name: behind serve gadget they have it, too" in_guest "$name" gadget backports
    ;;
  mboot-pybv10) check "$name: flashed, flashes MicroPython by its own DFU mode, which that returns to" mboot ;;
  libopencm3-cdcacm)
    check "$name: flashed, its serial line gives back what it gets" libopencm3
    check "$name: cdc-acm has it" in_guest "$name"
    check "$name: behind serve gadget it has it, too" in_guest "$name" gadget backports
    ;;
  tinyusb-cdc-msc)
    check "$name: flashed, its serial line gives back what it gets, its disk is read" tinyusb
    check "$name: cdc-acm and usb-storage have it" in_guest "$name"
    check "$name: behind serve gadget they have it, too" in_guest "$name" gadget backports
    ;;
  freertos) check "$name: two tasks compute with floats, and lose nothing" freertos ;;
  *)
    echo "check-firmware: there is no image '$name'; these are known: $all" >&2
    exit 2
    ;;
  esac
done
finish
