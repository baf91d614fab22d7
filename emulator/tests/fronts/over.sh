#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the bodies over fronts, each with a board of its own: over.sh FRONT... Over `exec` anywhere; over the others as root
# of a guest (ci/vm/run), with the kernel and the modules that it has.
# FEATURES=rates: no tests, but how fast each front is, with boards that take no time themselves. FEATURES=trips: no bodies, but round
# trips of all clients.
# Environment: B (build directory), VM_KERNEL (alts: backports with the module for it), VM_MODULES, VM_USBIP (the usbip tool),
# FEATURES (some of bodies.sh, separated by blanks; all without).
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../../.." && pwd)
case ${B:-build} in
/*) build=${B:-build} ;;
*) build=$repo/${B:-build} ;;
esac
# shellcheck source=../kernel_log.sh
. "$here/../kernel_log.sh"
export dfuemu=$build/dfuemu client=$build/clients/front_libusb gaps=$here/gaps.tsv no_discovery=$build/clients/no_discovery.so
kernel=$(uname -r)
usbip=${VM_USBIP:-$(command -v usbip)}
[ "${VM_KERNEL-}" != alts ] || kernel=alts
speed=x20
[ "${FEATURES-}" != rates ] || speed=x100000
serial=326237753036
work=$(mktemp -d "${TMPDIR:-/tmp}/over-XXXXXX") || exit 1
chmod 755 "$work"
mkfifo "$work/nothing" || exit 1
failures=0
helpers=()

clean_up()
{
  [ ${#helpers[@]} -eq 0 ] || kill "${helpers[@]}" 2>/dev/null
  wait
  rm -rf "$work"
}
trap clean_up EXIT

for program in "$dfuemu" "$client" "$no_discovery"; do
  if [ ! -x "$program" ]; then
    echo "not ok - $program is there"
    exit 1
  fi
done

modules()
{
  local module

  for module; do
    modprobe "$module" || { echo "not ok - the kernel has the module $module"; return 1; }
  done
}

extra_module()
{
  [ -d "/sys/module/$1" ] || insmod "${VM_MODULES:-/lib/modules/extra}/$1.ko"
}

# The client's side of USB/IP, as a person would run it: list, attach, and again whenever the board has gone.
attach()
{
  local port status rest used folder

  until grep -s -q ' 1-1: .*(0483:df11)' "$work/listed"; do
    "$usbip" list -r 127.0.0.1 >"$work/listed" 2>/dev/null
    read -r -t 0.1 _ <>"$work/nothing"
  done
  while :; do
    used=
    while read -r _ port status rest; do
      [ "$status" != 006 ] && [ "$status" != 005 ] || used=$port
    done </sys/devices/platform/vhci_hcd.0/status
    # Not before the kernel has removed what was on the port: it would send the last words of that to the next one.
    for folder in /sys/devices/platform/vhci_hcd.0/usb*/*-*; do
      case $folder in *:* | *'*'*) ;; *) used=$folder ;; esac
    done
    [ -n "$used" ] || "$usbip" attach -r 127.0.0.1 -b 1-1 >/dev/null 2>&1
    read -r -t 0.1 _ <>"$work/nothing"
  done
}

# trips FRONT: the clients of each round trip, a line for one. Those that leave for the application are the last of theirs. Many
# clients want the DFU functional descriptor, which `gadget` has not everywhere. To start Python, so often as pyusb's trip does,
# takes a guest 10 s, and fwupdtool 14 s: one front shows them, and pyusb that where there is no other client.
trips()
{
  if [ -n "${DFUBENCH_TRIP-}" ]; then
    echo "$DFUBENCH_TRIP"
  elif [ "$1" = gadget ] && [ "$kernel" != alts ]; then
    echo pyusb
    [ "${FEATURES-}" != trips ] || printf '%s\n' 'node-usb node-usb-3' fwupdtool
  elif [ "${FEATURES-}" = trips ]; then
    printf '%s\n' 'dfu-util dfu-util-options pyusb' 'node-usb node-usb-3' fwupdtool pydfu webdfu dfu-nusb
  elif [ "$1" = vhci ]; then
    printf '%s\n' 'dfu-util dfu-util-options pyusb' fwupdtool
  else
    echo dfu-util dfu-util-options
  fi
}

# captured FRONT [OPTION...]: the trips of that front, each recorded by usbmon and ourselves. Then the recording plays the board over the
# same front, and the clients say the same. The recordings and what was said go to the host, in /run/vm, which compares them in a
# fraction of the time: those of the first trip by the front's name, those of others in a folder of that name, by their first client's.
captured()
{
  local front=$1 name=$1 line status=0
  local -a lines

  # Once is enough, with the stock kernel and where settings differ.
  [ "${FEATURES-}" != rates ] && [ "${VM_KERNEL-}" != backports ] || return 0
  shift
  modules usbmon || return 1
  mapfile -t lines < <(trips "$front")
  for line in "${lines[@]}"; do
    trip "$line" "$@" || status=1
  done
  return $status
}

