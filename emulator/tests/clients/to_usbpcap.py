# SPDX-License-Identifier: GPL-2.0-or-later
"""The control transfers of a capture by Linux (pcapng, link type 220), as USBPcap of Windows would have had them (pcap, 249).

to_usbpcap.py IN OUT [ADDRESS | no-strings]

Header as in "USBPcap Capture format": 27 bytes, and one for the stage of a control transfer. As on Windows there is no SET_ADDRESS, and
the SETUP of SET_INTERFACE is USBPcap's own; before the first request of DFU there is one that it does not know: its answer alone is a control
transfer. ADDRESS: that of all devices: Windows gives one that comes back the lowest that is free. no-strings: without
string descriptors: USBPcap puts those of device and configuration in front, when a device was plugged in before.
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
    source, target, *more = sys.argv[1:]
    strings, address = more != ["no-strings"], [int(a) for a in more if a.isdigit()]
    left_out = set()
    out, unknown = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 249)], False
    for time_us, packet in blocks(open(source, "rb").read()):
        ident, kind, transfer, endpoint, device, bus = struct.unpack_from("<QBBBBH", packet)
        status = struct.unpack_from("<i", packet, 28)[0]
        if transfer != 2:
            continue
        completed = kind != ord("S")
        data = packet[64:] if completed else packet[40:48] + packet[64:]
        if device == 0:
            continue
        if not strings and not completed and data[:2] + data[3:4] == b"\x80\6\3":
            left_out.add(ident)
        if ident in left_out:
            left_out -= {ident} if completed else set()
            continue
        device = address[0] if address else device
        if not completed and data[:2] == b"\1\13":
            data = b"\0" + data[1:]
        if not completed and data[0] & 0x7F == 0x21 and not unknown:
            unknown = True
            for length, back, tail in (27, 1000000, b"\xff"), (28, 0, b"\2"):
                header = struct.pack("<HQIHBHHB", length, ident, 0, 0x2A, length == 28, bus, device, 0x80) + tail + bytes(4)
                header += b"\3" if length == 28 else b""
                when = time_us - back
                out.append(struct.pack("<IIII", when // 1000000, when % 1000000, len(header), len(header)) + header)
        header = struct.pack("<HQIHBHHBBIB", 28, ident, STATUS.get(status, OTHER) if completed else 0, 0x1B if completed else 8,
                             completed, bus, device, endpoint & 0x80, 2, len(data), COMPLETE if completed else SETUP)  # fmt: skip
        size = len(header) + len(data)
        out.append(struct.pack("<IIII", time_us // 1000000, time_us % 1000000, size, size) + header + data)
    open(target, "wb").write(b"".join(out))


main()
