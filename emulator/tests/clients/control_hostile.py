# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of the control socket that mean harm: control_hostile.py SOCKET PID CHECK [ARGUMENT...]"""

import contextlib
import os
import random
import socket
import sys
import threading
import time

LIMIT_S = 30


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)  # waits for room in the queue, which it would not with a time-out
    s.settimeout(LIMIT_S)
    return s


def answer(s):
    """Up to the line that ends it; what there is if the connection ends."""
    got = b""
    while not got.endswith((b"ok\n", b"\n")) or not any(
        line == b"ok" or line.startswith((b"error: ", b"refused: ")) for line in got.split(b"\n")
    ):
        part = s.recv(65536)
        if not part:
            break
        got += part
    return got


def ask(path, line):
    with connect(path) as s:
        s.sendall(line + b"\n")
        return answer(s)


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def ticks(pid):
    """Of processor time."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def until(condition):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


def give(s, data):
    """All of it, unless they hang up on us, or do not take it."""
    try:
        s.sendall(data)
    except (ConnectionError, TimeoutError):
        pass


KINDS = (
    b"",
    b"stat",
    b"status\n",
    b"x" * 9000,
    b"\0\n\x1b[2J\n\"\n\\\n" + b"w " * 100 + b"\n",
    b"wait erased\n",
    b"in 1000s reset\n" * 3,
    b"events\n",
    b"json on\nhelp\n" * 40,
)


def connects(path, _, count):
    """That many, of all kinds; some are kept."""
    kept = []
    for n in range(int(count)):
        s = connect(path)
        give(s, KINDS[n % len(KINDS)])
        if n % 5 == 1:
            s.shutdown(socket.SHUT_WR)
        if n % 5 == 2 and n % len(KINDS) not in (5, 6, 7):
            kept.append(s)
            if len(kept) > 100:
                kept.pop(0).close()
        else:
            s.close()
    for s in kept:
        s.close()


def noise(path, _):
    rng = random.Random(3)
    for n in range(300):
        with connect(path) as s:
            data = rng.randbytes(rng.randrange(1, 9000))
            give(s, data.replace(b"\n", b"x") if n % 2 else data)


def unread(path, _):
    """Asks and does not read: it is made to wait, or hung up on."""
    for line in (b"help\n", b"events\n"):
        with connect(path) as s:
            s.settimeout(0.5)
            give(s, line * 20000)
            if line == b"events\n":
                for _ in range(50):
                    assert ask(path, b"boot1 low").endswith(b"ok\n")


def slow(path, _):
    with connect(path) as s:
        for b in b"boards\n":
            s.sendall(bytes((b,)))
            time.sleep(0.01)
        assert answer(s).endswith(b"ok\n")


def harm(path, pid, count, most_kib):
    """All of that beside a client that behaves; and memory and descriptors are what they were."""
    done, mistakes, rounds, links = threading.Event(), [], [0], [0]

    def work_on(s):
        while not done.is_set():
            s.sendall(b"flash save saved\n" if rounds[0] % 50 == 0 else b"status\n")
            got = answer(s)
            if not got:
                return
            assert got.endswith(b"ok\n"), got
            rounds[0] += 1

    def work():
        try:
            while not done.is_set():
                links[0] += 1
                with connect(path) as s, contextlib.suppress(ConnectionError):
                    work_on(s)
        except BaseException as e:  # pylint: disable=broad-exception-caught
            mistakes.append(repr(e))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        before = None
        for _ in range(2):
            for check in (noise, unread, slow):
                check(path, pid)
            connects(path, pid, 500 if before is None else count)
            before = before or rss(pid)
        grown = rss(pid) - before
    finally:
        done.set()
        worker.join()
    print(f"{rounds[0]} rounds of work beside it, {links[0]} connections; memory {before} KiB, grown by {grown} KiB")
    assert not mistakes, mistakes
    # Between two commands it is idle, and who is idle for longest goes when there are too many: on a busy machine that may be it.
    assert rounds[0] > 20 * (links[0] - 1)
    assert grown < int(most_kib), grown


def crowd(path, pid):
    """Idle ones, more than there may be: who comes then is served all the same. Who waits is left alone."""
    before = descriptors(pid)
    with connect(path) as waits:
        waits.sendall(b"wait erased\n")
        kept = [connect(path) for _ in range(100)]
        for _ in range(50):
            assert ask(path, b"time").endswith(b"ok\n")
        until(lambda: kept[0].recv(1) == b"")
        waits.settimeout(0.2)
        try:
            assert waits.recv(1) != b""
        except TimeoutError:
            pass
        for s in kept:
            s.close()
    until(lambda: descriptors(pid) <= before)


def exhausted(path, pid):
    """More that wait than there are descriptors: the rest is told so, and costs no time."""
    kept = []
    while True:
        s = connect(path)
        kept.append(s)
        try:
            s.sendall(b"events\n")
        except BrokenPipeError:
            pass  # hung up on already; what it was told is there to read
        if not s.recv(64).startswith(b"  listening"):
            break
        assert len(kept) < 64
    before = ticks(pid)
    kept += [connect(path) for _ in range(10)]
    time.sleep(1)
    assert ticks(pid) - before < 50, "it spins"
    for s in kept:
        s.close()
    until(lambda: ask(path, b"time").endswith(b"ok\n"))


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], int(sys.argv[2]), *sys.argv[4:])
