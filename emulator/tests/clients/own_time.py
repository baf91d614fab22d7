#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A script that measures its own time: own_time.py clocks COMMAND... | threads | asyncio"""

import asyncio
import datetime
import os
import subprocess
import sys
import threading
import time

CLOCKS = {
    "time.monotonic": time.monotonic,
    "time.perf_counter": time.perf_counter,
    "time.time": time.time,
    "datetime.now": lambda: datetime.datetime.now().timestamp(),
    "clock_gettime(CLOCK_BOOTTIME)": lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
}


def expect(what, seconds, want, slack=0.7):
    print(f"{what}: {seconds:.3f}")
    if not want - 0.002 <= seconds <= want + slack:
        sys.exit(f"{what}: {want} s expected, got {seconds}")


def clocks(command):
    start = {name: clock() for name, clock in CLOCKS.items()}
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    for name, clock in CLOCKS.items():
        expect(name, clock() - start[name], float(said[1]), 2)
    print(said[0])


def threads():
    event, done = threading.Event(), threading.Event()

    def other():
        time.sleep(2)
        event.set()
        time.sleep(1)
        done.set()

    start = time.monotonic()
    thread = threading.Thread(target=other)
    thread.start()
    if event.wait(0.5):
        sys.exit("too early")
    expect("Event.wait that times out", time.monotonic() - start, 0.5)
    if not event.wait(30):
        sys.exit("too late")
    expect("Event.wait", time.monotonic() - start, 2)
    if not done.wait(30):
        sys.exit("too late")
    expect("another", time.monotonic() - start, 3)
    thread.join()
    start = time.monotonic()
    subprocess.run(["sleep", "5"], check=True)
    expect("sleep 5", time.monotonic() - start, 5)
    start = time.monotonic()
    try:
        subprocess.run(["sleep", "50"], timeout=7)
        sys.exit("no time-out")
    except subprocess.TimeoutExpired:
        expect("time-out of a subprocess", time.monotonic() - start, 7)


def loop():
    # Its loop waits for a socket pair as well, which leads nowhere else.
    start = time.monotonic()
    asyncio.run(asyncio.sleep(50))
    expect("asyncio.sleep", time.monotonic() - start, 50)


def main():
    if sys.argv[1] == "clocks":
        clocks(sys.argv[2:])
        return
    os.open("/dev/bus/usb/001/002", os.O_RDWR)
    {"threads": threads, "asyncio": loop}[sys.argv[1]]()


if __name__ == "__main__":
    main()
