#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A client without a USB library, statically linked: nothing but system calls reaches the bus.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

raw()
{
  need "$1"
  "$@" -std=c11 -O1 -Wall -Wextra -Werror -static -idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" \
    -o client "$clients/flash_raw.c"
  file_is_static client
  exercise "$PWD/client"
}

file_is_static()
{
  need readelf
  readelf -l "$1" >elf
  says_not elf INTERP
}

check 'a static program of glibc with ioctls of its own lists, flashes and reads' raw gcc
check 'a static program of musl with ioctls of its own lists, flashes and reads' raw musl-gcc
finish
