# SPDX-License-Identifier: GPL-2.0-or-later
"""Taking the kernel's driver off the application's serial port, and putting it back, by pyusb."""
import errno
import glob

import usb.core
import usb.util

device = usb.core.find(idVendor=0x0483, idProduct=0x5740)


def is_bound(bound):
    assert [device.is_kernel_driver_active(i) for i in (0, 1)] == [bound, bound]
    assert glob.glob("/dev/ttyACM*") == (["/dev/ttyACM0"] if bound else [])


def refused(action, *arguments):
    try:
        action(*arguments)
    except usb.core.USBError as mistake:
        assert mistake.errno == errno.EBUSY, mistake
        return
    raise AssertionError("not refused")


is_bound(True)
refused(usb.util.claim_interface, device, 0)
refused(device.set_configuration, 1)
device.detach_kernel_driver(0)
is_bound(False)
for interface in (0, 1):
    usb.util.claim_interface(device, interface)
refused(device.attach_kernel_driver, 0)
device.write(1, b"by pyusb")
assert bytes(device.read(0x81, 64)) == b"by pyusb"
for interface in (0, 1):
    usb.util.release_interface(device, interface)
is_bound(False)
device.attach_kernel_driver(0)
is_bound(True)
device.reset()
is_bound(True)
print("done")
