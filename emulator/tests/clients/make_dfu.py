#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""DfuSe files for the tests (layout: UM0391): make_dfu.py OUT.dfu ADDRESS:FILE...
With --noise SEED instead of files: ADDRESS:LENGTH; then OUT.N gets element N as it is. Elements that start at
0x08000000 begin with a vector table that the board will take for an application."""

import argparse
import random
import struct
import zlib


def elements_of(specs, seed):
    noise = random.Random(seed)
    for spec in specs:
        address, _, what = spec.partition(":")
        address = int(address, 0)
        if seed is None:
            with open(what, "rb") as file:
                data = file.read()
        else:
            data = noise.randbytes(int(what, 0))
            if address == 0x08000000:
                data = struct.pack("<2I", 0x20020000, 0x08000189) + data[8:]
        yield address, data


def dfuse(elements):
    body = b"".join(struct.pack("<2I", address, len(data)) + data for address, data in elements)
    target = struct.pack("<6sBI255s2I", b"Target", 0, 1, b"ST...", len(body), len(elements)) + body
    file = struct.pack("<5sBIB", b"DfuSe", 1, 11 + len(target), 1) + target
    file += struct.pack("<4H3sB", 0x2200, 0xDF11, 0x0483, 0x011A, b"UFD", 16)
    return file + struct.pack("<I", zlib.crc32(file) ^ 0xFFFFFFFF)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--noise", type=int)
    parser.add_argument("out")
    parser.add_argument("element", nargs="+")
    args = parser.parse_args()
    elements = list(elements_of(args.element, args.noise))
    with open(args.out, "wb") as out:
        out.write(dfuse(elements))
    if args.noise is not None:
        for number, (_, data) in enumerate(elements, 1):
            with open(f"{args.out}.{number}", "wb") as part:
                part.write(data)


if __name__ == "__main__":
    main()
