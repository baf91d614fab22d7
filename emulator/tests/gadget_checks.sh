# shellcheck shell=bash disable=SC1091,SC2034,SC2094,SC2119,SC2154,SC2317
# SPDX-License-Identifier: GPL-2.0-or-later
# serve gadget on this kernel's own FunctionFS: what is particular to it, run when sourced in a guest. No `finish`.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gadget.sh"

front=gadget
configfs=/sys/kernel/config/usb_gadget

no_libcomposite()
{
  ends 125 "$dfuemu" serve gadget
  says said 'the module libcomposite is not loaded (modprobe libcomposite)'
}

no_controller()
{
  modprobe libcomposite
  ends 125 "$dfuemu" serve gadget
  says said 'this machine has no USB device controller'
  says said 'modprobe dummy_hcd'
  ends 125 "$dfuemu" serve gadget --udc 20980000.usb
  says said "no USB device controller '20980000.usb'"
  nothing_left
}

not_root()
{
  ends 125 setpriv --reuid=65534 --clear-groups "$dfuemu" serve gadget
  says said 'must be root, not user 65534'
}

no_configfs()
{
  umount /sys/kernel/config
  ends 125 "$dfuemu" serve gadget
  mount -t configfs none /sys/kernel/config
  says said 'configfs is not mounted: mount -t configfs none /sys/kernel/config'
}

several()
{
  modprobe dummy_hcd num=2
  ends 125 "$dfuemu" serve gadget
  says said "choose one with --udc: 'dummy_udc.0', 'dummy_udc.1'"
  ends 125 "$dfuemu" serve gadget --udc dummy_udc.7
  says said "no USB device controller 'dummy_udc.7': there is 'dummy_udc.0', 'dummy_udc.1'"
  serve --udc dummy_udc.1
  says "$work/told" 'on controller dummy_udc.1'
  listed
  stop
  rmmod dummy_hcd
  modprobe dummy_hcd
}

nothing_left()
{
  [ -z "$(ls "$configfs")" ]
  [ "$(echo /run/dfuemu-gadget-*)" = '/run/dfuemu-gadget-*' ]
  ! grep -q -e functionfs -e gadgetfs /proc/mounts
}

# What the kernel in question is known to lack.
tells_gaps()
{
  serve
  case $VM_KERNEL in
  stock)
    says "$work/told" 'takes no DFU functional descriptor'
    says "$work/told" 'Linux 6.12 takes it'
    says "$work/told" 'refuses to set any but 0'
    ;;
  *)
    says_not "$work/told" 'functional descriptor'
    says "$work/told" 'refuses to set those above 2'
    ;;
  esac
  listed
  host alts >alts
  cat alts
  says alts 'alt 0: set, now 0'
  for alt in 1 2 3; do
    if [ "$VM_KERNEL" = stock ] || [ "$alt" = 3 ]; then
      says alts "alt $alt: Broken pipe"
    else
      says alts "alt $alt: set, now $alt"
    fi
  done
}

identity()
{
  local pair text

  for pair in idVendor=0483 idProduct=df11 bcdDevice=2200 speed=12 bMaxPower=100mA bmAttributes=c0 bDeviceClass=00 \
    bConfigurationValue=1 manufacturer=STMicroelectronics 'product=STM32  BOOTLOADER' "serial=$serial"; do
    echo "$pair: $(cat "$device/${pair%%=*}")"
    [ "$(cat "$device/${pair%%=*}")" = "${pair#*=}" ]
  done
  lsusb -v -d 0483:df11 >lsusb
  for text in '@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg' '@Option Bytes  /0x1FFFC000/01*016 e' \
    '@OTP Memory /0x1FFF7800/01*512 e,01*016 e' '@Device Feature/0xFFFF0000/01*004 e'; do
    says lsusb "$text"
  done
  if [ "$VM_KERNEL" = stock ]; then
    says_not lsusb wTransferSize
  else
    says lsusb 'wTransferSize                    2048 bytes'
  fi
}

given_up()
{
  host hold >hold
  cat hold
  says hold 'state 4 at once: True; given up: Connection timed out'
  says hold 'then state 5'
  host lost 60 >lost
  cat lost
  says lost 'then state 2'
}

never_answered()
{
  "$dfuemu" ctl "$work/S" fault add silent on=getstate,count=1
  host silent >silent
  cat silent
  says silent 'given up: Connection timed out'
  says silent 'then state 2'
}

busy()
{
  ends 125 "$dfuemu" serve gadget
  says said "USB device controller 'dummy_udc.0' is in use by gadget 'dfuemu-$(cat "$work/pid")'"
  [ -d "$configfs/dfuemu-$(cat "$work/pid")" ]
  listed
}

all_gone()
{
  stop TERM
  nothing_left
}

# One of ours that was killed, one that is not ours.
crash()
{
  mkdir "$configfs/foreign"
  echo 0x1234 >"$configfs/foreign/idVendor"
  serve
  listed
  stop KILL 137
  [ -d "$configfs/dfuemu-$served" ]
  old=$served
  serve
  says "$work/told" "removing 'dfuemu-$old', which a run that crashed has left"
  listed
  [ ! -d "$configfs/dfuemu-$old" ]
  [ ! -d "/run/dfuemu-gadget-$old" ]
  stop
  [ "$(cat "$configfs/foreign/idVendor")" = 0x1234 ]
  rmdir "$configfs/foreign"
  nothing_left
}

