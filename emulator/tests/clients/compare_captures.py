#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two records of one run, ours and usbmon's of the host's kernel: the same transfers? compare_captures.py OURS USBMON [WHAT]
With --count CAPTURE: how many transfers were begun in it.

WHAT narrows it down to what the front carries: all (the default), or class (no standard requests: a kernel answers them).
Device addresses, ids and times may differ; SET_ADDRESS is the host controller's business. Transfers are compared in the
order in which they were submitted: request or endpoint, length asked for, data, status, length moved.
"""
import struct
import sys

LINK_USBMON = 220
HUB = 1  # the address of a root hub
HEADER = struct.Struct("<QBBBBHBBqiiII8siiII")


def packets(path):
    data = open(path, "rb").read()
    at, links = 0, []
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or length % 4 or at + length > len(data):
            sys.exit(f"{path}: block of {length} bytes at {at}")
        body = data[at + 8 : at + length - 4]
        if kind == 1:
            links.append(struct.unpack_from("<H", body)[0])
        elif kind == 6:
            link, _, _, captured = struct.unpack_from("<IIII", body)
            if links[link] == LINK_USBMON:
                yield body[20 : 20 + captured]
        at += length


def transfers(path):
    """Finished ones as dictionaries, in order of submission; those of the record's end may be unfinished: left out."""
    pending, done = {}, []
    for number, packet in enumerate(packets(path)):
        (ident, kind, _, endpoint, device, bus, no_setup, _, _, _, status, length, _, setup, *_) = HEADER.unpack_from(packet)
        data = packet[HEADER.size :]
        if kind == ord("S"):
            pending[ident] = {
                "number": number, "bus": bus, "device": device, "endpoint": endpoint,
                "setup": setup.hex() if not no_setup else None, "asked": length,
                "out": b"" if endpoint & 0x80 else data,
            }
        elif kind in (ord("C"), ord("E")) and ident in pending:
            t = pending.pop(ident)
            t["status"], t["moved"] = status, length
            t["in"] = data[:length] if endpoint & 0x80 else b""
            done.append(t)
    done.sort(key=lambda t: t["number"])
    return done


def is_board(t):
    """The device descriptor of a board on its way to the host."""
    return (t["setup"] or "").startswith("80060001") and t["in"][8:12] == bytes.fromhex("830411df")


def theirs_of(path):
    every = transfers(path)
    buses = {t["bus"] for t in every if is_board(t)}
    if not buses:
        sys.exit(f"{path}: no board was enumerated ({len(every)} transfers)")
    return [t for t in every if t["bus"] in buses and t["device"] != HUB]


def wanted(t, what):
    setup = t["setup"]
    if setup and setup.startswith("0005"):
        return False
    # An interrupt or bulk transfer that waits for ever ends with the device: when, is the host's business.
    if t["status"] in (-2, -104, -108) and not setup:
        return False
    # What a kernel wants of a board that comes back as the front ends, and no longer sends
    if t["status"] == -19 and not t["moved"]:
        return False
    return what == "all" or (setup is not None and int(setup[:2], 16) & 0x60 != 0)


def line(t):
    where = t["setup"] or f"endpoint {t['endpoint']:02x}"
    return f"{where} asked {t['asked']} status {t['status']} moved {t['moved']} out {t['out'].hex()} in {t['in'].hex()}"


def main():
    if sys.argv[1] == "--count":
        print(sum(packet[8:9] == b"S" for packet in packets(sys.argv[2])))
        return
    ours_path, theirs_path, *rest = sys.argv[1:]
    what = rest[0] if rest else "all"
    ours = [t for t in transfers(ours_path) if wanted(t, what)]
    theirs = [t for t in theirs_of(theirs_path) if wanted(t, what)]
    for i in range(max(len(ours), len(theirs))):
        a = line(ours[i]) if i < len(ours) else "nothing"
        b = line(theirs[i]) if i < len(theirs) else "nothing"
        if a != b:
            print(f"transfer {i} of {len(ours)} and {len(theirs)} differs:")
            for before in ours[max(0, i - 3) : i]:
                print(f"  both:   {line(before)[:200]}")
            print(f"  ours:   {a[:400]}\n  usbmon: {b[:400]}")
            sys.exit(1)
    if not ours:
        sys.exit("no transfers to compare")
    print(f"{len(ours)} transfers are the same")


main()
