#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a system asks of USB: usbutils, udev, fwupd, and scripts that look into sysfs; also as nobody.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

# No capabilities, and no way to get any.
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs)
[ "$(id -u)" -eq 0 ] || nobody=(setpriv --no-new-privs)

verbose()
{
  need lsusb
  ends 0 board -- lsusb -v
  says_not said "Couldn't open"
  says said '1d6b:0001'
  says said 'ID 0483:df11'
  says said 'bcdUSB               1.00'
  says said 'bInterfaceSubClass      1 Device Firmware Update'
  says said 'Device Firmware Upgrade Interface Descriptor:'
  says said 'wTransferSize                    2048 bytes'
  says said 'bcdDFUVersion                   1.1a'
  says said 'iInterface              5 @Option Bytes  /0x1FFFC000/01*016 e'
  says said "iSerial                 3 $serial"
  says said 'Self Powered'
}

tree()
{
  need lsusb
  ends 0 board --boards 2 -- lsusb -t
  says said 'Class=root_hub'
  says said '|__ Port 1: Dev 2, If 0, Class=Application Specific Interface'
  says said '|__ Port 2: Dev 3, If 0, Class=Application Specific Interface'
  ends 0 board -- lsusb -s 1:2 -d 0483:
  says said 'Bus 001 Device 002: ID 0483:df11'
}

by_nobody()
{
  need setpriv dfu-util lsusb
  mkdir free
  chmod 777 free
  pattern 4096 1 >free/in.bin
  chmod 644 free/in.bin
  cp "$dfuemu" free/dfuemu # where it was built may be closed to nobody
  cd free || return
  ends 0 "${nobody[@]}" timeout 60 ./dfuemu exec --serial "$serial" --time x50 --flash flash.img --state state \
    --capture run.pcapng -- sh -e -c '
    lsusb -v
    dfu-util -l
    dfu-util -a 0 -s 0x08000000 -D in.bin
    dfu-util -a 0 -s 0x08000000:4096 -U out.bin
    grep -e NoNewPrivs -e CapEff /proc/self/status'
  says_not said "Couldn't open"
  says said 'Device Firmware Upgrade Interface Descriptor:'
  grep -q '^NoNewPrivs:.*1$' said
  grep -q '^CapEff:.*0000000000000000$' said
  cmp in.bin out.bin
  cmp -n 4096 in.bin flash.img
}

fwupd()
{
  need fwupdtool
  mkdir state
  # Its database, cache and configuration are those of a fresh system, in this folder.
  ends 0 env HOME="$PWD/state" STATE_DIRECTORY="$PWD/state" CACHE_DIRECTORY="$PWD/state" XDG_CACHE_HOME="$PWD/state" \
    XDG_DATA_HOME="$PWD/state" FWUPD_LOCALSTATEDIR="$PWD/state" timeout 50 "$dfuemu" exec --serial "$serial" -- \
    fwupdtool --plugins dfu get-devices --json
  # The name is the board's or that of the list of USB numbers, as the version of fwupd has it.
  says said '"com.st.dfuse"'
  says said '"STMicroelectronics"'
  says said "\"$serial\""
  says said 'USB\\VID_0483&PID_DF11'
}

udev_info()
{
  need udevadm
  ends 0 board -- udevadm info -a -p /sys/bus/usb/devices/1-1
  says said 'ATTR{idProduct}=="df11"'
  ends 0 board -- udevadm info -q property -p /sys/bus/usb/devices/1-1
  says said 'DEVNAME=/dev/bus/usb/001/002'
  says said 'ID_VENDOR_ID=0483'
  says said 'ID_MODEL_ENC=STM32\x20\x20BOOTLOADER'
}

udev_node()
{
  need udevadm
  ends 0 board -- udevadm info -q path -n /dev/bus/usb/001/002
  says said '/devices/platform/dfubench.0/usb1/1-1'
}

udev_all()
{
  need udevadm
  ends 0 board -- udevadm info --export-db
  says said 'N: bus/usb/001/002'
}

