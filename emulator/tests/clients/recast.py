#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture of ours as other programs would have written it: recast.py FORM IN.pcapng OUT

FORM: usbpcap      pcapng with USBPcap's packets, the answer in one packet (from USBPcap 1.3 on)
      usbpcap-old  pcap with USBPcap's packets, the data stage in a packet of its own
      qemu         pcap as QEMU's hw/usb/pcap.c has it: id 0, header counted in, -121 for whatever failed
      pcap, pcap-be, pcap-ns, pcap-be-ns   pcap with usbmon's packets, in either byte order, micro- or nanoseconds
      old-header   pcapng with usbmon's 48-byte header (link type 189)
      pcapng-be    big-endian pcapng, time in nanoseconds
      simple       pcapng with simple packet blocks: no time
Written from the public descriptions of these formats, to test the reader with; tshark is asked whether they are right.
"""
import struct
import sys

USBMON = struct.Struct("<QBBBBHBBqiiII8siiII")
USBD = {0: 0, -32: 0xC0000004, -71: 0xC0000005, -2: 0xC0010000, -104: 0xC0010000, -108: 0xC0007000}
FIELDS = "id kind transfer endpoint device bus no_setup no_data seconds micros status length captured setup interval frame flags descriptors"


def packets(path):
    """The usbmon packets of one of our files, each as a dictionary with its data."""
    data = open(path, "rb").read()
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            _, high, low, captured, original = struct.unpack_from("<IIIII", data, at + 8)
            packet = data[at + 28 : at + 28 + captured]
            p = dict(zip(FIELDS.split(), USBMON.unpack_from(packet)))
            p["data"] = packet[64:]
            p["us"] = high << 32 | low
            p["original"] = original
            yield p
        at += length


def usbmon(p, order="<", size=64):
    header = struct.pack(
        order + "QBBBBHBBqiiII8siiII", *(p[f] for f in FIELDS.split())
    )
    return header[:size] + p["data"]


def padded(data):
    return data + bytes(-len(data) % 4)


def block(kind, body, order="<"):
    body = padded(body)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def pcapng_start(link, order="<", resolution=6, snaplen=0):
    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    option = struct.pack(order + "HHBxxxI", 9, 1, resolution, 0)
    return section + block(1, struct.pack(order + "HHI", link, 0, snaplen) + option, order)


def pcapng_packet(time, packet, order="<", original=None):
    head = struct.pack(order + "IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(packet), original or len(packet))
    return block(6, head + padded(packet), order)


def pcap_start(link, order="<", magic=0xA1B2C3D4, snaplen=262144):
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)


def pcap_packet(us, packet, order="<", factor=1, original=None):
    return struct.pack(order + "IIII", us // 1000000, us % 1000000 * factor, len(packet), original or len(packet)) + packet


def usbpcap_header(p, completed, stage, data):
    status = USBD.get(p["status"], 0xC0000001) if completed else 0
    length = 28 if p["transfer"] == 2 else 27
    header = struct.pack(
        "<HQIHBHHBBI", length, p["id"], status, 8, completed, p["bus"], p["device"], p["endpoint"], p["transfer"], len(data)
    )
    return header + (bytes([stage]) if length == 28 else b"") + data


def usbpcap(p, old):
    """The packets that USBPcap has for one of usbmon's."""
    submitted = p["kind"] == ord("S")
    incoming = p["endpoint"] & 0x80
    if p["transfer"] != 2:
        return [usbpcap_header(p, not submitted, 0, p["data"])]
    if not old:
        return [usbpcap_header(p, 0, 0, p["setup"] + p["data"])] if submitted else [usbpcap_header(p, 1, 3, p["data"])]
    if submitted:
        return [usbpcap_header(p, 0, 0, p["setup"])] + ([usbpcap_header(p, 0, 1, p["data"])] if p["data"] else [])
    return ([usbpcap_header(p, 1, 1, p["data"])] if incoming and p["data"] else []) + [usbpcap_header(p, 1, 2, b"")]


def qemu(p):
    q = dict(p, id=0, flags=0, interval=0, frame=0, descriptors=0, bus=0)
    submitted = p["kind"] == ord("S")
    incoming = p["endpoint"] & 0x80
    q["no_setup"] = 0
    q["no_data"] = ord("=")
    if not submitted:
        q["setup"] = bytes(8)
        q["status"] = {0: 0, -108: -19}.get(p["status"], -121)
        if incoming and q["status"]:
            q["data"] = b"\xee" * 6  # of the request before
    else:
        q["status"] = 0
    if bool(incoming) == submitted:
        q["no_data"] = ord("<") if incoming else ord(">")
        q["data"] = b""
    q["length"] = len(q["data"])
    q["captured"] = 64 + len(q["data"])
    return q


def recast(form, path):
    order = ">" if "-be" in form else "<"
    if form.startswith("usbpcap"):
        old = form == "usbpcap-old"
        yield pcap_start(249) if old else pcapng_start(249)
        for p in packets(path):
            if p["device"] == 0:
                continue  # Windows does not show it
            for packet in usbpcap(p, old):
                yield pcap_packet(p["us"], packet) if old else pcapng_packet(p["us"], packet)
    elif form == "qemu":
        yield pcap_start(220, snaplen=4160)
        for p in packets(path):
            if p["transfer"] == 2:
                packet = usbmon(qemu(p))
                yield pcap_packet(p["us"], packet)
    elif form.startswith("pcapng") or form in ("old-header", "simple"):
        size = 48 if form == "old-header" else 64
        factor = 1000 if form == "pcapng-be" else 1
        yield pcapng_start(189 if size == 48 else 220, order, 9 if factor > 1 else 6)
        for p in packets(path):
            packet = usbmon(p, order, size)
            if form == "simple":
                yield block(3, struct.pack("<I", len(packet)) + packet)
            else:
                yield pcapng_packet(p["us"] * factor, packet, order)
    elif form.startswith("pcap"):
        factor = 1000 if form.endswith("-ns") else 1
        yield pcap_start(220, order, 0xA1B23C4D if factor > 1 else 0xA1B2C3D4)
        for p in packets(path):
            yield pcap_packet(p["us"], usbmon(p, order), order, factor)
    else:
        sys.exit(f"no such form: {form}\n{__doc__}")


def main():
    form, path, out = sys.argv[1:]
    whole = b"".join(recast(form, path))
    with open(out, "wb") as file:
        file.write(whole)


if __name__ == "__main__":
    main()
