# SPDX-License-Identifier: GPL-2.0-or-later
"""Flip bits of one byte of a packet in a pcapng of usbmon's packets, and print the packet's number.

flip_byte.py IN OUT WHICH OFFSET MASK

WHICH is dnload, status or setup, and may have :N, the Nth such packet from 1: the submission of a DNLOAD of
block 2 or later, the answer to a GETSTATUS, or the submission of any DFU request. OFFSET counts in its data, or in its SETUP packet.
"""

import struct
import sys

HEADER = 64
SETUP = 40


def packets(data):
    """Number, offset of the usbmon header in the file, bytes behind it."""
    at = number = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            number += 1
            yield number, at + 28, struct.unpack_from("<I", data, at + 20)[0] - HEADER
        at += length


def main():
    source, target, which, offset, mask = sys.argv[1:]
    which, _, count = which.partition(":")
    count = int(count or 1)
    data = bytearray(open(source, "rb").read())
    polls = {}
    for number, at, _ in packets(data):
        ident = bytes(data[at : at + 8])
        kind = chr(data[at + 8])
        setup = bytes(data[at + SETUP : at + SETUP + 8])
        start = None
        if kind == "S" and setup[0] & 0x7F == 0x21:
            if setup[0] == 0xA1 and setup[1] == 3:
                polls[ident] = number
            if which == "setup":
                start = at + SETUP
            if which == "dnload" and setup[:2] == b"\x21\x01" and setup[2] >= 2:
                start = at + HEADER
        elif kind == "C" and polls.pop(ident, None) and which == "status":
            start = at + HEADER
        if start is None:
            continue
        count -= 1
        if not count:
            data[start + int(offset)] ^= int(mask, 0)
            open(target, "wb").write(data)
            print(number)
            return
    sys.exit("there is no such packet")


main()
