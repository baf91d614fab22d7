#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The statically linked dfuemu: needs no library, nothing of the environment, and does what the other one does.
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, uses and calls
. "$(dirname "$0")/lib.sh"

ordinary=$dfuemu
static=$build/dfuemu-static

build_it()
{
  need make flock
  flock "$build" make -C "$repo" --no-print-directory B="$build" SAN="${SAN-}" static # it_hil_static.sh makes them too
  [ -x "$static" ]
}

no_library()
{
  need file ldd readelf
  file -b "$static"
  file -b "$static" | grep -q -e 'statically linked' -e 'static-pie linked'
  ldd "$static" >needs 2>&1 || true
  grep -q -e 'not a dynamic executable' -e 'statically linked' needs
  readelf -l "$static" >elf
  says_not elf INTERP
}

same_program()
{
  # Fronts that need a library are not in it.
  "$ordinary" --version | grep -v -e '^fronts: ' -e '^not in this build: ' >one
  env -i "$static" --version >two
  says two 'not in this build: serve-gadget (needs libusbgx)'
  says two 'not in this build: serve-redir (needs libusbredirparser)'
  grep -v -e '^fronts: ' -e '^not in this build: ' two >three
  cmp one three
  "$ordinary" help >one
  env -i "$static" help >two
  cmp one two
  "$ordinary" profiles >one
  env -i "$static" profiles >two
  cmp one two
}

flashes()
{
  local tool

  need dfu-util
  tool=$(command -v dfu-util)
  pattern 20000 1 >in.bin
  ends 0 env -i "$static" exec "$@" --flash flash.img --state state --capture run.pcapng -- \
    "$tool" -a 0 -s 0x08000000 -D in.bin
  says said 'File downloaded successfully'
  cmp -n 20000 in.bin flash.img
  ends 0 env -i "$static" exec "$@" --flash flash.img --state state -- "$tool" -a 0 -s 0x08000000:20000 -U out.bin
  cmp in.bin out.bin
  # What one has saved the other can read.
  ends 0 "$ordinary" exec "$@" --flash flash.img --state state -- "$tool" -l
  says said "serial=\"$serial\""
}

check 'make static builds it' build_it
[ -x "$static" ] || finish
check 'it needs no library' no_library
check 'its version, commands and profiles are those of the ordinary one' same_program
check 'it serves dfu-util from an empty environment' flashes --time x50
check 'and in virtual time' flashes --time virtual
finish
