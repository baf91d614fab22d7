#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The common bodies over every front, in guests: with the kernel of this Debian release, and with a newer one.
# A guest has one processor: two of them keep two busy.
set -u
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vm-fronts-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2054 # QEMU's own commas
# A controller for usbredir, and what its socket is called on this side
redir=(--host-commands -q -device -q qemu-xhci -q -chardev -q "socket,id=redir,path=$work/redir,server=on,wait=off"
  -q -device -q usb-redir,chardev=redir)

# guest NAME OPTION... -- FRONT...: what the front is called in the lines has the kernel behind it, if it is not the stock one
guest()
{
  local name=$1
  local -a options=()

  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  VM_REDIR=$work/redir "$repo/ci/vm/run" -t 280 "${options[@]}" -- env "VM_KERNEL=$name" "$here/fronts/over.sh" "$@" \
    >"$work/$name-$1" 2>"$work/$name-$1.errors"
  echo $? >"$work/$name-$1.status"
}

# Modules are built before the clock runs.
for kernel in stock backports; do
  if ! "$repo/ci/vm/modules" $kernel >/dev/null; then
    echo "not ok - the kernel $kernel and modules for it can be had"
    exit 1
  fi
done

{
  guest stock -k stock -- exec vhci usbip
  FEATURES='list flash leave' guest backports -k backports -- exec gadget
} &
{
  guest stock -k stock "${redir[@]}" -- redir gadget raw-gadget
  guest alts -k backports -- gadget
  FEATURES='list flash taken_back leave serial unplug' guest backports -k backports -- vhci usbip raw-gadget
} &
wait

failed=0
for lines in "$work"/*.status; do
  lines=${lines%.status}
  name=${lines##*/}
  case $name in
  stock-*) cat "$lines" ;;
  *) sed "s/^\([a-z ]* - [a-z-]*\): /\1 (${name%%-*}): /" "$lines" ;;
  esac
  if [ "$(cat "$lines.status")" -ne 0 ]; then
    failed=1
    echo "--- $name (status $(cat "$lines.status"))" >&2
    cat "$lines.errors" >&2
    grep -q '^not ok' "$lines" || echo "not ok - $name: the guest runs to its end (status $(cat "$lines.status"))"
  fi
done
exit $failed
