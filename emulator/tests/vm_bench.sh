#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bench devices of serve vhci: drivers of the kernel and tools of the distribution move pins of the board. Runs in a guest.
# guest: -k stock
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel_log.sh"

# product HEX: how many such devices there are is in $found
product()
{
  local path id

  found=0
  for path in /sys/bus/usb/devices/*/idProduct; do
    # It may go meanwhile.
    if { read -r id <"$path"; } 2>/dev/null && [ "$id" = "$1" ]; then
      found=$((found + 1))
    fi
  done
}

seen()
{
  product "$1"
  [ "$found" -eq "${2:-1}" ]
}

no_complaints()
{
  ! kernel_complains
}

# serve OPTION...: until `stop`; an application is in flash, all is at rest
serve()
{
  dmesg -C
  rm -f ready
  printf '\0\0\002\040\211\001\0\010' >app.bin
  head -c 8184 /dev/urandom >>app.bin
  "$dfuemu" serve vhci --time x20 --control S --flash flash.bin "$@" >ready 2>complaints &
  server=$!
  trap 'kill "$server" 2>/dev/null || true; cat complaints' EXIT
  until_true 20 grep -q '^ready' ready
}

ctl()
{
  "$dfuemu" ctl S "$@"
}

# Nothing is left on the bus, at once.
nobody()
{
  seen ea90 0
  seen 05df 0
  seen df11 0
  seen 5740 0
}

stop()
{
  local status=0

  kill "$server"
  wait "$server" || status=$?
  [ "$status" -eq 0 ]
  [ ! -s complaints ]
  nobody
  no_complaints
}

# The gpiochip of the CP2112 into $chip
chip()
{
  chip=$(gpiodetect | sed -n 's/^\(gpiochip[0-9]*\) \[cp2112_gpio\] (8 lines)$/\1/p')
  [ -n "$chip" ]
}

relay()
{
  compgen -G '/sys/bus/hid/devices/*:16C0:05DF.*/hidraw/hidraw*' >/dev/null
}

pin()
{
  ctl status >board.txt
  grep -q "^ *$1: $2\$" board.txt
}

# --- GPIO ---

lines()
{
  need gpiodetect gpioinfo
  serve --bench cp2112:0=boot0,1=nrst
  until_true 20 chip
  gpioinfo "$chip" >info
  cat info
  [ "$(grep -c '^[[:space:]]*line' info)" -eq 8 ]
  stop
}

# BOOT0 by line 0, NRST by line 1, as somebody would who has no dfuhil
by_gpio()
{
  need gpioset gpioget dfu-util
  serve --bench cp2112:0=boot0,1=nrst
  ctl flash load app.bin
  until_true 20 chip
  gpioset "$chip" 0=1
  gpioset "$chip" 1=0
  pin nrst low
  seen df11 0
  gpioset "$chip" 1=1
  until_true 20 seen df11
  [ "$(gpioget "$chip" 2)" = 1 ] # nothing is there but its own pull-up
  dfu-util -a 0 -s 0x08000000 -D app.bin
  gpioset "$chip" 0=0
  gpioset "$chip" 1=0
  gpioset "$chip" 1=1
  until_true 20 seen 5740
  until_true 20 seen df11 0
  stop
}

# What is released is where the board's own resistor has it, and others may move it.
open_drain()
{
  need gpioset gpioget
  serve --bench cp2112:0=boot0,1=nrst
  until_true 20 chip
  gpioset -D open-drain "$chip" 1=0
  pin nrst low
  gpioset -D open-drain "$chip" 1=1
  pin nrst high
  ctl status >board.txt
  grep -A 1 'line: 1' board.txt | grep -q 'drive: released'
  [ "$(gpioget "$chip" 0)" = 0 ] # its pull-down
  [ "$(gpioget "$chip" 1)" = 1 ]
  ctl boot0 high
  ctl nrst low
  [ "$(gpioget "$chip" 0)" = 1 ]
  [ "$(gpioget "$chip" 1)" = 0 ]
  stop
}

