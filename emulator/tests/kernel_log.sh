# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel of a guest has to say of the devices; sourced.

# kernel_complains: true, and prints them, if there are complaints since `dmesg -C`, but for what tests provoke: that a transfer was
# taken back, that a host gave up a request; and that a module is one of ours.
kernel_complains()
{
  dmesg | grep -vE 'urb->status -104|USBDEVFS_CONTROL failed .* ret -110|module verification failed' |
    grep -iE 'error|fail|bogus|unable|warn|BUG|cannot|not accepting|not responding|unexpected|invalid|urb->status|stall|corrupt|unknown'
}