# libusbgx reads all gadgets that there are.
unknown_function()
{
  mkdir -p "$configfs/foreign/functions/uvc.0"
  ends 125 "$dfuemu" serve gadget
  rmdir "$configfs/foreign/functions/uvc.0" "$configfs/foreign"
  says said "another program's gadget there has a function that it does not know"
}

# The kernel's own serial port holds on to the controller without us.
crash_as_application()
{
  sh "$fixtures/firmware/make-demo.sh" firmware.bin
  serve --flash firmware.bin --boot0 low
  until_true 20 test -c /dev/ttyACM0
  stop KILL 137
  serve
  listed
  stop
  nothing_left
}

# told BYTES...: a FunctionFS of its own takes that (printf's escapes) as what it is told first
told()
{
  local folder=$configfs/other status=0

  mkdir -p "$folder/functions/ffs.other" /run/other
  mount -t functionfs other /run/other
  # shellcheck disable=SC2059 # they are its format
  printf "$1" >/run/other/ep0 || status=1
  umount /run/other
  rmdir "$folder/functions/ffs.other" "$folder"
  return "$status"
}

# Of an interface of the communications class, with the header that such a one begins with, and without: the reason for gadgetfs.
class_descriptors()
{
  local head='\3\0\0\0' flags='\1\0\0\0' interface='\11\4\0\0\0\2\2\1\0' header='\5\44\0\20\1'

  modprobe usb_f_fs
  told "$head\31\0\0\0$flags\1\0\0\0$interface"
  if told "$head\36\0\0\0$flags\2\0\0\0$interface$header" 2>refused; then
    echo '=> the kernel takes a class descriptor'
    return 1
  fi
  says refused 'Invalid argument'
}

application()
{
  serve
  listed
  application_echoes
  reboots_into_bootloader
  stop
  nothing_left
}

# gadgetfs takes the next request for the one that is given up: it is lost with that, and more if they come at once, but no more.
application_given_up()
{
  local kind

  serve
  listed
  application_echoes
  "$dfuemu" ctl "$work/S" fault add silent on=get-descriptor,count=any
  host superseded >superseded
  cat superseded
  "$dfuemu" ctl "$work/S" fault clear
  for kind in IN 'no data' OUT; do
    says superseded "$kind: given up: Connection timed out; then answered"
  done
  reboots_into_bootloader
  stop
}

# What nobody fetches any more is at the controller when the application leaves; the kernel survives that.
application_late()
{
  serve
  listed
  application_echoes
  "$dfuemu" ctl "$work/S" fault add delay=700ms on=get-descriptor
  host late >late
  says late 'given up: Connection timed out'
  "$dfuemu" ctl "$work/S" in 1s time
  reboots_into_bootloader
  application_echoes
  reboots_into_bootloader
  stop
}

# Where another program has it, here a shell, the serial port is the kernel's ACM function.
application_without_gadgetfs()
{
  mkdir -p /run/taken
  mount -t gadgetfs none /run/taken
  exec 6<>/run/taken/dummy_udc
  serve 6>&-
  listed
  application_echoes
  says "$work/told" "the serial port is the kernel's own"
  usbreset 0483:5740
  until_true 20 on_bus 5740
  host serial /dev/ttyACM0
  reboots_into_bootloader
  stop
  exec 6>&-
  umount /run/taken
  nothing_left
}

# For kernels on which not all of it is worth its time
[ -z "${few-}" ] || return 0

check 'libcomposite is missing: said, with the remedy' no_libcomposite
check 'no controller: said, with the remedy' no_controller
check 'not root: said' not_root
check 'no configfs: said, with the remedy' no_configfs
check 'one of several controllers is chosen by name' several
check 'what this kernel will not show is said, and is so' tells_gaps
check 'FunctionFS takes no class descriptors of a serial port' class_descriptors
check 'identity, texts and power are those of the board' identity
check 'a stalled request is stalled' refusals
check 'a request that the host gives up is taken back' given_up
check 'a request that is never answered is given up' never_answered
check 'the control socket answers while a request is held' socket_while_held
check 'a controller in use names its gadget' busy
check 'SIGTERM leaves nothing behind' all_gone
check 'what a killed run left is removed, what others made stays' crash
check 'a function that libusbgx does not know is said' unknown_function
check 'what a killed run left on the controller is removed' crash_as_application
check 'the application echoes on ttyACM0, and the bootloader comes back' application
check 'a request that the host gives up is taken back from the application, too' application_given_up
check 'an answer of the application that comes too late does no harm' application_late
check 'without gadgetfs the application has the serial port of the kernel, which survives a reset of the bus' \
  application_without_gadgetfs
check 'into the application and back, many times' reboots "${DFUBENCH_RUNS:-4}"
check 'unplugged and plugged in, many times' replugs "${DFUBENCH_RUNS:-8}"
