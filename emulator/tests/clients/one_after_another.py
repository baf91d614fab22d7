#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures as one, the next beginning a second after the end of the last, each device with an address of its own:
one_after_another.py OUT LAST FIRST..."""
import struct
import sys


def blocks(path):
    data, at = open(path, "rb").read(), 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, bytearray(data[at : at + length])
        at += length


def main():
    out, last, *first = sys.argv[1:]
    now, whole = 1000000, b""
    for n, path in enumerate([*first, last]):
        start = None
        for kind, block in blocks(path):
            if kind != 6:
                whole += block if not n else b""
                continue
            high, low = struct.unpack_from("<II", block, 12)
            start = high << 32 | low if start is None else start
            time = now + (high << 32 | low) - start
            struct.pack_into("<II", block, 12, time >> 32, time & 0xFFFFFFFF)
            if block[28 + 11]:
                block[28 + 11] = 2 + n  # device
            if block[28 + 40 : 28 + 42] == b"\x00\x05":
                block[28 + 42] = 2 + n  # SET_ADDRESS
            whole += block
        now = time + 1000000
    open(out, "wb").write(whole)


main()
