#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture as long as wanted, of the packets of a short one again and again, time running on: long_capture.py SHORT LONG MIB"""
import struct
import sys


def blocks(data):
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, data[at : at + length]
        at += length


def main():
    short, long, size = sys.argv[1], sys.argv[2], int(sys.argv[3]) << 20
    data = open(short, "rb").read()
    head = b"".join(block for kind, block in blocks(data) if kind != 6)
    run = bytearray(b"".join(block for kind, block in blocks(data) if kind == 6))
    places, at = [], 0
    for _, block in blocks(bytes(run)):
        places.append((at, at + 28 + 16))
        at += len(block)
    times = [high << 32 | low for high, low in (struct.unpack_from("<II", run, at + 12) for at, _ in places)]
    step = times[-1] - times[0] + 1000000
    with open(long, "wb") as out:
        out.write(head)
        written = len(head)
        while written < size:
            for n, (at, header) in enumerate(places):
                struct.pack_into("<II", run, at + 12, times[n] >> 32, times[n] & 0xFFFFFFFF)
                struct.pack_into("<qi", run, header, times[n] // 1000000, times[n] % 1000000)
                times[n] += step
            out.write(run)
            written += len(run)


main()
