#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What hosts do with devices that firmware makes, with pyusb.

firmware_usb.py VID:PID there | gone        wait for it
firmware_usb.py VID:PID names               manufacturer, product, serial number
firmware_usb.py VID:PID echo [BYTES]        a serial line gives back what it gets
firmware_usb.py VID:PID repl LINE [ANSWER]  a line for MicroPython's prompt, and what it says to that (-: anything;
                                            without ANSWER: it leaves the bus)
firmware_usb.py VID:PID rounds COUNT        1+1 and its answer at that prompt, so often: seconds on this program's clock
firmware_usb.py VID:PID disk [LABEL]        a disk's name, size and first sector; a FAT file system of that label
"""
import random
import struct
import sys
import time

import usb.core
import usb.util

SECONDS = 20
TIMEOUT_MS = 5000
CDC, DATA, STORAGE = 2, 10, 8


def fail(text):
    sys.exit(f"firmware_usb: {text}")


def find(identity):
    vendor, product = (int(word, 16) for word in identity.split(":"))
    return usb.core.find(idVendor=vendor, idProduct=product)


def wait(identity, there):
    deadline = time.monotonic() + SECONDS
    while (find(identity) is not None) != there:
        if time.monotonic() > deadline:
            fail(f"{identity} is not {'there' if there else 'gone'} after {SECONDS} seconds")
        time.sleep(0.02)
    return find(identity)


def interface(device, of_class):
    """The first interface of that class: its number, bulk endpoints OUT and IN."""
    for candidate in device.get_active_configuration():
        if candidate.bInterfaceClass == of_class:
            ends = {usb.util.endpoint_direction(end.bEndpointAddress): end.bEndpointAddress for end in candidate}
            return candidate.bInterfaceNumber, ends.get(usb.util.ENDPOINT_OUT), ends.get(usb.util.ENDPOINT_IN)
    fail(f"there is no interface of class {of_class}")
    return None


class Line:
    """A CDC ACM as cdc-acm opens it."""

    def __init__(self, device):
        self.device = device
        control, _, _ = interface(device, CDC)
        data, self.out, self.into = interface(device, DATA)
        for number in (control, data):
            if device.is_kernel_driver_active(number):
                device.detach_kernel_driver(number)
            usb.util.claim_interface(device, number)
        device.ctrl_transfer(0x21, 0x20, 0, control, struct.pack("<IBBB", 115200, 0, 0, 8), TIMEOUT_MS)
        device.ctrl_transfer(0x21, 0x22, 3, control, None, TIMEOUT_MS)

    def write(self, data):
        if self.device.write(self.out, data, TIMEOUT_MS) != len(data):
            fail("not all was written")

    def read(self, timeout_ms=TIMEOUT_MS):
        try:
            return bytes(self.device.read(self.into, 512, timeout_ms))
        except usb.core.USBTimeoutError:
            return b""

    def read_until(self, end):
        said = b""
        deadline = time.monotonic() + SECONDS
        while end not in said:
            if time.monotonic() > deadline:
                fail(f"it says {said!r}, and never {end!r}")
            said += self.read(500)
        return said

    def read_until_gone(self):
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                self.device.read(self.into, 512, 100)
            except usb.core.USBTimeoutError:
                pass
            except usb.core.USBError as error:
                if error.errno in (5, 19):  # EIO, ENODEV: while it goes, and when it has gone
                    return
                raise
        fail("it is still there")


def names(device):
    print(device.manufacturer, device.product, device.serial_number, sep="\n")


def echo(device, size=1000):
    line = Line(device)
    data = random.Random(1).randbytes(int(size))
    back = b""
    for at in range(0, len(data), 64):
        line.write(data[at : at + 64])
        want = len(data[: at + 64])
        deadline = time.monotonic() + SECONDS
        while len(back) < want:
            if time.monotonic() > deadline:
                fail(f"{len(back)} bytes of {want} came back")
            back += line.read(500)
    if back != data:
        fail("other bytes came back")
    print(f"{len(back)} bytes came back")


def prompt(device):
    line = Line(device)
    line.write(b"\r\x03\x03")
    line.read_until(b">>> ")
    while line.read(100):
        pass
    return line


def repl(device, text, answer=None):
    line = prompt(device)
    line.write(text.encode() + b"\r")
    if answer is None:
        line.read_until_gone()
        return
    said = line.read_until(b"\r\n>>> ").decode()
    print(said)
    if answer != "-" and said.split("\r\n")[1:-1] != [answer]:
        fail(f"the answer is not {answer!r}")


def rounds(device, count):
    line = prompt(device)
    begin = time.monotonic()
    for _ in range(int(count)):
        line.write(b"1+1\r")
        line.read_until(b"2\r\n>>> ")
    print(f"{time.monotonic() - begin:.6f}")


class Disk:
    """USB mass storage, bulk-only (BOT 1.0), with SCSI commands."""

    def __init__(self, device):
        self.device = device
        self.number, self.out, self.into = interface(device, STORAGE)
        if device.is_kernel_driver_active(self.number):
            device.detach_kernel_driver(self.number)
        usb.util.claim_interface(device, self.number)
        self.tag = 0

    def command(self, block, length):
        self.tag += 1
        flags = 0x80 if length else 0
        self.device.write(
            self.out, struct.pack("<4sIIBBB16s", b"USBC", self.tag, length, flags, 0, len(block), block), TIMEOUT_MS
        )
        data = b""
        if length:
            try:
                data = bytes(self.device.read(self.into, length, TIMEOUT_MS))
            except usb.core.USBError as error:
                if error.errno != 32:  # EPIPE: it stalls, and the status says why
                    raise
                self.device.clear_halt(self.into)
        signature, tag, _, status = struct.unpack("<4sIIB", bytes(self.device.read(self.into, 13, TIMEOUT_MS)))
        if (signature, tag) != (b"USBS", self.tag):
            fail("the status is none of this command")
        return status, data

    def ready(self):
        deadline = time.monotonic() + SECONDS
        while self.command(bytes(6), 0)[0] != 0:
            self.command(struct.pack(">BBBBBB", 3, 0, 0, 0, 18, 0), 18)
            if time.monotonic() > deadline:
                fail("the disk does not become ready")
            time.sleep(0.05)

    def good(self, block, length):
        status, data = self.command(block, length)
        if status != 0:
            fail(f"SCSI command {block[0]:#04x} ends with status {status}")
        return data

    def read(self, block, size):
        return self.good(struct.pack(">BBIBHB", 0x28, 0, block, 0, 1, 0), size)


def disk(device, label=None):
    unit = Disk(device)
    name = unit.good(struct.pack(">BBBBBB", 0x12, 0, 0, 0, 36, 0), 36)
    unit.ready()
    last, size = struct.unpack(">II", unit.good(struct.pack(">BBIBBBB", 0x25, 0, 0, 0, 0, 0, 0), 8))
    first = unit.read(0, size)
    print(f"{name[8:32].decode().strip()}: {last + 1} blocks of {size} bytes")
    if first[510:512] != b"\x55\xaa":
        fail(f"the first sector ends with {first[510:512].hex()}")
    if label is None:
        return
    begin = 0
    if first[0] not in (0xEB, 0xE9):  # no jump, so no file system yet: a table of partitions
        begin = struct.unpack("<I", first[454:458])[0]
        first = unit.read(begin, size)
    sector, reserved, fats, entries = struct.unpack("<H", first[11:13])[0], *struct.unpack("<HBH", first[14:19])
    root = unit.read(begin + (reserved + fats * struct.unpack("<H", first[22:24])[0]) * (sector // size), size)
    found = [root[at : at + 11].decode().strip() for at in range(0, min(entries * 32, size), 32) if root[at + 11] == 8]
    if found != [label]:
        fail(f"the label is {found}, not {label!r}")
    print(f"label {label}")


def main():
    actions = {"names": names, "echo": echo, "repl": repl, "rounds": rounds, "disk": disk}
    if len(sys.argv) < 3:
        fail("usage: " + __doc__.strip())
    identity, action, *rest = sys.argv[1:]
    if action in ("there", "gone"):
        wait(identity, action == "there")
        return
    device = wait(identity, True)
    actions[action](device, *rest)


main()
