#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The common bodies over fronts, in a guest that this starts: vm_fronts.sh KERNEL FRONT... KERNEL: stock, which is that of
# this Debian release; backports, a newer one, on which a few bodies are enough; alts, that with a FunctionFS which has all
# alternate settings.
# host: stock exec vhci usbip
# host: stock redir gadget raw-gadget
# host: backports vhci usbip gadget raw-gadget
# host: alts gadget
set -u
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
kernel=${1:?KERNEL FRONT...}
shift

case $kernel in
stock) image=stock ;;
*) image=backports ;;
esac
# Modules are built before the clock runs.
if ! "$repo/ci/vm/modules" $image >/dev/null; then
  echo "not ok - the kernel $image and modules for it can be had"
  exit 1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/vm-fronts-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export VM_SHARE=$work/share
mkdir "$VM_SHARE"
options=(-k "$image")
if [[ " $* " == *' redir '* ]]; then
  # A controller for usbredir, and what its socket is called on this side
  export VM_REDIR=$work/redir
  # shellcheck disable=SC2054 # QEMU's own commas
  options+=(--host-commands -q -device -q qemu-xhci -q -chardev -q "socket,id=redir,path=$VM_REDIR,server=on,wait=off"
    -q -device -q usb-redir,chardev=redir)
fi
few=
[ "$kernel" != backports ] || few='list functional flash taken_back serial unplug'
"$repo/ci/vm/run" -t "${VM_SECONDS:-600}" "${options[@]}" -- env "VM_KERNEL=$kernel" "FEATURES=${FEATURES-$few}" \
  "$here/fronts/over.sh" "$@" | sed "s/^\([a-z ]* - [a-z-]*\): /\1 ($kernel): /"
status=${PIPESTATUS[0]}

# What the fronts recorded: as the guest's kernel has it, too; and as tshark reads it, all of it, whole, and the board in it.
for front; do
  if [ "$front" = exec ] || [ "$kernel" = backports ] || [ "${FEATURES-}" = rates ]; then
    continue
  fi
  capture=$VM_SHARE/$front.pcapng
  # A gadget's kernel answers standard requests itself.
  what=all
  [ "$front" != gadget ] || what=class
  if python3 "$here/clients/compare_captures.py" "$capture" "$VM_SHARE/$front.usbmon" "$what" >"$work/log" 2>&1; then
    echo "ok - $front ($kernel): usbmon of the kernel and our capture have the same transfers ($(cat "$work/log"))"
  else
    cat "$work/log" >&2
    echo "not ok - $front ($kernel): usbmon of the kernel and our capture have the same transfers"
    status=1
  fi
  tshark -r "$capture" -T fields -e usb.urb_type -e usb.setup.bRequest -e usb.idProduct -e _ws.malformed \
    >"$work/fields" 2>"$work/errors"
  if [ -s "$work/errors" ] && grep -v -q 'Running as user' "$work/errors" ||
    ! python3 "$here/clients/compare_captures.py" --count "$capture" >"$work/count" || grep -q Malformed "$work/fields" ||
    [ "$(grep -c S "$work/fields")" -ne "$(cat "$work/count")" ]; then
    cat "$work/errors" >&2
    echo "not ok - $front ($kernel): tshark reads our capture"
    status=1
  else
    echo "ok - $front ($kernel): tshark reads our capture ($(cat "$work/count") transfers)"
  fi
done
exit "$status"
