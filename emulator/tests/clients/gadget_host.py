#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's side of what is particular to gadgets, with pyusb and the serial port.
alts: what SET_INTERFACE says to 0 to 3 | hold, held: give up a held GETSTATUS, and go on | refused: a stalled request
silent [MS]: one that is never answered, given up after so long | speed N: control transfers in a second, N of them
serial TTY: bytes there and back | bytes: the device's and the configuration's descriptors, in hexadecimal
clears SERIES: requests without data that change the state, and refused ones
lost SERIES: what comes back of SERIES requests, each given up after a short while"""

import errno
import os
import select
import struct
import sys
import time
import tty

import usb.core
import usb.util

DNLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT = 1, 3, 4, 5, 6
IDLE, ERROR = 2, 10
TIMEOUT_MS = 20000


def find():
    return usb.core.find(idVendor=0x0483, idProduct=0xDF11) or sys.exit("no board")


def get(device, request, length, timeout=TIMEOUT_MS):
    return bytes(device.ctrl_transfer(0xA1, request, 0, 0, length, timeout))


def status(device, timeout=TIMEOUT_MS):
    return get(device, GETSTATUS, 6, timeout)[4]


def idle(device):
    for _ in range(4):
        state = get(device, GETSTATE, 1)[0]
        if state == IDLE:
            return
        device.ctrl_transfer(0x21, CLRSTATUS if state == ERROR else ABORT, 0, 0, None, TIMEOUT_MS)
    sys.exit(f"never idle: state {state}")


def fails(call, *arguments):
    """The number of the error, 0 for none."""
    try:
        call(*arguments)
    except usb.core.USBError as error:
        return error.errno
    return 0


def alts(device):
    usb.util.claim_interface(device, 0)
    for alt in range(4):
        said = fails(device.ctrl_transfer, 0x01, 11, alt, 0, None, TIMEOUT_MS)
        got = "" if said else f", now {device.ctrl_transfer(0x81, 10, 0, 0, 1, TIMEOUT_MS)[0]}"
        print(f"alt {alt}: {os.strerror(said) if said else 'set'}{got}")


def hold(device):
    """Erase a sector of 128 KiB: the board is busy for about a second from the first GETSTATUS on."""
    idle(device)
    device.ctrl_transfer(0x21, DNLOAD, 0, 0, struct.pack("<BI", 0x41, 0x08020000), TIMEOUT_MS)
    start = time.monotonic()
    answer = status(device)
    first = time.monotonic() - start
    said = fails(status, device, 200)
    rest = time.monotonic() - start - first
    print(f"state {answer} at once: {first < 0.3}; given up: {said and os.strerror(said)} after {rest:.1f} s")
    print(f"then state {status(device)}, whole {time.monotonic() - start > 0.5}")
    idle(device)


def held(device):
    """The same where the next request is stalled until the board has answered the one that was given up."""
    idle(device)
    device.ctrl_transfer(0x21, DNLOAD, 0, 0, struct.pack("<BI", 0x41, 0x08020000), TIMEOUT_MS)
    status(device)
    print(f"given up: {os.strerror(fails(status, device, 200))}")
    print(f"meanwhile: {os.strerror(fails(get, device, GETSTATE, 1))}")
    deadline = time.monotonic() + 20
    while fails(get, device, GETSTATE, 1) and time.monotonic() < deadline:
        time.sleep(0.02)
    print(f"in the end state {get(device, GETSTATE, 1)[0]}")


def silent(device, timeout=300):
    print("asking", flush=True)
    print(f"given up: {os.strerror(fails(get, device, GETSTATE, 1, timeout))}", flush=True)
    print(f"then state {get(device, GETSTATE, 1)[0]}")


def lost(device, count):
    idle(device)
    ends = {}
    for i in range(count):
        end = fails(get, device, GETSTATE, 1, 1 + i % 40)
        ends[end] = ends.get(end, 0) + 1
    print({os.strerror(end) if end else "answered": n for end, n in ends.items()})
    print(f"then state {get(device, GETSTATE, 1)[0]}")


def refused(device):
    idle(device)
    # An UPLOAD longer than wTransferSize; a request without data that the board knows not.
    print(f"IN: {os.strerror(fails(get, device, 2, 4096))}")
    idle(device)
    print(f"no data: {os.strerror(fails(device.ctrl_transfer, 0x21, 0x55, 0, 0, None, TIMEOUT_MS))}")
    idle(device)


def clears(device, count):
    """Requests without data, each of which must have its effect; and those that are refused."""
    idle(device)
    wrong = 0
    for i in range(count):
        # CLRSTATUS leads out of dfuERROR, and into it where there was no error.
        device.ctrl_transfer(0x21, CLRSTATUS, 0, 0, None, TIMEOUT_MS)
        wrong += get(device, GETSTATE, 1)[0] != (IDLE if i % 2 else ERROR)
        wrong += fails(device.ctrl_transfer, 0x21, 0x55, 0, 0, None, TIMEOUT_MS) != errno.EPIPE
        if i % 2:
            idle(device)
    print(f"{wrong} of {2 * count} were lost")


def speed(device, count):
    start = time.monotonic()
    for _ in range(count):
        get(device, GETSTATE, 1)
    print(f"{count / (time.monotonic() - start):.0f} control transfers in a second")


def descriptors(device):
    for kind, length in ((1, 18), (2, 255)):
        print(bytes(device.ctrl_transfer(0x80, 6, kind << 8, 0, length, TIMEOUT_MS)).hex())
    print(bytes(device.ctrl_transfer(0x81, 6, 0x2100, 0, 9, TIMEOUT_MS)).hex())


def serial(path):
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    for size in (1, 64, 65, 128, 1000):
        data = bytes((7 * i + size) & 255 for i in range(size))
        os.write(fd, data)
        came = b""
        while len(came) < size:
            if not select.select([fd], [], [], 10)[0]:
                sys.exit(f"{len(came)} of {size} bytes came back")
            came += os.read(fd, 4096)
        if came != data:
            sys.exit(f"not the {size} bytes that were sent")
    print("all came back")


def main():
    command, *arguments = sys.argv[1:]
    if command == "serial":
        serial(arguments[0])
        return
    device = find()
    calls = {
        "alts": alts,
        "bytes": descriptors,
        "clears": clears,
        "held": held,
        "hold": hold,
        "lost": lost,
        "refused": refused,
        "silent": silent,
        "speed": speed,
    }
    calls[command](device, *map(int, arguments))


main()
