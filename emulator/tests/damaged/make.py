#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the damaged captures of this folder from whole.pcapng: make.py [FOLDER]

whole.pcapng is emulator-made: `dfuemu exec --time virtual --capture whole.pcapng -- dfu-util -a 0 -s 0x08000000 -D FILE`, of 100 bytes."""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def blocks_of(data):
    at, found = 0, []
    while at < len(data):
        _, length = struct.unpack_from("<II", data, at)
        found.append(data[at : at + length])
        at += length
    return found


def block(kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def packet(time, data, original=None, interface=0, options=b""):
    head = struct.pack("<IIIII", interface, time >> 32, time & 0xFFFFFFFF, len(data), original or len(data))
    return block(6, head + data + bytes(-len(data) % 4) + options)


def parts(block):
    """Time and data of a packet block."""
    _, high, low, captured, _ = struct.unpack_from("<IIIII", block, 8)
    return high << 32 | low, block[28 : 28 + captured]


def pcap(packets, magic=0xA1B2C3D4, link=220):
    out = struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for p in packets:
        time, data = parts(p)
        out += struct.pack("<IIII", time // 1000000, time % 1000000, len(data), len(data)) + data
    return out


def snapped(p, limit):
    time, data = parts(p)
    return packet(time, data[:limit], len(data))


def variants(whole):
    head, packets = whole[:2], whole[2:]
    start, body = b"".join(head), b"".join(packets)
    middle = len(packets) // 2 // 2 * 2
    statistics = block(5, struct.pack("<III", 0, 0, 0) + struct.pack("<HHQ", 5, 8, 17) + bytes(4))
    dropcount = struct.pack("<HHQ", 4, 8, 3) + bytes(4)
    ethernet = block(1, struct.pack("<HHI", 1, 0, 0))
    everything = start + body
    file = bytearray(everything)

    yield "cut-in-packet.pcapng", everything[:-30]
    yield "cut-in-block-header.pcapng", everything[: len(start) + sum(map(len, packets[:50])) + 6]
    yield "cut-after-block.pcapng", start + b"".join(packets[:-1])
    yield "header-only.pcapng", start
    yield "hole.pcapng", everything[:3000] + everything[3333:]
    file[3000:3600] = bytes(600)
    yield "zeros.pcapng", bytes(file)
    file = bytearray(everything)
    at = len(start) + sum(map(len, packets[:40]))
    file[at + 4 : at + 8] = struct.pack("<I", 0x7FFFFFF0)
    yield "huge-length.pcapng", bytes(file)
    file[at + 4 : at + 8] = struct.pack("<I", 0xFFF0)
    yield "long-length.pcapng", bytes(file)
    file = bytearray(everything)
    file[at + 20 : at + 24] = struct.pack("<I", 0x1000)
    yield "packet-over-block.pcapng", bytes(file)
    file = bytearray(everything)
    file[at + 8] = 9
    yield "unknown-interface.pcapng", bytes(file)
    file = bytearray(everything)
    file[at + 28 + 36 : at + 28 + 40] = struct.pack("<I", 500)
    yield "header-promises-more.pcapng", bytes(file)
    yield "answers-lost.pcapng", start + b"".join(p for i, p in enumerate(packets) if i not in (41, 45, 51))
    yield "requests-lost.pcapng", start + b"".join(p for i, p in enumerate(packets) if i not in (40, 44, 50))
    yield "begins-late.pcapng", start + b"".join(packets[middle + 1 :])
    yield "snaplen.pcapng", start + b"".join(snapped(p, 96) for p in packets)
    time, data = parts(packets[44])
    yield "drops.pcapng", start + b"".join(packets[:44]) + packet(time, data, options=dropcount) + b"".join(packets[45:])
    yield "drops-in-statistics.pcapng", everything + statistics
    swapped = list(packets)
    for i in range(36, 44, 2):
        swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
    yield "reordered.pcapng", start + b"".join(swapped)
    mixed = b"".join(packets[:20]) + packet(parts(packets[19])[0], bytes(60), interface=1) + b"".join(packets[20:])
    yield "with-ethernet.pcapng", start + ethernet + mixed
    yield "twice.pcapng", everything + everything
    yield "no-section.pcapng", everything[len(head[0]) :]
    yield "text.pcapng", b"No capture at all, but a text.\n"
    yield "empty.pcapng", b""
    old = pcap(packets)
    yield "cut.pcap", old[:-20]
    yield "hole.pcap", old[:3000] + old[3333:]
    yield "cut-header.pcap", old[:10]
    yield "ethernet.pcap", pcap(packets, link=1)
    yield "compressed.pcap.gz", b"\x1f\x8b\x08" + bytes(30)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    with open(os.path.join(HERE, "whole.pcapng"), "rb") as file:
        whole = blocks_of(file.read())
    for name, data in variants(whole):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


main()
