#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seconds from the first to the last packet of a pcapng file of usbmon packets: capture_span.py FILE"""

import struct
import sys


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    times, at = [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:  # Enhanced Packet Block; 20 bytes of header, then usbmon's: ts_sec at 16, ts_usec at 24
            seconds, microseconds = struct.unpack_from("<qi", data, at + 28 + 16)
            times.append(seconds + microseconds / 1e6)
        at += length
    print(f"{times[-1] - times[0]:.3f}")


if __name__ == "__main__":
    main()
