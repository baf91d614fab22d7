#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A device node under select, poll and epoll: not ready, ready with an URB to reap, not ready, gone."""

import array
import ctypes
import errno
import fcntl
import os
import select
import struct
import sys

SUBMITURB, REAPURBNDELAY, CLAIMINTERFACE = 0x8038550A, 0x4008550D, 0x8004550F
# type, endpoint, status, flags, buffer, buffer_length, actual_length, start_frame, number_of_packets, error_count,
# signr, usercontext
URB = struct.Struct("@BBiIPiiiiiIP")


libc = ctypes.CDLL(None, use_errno=True)


def submit(fd, setup, length):
    data = ctypes.create_string_buffer(setup, 8 + length)
    urb = ctypes.create_string_buffer(
        URB.pack(2, 0, 0, 0, ctypes.addressof(data), 8 + length, 0, 0, 0, 0, 0, 0), URB.size
    )
    if libc.ioctl(fd, ctypes.c_ulong(SUBMITURB), urb):
        raise OSError(ctypes.get_errno(), "SUBMITURB")
    return data, urb


def reap(fd):
    pointer = array.array("Q", [0])
    fcntl.ioctl(fd, REAPURBNDELAY, pointer)
    return pointer[0]


def setup(kind, request, value, length):
    return struct.pack("<BBHHH", kind, request, value, 0, length)


def expect(what, got, want):
    print(f"{what}: {got}")
    if got != want:
        sys.exit(f"{what}: {want} expected")


def main():
    fd = os.open("/dev/bus/usb/001/002", os.O_RDWR)
    poll, epoll = select.poll(), select.epoll()
    poll.register(fd, select.POLLOUT)
    epoll.register(fd, select.EPOLLOUT)
    expect("nothing to reap", (poll.poll(0), epoll.poll(0), select.select([], [fd], [], 0)[1]), ([], [], []))
    data, urb = submit(fd, setup(0x80, 6, 0x0100, 18), 18)
    expect("select", select.select([], [fd], [], 10)[1], [fd])
    expect("epoll", epoll.poll(10), [(fd, select.EPOLLOUT)])
    expect("poll", "POLLOUT" if poll.poll(10000) == [(fd, select.POLLOUT)] else poll.poll(0), "POLLOUT")
    expect("reaped", reap(fd), ctypes.addressof(urb))
    expect("bytes", data.raw[8:12].hex(), "12010001")
    expect("nothing to reap again", (poll.poll(0), epoll.poll(0)), ([], []))
    try:
        reap(fd)
    except BlockingIOError as error:
        expect("reap", error.errno, errno.EAGAIN)
    # The board leaves (from its erased flash that is a reset): the handle says so.
    fcntl.ioctl(fd, CLAIMINTERFACE, struct.pack("I", 0))
    for request in (setup(0x21, 4, 0, 0), setup(0x21, 1, 0, 0)):
        kept = submit(fd, request, 0)
        poll.poll(10000)
        expect("done", reap(fd), ctypes.addressof(kept[1]))
    kept = submit(fd, setup(0xA1, 3, 0, 6), 6)
    poll.poll(10000)
    expect("manifest", (reap(fd), kept[0].raw[12]), (ctypes.addressof(kept[1]), 7))
    events = dict(poll.poll(10000))
    expect("gone", events.get(fd, 0) & (select.POLLERR | select.POLLHUP) != 0, True)
    try:
        reap(fd)
    except OSError as error:
        expect("reap of what has gone", error.errno, errno.ENODEV)


main()
