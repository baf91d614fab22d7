#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Round trips on the console of firmware, over the control socket: what is typed, and the line that ends its answer.

firmware_console.py SOCKET COUNT TEXT LINE    LINE: how that line begins; prints the seconds on this program's clock"""

import socket
import sys
import time

SECONDS = 20


def connect(path):
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(SECONDS)
    link.connect(path)
    return link, link.makefile("r")


def hear(lines, text):
    for line in lines:
        if text in line:
            return
    sys.exit("firmware_console: the socket was closed")


def main():
    path, count, text, line = sys.argv[1:]
    link, answers = connect(path)
    listening, events = connect(path)
    listening.sendall(b"events\n")
    hear(events, "listening")
    begin = 0.0
    for turn in range(int(count) + 1):
        if turn == 1:  # the first shows that it listens
            begin = time.monotonic()
        link.sendall(b"console send " + text.encode() + b"\n")
        answers.readline()
        hear(events, f"says '{line}")
    print(f"{time.monotonic() - begin:.6f}")


main()
