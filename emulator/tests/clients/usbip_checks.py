#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One check of a running USB/IP server: usbip_checks.py ADDRESS NAME [ARGUMENT...]; see it_usbip.sh."""

import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time

from usbip_client import (CANCELLED, GONE, IMPORT, INVALID, NO_MEMORY, PROTOCOL, SHORT, STALL, SUBMIT, SUBMITTED, UNLINK, UNLINKED,
                          VERSION, Device, Refused, connect, devices, read, status_of, until)  # fmt: skip

APPLICATION = bytes((0, 0, 2, 0x20, 0x89, 1, 0, 8))
FLASH = 0x08000000


def refusal(address, busid):
    try:
        Device(address, busid).close()
    except Refused as e:
        return e.args[0]
    return 0


def imported(address, busid="1-1"):
    """Soon: it may have to come back first."""

    def attempt():
        try:
            return Device(address, busid)
        except Refused:
            return None

    return until(attempt)


def application(address, busid="1-1"):
    """The serial port that a board with an application shows after a leave."""
    until(lambda: [d for d in devices(address) if d.busid == busid and d.product == 0x5740])
    device = imported(address, busid)
    assert device.control(0x80, 6, 0x0100, 0, 18)[8:12] == b"\x83\x04\x40\x57"
    device.control(0, 9, 1, 0)
    return device


# --- the list, and who has what ---


def listed(address):
    """Two boards and a bystander."""
    found = devices(address)
    assert [d.busid for d in found] == ["1-1", "1-2", "1-3"], found
    assert [(d.vendor, d.product) for d in found] == [(0x0483, 0xDF11)] * 2 + [(0x0483, 0x374B)]
    assert found[0].interfaces == [(0xFE, 1, 2)] and found[0].bcd_device == 0x2200 and found[0].speed == 2
    assert len({d.devid for d in found}) == 3 and len({d.path for d in found}) == 3
    for busid in ("1-4", "1-0", "2-1", "1-01", "1- 1", "1-1 ", "", "1-", "1-4294967297", "x" * 31):
        assert refusal(address, busid) == 4, busid
    one = Device(address, "1-1")
    assert vars(one.record) == {**vars(found[0]), "interfaces": []}
    assert refusal(address, "1-1") == 2
    two = Device(address, "1-2")
    assert [one.control(0x80, 6, 0x0300 + 3, 0x0409, 255) != two.control(0x80, 6, 0x0300 + 3, 0x0409, 255)] == [True]
    one.close()
    assert until(lambda: refusal(address, "1-1") == 0)
    assert refusal(address, "1-2") == 2


def no_devices(address):
    assert devices(address) == [] and refusal(address, "1-1") == 4


# --- what a session does ---


def flashed(address):
    data = random.Random(1).randbytes(20000)
    device = Device(address)
    device.configure()
    device.flash(FLASH, data)
    assert device.upload(FLASH, len(data)) == data
    device.close()
    with open("want.bin", "wb") as f:
        f.write(data)


def next_is_unconfigured(address):
    """A host that goes leaves nothing to the next one."""
    device = Device(address)
    assert device.control(0x80, 8, 0, 0, 1) == b"\0"
    device.configure()
    device.control(1, 11, 3, 0)
    assert device.control(0x80, 8, 0, 0, 1) == b"\1"
    device.close()
    device = imported(address)
    assert device.control(0x80, 8, 0, 0, 1) == b"\0"
    assert status_of(device.getstatus) == STALL
    device.configure()
    assert device.control(0x81, 10, 0, 0, 1) == b"\0"


def statuses(address):
    device = Device(address)
    device.configure()
    assert status_of(lambda: device.control(0xC0, 77, 0, 0, 4)) == STALL
    assert device.control(0x80, 6, 0x0100, 0, 64)[:2] == b"\x12\x01"
    device.submit_control(0x80, 6, 0x0100, 0, 64, flags=1)
    assert device.reply(1)[2] == SHORT
    # An isochronous transfer is refused, and the next one is understood.
    device.submit(1, 0, 40, data=bytes(40 + 5 * 16), packets=5)
    assert device.reply(0)[2:] == (INVALID, 0)
    device.idle()