# trip CLIENTS [OPTION...]: of captured, whose variables it has
trip()
{
  local folder status=0 played monitor
  local -a names options=(--time "$speed")

  read -ra names <<<"$1"
  shift
  [ "$line" = "${lines[0]}" ] || name=$front/${names[0]}
  folder=$work/$name-captured
  mkdir -p "$folder" "/run/vm/$(dirname "$name")" "/run/vm/usbmon/$(dirname "$name")"
  cd "$folder" || return 1
  dumpcap -q -i usbmon0 -w "$folder/usbmon.pcapng" >"$folder/dumpcap" 2>&1 &
  monitor=$!
  until grep -q '^File:' "$folder/dumpcap"; do
    kill -0 $monitor 2>/dev/null || { cat "$folder/dumpcap" >&2; break; }
    read -r -t 0.1 _ <>"$work/nothing"
  done
  "$dfuemu" serve "$front" "${options[@]}" --serial "$serial" "$@" --capture own.pcapng -- "$here/trip.sh" "${names[@]}" \
    >once 2>log || status=$?
  kill -INT $monitor
  wait $monitor
  if [ $status -eq 77 ]; then
    echo "skip - $front: the round trip of ${names[*]}: $(tail -n 1 log)"
    cd "$repo" || exit 1
    return 0
  fi
  if [ $status -ne 0 ]; then
    cat once log dumpcap >&2
    echo "not ok - $front: a run of ${names[*]} is recorded by the kernel and by us"
    cd "$repo" || exit 1
    return 1
  fi
  cp own.pcapng "/run/vm/$name.pcapng"
  cp usbmon.pcapng "/run/vm/usbmon/$name.pcapng"
  cp once "/run/vm/$name.txt"
  # Where the kernel answers what a host asks first, usbmon alone has it.
  played=own.pcapng
  [ "$front" != gadget ] || played=usbmon.pcapng
  "$dfuemu" serve "$front" "${options[@]}" "$@" --replay $played -- "$here/trip.sh" "${names[@]}" >again 2>log || status=$?
  cd "$repo" || exit 1
  if [ $status -ne 0 ] || ! diff "$folder/once" "$folder/again" >&2; then
    cat "$folder/again" "$folder/log" >&2
    echo "not ok - $front: the recording plays the board over the same front to ${names[*]}"
    return 1
  fi
  echo "ok - $front: the recording plays the board over the same front to ${names[*]}"
}

# over FRONT [OPTION...]
over()
{
  local front=$1 folder=$work/$1 status=0
  local -a options=(--serial "$serial" --time "$speed") user=() how=(serve "$1") features=()

  [ "${FEATURES-}" != trips ] || return 0
  shift
  read -ra features <<<"${FEATURES-}"
  mkdir -p "$folder"
  if [ "$front" = exec ]; then
    how=(exec)
    if [ "$(id -u)" -eq 0 ]; then
      chmod 777 "$folder"
      user=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent)
    fi
  fi
  cd "$folder" || exit 1
  ctl_socket=$folder/S TMPDIR=$folder "${user[@]}" "$dfuemu" "${how[@]}" "${options[@]}" "$@" --control "$folder/S" -- \
    bash "$here/bodies.sh" "$front" "$kernel" "${features[@]}" || status=$?
  cd "$repo" || exit 1
  # 1: a body failed, and has been reported
  if [ $status -gt 1 ]; then
    echo "not ok - $front: dfuemu serves to the end (status $status)"
  fi
  [ $status -eq 0 ] || failures=$((failures + 1))
}

# told STATUS SENTENCE
told()
{
  [ "${FEATURES-}" != rates ] || return 0
  if [ "$1" -ne 0 ]; then
    echo "not ok - $2"
    return 1
  fi
  echo "ok - $2"
}

# Whatever was done over the front: the kernel does not complain of the device.
judged()
{
  ! kernel_complains >&2
  told $? "$1: the kernel has no complaint"
}

# Nobody loads drivers by themselves here.
if [ "$*" != exec ]; then
  modules cdc-acm || failures=$((failures + 1))
fi
for front; do
  [ "$front" = exec ] || dmesg -C
  case $front in
  exec)
    over exec
    ;;
  vhci)
    modules vhci-hcd && over vhci && captured vhci && judged vhci
    ;;
  usbip)
    modules vhci-hcd || continue
    version=$(cat "$usbip-version" 2>/dev/null) || version=$(dpkg-query -W -f '${Version}' usbip 2>/dev/null)
    attach &
    helpers+=($!)
    if ! { over usbip && captured usbip && judged usbip; }; then
      failures=$((failures + 1))
    fi
    kill "${helpers[-1]}"
    unset 'helpers[-1]'
    grep -s -q ' 1-1: .*(0483:df11)' "$work/listed"
    told $? "usbip: the usbip tool $version lists the board"
    ;;
  gadget)
    # A FunctionFS with room for all alternate settings: the table's kernel `alts`
    if [ "$kernel" = alts ]; then
      modules dummy_hcd libcomposite && extra_module usb_f_fs
    else
      modules dummy_hcd usb_f_fs
    fi && over gadget && captured gadget && judged gadget
    ;;
  raw-gadget)
    modules dummy_hcd udc-core && extra_module raw_gadget && over raw-gadget && captured raw-gadget && judged raw-gadget
    ;;
  redir)
    # QEMU's socket is the host's: VM_REDIR is its name there.
    modules xhci-pci && "$repo/ci/vm/host-socket" "$VM_REDIR" "$work/qemu" && over redir --socket "$work/qemu" &&
      captured redir --socket "$work/qemu" && judged redir
    ;;
  *)
    echo "not ok - there is a front $front"
    failures=$((failures + 1))
    ;;
  esac || failures=$((failures + 1))
done
[ $failures -eq 0 ]
