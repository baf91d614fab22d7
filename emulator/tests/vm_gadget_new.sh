#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# serve gadget on a newer kernel, whose FunctionFS takes more; then on one that takes all four alternate settings.
# guest: -k backports
# shellcheck disable=SC1091,SC2034,SC2094,SC2119,SC2154,SC2317 # lib.sh: what it defines, and calls
few=yes
. "$(dirname "$0")/gadget_checks.sh"

# The kernel's own FunctionFS gives way to the one that ci/vm/modules builds.
four_alternate_settings()
{
  local alt

  [ -e "$VM_MODULES/usb_f_fs.ko" ] || skip "ci/vm/modules has built no usb_f_fs for this kernel"
  rmmod usb_f_fs
  insmod "$VM_MODULES/usb_f_fs.ko"
  serve
  says_not "$work/told" warning
  listed
  host alts >alts
  for alt in 0 1 2 3; do
    says alts "alt $alt: set, now $alt"
  done
  stop
}

gaps()
{
  tells_gaps
  stop
}

modprobe libcomposite
modprobe dummy_hcd
check 'what this kernel will not show is said, and is so' gaps
check 'FunctionFS takes no class descriptors of a serial port' class_descriptors
check 'with a FunctionFS that has them, all four alternate settings can be set, and nothing is missing' \
  four_alternate_settings
check 'the kernel has no complaint' no_complaints
finish
