#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The common bodies over fronts, in a guest that this starts: vm_fronts.sh KERNEL FRONT... KERNEL: stock, which is that of
# this Debian release; backports, a newer one, on which a few bodies are enough; alts, that with a FunctionFS which has all
# alternate settings. What fronts recorded goes the round trip here once more.
# Environment: FEATURES, see fronts/over.sh; DFUBENCH_TRIP, clients of fronts/trip.sh for the round trip instead of the usual ones;
# DFUBENCH_KEEP, a folder for the recordings.
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

# The kernel's own tool, where this machine has that of another one.
if [ "$image" = backports ] && [[ " $* " == *' usbip '* ]]; then
  if VM_USBIP=$("$repo/ci/vm/usbip" $image); then
    export VM_USBIP
  else
    unset VM_USBIP
    echo "skip - usbip ($kernel): the usbip tool that goes with the kernel cannot be had"
  fi
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
"$repo/ci/vm/run" -t "${VM_SECONDS:-600}" "${options[@]}" -- env "VM_KERNEL=$kernel" "VM_USBIP=${VM_USBIP-}" "FEATURES=${FEATURES-$few}" \
  "PYDFU=${PYDFU-}" "$here/fronts/over.sh" "$@" | sed "s/^\([a-z ]* - [a-z-]*\): /\1 ($kernel): /"
status=${PIPESTATUS[0]}

# each SUFFIX: what the trips of all fronts left of that kind, by front and perhaps client
each()
{
  (cd "$VM_SHARE" && find . -path ./usbmon -prune -o -name "*$1" -printf '%P\n' | sort)
}

# What the fronts recorded: as the guest's kernel has it, too; and as tshark reads it, all of it, whole, and the board in it.
mapfile -t files < <(each .pcapng)
for file in "${files[@]}"; do
  front=${file%.pcapng}
  capture=$VM_SHARE/$file
  # A gadget's kernel answers standard requests itself.
  what=all
  [ "${front%%/*}" != gadget ] || what=class
  if python3 "$here/clients/compare_captures.py" "$capture" "$VM_SHARE/usbmon/$file" "$what" >"$work/log" 2>&1; then
    echo "ok - $front ($kernel): usbmon of the kernel and our capture have the same transfers ($(cat "$work/log"))"
  else
    cat "$work/log" >&2
    echo "not ok - $front ($kernel): usbmon of the kernel and our capture have the same transfers"
    status=1
  fi
  # It calls some transfers malformed: a descriptor of which a tool reads the first bytes alone.
  malformed=$(tshark -r "$VM_SHARE/usbmon/$file" -Y _ws.malformed 2>/dev/null | wc -l)
  tshark -r "$capture" -T fields -e usb.urb_type -e usb.setup.bRequest -e usb.idProduct -e _ws.malformed \
    >"$work/fields" 2>"$work/errors"
  if [ -s "$work/errors" ] && grep -v -q 'Running as user' "$work/errors" ||
    ! python3 "$here/clients/compare_captures.py" --count "$capture" >"$work/count" ||
    [ "$(grep -c Malformed "$work/fields")" -gt "$malformed" ] ||
    [ "$(cut -f 1 "$work/fields" | grep -c S)" -ne "$(cat "$work/count")" ]; then
    cat "$work/errors" >&2
    echo "not ok - $front ($kernel): tshark reads our capture"
    status=1
  else
    echo "ok - $front ($kernel): tshark reads our capture ($(cat "$work/count") transfers)"
  fi
done

[ -z "${DFUBENCH_KEEP-}" ] || cp -r "$VM_SHARE/." "$DFUBENCH_KEEP"

# judge SENTENCE COMMAND...
judge()
{
  local sentence="$front ($kernel): $1"

  shift
  if "$@" >"$work/log" 2>&1; then
    echo "ok - $sentence"
  else
    cat "$work/log" >&2
    echo "not ok - $sentence"
    status=1
  fi
}

# shellcheck disable=SC2317 # judge's
# plays FILE CLIENT...: the device, on the private bus: the clients say what they said in the guest
plays()
{
  local file=$1

  shift
  mkdir -p "$work/plays"
  (cd "$work/plays" && timeout -k 5 100 "$build/dfuemu" replay --time virtual "$file" -- "$here/fronts/trip.sh" "$@" >"$work/again") &&
    diff "$VM_SHARE/$front.txt" "$work/again"
}

# The same recordings, and those of usbmon, as host and as device, here, where both are quick.
case ${B:-build} in
/*) build=${B:-build} ;;
*) build=$repo/${B:-build} ;;
esac
[ "$(uname -m)" = x86_64 ] || exit "$status"
mapfile -t files < <(each .txt)
for said in "${files[@]}"; do
  front=${said%.txt}
  mapfile -t names < <(sed -n 's/^== //p' "$VM_SHARE/$said")
  for capture in "$VM_SHARE/$front.pcapng" "$VM_SHARE/usbmon/$front.pcapng"; do
    recorder='our recording'
    [ "$capture" = "$VM_SHARE/$front.pcapng" ] || recorder="usbmon's"
    [ ! -x "$build/dfuhil" ] || judge "$recorder is answered as recorded" timeout -k 5 100 "$build/dfuhil" replay "$capture"
    if [ "${front%%/*}" = gadget ] && [ "$recorder" = 'our recording' ]; then
      echo "gap - $front ($kernel): our recording plays the device: the kernel answers what a host asks first, usbmon's has it"
      continue
    fi
    judge "$recorder plays the device to ${names[*]}" plays "$capture" "${names[@]}"
  done
done
exit "$status"