def replugged(address, rounds):
    """From the ROM to the application and back by the control socket S."""
    for _ in range(int(rounds)):
        device = imported(address)
        device.configure()
        device.flash(FLASH, APPLICATION)
        device.leave()
        assert device.hung_up()
        device.close()
        device = application(address)
        echo(device)
        subprocess.run([os.environ["dfuemu"], "ctl", "S", "reset"], check=True, capture_output=True)
        while not device.hung_up():
            pass
        device.close()
        until(lambda: [d for d in devices(address) if d.product == 0xDF11])


def echo(device):
    """What is written comes back, with reads that wait, as a driver has them."""
    waiting = [device.submit(1, 1, 64) for _ in range(4)]
    notify = device.submit(2, 1, 8)
    text = b"echo of the stub"
    written = device.submit(1, 0, len(text), data=text)
    got = {}
    for _ in range(2):
        _, seqnum, status, result = device.reply(lambda seqnum: seqnum in waiting)
        got[seqnum] = (status, result)
    assert got == {written: (0, len(text)), waiting[0]: (0, text)}, got
    for seqnum in waiting[1:] + [notify]:
        device.unlink(seqnum)
        assert device.reply(0)[::2] == (UNLINKED, CANCELLED)


def erase(device):
    """All of it; the next GETSTATUS is held until that is done."""
    device.control(0x21, 1, 0, 0, b"\x41")
    assert device.getstatus()[2] == 4


def held(address):
    """Real time: a mass erase holds GETSTATUS for seconds. It can be taken back, and nobody else waits for it."""
    start = time.monotonic()
    device, other = Device(address, "1-1"), Device(address, "1-2")
    for d in (device, other):
        d.configure()
        d.idle()
    erase(device)
    seqnum = device.submit_control(0xA1, 3, 0, 0, 6)
    other.getstatus()
    device.unlink(seqnum)
    command, _, status, _ = device.reply(0)
    assert (command, status) == (UNLINKED, CANCELLED)
    # Once more, and away without a word: the board can be had at once, though it erases on and answers nobody.
    device.submit_control(0xA1, 3, 0, 0, 6)
    other.getstatus()
    device.close()
    device = imported(address)
    seqnum = device.submit_control(0x80, 6, 0x0100, 0, 18)
    device.unlink(seqnum)
    assert device.reply(0)[::2] == (UNLINKED, CANCELLED)
    assert time.monotonic() - start < 8


def silent(address):
    """--fault silent on getstatus: nothing comes until it is taken back."""
    device = Device(address)
    device.configure()
    seqnum = device.submit_control(0xA1, 3, 0, 0, 6)
    device.s.settimeout(0.3)
    try:
        device.reply(1)
        raise AssertionError("it was answered")
    except TimeoutError:
        pass
    device.s.settimeout(10)
    device.unlink(seqnum)
    assert device.reply(0)[::2] == (UNLINKED, CANCELLED)
    device.idle()


def bus_error(address):
    device = Device(address)
    device.configure()
    assert status_of(device.getstatus) == PROTOCOL
    device.idle()


def pulled(address):
    """The cable is pulled, by S, while a transfer is held."""
    device = Device(address)
    device.configure()
    device.idle()
    erase(device)
    seqnum = device.submit_control(0xA1, 3, 0, 0, 6)
    subprocess.run([os.environ["dfuemu"], "ctl", "S", "unplug"], check=True, capture_output=True)
    assert device.reply(1)[1:3] == (seqnum, -GONE) and device.hung_up()
    assert refusal(address, "1-1") == 4 and devices(address) == []
    subprocess.run([os.environ["dfuemu"], "ctl", "S", "plug"], check=True, capture_output=True)
    # It erases on, and answers nobody before it has done: 16 s, then it is there.
    until(lambda: devices(address), 40)
    imported(address).configure()


