#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Nights of the smoke scenarios by GPIO. In a guest.
# guest: -k stock
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_nights.sh"

by_gpio()
{
  desk gpio_rig
  nights gpio files/upload-compares ' -U ' conformance --tag smoke
}

bench_modules
check 'five nights of the smoke scenarios by GPIO: verdicts are as in this process, a flake and a regression are named' by_gpio
finish
