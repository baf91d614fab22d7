# SPDX-License-Identifier: GPL-2.0-or-later
"""The control transfers of a capture by Linux (pcapng, link type 220), as USBPcap of Windows would have had them (pcap, 249).

to_usbpcap.py IN OUT

Header as in "USBPcap Capture format": 27 bytes, and one for the stage of a control transfer.
"""

import struct
import sys

STALL, CANCELED, GONE, OTHER = 0xC0000004, 0xC0010000, 0xC0007000, 0xC0000011
STATUS = {0: 0, -32: STALL, -2: CANCELED, -104: CANCELED, -108: GONE}
SETUP, COMPLETE = 0, 3


def blocks(data):
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            _, high, low, captured = struct.unpack_from("<IIII", data, at + 8)
            yield high << 32 | low, data[at + 28 : at + 28 + captured]
        at += length


def main():
    source, target = sys.argv[1:]
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 249)]
    for time_us, packet in blocks(open(source, "rb").read()):
        ident, kind, transfer, endpoint, device, bus = struct.unpack_from("<QBBBBH", packet)
        status = struct.unpack_from("<i", packet, 28)[0]
        if transfer != 2:
            continue
        completed = kind != ord("S")
        data = packet[64:] if completed else packet[40:48] + packet[64:]
        header = struct.pack("<HQIHBHHBBIB", 28, ident, STATUS.get(status, OTHER) if completed else 0, 0x1B if completed else 8,
                             completed, bus, device, endpoint & 0x80, 2, len(data), COMPLETE if completed else SETUP)  # fmt: skip
        size = len(header) + len(data)
        out.append(struct.pack("<IIII", time_us // 1000000, time_us % 1000000, size, size) + header + data)
    open(target, "wb").write(b"".join(out))


main()
