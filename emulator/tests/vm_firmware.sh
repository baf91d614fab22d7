#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware of fixtures/firmware/ that runs on the board, with the kernel's own driver for its serial line. Runs in a guest.
# guest: --host-commands
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/firmware_guest.sh"

echoes_and_detaches()
{
  (cd "$repo" && ci/vm/on-host "$dfuemu" exec --app firmware -q -- true) 2>missing || skip "$(sed 's/.*--app firmware: //; q' missing)"
  image=$fixtures/firmware/dfu-runtime.bin
  serve
  flash_and_leave
  attach 5740
  echoes
  dfu-util -d 0483:5740,0483:df11 -e
  until_true 40 absent 5740
  attach df11
  image=$fixtures/firmware/cdc-echo.bin
  flash_and_leave
  attach 5740
  echoes
  in_order
}

check 'cdc-acm has what firmware makes; dfu-util detaches it, and flashes another' echoes_and_detaches
finish