udev_monitor()
{
  need udevadm stdbuf dfu-util
  printf '\0\0\2\40\211\1\0\10' >flash.img
  ends 0 board --flash flash.img -- bash -c '
    stdbuf -oL udevadm monitor --kernel --udev --property >events & monitor=$!
    timeout 10 sh -c "until grep -q KERNEL events; do sleep 0.05; done"
    dfu-util -a 0 -s 0x08000000:leave >/dev/null 2>&1
    timeout 10 sh -c "until grep -q -i \"^PRODUCT=483/5740\" events; do sleep 0.05; done"
    kill $monitor
    cat events'
  grep -q '^KERNEL\[.*remove .*/usb1/1-1 (usb)' said
  grep -q '^KERNEL\[.*add .*/usb1/1-1 (usb)' said
  grep -q '^UDEV .*remove .*/usb1/1-1 (usb)' said
  grep -q '^UDEV .*add .*/usb1/1-1 (usb)' said
}

globbing()
{
  ends 0 board -- bash -c '
    for d in /sys/bus/usb/devices/*/idVendor; do echo "$d $(cat "$d") $(<"${d%/*}/idProduct")"; done
    cd "$HOME"; ls /dev/bus/usb /dev/bus/usb/001
    echo /dev/bus/usb/*/*
    [ -c /dev/bus/usb/001/002 ] && [ -w /dev/bus/usb/001/002 ] && echo a node
    readlink -f /sys/bus/usb/devices/1-1
    find /sys/bus/usb/devices/ -name "1-1*"
    stat -c "%F %t:%T %a" /dev/bus/usb/001/002
    grep -l 0483 /sys/bus/usb/devices/*/idVendor'
  says said '/sys/bus/usb/devices/1-1/idVendor 0483 df11'
  says said '/dev/bus/usb/001/001 /dev/bus/usb/001/002'
  says said 'a node'
  says said '/sys/devices/platform/dfubench.0/usb1/1-1'
  says said '/sys/bus/usb/devices/1-1:1.0'
  says said 'character special file bd:1 666'
}

long_listing()
{
  ends 0 board -- ls -l /sys/bus/usb/devices /dev/bus/usb/001
  says_not said 'No such file'
  says said '1-1:1.0 ->'
  grep -q '^crw-rw-rw- 1 root root 189, 1 .*002$' said
}

# A descriptor that the shell opens is a duplicate for the tool: ioctls work, and it is known by its name.
redirected()
{
  ends 0 board -- bash -c '
    exec 3<>/dev/bus/usb/001/002
    python3 -c "import fcntl; print(\"speed\", fcntl.ioctl(3, 0x551F))"
    readlink /proc/self/fd/3
    head -c 18 /dev/bus/usb/001/002 | od -An -tx1'
  says said 'speed 2'
  grep -q -x '/dev/bus/usb/001/002' said
  says said '12 01 00 01 00 00 00 40 83 04 11 df 00 22 01 02'
}

bus_reset()
{
  need usbreset dfu-util
  ends 0 board -- sh -e -c 'usbreset 0483:df11; dfu-util -l'
  says said 'Resetting STM32  BOOTLOADER ... ok'
  [ "$(grep -c Found said)" -eq 4 ]
}

# As many as a root hub has ports for.
many_boards()
{
  need dfu-util lsusb
  ends 0 emu --boards 15 -- sh -c 'dfu-util -l; lsusb -t'
  [ "$(grep -c Found said)" -eq 60 ]
  [ "$(sed -n 's/.*serial="\(.*\)"/\1/p' said | sort -u | wc -l)" -eq 15 ]
  says said '|__ Port 15: Dev 16, If 0'
}

# select, poll and epoll on a device node: writable as soon as there is something to reap.
polling()
{
  ends 0 board -- python3 "$clients/poll_node.py"
  says said 'poll: POLLOUT'
}

traced()
{
  need strace dfu-util
  ends 0 board -- strace -f -o trace dfu-util -l
  [ "$(grep -c Found said)" -eq 4 ]
  grep -q 'ioctl.*USBDEVFS' trace
}

check 'lsusb -v opens and describes the root hub and the board' verbose
check 'lsusb -t and lsusb -s know two boards' tree
check 'an unprivileged user without a way to privileges flashes just the same' by_nobody
later 'fwupdtool lists the board' fwupd
later 'udevadm info knows the board by its place in sysfs' udev_info
later 'udevadm info knows the board by its device node' udev_node
later 'udevadm info --export-db has the board in it' udev_all
later 'udevadm monitor hears of the board that becomes its application, from the kernel and from udev' udev_monitor
later 'shell scripts find the board in sysfs' globbing
later 'ls -l lists links and nodes' long_listing
later 'a node that the shell opens works in the tool' redirected
later 'usbreset resets the board' bus_reset
later 'fifteen boards are told apart' many_boards
later 'select, poll and epoll of python work on a node' polling
later 'strace works inside' traced
finish