supply()
{
  need gpioset
  serve --bench cp2112:2=power,3=vbus --boot0 high
  until_true 20 chip
  until_true 20 seen df11
  gpioset "$chip" 2=0
  until_true 20 seen df11 0
  pin vdd low
  gpioset "$chip" 2=1
  until_true 20 seen df11
  gpioset "$chip" 3=0
  until_true 20 seen df11 0
  pin vdd high
  gpioset "$chip" 3=1
  until_true 20 seen df11
  stop
}

# Its other half: an I2C adapter on which nobody is
empty_i2c()
{
  local bus status=0

  need i2cdetect i2cget
  modprobe i2c-dev
  serve --bench cp2112
  until_true 20 chip
  bus=$(i2cdetect -l | sed -n 's/^i2c-\([0-9]*\).*CP2112 SMBus Bridge.*/\1/p')
  i2cdetect -y -r "$bus" 0x20 0x27 >found
  cat found
  says found '20: -- -- -- -- -- -- -- --'
  i2cget -y "$bus" 0x50 0 || status=$?
  [ "$status" -ne 0 ]
  stop
}

# --- relays ---

by_relay()
{
  need usbrelay
  serve --bench 'usbrelay2=BENCH:1=boot0,2=!nrst'
  ctl flash load app.bin
  until_true 20 relay
  usbrelay >said
  cat said
  printf 'BENCH_1=0\nBENCH_2=0\n' | cmp - said
  usbrelay BENCH_1=1 BENCH_2=1
  pin boot0 high
  pin nrst low
  usbrelay BENCH_2=0
  until_true 20 seen df11
  usbrelay >said
  printf 'BENCH_1=1\nBENCH_2=0\n' | cmp - said
  usbrelay BENCH_1=0 BENCH_2=1
  usbrelay BENCH_2=0
  until_true 20 seen 5740
  until_true 20 seen df11 0
  usbrelay BENCH_0=OTHER
  usbrelay >said
  printf 'OTHER_1=0\nOTHER_2=0\n' | cmp - said
  stop
}

# Two boards of relays, eight and one, and two boards
by_hidapi()
{
  local client=$build/clients/relay_hidapi

  [ -x "$client" ] || skip 'libhidapi-dev is not installed'
  serve --boards 2 --bench 'usbrelay8:8=!2:nrst,7=2:boot0' --bench 'usbrelay1=SOLO1:1=boot0'
  until_true 20 relay
  until_true 20 seen 05df 2
  until_true 20 "$client" BITFT
  "$client" BITFT 8 on 7 on >said
  says said 'USBRelay8 c0'
  "$client" BITFT 8 off 9 on >said
  says said 'USBRelay8 40'
  until_true 20 seen df11
  ctl board 2 wait state dfuERROR 1s
  "$client" SOLO1 1 on >said
  says said 'USBRelay1 01'
  "$client" BITFT >said
  says said 'USBRelay8 40'
  ends 1 "$client" WRONG
  stop
}

# Contacts fall when the cable of the relay board is pulled.
falls()
{
  need usbrelay
  serve --bench 'usbrelay2:1=boot0,2=power' --bench cp2112
  until_true 20 relay
  until_true 20 chip
  pin vdd low
  usbrelay BITFT_1=1 BITFT_2=1
  until_true 20 seen df11
  ctl bench 1 unplug
  until_true 20 seen 05df 0
  until_true 20 seen df11 0
  pin boot0 low
  pin vdd low
  ends 1 ctl bench 3 plug
  says said 'there is no bench device 3, but 2 of them'
  ctl bench 1 plug
  until_true 20 relay
  usbrelay >said
  printf 'BITFT_1=0\nBITFT_2=0\n' | cmp - said
  usbrelay BITFT_1=1 BITFT_2=1
  until_true 20 seen df11
  ctl bench 2 unplug
  until_true 20 seen ea90 0
  ctl bench 2 plug
  until_true 20 chip
  stop
}

