#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is flashed runs: the images of fixtures/firmware/, from the download by dfu-util on, in virtual time.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"
images=$fixtures/firmware
TIME=virtual
export images dfuemu clients serial

# on_board IMAGE SCRIPT: in a shell on the private bus. What the board does is in the file `events`, what the shell says in `said`.
on_board()
{
  local status=0

  need dfu-util
  # The one that has Debian's packages may not be the first in the path.
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import usb.core' 2>/dev/null && break
  done
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  "$dfuemu" exec --app firmware -q -- true 2>missing || skip "$(sed 's/.*--app firmware: //; q' missing)"
  image=$1
  export image python
  LIMIT=120 board --app firmware --flash flash.img --control S -v -- sh -e -c '
    ctl() { "$dfuemu" ctl S "$@"; }
    usb() { "$python" "$clients/firmware_usb.py" "$@"; }
    update() { "$python" "$images/update.py" "$images/$1.hex"; }
    flash() { usb 0483:df11 there; dfu-util -a 0 -s 0x08000000:leave -D "$images/$1.bin"; }
    console() { ctl console send "$1"; sleep 1; }
    # BOOT0 is low while it runs: a reset does not lead to the bootloader.
    start() {
      flash "$image"
      ctl boot0 low
      sleep 1
    }
    '"$2" >said 2>events || status=$?
  grep -v "dfuDN\|programmed\|LED" events
  cat said
  return "$status"
}

never()
{
  if grep -E -e "$1" events; then
    echo '=> that is not to happen'
    return 1
  fi
}

blinks()
{
  on_board blink '
    start
    ctl led
    ctl button press
    sleep 0.1
    ctl button release
    console p
    console i'
  happens 'now application' "says 'blink 1 (STM32F407 Discovery)'" "says 'reset: power-on'" "says 'clock: 168000000 Hz'" \
    "says 'serial number: $serial'" "says 'pattern 1'" 'LED orange on' 'LED orange off' "says 'pattern 2'" \
    "says 'pattern 3'" "says 'blink 1" "says 'pattern 3'"
  never 'cpu-fault|Fault|unmodelled|not modelled'
}

causes()
{
  on_board blink '
    start
    console r
    console w
    ctl reset
    sleep 1
    ctl power off
    ctl power on
    sleep 1'
  happens "says 'reset: power-on'" 'reset by software' "says 'reset: software'" 'not fed any more' 'reset by watchdog' \
    "says 'reset: watchdog'" 'reset by pin' "says 'reset: pin'" 'reset by power-on' "says 'reset: power-on'"
}

jumps()
{
  on_board blink '
    start
    console d
    flash cdc-echo
    usb 0483:5740 there'
  happens "says 'blink 1" 'now bootloader' 'attached' 'now application' "says 'cdc-echo 1"
}

echoes()
{
  on_board cdc-echo '
    lsusb -v -d 0483:df11 2>/dev/null | grep iSerial
    start
    usb 0483:5740 names
    usb 0483:5740 echo 20000
    ctl unplug
    usb 0483:5740 gone
    ctl plug
    usb 0483:5740 echo 100'
  [ "$(grep -c "$serial" said)" -eq 2 ]
  says said '20000 bytes came back'
  says said '100 bytes came back'
  happens "says 'cdc-echo 1" attached 'LED green on' 'VBUS low' 'VBUS high' attached
  never 'Fault|not modelled'
}

detaches()
{
  on_board dfu-runtime '
    start
    usb 0483:5740 echo
    dfu-util -d 0483:5740,0483:df11 -e
    flash dfu-runtime
    usb 0483:5740 there
    dfu-util -d 0483:5740,0483:df11 -a 0 -s 0x08000000:leave -D "$images/blink.bin"
    sleep 1'
  says said 'Device really in Run-Time Mode, send DFU detach request'
  happens "says 'dfu-runtime 1" "says 'detach: to ST's bootloader'" detached 'now bootloader' "says 'dfu-runtime 1" \
    "says 'detach: to ST's bootloader'" 'now bootloader' "says 'blink 1"
  never 'reset by software|Fault'
}

# The first application by USB, the second one on the console.
updates()
{
  on_board self-update '
    start
    update app-1
    sleep 1
    console u
    tr -d "\r" <"$images/app-2.hex" | while read -r line; do
      ctl console send "$line\r"
      sleep 0.5
    done
    ctl reset
    sleep 1'
  happens "says 'application: none, or not whole: its header is blank'" 'erased 0x08008000' 'programmed 0x08008000, 4 bytes' \
    'reset by software' "says 'app-1 1" "says 'to the bootloader'" 'reset by software' \
    "says 'application: there, but an update is asked for'" 'erased 0x08008000' "says '. verified, starting it'" \
    'reset by software' "says 'app-2 1" 'reset by pin' "says 'app-2 1" 'LED blue on'
  never 'Fault'
}

