#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The other end of `dfuemu serve redir`, good and bad.

redir.py serve PATH TIMES    wait for dfuemu as QEMU does, look at its device, hang up; so many times
redir.py look PATH           connect instead, once
redir.py hostile PATH GOOD PID [rss]
                             each attack of this file, on one socket of dfuemu; the device behind the other stays well
redir.py flood PATH GOOD PID ask for more and more, and read nothing
redir.py connects PATH GOOD PID COUNT [rss]
"""

import os
import random
import socket
import struct
import sys
import time

HELLO, CONNECT, DISCONNECT, RESET = 0, 1, 2, 3
INTERFACE_INFO, EP_INFO, CANCEL, CONTROL, BULK = 4, 5, 21, 100, 101
CAPS = 0x7E
SECONDS = 20


def hello(caps=CAPS):
    return struct.pack("<III", HELLO, 68, 0) + b"a peer".ljust(64, b"\0") + struct.pack("<I", caps)


def packet(kind, body=b"", number=1):
    return struct.pack("<IIQ", kind, len(body), number) + body


def control(kind, request, value, index, length, number=1, data=b""):
    header = struct.pack("<BBBBHHH", kind & 0x80, request, kind, 0, value, index, length)
    return packet(CONTROL, header + data, number)


GET_DEVICE = control(0x80, 6, 0x0100, 0, 18)


class Peer:
    """A connection with a hello, and what came over it."""

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(SECONDS)

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.connection.recv(count - len(data))
            if not piece:
                raise EOFError("hung up")
            data += piece
        return data

    def next(self):
        kind, length, number = struct.unpack("<IIQ", self.read(16))
        return kind, number, self.read(length)

    def until(self, wanted):
        kinds = []
        while True:
            kind, number, body = self.next()
            kinds.append(kind)
            if kind == wanted:
                return kinds, number, body

    def greet(self):
        self.connection.sendall(hello())
        kind, length, _ = struct.unpack("<III", self.read(12))
        assert (kind, length) == (HELLO, 68), (kind, length)
        self.read(length)

    def look(self):
        """Hello, connect, device descriptor: the VID:PID it has."""
        self.greet()
        kinds, _, body = self.until(CONNECT)
        assert kinds == [EP_INFO, INTERFACE_INFO, CONNECT], kinds
        return self.descriptor(body)

    def descriptor(self, connect):
        self.connection.sendall(control(0x80, 6, 0x0100, 0, 18, 7))
        _, number, body = self.until(CONTROL)
        assert number == 7 and body[3] == 0 and len(body) == 28, body
        assert body[18:22] == connect[4:8]
        return "%04x:%04x" % struct.unpack("<HH", body[18:22])


def connect(path):
    deadline = time.monotonic() + SECONDS
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            return connection
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def look(path):
    """Somebody else may still be on the line, then we are hung up on."""
    deadline = time.monotonic() + SECONDS
    while True:
        peer = Peer(connect(path))
        try:
            found = peer.look()
            peer.connection.close()
            return found
        except (EOFError, ConnectionError):
            peer.connection.close()
            if time.monotonic() > deadline:
                raise


def serve(path, times):
    for _ in range(times):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        listener.settimeout(SECONDS)
        connection, _ = listener.accept()
        print(Peer(connection).look(), flush=True)
        connection.close()
        listener.close()
        os.unlink(path)


def closed(connection):
    """It hangs up on us, whatever it still had to say."""
    connection.settimeout(SECONDS)
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass


# --- attacks: each gets a connection, and may leave it as it likes ---


def garbage(c):
    c.sendall(random.Random(1).randbytes(5000))
    closed(c)


def http(c):
    c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    closed(c)


def nothing(c):
    pass


def half_hello(c):
    c.sendall(hello()[:40])


def half_header(c):
    c.sendall(hello() + GET_DEVICE[:9])


def half_packet(c):
    """The rest of a megabyte never comes."""
    body = struct.pack("<BBHIH", 0x01, 0, 0, 0, 0x10)
    c.sendall(hello() + struct.pack("<IIQ", BULK, len(body) + (1 << 20), 1) + body + bytes(1000))


def half_close(c):
    c.sendall(hello() + GET_DEVICE)
    c.shutdown(socket.SHUT_WR)
    closed(c)


def deaf(c):
    c.sendall(hello())
    c.shutdown(socket.SHUT_RD)
    try:
        while True:
            c.sendall(GET_DEVICE)
    except ConnectionError:
        pass


def oversized(c):
    c.sendall(hello() + struct.pack("<IIQ", BULK, 0x07F00000, 1))
    closed(c)


def four_gigabytes(c):
    c.sendall(hello() + struct.pack("<IIQ", CONTROL, 0xFFFFFFFF, 1))
    closed(c)


def huge_hello(c):
    c.sendall(struct.pack("<III", HELLO, 0x00FFFFFF, 0) + bytes(1000))
    closed(c)


def second_hello(c):
    c.sendall(hello() + packet(HELLO, bytes(68)))
    closed(c)


def reordered(c):
    c.sendall(GET_DEVICE + hello())
    closed(c)


def wrong_way(c):
    c.sendall(hello() + packet(CONNECT, bytes(10)))
    closed(c)


def unknown(c):
    c.sendall(hello() + packet(99))
    closed(c)


def lying_length(c):
    """A control packet out of 64 bytes that brings 3."""
    c.sendall(hello() + control(0x21, 1, 0, 0, 64, data=b"abc"))
    closed(c)


def same_ids(c):
    peer = Peer(c)
    peer.greet()
    c.sendall(GET_DEVICE * 50 + packet(CANCEL) * 50)
    for _ in range(50):
        peer.until(CONTROL)


def byte_by_byte(c):
    for byte in hello() + GET_DEVICE:
        c.sendall(bytes([byte]))


def every_packet(c):
    """All kinds there are, empty and not, at random."""
    dice = random.Random(2)
    c.sendall(hello())
    for kind in [6, 7, 9, 10, 12, 13, 15, 16, 21, 22, 24, RESET] * 30:
        size = {6: 1, 9: 2, 10: 1, 12: 3, 13: 1, 15: 1, 16: 1}.get(kind, 0)
        body = dice.randbytes(size)
        if kind in (15, 16):  # of another endpoint the library does not even hear
            body = bytes([body[0] | 0x80])
        c.sendall(packet(kind, body, dice.randrange(50)))


ATTACKS = [
    garbage, http, nothing, half_hello, half_header, half_packet, half_close, deaf, oversized, four_gigabytes, huge_hello,
    second_hello, reordered, wrong_way, unknown, lying_length, same_ids, byte_by_byte, every_packet,
]


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def processor(pid):
    """Seconds that it has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stays_well(good):
    """The peer of the other board sees no difference."""
    begun = time.monotonic()
    good.connection.sendall(GET_DEVICE)
    good.until(CONTROL)
    assert time.monotonic() - begun < 5


