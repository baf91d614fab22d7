#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libusb beyond control transfers in a row.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

client()
{
  need gcc pkg-config
  pkg-config --exists libusb-1.0 || skip 'there are no headers of libusb (libusb-1.0-0-dev)'
  # shellcheck disable=SC2046 # words
  gcc -std=c11 -O1 -Wall -Wextra -Werror -o ../client "$clients/hotplug_libusb.c" $(pkg-config --cflags --libs libusb-1.0)
}

part()
{
  [ -x ../client ] || skip 'the client was not built'
  printf '\0\0\2\40\211\1\0\10' >flash.img # a vector table: stack pointer, reset vector
  LIMIT=40 ends 0 "$dfuemu" exec --serial "$serial" --time x10 --flash flash.img -- ../client "$1"
  says said 'done'
}

hotplug()
{
  part hotplug
  grep -E '^(arrived|left) ' said >got
  printf '%s\n' 'left 0483:df11' 'arrived 0483:5740' | diff - got
  says said 'control transfer: LIBUSB_ERROR_NO_DEVICE'
}

check 'the client builds' client
check 'callbacks tell of the board that leaves and of its application; a held handle finds no device' hotplug
check 'a transfer that the board holds is cancelled at once, and the next one gets the answer' part cancel
check 'a forked child has a context of its own, and its end does not harm the parent' part fork
check 'two threads share a handle' part threads
finish
