#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture in which every sixth packet and the one after it have changed places: turn_capture.py IN OUT"""
import struct
import sys


def main():
    data, at, blocks = open(sys.argv[1], "rb").read(), 0, []
    while at + 12 <= len(data):
        _, length = struct.unpack_from("<II", data, at)
        blocks.append(data[at : at + length])
        at += length
    for i in range(12, len(blocks) - 1, 6):
        blocks[i], blocks[i + 1] = blocks[i + 1], blocks[i]
    open(sys.argv[2], "wb").write(b"".join(blocks))


main()