def good_peer(path):
    peer = Peer(connect(path))
    peer.look()
    return peer


def hostile(path, good_path, pid, measured):
    good = good_peer(good_path)
    sizes = []
    for _ in range(6):
        for attack in ATTACKS:
            c = connect(path)
            try:
                attack(c)
            except ConnectionError:
                pass  # hung up on already
            stays_well(good)
            c.close()
            assert look(path) == "0483:df11", attack.__name__
        sizes.append(memory(pid))
    print("memory in KiB after each round:", sizes)
    assert not measured or sizes[-1] - sizes[1] < 512


def flood(path, good_path, pid, measured):
    good = good_peer(good_path)
    stays_well(good)
    before = memory(pid)
    c = connect(path)
    c.sendall(hello())
    c.settimeout(0.3)
    sent = 0
    try:
        while sent < 64 << 20:
            sent += c.send(control(0x80, 6, 0x0200, 0, 0xFFFF) * 50)
    except TimeoutError:
        pass
    else:
        sys.exit("all of it was taken")
    grown = memory(pid) - before
    used = processor(pid)
    time.sleep(0.5)  # what is measured
    used = processor(pid) - used
    print(f"{sent} bytes were taken, {grown} KiB grown, {used:.2f} s used in half a second")
    assert used < 0.15
    assert not measured or grown < 24576  # what transfers may have, and the answers
    stays_well(good)
    c.close()
    assert look(path) == "0483:df11"


def connects(path, good_path, pid, count, measured):
    """That many, of all kinds: at once away, with a hello or a part of it, with a request, half closed."""
    good = good_peer(good_path)
    words = (b"", hello()[:40], hello(), hello() + GET_DEVICE, hello() + GET_DEVICE[:9])
    sizes = []
    for i in range(count):
        with connect(path) as c:
            try:
                c.sendall(words[i % len(words)])
                if i % 3 == 0:
                    c.shutdown(socket.SHUT_WR)
            except ConnectionError:
                pass  # hung up on already
        if i % 200 == 0:
            stays_well(good)
            sizes.append(memory(pid))
    files = len(os.listdir(f"/proc/{pid}/fd"))
    stays_well(good)
    assert look(path) == "0483:df11"
    print(f"{files} descriptors are open; memory in KiB on the way:", sizes)
    assert files < 40
    assert not measured or sizes[-1] - sizes[5] < 512


def main():
    what, path, *rest = sys.argv[1:]
    if what == "serve":
        serve(path, int(rest[0]))
    elif what == "look":
        print(look(path))
    elif what == "connects":
        connects(path, rest[0], int(rest[1]), int(rest[2]), "rss" in rest)
    else:
        {"hostile": hostile, "flood": flood}[what](path, rest[0], int(rest[1]), "rss" in rest)


main()