def many(address, count, bytes_each):
    """A client for each board, all at once; each writes something of its own."""
    failures = []

    def one(n):
        try:
            data = random.Random(n).randbytes(int(bytes_each))
            device = Device(address, f"1-{n}")
            device.configure()
            device.flash(FLASH, data)
            assert device.upload(FLASH, len(data)) == data
        except BaseException as e:  # pylint: disable=broad-exception-caught
            failures.append((n, repr(e)))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(1, int(count) + 1)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures[:5]


def contended(address, rounds):
    """Many want the same board: one has it, the others are told, and it is never lost."""
    counts = [0, 0]

    def one():
        for _ in range(int(rounds)):
            try:
                device = Device(address)
                assert len(device.control(0x80, 6, 0x0100, 0, 18)) == 18
                counts[0] += 1
                device.submit_control(0x80, 6, 0x0200, 0, 255)
                device.close()
            except Refused as e:
                assert e.args[0] == 2
                counts[1] += 1

    threads = [threading.Thread(target=one) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum(counts) == 4 * int(rounds) and counts[0], counts
    imported(address)


# --- peers that mean harm ---


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def import_bytes(busid="1-1"):
    return struct.pack(">HHI32s", VERSION, IMPORT, 0, busid.encode())


def cut_off(address):
    """Everything that a client says, cut off at each place."""
    device = imported(address, "1-2")
    request = import_bytes("1-2")
    message = device.submit_bytes(0, 0, 8, b"\x21\x01\0\0\0\0\x08\0", bytes(8))
    device.close()
    for n in range(len(request)):
        with connect(address) as s:
            s.sendall(request[:n])
    for n in range(len(message)):
        device = imported(address, "1-2")
        device.s.sendall(message[:n])
        device.close()


def noise(address):
    rng = random.Random(2)
    for n in range(300):
        data = rng.randbytes(rng.randrange(1, 5000))
        try:
            if n % 2:
                device = imported(address, "1-2")
                device.s.sendall(data)
                device.close()
            else:
                with connect(address) as s:
                    s.sendall((b"\x01\x11\x80" if n % 4 else b"") + data)
        except ConnectionError:
            pass


def out_of_order(address):
    """Messages before an import, requests after it, replies as requests, one device's for another."""
    device = imported(address, "1-2")
    message = device.submit_bytes(0, 1, 18, b"\x80\x06\0\1\0\0\x12\0")
    device.close()
    with connect(address) as s:
        s.sendall(message)
        try:
            assert s.recv(1) == b""
        except ConnectionError:
            pass
    wrong = [import_bytes() + bytes(8), struct.pack(">I44x", SUBMITTED), struct.pack(">I44x", UNLINKED),
             struct.pack(">III36x", SUBMIT, 1, 0x10001), struct.pack(">III36x", UNLINK, 1, 0xFFFFFFFF),
             bytes(48), b"\xff" * 48,
             struct.pack(">IIIIIIIIII8s", SUBMIT, 1, 0x10002, 0, 0, 0, 0x7FFFFFFF, 0, 0, 0, bytes(8)),
             struct.pack(">IIIIIIIIII8s", SUBMIT, 1, 0x10002, 1, 0, 0, 0xFFFFFFFF, 0, 0, 0, bytes(8)),
             struct.pack(">IIIIIIIIII8s", SUBMIT, 1, 0x10002, 1, 1, 0, 64, 0, 0x7FFFFFFF, 0, bytes(8))]  # fmt: skip
    for data in wrong:
        device = imported(address, "1-2")
        device.s.sendall(data)
        assert device.hung_up(), data
        device.close()


def flood(address):
    """As fast as it goes, and nothing is read."""
    device = imported(address, "1-2")
    device.configure()
    device.s.settimeout(0.5)
    burst = b"".join(device.submit_bytes(0, 1, 18, b"\x80\x06\0\1\0\0\x12\0") for _ in range(1000))
    try:
        for _ in range(2000):
            device.s.sendall(burst)
    except TimeoutError:
        pass
    device.close()
    # More reads than a session may have: the rest is refused.
    device = imported(address, "1-2")
    device.configure()
    device.control(0x21, 4, 0, 0) if device.getstatus()[2] == 10 else None
    lists = [connect(address) for _ in range(200)]
    for s in lists:
        s.sendall(struct.pack(">HHI", VERSION, 0x8005, 0))
    device.close()
    for s in lists:
        s.close()


def too_many(address):
    """More transfers than may be under way: the serial port's reads have nothing to say."""
    device = imported(address, "1-3")
    device.configure()
    waiting = [device.submit(1, 1, 64) for _ in range(400)]
    refused = [device.reply(1)[1:3] for _ in range(400 - 256)]
    assert refused == [(seqnum, NO_MEMORY) for seqnum in waiting[256:]], refused[:3]
    device.unlink(waiting[7])
    assert device.reply(0)[::2] == (UNLINKED, CANCELLED)
    device.close()


def slow(address):
    """A byte at a time is slow, and fine."""
    with connect(address) as s:
        for b in import_bytes("1-2"):
            s.sendall(bytes((b,)))
            time.sleep(0.002)
        assert read(s, 8 + 312)[4:8] == bytes(4)
        message = struct.pack(">IIIIIIIIII8s", SUBMIT, 1, 0x10002, 1, 0, 0, 18, 0, 0, 0, b"\x80\x06\0\1\0\0\x12\0")
        for b in message:
            s.sendall(bytes((b,)))
            time.sleep(0.002)
        assert len(read(s, 48 + 18)) == 66


def half_closed(address):
    with connect(address) as s:
        s.sendall(struct.pack(">HHI", VERSION, 0x8005, 0))
        s.shutdown(socket.SHUT_WR)
        assert read(s, 12)[:4] == b"\x01\x11\0\5"
    device = imported(address, "1-2")
    device.s.shutdown(socket.SHUT_WR)
    assert device.hung_up()
    imported(address, "1-2").close()


def connects(address, count):
    """That many, of all kinds: at once away, with a word, kept open, reset, with an import."""
    kept = []
    for n in range(int(count)):
        s = connect(address)
        kind = n % 6
        if kind == 5:
            s.sendall(import_bytes("1-2"))
            read(s, 8)
        elif kind == 1:
            s.sendall(import_bytes()[: n % 40])
        elif kind == 2:
            s.sendall(struct.pack(">HHI", VERSION, 0x8005, 0))
        elif kind == 3:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if kind == 4:
            kept.append(s)
            if len(kept) > 300:
                kept.pop(0).close()
        else:
            s.close()


def crowd(address, count):
    """More open connections than the server takes: the oldest of them have to go, and a newcomer is served at once."""
    kept = [connect(address) for _ in range(int(count))]
    start = time.monotonic()
    assert len(devices(address)) == 3
    assert time.monotonic() - start < 2
    until(lambda: hung_up_on(kept[0]))
    assert not hung_up_on(kept[-1])


def hung_up_on(s):
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def idle_too_long(address):
    """10 seconds for a request, by the clock on the wall."""
    start = time.monotonic()
    with connect(address) as s:
        s.sendall(import_bytes()[:20])
        assert s.recv(1) == b""
    assert 9.5 < time.monotonic() - start < 15


def harm(address, pid, count, most_kib):
    """All of that, while a well-behaved client works on board 1; and the server's memory stays what it was."""
    done, mistakes, transfers = threading.Event(), [], [0]

    def work():
        try:
            device = Device(address, "1-1")
            device.configure()
            device.idle()
            while not done.is_set():
                data = random.Random(transfers[0]).randbytes(2048)
                device.flash(FLASH, data)
                assert device.upload(FLASH, 2048) == data
                transfers[0] += 1
        except BaseException as e:  # pylint: disable=broad-exception-caught
            mistakes.append(repr(e))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        before = None
        for _ in range(2):
            for check in (cut_off, noise, out_of_order, flood, slow, half_closed):
                check(address)
            too_many(address)
            connects(address, 500 if before is None else int(count))
            until(lambda: refusal(address, "1-2") == 0)
            before = before or rss(pid)
        grown = rss(pid) - before
    finally:
        done.set()
        worker.join()
    print(f"{transfers[0]} rounds of work beside it; memory {before} KiB, grown by {grown} KiB")
    assert not mistakes, mistakes
    assert transfers[0] > 0
    assert grown < int(most_kib)


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1], *sys.argv[3:])