# --- one bench after the other ---

# As quickly as can be, also where one of them was killed: each finds what is its own, and no more.
alone()
{
  local devices=(--bench cp2112 --bench 'usbrelay2:1=!boot0')

  export -f alone_here seen product
  for _ in 1 2 3 4; do
    "$dfuemu" serve vhci --time x20 "${devices[@]}" -- bash -c alone_here
    nobody
    serve "${devices[@]}"
    kill -9 "$server"
    wait "$server" || true
  done
  "$dfuemu" serve vhci --time x20 "${devices[@]}" -- bash -c alone_here
}

alone_here()
{
  seen df11 && seen ea90 && seen 05df && return
  echo '=> on the bus is'
  cat /sys/bus/usb/devices/*/product
  return 1
}

# --- lines that are files ---

sim=/sys/kernel/config/gpio-sim/bench

# line N VALUE: what somebody drives it to
line()
{
  [ "$(cat "$lines/sim_gpio$1/value")" = "$2" ]
}

# Somebody who has it does not know that no hardware is there: lines of gpio-sim, and a script that tells the board what they are.
by_simulated_lines()
{
  local holder boot0

  need gpioset gpioget
  [ -e "${VM_MODULES:-}/gpio-sim.ko" ] || skip 'gpio-sim does not build for this kernel (ci/vm/modules)'
  insmod "$VM_MODULES/gpio-sim.ko"
  mkdir -p "$sim"/bank/line0 "$sim"/bank/line1
  echo 2 >"$sim"/bank/num_lines
  echo BOOT0 >"$sim"/bank/line0/name
  echo NRST >"$sim"/bank/line1/name
  echo 1 >"$sim"/live
  lines=/sys/devices/platform/$(cat "$sim"/dev_name)/$(cat "$sim"/bank/chip_name)
  chip=$(cat "$sim"/bank/chip_name)
  echo pull-up >"$lines/sim_gpio1/pull"
  [ "$(gpiofind NRST)" = "$chip 1" ]
  serve --boot0 low
  ctl flash load app.bin
  "$clients/gpio_sim_bridge.sh" "$dfuemu" S "$lines" 0=boot0 1=nrst &
  bridge=$!
  trap 'kill "$bridge" "$server" 2>/dev/null || true; cat complaints' EXIT
  gpioset --mode=signal "$chip" 0=1 &
  boot0=$!
  gpioset --mode=signal "$chip" 1=0 &
  holder=$!
  until_true 20 line 1 0
  until_true 20 pin nrst low
  until_true 20 pin boot0 high
  kill "$holder"
  until_true 20 line 1 1
  until_true 20 seen df11
  kill "$boot0"
  gpioset --mode=signal "$chip" 1=0 &
  holder=$!
  until_true 20 pin boot0 low
  until_true 20 pin nrst low
  kill "$holder"
  until_true 20 seen 5740
  kill "$bridge"
  stop
  echo 0 >"$sim"/live
}

modprobe vhci-hcd
modprobe cdc-acm
modprobe usbhid
modprobe hid-generic
modprobe hid-cp2112
check 'hid-cp2112 takes the CP2112: a gpiochip of eight lines' lines
check 'gpioset moves BOOT0 and NRST: bootloader, written to, and application' by_gpio
check 'open drain: what is released is where the board has it, and is read back' open_drain
check 'gpioset switches supply and cable' supply
check 'its I2C adapter finds nobody, and says so' empty_i2c
check 'usbrelay lists, switches and renames a relay board: bootloader and application' by_relay
check 'hidapi tells relay boards apart, and switches that of the second board' by_hidapi
check 'a relay board that is unplugged lets go, and works again when it is back' falls
check 'benches one after the other never meet on the bus, also after a kill' alone
check 'gpioset on lines of gpio-sim, by way of a script that reads them' by_simulated_lines
finish
