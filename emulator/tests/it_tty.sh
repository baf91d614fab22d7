#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The application's serial port as a terminal, in real and in virtual time: shells, pyserial, libserialport, picocom, node; drivers
# that are taken off, devices that leave. DFUBENCH_RUNS: how many times it is opened, talked to and closed in a row (20).
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

# A vector table: stack pointer, reset vector
application()
{
  printf '\0\0\2\40\211\1\0\10' >flash.img
  board --quiet --flash flash.img --boot0 low --control S "$@"
}

# with MODULE: a python3 that has it goes to `python`
with()
{
  for python in python3 /usr/bin/python3; do
    "$python" -c "import $1" 2>/dev/null && return
  done
  skip "there is no $2"
}

shells()
{
  ends 0 application -- bash -e -c '
    stty -F /dev/ttyACM0 raw -echo 115200
    stty -F /dev/ttyACM0 speed
    exec 5<>/dev/ttyACM0
    printf "hello, board\n" >&5
    IFS= read -r -t 20 line <&5
    echo "heard: $line"
    readlink /proc/$$/fd/5
    cat <&5 >heard & cat=$!
    [ "$(readlink /proc/$cat/fd/5)" = /dev/ttyACM0 ]
    printf "one\ntwo\n" >/dev/ttyACM0
    until [ "$(cat heard)" = "one
two" ]; do sleep 0.01; done
    kill $cat'
  says said 115200
  says said 'heard: hello, board'
  says said /dev/ttyACM0
}

names()
{
  local id=usb-STMicroelectronics_STM32_Virtual_ComPort_$serial-if00

  ends 0 application -- bash -e -c '
    for f in /dev/ttyACM* /dev/serial/by-id/* /dev/serial/by-path/*; do echo "$f -> $(readlink -f "$f")"; done
    stat -c "%F %t:%T" /dev/ttyACM0
    cd /dev; echo there: ttyACM*; cd "$HOME"
    [ -c /dev/serial/by-id/* ] && [ -r /dev/ttyACM0 ] && [ -w /dev/ttyACM0 ]
    cat /sys/class/tty/ttyACM0/dev /sys/class/tty/ttyACM0/device/../idProduct /sys/dev/char/166:0/uevent
    ls /sys/class/tty /sys/bus/usb/drivers/cdc_acm /sys/bus/usb/devices/1-1:1.0/tty
    readlink -f /sys/class/tty/ttyACM0
    find /dev -name "ttyACM*" -type c 2>/dev/null || true
    [ -c /dev/null ] && ls /dev | grep -x null
    ls /dev/ttyACM1 2>&1 || true'
  says said '/dev/ttyACM0 -> /dev/ttyACM0'
  says said "/dev/serial/by-id/$id -> /dev/ttyACM0"
  says said '/dev/serial/by-path/platform-dfubench.0-usb-0:1:1.0 -> /dev/ttyACM0'
  says said 'character special file a6:0'
  says said 'there: ttyACM0'
  says said 166:0
  says said 5740
  says said DEVNAME=ttyACM0
  says said 1-1:1.1
  says said /sys/devices/platform/dfubench.0/usb1/1-1/1-1:1.0/tty/ttyACM0
  says said "cannot access '/dev/ttyACM1': No such file or directory"
}

udev()
{
  need udevadm stdbuf
  ends 0 application -- bash -c '
    udevadm info -q property -n /dev/ttyACM0
    stdbuf -oL udevadm monitor --kernel --udev --property --subsystem-match=tty >events & monitor=$!
    timeout 20 sh -c "until grep -q KERNEL events; do sleep 0.05; done"
    "$0" ctl S reset >/dev/null
    timeout 20 sh -c "until grep -q \"^UDEV.* add\" events; do sleep 0.05; done"
    kill $monitor
    cat events' "$dfuemu"
  says said ID_VENDOR_ID=0483
  says said "ID_SERIAL_SHORT=$serial"
  says said ID_USB_INTERFACE_NUM=00
  for who in KERNEL UDEV; do
    grep -q "^$who.* remove .*/1-1:1.0/tty/ttyACM0 (tty)" said
    grep -q "^$who.* add .*/1-1:1.0/tty/ttyACM0 (tty)" said
  done
}

pyserial()
{
  with serial 'pyserial (python3-serial)'
  ends 0 application -- "$python" "$clients/serial_port.py" "$@"
}

listed()
{
  pyserial list
  says said "/dev/ttyACM0|USB VID:PID=0483:5740 SER=$serial LOCATION=1-1:1.0|STM32 Virtual ComPort|STMicroelectronics"
}

talk()
{
  pyserial talk
  says said 'second: [Errno 11] Could not exclusively lock port'
  says said 'done'
}

part()
{
  pyserial "$@"
  says said 'done'
}

again()
{
  part again "${DFUBENCH_RUNS:-20}"
}

# As Linux's driver does it: these requests, in this order.
requests()
{
  need tshark
  with serial 'pyserial (python3-serial)'
  ends 0 application --capture run.pcapng -- "$python" "$clients/serial_port.py" lines
  says said 'break: [Errno 95] Operation not supported'
  tshark -r run.pcapng -Y 'usb.bmRequestType == 0x21' -T fields -e usbcom.control.request_code -e usbcom.control.value \
    -e usbcom.control.payload 2>/dev/null | tr '\t' ' ' | sed 's/ *$//' >got
  diff - got <<'END'
0x20 0 80250000000008
0x22 3
0x22 2
0x22 0
0x22 2
0x20 0 b0040000000008
0x20 0 90d00300000008
0x22 0
END
}

with_libserialport()
{
  need gcc pkg-config
  pkg-config --exists libserialport || skip 'there are no headers of libserialport (libserialport-dev)'
  # shellcheck disable=SC2046 # words
  gcc -std=c11 -O1 -Wall -Wextra -Werror -o client "$clients/serial_port.c" $(pkg-config --cflags --libs libserialport)
  ends 0 application -- ./client
  says said "/dev/ttyACM0 0483:5740 $serial|STM32 Virtual ComPort|STMicroelectronics"
  says said 'done'
}

with_picocom()
{
  need picocom
  # What it reads where a keyboard would be ends, and it stays for a while.
  ends 0 application -- sh -c 'echo "by picocom" | picocom --quiet --baud 115200 --exit-after 1000 /dev/ttyACM0'
  says said 'by picocom'
}

with_node()
{
  local folder=$cache/node-serialport-$1

  need node
  if [ ! -d "$folder/node_modules/serialport" ]; then
    need npm
    rm -rf "$folder.new"
    mkdir -p "$folder.new"
    npm install --prefix "$folder.new" --no-audit --no-fund --loglevel=error "serialport@$1" ||
      skip "the package serialport@$1 cannot be had from the npm registry"
    rm -rf "$folder"
    mv "$folder.new" "$folder"
  fi
  ends 0 application -- node "$clients/serial_port.js" "$folder"
  says said "/dev/ttyACM0 0483:5740 $serial"
  says said 'cts true, dsr false'
  says said 'done'
}

# Waits end as on a terminal that hangs up; the number is free again when the tool has let go.
leaves()
{
  ends 0 application -- bash -e -c '
    exec 5</dev/ttyACM0
    "$0" ctl S unplug >/dev/null
    read -r line <&5 || echo "end of file"
    [ ! -e /dev/ttyACM0 ]
    "$0" ctl S plug >/dev/null
    until [ -e /dev/ttyACM1 ]; do sleep 0.01; done
    echo now: /dev/ttyACM*
    exec 5<&-
    "$0" ctl S unplug >/dev/null
    until [ ! -e /dev/ttyACM1 ]; do sleep 0.01; done
    "$0" ctl S plug >/dev/null
    until [ -e /dev/ttyACM0 ]; do sleep 0.01; done
    echo then: /dev/ttyACM*' "$dfuemu"
  says said 'end of file'
  says said 'now: /dev/ttyACM1'
  says said 'then: /dev/ttyACM0'
}

pyserial_hears_it()
{
  pyserial gone "$dfuemu" ctl S unplug
  says said 'gone: device reports readiness to read but returned no data'
}

detached()
{
  with usb.core 'pyusb (python3-usb)'
  ends 0 application -- "$python" "$clients/detach_pyusb.py"
  says said 'done'
}

off()
{
  ends 0 application --tty off -- sh -e -c '
    ! ls /sys/class/tty/ttyACM0
    ! ls /sys/bus/usb/devices/1-1:1.0/driver
    ! ls /dev/serial/by-id/usb-STM*
    lsusb -t'
  says said 'If 0, Class=Communications, Driver=, 12M'
}

# An ST-LINK has such a port as well, and here the user may not have it; the board's is the other one.
bystander()
{
  ends 0 application --also "$fixtures/descriptors/0483-374b.usb:denied" -- bash -c '
    grep -H . /sys/class/tty/ttyACM*/device/../idProduct
    for n in 0 1; do
      read -r id </sys/class/tty/ttyACM$n/device/../idProduct
      if : <>/dev/ttyACM$n; then echo "$id opens"; fi
    done'
  says said '5740 opens'
  says_not said '374b opens'
  says said 'Permission denied'
}

# The last words of a tool that ends at once.
last_words()
{
  need tshark
  ends 0 application --capture run.pcapng -- sh -c 'stty -F /dev/ttyACM0 raw -echo; printf "last words\n" >/dev/ttyACM0'
  tshark -r run.pcapng -Y 'usb.transfer_type == 3 && usb.endpoint_address.direction == 0' -T fields -e usb.capdata \
    2>/dev/null | tr -d '[:space:]' >got
  cat got
  [ "$(cat got)" = 6c61737420776f7264730a ]
}

# A wait takes as long by the tool's clock as it says, and in virtual time none by the wall.
waits()
{
  ends 0 application -- bash -e -c '
    stty -F /dev/ttyACM0 raw -echo
    exec 5<>/dev/ttyACM0
    for i in 1 2 3; do
      before=$EPOCHSECONDS
      ! read -r -t 100 line <&5
      took=$((EPOCHSECONDS - before))
      [ $took -ge 99 ] && [ $took -le 102 ]
    done
    printf "late\n" >&5
    read -r -t 100 line <&5
    echo "heard: $line"'
  says said 'heard: late'
}

all()
{
  check "shells: stty, redirections and cat$1" shells
  check "names in /dev and sysfs are those that a kernel and udev make$1" names
  check "udev tells it, and when it comes and goes$1" udev
  check "pyserial finds it with its numbers$1" listed
  check "pyserial: echo, time-outs, drain, flush, exclusive use$1" talk
  check "pyserial: lines, speeds and breaks$1" part lines
  check "pyserial: 300 kB at once, read while they are written$1" part much
  check "pyserial: opened and closed again and again$1" again
  check "libserialport finds it and talks to it$1" with_libserialport
  check "picocom talks to it$1" with_picocom
  check "node's serialport 13.0.0 finds it and talks to it$1" with_node 13.0.0
  check "a device that leaves hangs up, and the next has another number while the tool clings to it$1" leaves
  check "pyserial is told that the device has left$1" pyserial_hears_it
  check "pyusb detaches the driver, attaches it, and a reset keeps it$1" detached
  check "the terminal of another device is another one$1" bystander
  check "what a tool wrote last goes out though it has ended$1" last_words
}

TIME=real all ''
check 'the driver makes the requests of the kernel' requests
check 'without the driver it is a USB device and no more' off
if [ "$(uname -m)" = x86_64 ]; then
  TIME=virtual all ', in virtual time'
  TIME=virtual check 'a wait for a terminal is skipped, and as long by the clock' waits
else
  echo 'skip - terminals in virtual time: it works on x86_64 only'
fi
finish
