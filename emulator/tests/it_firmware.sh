#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The firmware of fixtures/firmware/: that the committed images are what its sources make, and, on a machine of QEMU that has a core
# and a line but no clocks to wait for, that they say what they are to say.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
images=$fixtures/firmware

# build ARGUMENT...: in the folder `out`
build()
{
  env -u MAKEFLAGS -u MFLAGS -u CC -u CFLAGS -u LDFLAGS make -s -C "$images" OUT="$PWD/out" "$@"
}

builds()
{
  local file

  need arm-none-eabi-gcc
  build all >said 2>&1 || { cat said; return 1; }
  for file in $(build files); do
    [ -s "out/$file" ]
  done
  # Warnings of other compilers are not known.
  ! build same-compiler || says_not said warning
}

same_bytes()
{
  local file

  need arm-none-eabi-gcc
  build same-compiler >other || skip "another compiler made them: $(sed -n 's/^COMPILER := //p' "$images/Makefile"), not $(cat other)"
  build all
  for file in $(build files); do
    cmp "$images/$file" "out/$file"
  done
}

# machine IMAGE: runs it in the background; what it says is read from descriptor 3, what is sent is written to 4.
machine()
{
  need qemu-system-arm
  mkfifo says hears
  timeout -k 5 120 qemu-system-arm -M netduinoplus2 -nodefaults -display none -monitor none -serial stdio -kernel "$1" \
    <hears >says 2>errors &
  qemu=$!
  exec 4>hears 3<says
}

# hears TEXT: it says a line with that in it, before long
hears()
{
  local line

  while IFS= read -r -t 60 line <&3; do
    printf '%s\n' "$line" | tee -a said
    [[ $line != *"$1"* ]] || return 0
  done
  echo "=> it never says: $1"
  cat errors
  return 1
}

stop()
{
  kill "$qemu"
  wait "$qemu" || true
}

blinks()
{
  machine "$images/blink.bin"
  hears 'blink 1 (STM32F407 Discovery)'
  hears 'clock: 16000000 Hz'
  hears 'pattern 1'
  printf p >&4
  hears 'pattern 2'
  printf r >&4
  hears 'blink 1'
  hears 'pattern 1'
  stop
}

# goes_wrong LETTER WHAT HANDLER CFSR
goes_wrong()
{
  machine "$images/hard-fault.bin"
  hears 'serial number: '
  printf %s "$1" >&4
  hears "$2"
  hears "$3"
  hears ' pc '
  hears "CFSR $4 "
  hears halted
  stop
}

locks_up()
{
  local status=0

  machine "$1"
  [ $# -eq 1 ] || hears "$2"
  wait "$qemu" || status=$?
  cat errors
  [ "$status" -eq 134 ]
  says errors Lockup
}

# chosen LETTER: the byte of the image that chooses
chosen()
{
  cp "$images/hard-fault.bin" image.bin
  printf %s "$1" | dd of=image.bin bs=1 seek=$((0x190)) conv=notrunc status=none
}

goes_wrong_by_a_byte()
{
  chosen u
  machine "$PWD/image.bin"
  hears 'undefined instruction'
  hears HardFault
  hears halted
  stop
}

locks_up_by_a_byte()
{
  chosen l
  locks_up "$PWD/image.bin" lock-up
}

refuses()
{
  machine "$images/self-update.bin"
  hears 'self-update 1'
  hears 'application: its header is none'
  printf ':00000001FF\r' >&4
  hears '! empty'
  printf ':00000001FE\r' >&4
  hears '! checksum'
  printf ':0400000000000000FC\r' >&4
  hears '! address'
  printf 'xyzzy\r' >&4
  hears '! record'
  stop
}

without_usb()
{
  machine "$images/$1.bin"
  hears "$1 1 (STM32F407 Discovery)"
  hears 'no USB: '
  stop
}

later 'firmware of this repository builds, without a warning' builds
later 'the images committed are, byte for byte, what their sources make' same_bytes
later 'blink runs on QEMU, takes commands and resets' blinks
while read -r letter handler cfsr what; do
  later "hard-fault on QEMU: $what, in the handler of $handler" goes_wrong "$letter" "$what" "$handler" "$cfsr"
done <<'WAYS'
u HardFault 00010000 undefined instruction
U UsageFault 00010000 undefined instruction
b HardFault 00008200 bus fault
B BusFault 00008200 bus fault
s HardFault 00000001 stack smash
S MemManage 00000001 stack smash
z HardFault 02000000 division by zero
A UsageFault 01000000 unaligned access
t HardFault 00020000 state that is not Thumb
X MemManage 00000001 code where none may be
WAYS
later 'hard-fault on QEMU: a byte of the image chooses the way' goes_wrong_by_a_byte
later 'hard-fault on QEMU: a fault in the handler locks up' locks_up_by_a_byte
later 'broken on QEMU: it locks up at once' locks_up "$images/broken.bin"
later 'self-update on QEMU: it starts nothing that has no header, and refuses what is no record' refuses
for name in cdc-echo dfu-runtime; do
  later "$name on QEMU: it says that there is no clock for USB" without_usb "$name"
done
finish