# The supply goes in the middle of it, while it erases, and once more while it programs.
loses_power()
{
  on_board self-update '
    start
    update app-1
    sleep 1
    for moment in 0.1s 0.27s; do
      console u
      ctl in $moment power off &
      ! update app-2
      wait
      sleep 0.1
      ctl power on
      sleep 1
    done
    update app-2
    sleep 1'
  happens "says 'app-1 1" 'VDD low' 'cut short at 0x08008000' "says 'application: its header is none'" 'erased 0x08008000' \
    'programmed 0x08008200' 'VDD low' "says 'application: none, or not whole: its header is blank'" 'erased 0x08008000' "says 'app-2 1"
  never 'Fault'
}

# What it says on QEMU from the name of the exception on; some registers have what differs between the machines.
on_qemu()
{
  need qemu-system-arm
  mkfifo line
  timeout 60 qemu-system-arm -M netduinoplus2 -nodefaults -display none -monitor none -serial stdio -kernel "$images/hard-fault.bin" \
    <line >qemu.said &
  exec 4>line
  until_true 20 grep -q 'serial number' qemu.said
  printf %s "$1" >&4
  until_true 20 grep -q halted qemu.said
  kill $!
  exec 4>&-
  tr -d '\r' <qemu.said >qemu.text
}

of_the_fault()
{
  grep -E '^(HardFault|MemManage|BusFault|UsageFault)$|^r12 |^CFSR |^sp ' "$1" | sed 's/ MMFAR.*//'
}

goes_wrong()
{
  on_qemu "$1"
  letter=$1
  export letter
  on_board hard-fault '
    start
    console "$letter"'
  says events "$2 at 0x"
  happens "(CFSR $3," "says 'halted'" 'LED red on'
  sed -n "s/.* says '\(.*\)'\$/\1/p" events >emulated.text
  of_the_fault emulated.text >ours
  of_the_fault qemu.text | diff - ours
  [ -s ours ]
}

locks_up()
{
  on_board hard-fault '
    start
    console l
    ctl status
    ctl boot0 high
    ctl reset
    flash blink
    sleep 1'
  says said 'mode: lockup'
  happens 'lockup' 'reset by pin' 'now bootloader' "says 'blink 1"
}

is_broken()
{
  on_board broken '
    flash broken
    sleep 1
    usb 0483:df11 there
    ctl boot0 low
    ctl reset
    sleep 1
    ctl status
    ctl boot0 high
    ctl reset
    flash blink
    sleep 1'
  says said 'mode: lockup'
  happens 'reset by not-executable' 'now bootloader' 'reset by pin' 'now lockup' 'reset by pin' 'now bootloader' \
    "says 'blink 1"
}

same_twice()
{
  local run

  for run in 1 2; do
    rm -f flash.img
    on_board dfu-runtime '
      start
      usb 0483:5740 echo 3000
      dfu-util -d 0483:5740,0483:df11 -a 0 -s 0x08000000:leave -D "$images/blink.bin"
      sleep 1'
    mv events "events-$run"
  done
  cmp events-1 events-2
}

check 'blink: says what it is, moves its LEDs, heeds its button and its console' blinks
check 'blink: each reset has its cause' causes
check 'blink: jumps to the bootloader, which flashes another' jumps
check 'cdc-echo: under the serial number of the bootloader, gives back 20000 bytes, and after the cable' echoes
check 'dfu-runtime: dfu-util detaches it, and flashes over it in one go' detaches
check 'self-update: takes an application over USB, another on the console, and starts them' updates
check 'self-update: power that fails in the middle leaves the bootloader, which takes it once more' loses_power
while read -r letter name cfsr what; do
  later "hard-fault: $what as on QEMU, by '$letter'" goes_wrong "$letter" "$name" "$cfsr"
done <<'WAYS'
u UsageFault 0x00010000 undefined instruction
B BusFault 0x00008200 bus fault
s MemManage 0x00000001 stack smash
Z UsageFault 0x02000000 division by zero
a UsageFault 0x01000000 unaligned access
T UsageFault 0x00020000 state that is not Thumb
x MemManage 0x00000001 code where none may be
WAYS
check 'hard-fault: locked up, BOOT0 and reset bring it back' locks_up
check 'broken: the bootloader does not start it, a reset does, BOOT0 brings it back' is_broken
check 'the same happens twice, to the microsecond' same_twice
finish
