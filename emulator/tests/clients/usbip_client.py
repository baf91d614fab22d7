# SPDX-License-Identifier: GPL-2.0-or-later
"""A USB/IP client for tests, written from the protocol's description and not from our codec. The real one is the kernel."""

import errno
import socket
import struct
import time

VERSION = 0x0111
DEVLIST, IMPORT = 0x8005, 0x8003
SUBMIT, UNLINK, SUBMITTED, UNLINKED = 1, 2, 3, 4
LIMIT_S = 60


def connect(address):
    host, port = address.rsplit(":", 1)
    s = socket.create_connection((host.strip("[]"), int(port)), timeout=LIMIT_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read(s, count):
    """Exactly so many bytes; EOFError if the other end hangs up before."""
    parts = []
    while count:
        try:
            part = s.recv(count)
        except ConnectionError:
            part = b""
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def text(field):
    return field.split(b"\0")[0].decode()


class Record:
    """What a server tells of a device."""

    def __init__(self, s, interfaces):
        fields = struct.unpack(">256s32sIIIHHHBBBBBB", read(s, 312))
        self.path, self.busid = text(fields[0]), text(fields[1])
        (self.busnum, self.devnum, self.speed, self.vendor, self.product, self.bcd_device, *self.device_class,
         self.configuration, self.configurations, count) = fields[2:]  # fmt: skip
        self.interfaces = [tuple(read(s, 4)[:3]) for _ in range(count if interfaces else 0)]
        self.devid = self.busnum << 16 | self.devnum


def devices(address):
    with connect(address) as s:
        s.sendall(struct.pack(">HHI", VERSION, DEVLIST, 0))
        version, code, status, count = struct.unpack(">HHII", read(s, 12))
        assert (version, code, status) == (VERSION, 5, 0)
        found = [Record(s, True) for _ in range(count)]
        assert s.recv(1) == b""
        return found


class Refused(Exception):
    """With the status of the reply."""


class Device:
    """An import."""

    def __init__(self, address, busid="1-1"):
        self.s = connect(address)
        self.seqnum = 0
        self.early = {}
        self.s.sendall(struct.pack(">HHI32s", VERSION, IMPORT, 0, busid.encode()))
        version, code, status = struct.unpack(">HHI", read(self.s, 8))
        assert (version, code) == (VERSION, 3)
        if status:
            assert self.s.recv(1) == b""
            self.s.close()
            raise Refused(status)
        self.record = Record(self.s, False)

    def close(self):
        self.s.close()

    def submit_bytes(self, endpoint, incoming, length, setup=bytes(8), data=b"", flags=0, packets=0, devid=None):
        self.seqnum += 1
        return struct.pack(">IIIIIIIIII8s", SUBMIT, self.seqnum, self.record.devid if devid is None else devid, incoming,
                           endpoint, flags, length, 0, packets, 0, setup) + data  # fmt: skip

    def submit(self, *args, **more):
        self.s.sendall(self.submit_bytes(*args, **more))
        return self.seqnum

    def submit_control(self, kind, request, value, index, length, data=b"", **more):
        setup = struct.pack("<BBHHH", kind, request, value, index, length)
        return self.submit(0, kind >> 7, length, setup, data, **more)

    def unlink(self, seqnum):
        self.seqnum += 1
        self.s.sendall(struct.pack(">IIIIII24x", UNLINK, self.seqnum, self.record.devid, 0, 0, seqnum))
        return self.seqnum

    def reply(self, incoming):
        """The next one: (command, seqnum, status, data or what was moved). incoming: of that seqnum, or a function."""
        head = read(self.s, 48)
        command, seqnum, devid, direction, endpoint, status, actual, _, packets = struct.unpack(">IIIIIiIII", head[:36])
        assert (devid, direction, endpoint) == (0, 0, 0)
        if command == UNLINKED:
            return command, seqnum, status, 0
        assert command == SUBMITTED and packets == 0
        if callable(incoming):
            incoming = incoming(seqnum)
        return command, seqnum, status, read(self.s, actual) if incoming else actual

    def control(self, kind, request, value, index, length_or_data=0, **more):
        """One transfer, waited for: bytes of an IN, the number of bytes of an OUT; OSError."""
        incoming = kind >> 7
        data = b"" if incoming else length_or_data or b""
        length = length_or_data if incoming else len(data)
        seqnum = self.submit_control(kind, request, value, index, length, data, **more)
        command, got, status, result = self.reply(incoming)
        assert (command, got) == (SUBMITTED, seqnum)
        if status:
            raise OSError(-status, "status of the transfer")
        return result

    # --- chapter 9 and DfuSe, as far as the tests need them ---

    def configure(self):
        assert len(self.control(0x80, 6, 0x0100, 0, 64)) == 18
        self.control(0, 9, 1, 0)

    def getstatus(self):
        """(status, poll time-out in ms, state)"""
        b = self.control(0xA1, 3, 0, 0, 6)
        return b[0], b[1] | b[2] << 8 | b[3] << 16, b[4]

    def download(self, block, data):
        self.control(0x21, 1, block, 0, data)
        status = self.getstatus()
        while status[2] == 4:  # dfuDNBUSY
            time.sleep(min(status[1] / 1000, 0.005))
            status = self.getstatus()
        assert (status[0], status[2]) == (0, 5), status

    def idle(self):
        if self.getstatus()[2] == 10:
            self.control(0x21, 4, 0, 0)
        self.control(0x21, 6, 0, 0)
        assert self.getstatus()[2] == 2

    def flash(self, address, data):
        self.idle()
        for at in range(0, len(data), 16384):
            self.download(0, b"\x41" + struct.pack("<I", address + at))
        self.download(0, b"\x21" + struct.pack("<I", address))
        for block, at in enumerate(range(0, len(data), 2048)):
            self.download(block + 2, data[at : at + 2048])

    def upload(self, address, length):
        self.idle()
        self.download(0, b"\x21" + struct.pack("<I", address))
        self.control(0x21, 6, 0, 0)
        blocks = range(0, length, 2048)
        return b"".join(self.control(0xA1, 2, n + 2, 0, min(2048, length - at)) for n, at in enumerate(blocks))

    def leave(self):
        """False if it was gone before it could say that it would."""
        self.control(0x21, 1, 0, 0)
        try:
            self.getstatus()
        except (OSError, EOFError):
            return False
        return True

    def hung_up(self):
        try:
            read(self.s, 1)
        except EOFError:
            return True
        return False


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)


def status_of(call):
    """0, or the number of the error that it ends with."""
    try:
        call()
    except OSError as e:
        return e.errno
    return 0


STALL, GONE, CANCELLED, INVALID, SHORT, NO_MEMORY, PROTOCOL = (
    errno.EPIPE, errno.ESHUTDOWN, -errno.ECONNRESET, -errno.EINVAL, -errno.EREMOTEIO, -errno.ENOMEM, errno.EPROTO)  # fmt: skip
