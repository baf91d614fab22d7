#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware that means harm: whatever it does, dfuemu hears its control socket, takes no more memory, and ends when it is told to.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"
export dfuemu

# make_image NAME: image.bin
make_image()
{
  need arm-none-eabi-gcc arm-none-eabi-objcopy
  arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -nostdlib -Wl,-Ttext=0x08000000,-e0 "-D$1" -o image.elf "$tests/cortexm/hostile.S" 2>said ||
    { cat said; return 1; }
  arm-none-eabi-objcopy -O binary image.elf image.bin
  "$dfuemu" exec --app firmware -q -- true 2>missing || skip "$(sed 's/.*--app firmware: //; q' missing)"
}

peak_kib()
{
  sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

# In real time: three answers of it, at different times, then an interrupt.
heard()
{
  local status=0 turn most=65536

  [ -z "${SAN:-}" ] || most=524288
  make_image "$1"
  timeout -k 5 "${LIMIT:-120}" "$dfuemu" serve usbip --listen 127.0.0.1:0 --app firmware --boot0 low --flash image.bin --control S \
    >ready 2>/dev/null &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true' EXIT
  until_true 60 grep -q '^ready: ' ready
  for turn in 1 2 3; do
    timeout 60 "$dfuemu" ctl S status >"status-$turn"
    timeout 60 "$dfuemu" ctl S button press
    pause 0.3
    timeout 60 "$dfuemu" ctl S console send x || true
  done
  cat status-3
  [ "$2" = any ] || says status-3 "mode: $2"
  pid=$(pgrep -P "$server" -x dfuemu)
  peak=$(peak_kib "$pid")
  echo "=> $peak KiB of $most"
  [ "$peak" -lt "$most" ]
  kill -INT "$pid"
  wait "$server" || status=$?
  [ "$status" -eq 0 ] || [ "$status" -eq 130 ]
}

# In virtual time, where each cycle counts, it takes what it takes; who does not wait for the board is not kept.
heard_in_virtual_time()
{
  make_image "$1"
  LIMIT=120 TIME=virtual emu --app firmware --boot0 low --flash image.bin --control S -- sh -e -c '
    for turn in 1 2 3; do
      "$dfuemu" ctl S status
      "$dfuemu" ctl S button press
    done' 2>errors || { tail errors; return 1; }
}

while read -r name mode what; do
  later "firmware that $what is no harm, in real time" heard "$name" "$mode"
  later "firmware that $what is no harm, in virtual time" heard_in_virtual_time "$name"
done <<'WAYS'
LOOPS application never sleeps
WRITES any writes all registers
FLOODS application floods the console
RESETS any resets itself at once
PROGRAMS application programs the flash for ever
TICKS application lets SysTick interrupt it all the time
INTERRUPTS application lets everything interrupt it
NESTS lockup nests exceptions until there is no stack
FAULTS application faults for ever
JUMPS application jumps into a peripheral again and again
COPIES application copies by DMA for ever
CLOCKS application changes its clock all the time
HUGE application runs at a clock that no part has
WAYS
finish
