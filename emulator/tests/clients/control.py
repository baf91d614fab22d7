#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One line to a control socket, and its answer: control.py SOCKET recv|read|timeout|poll|child LINE; or `serve`: be one."""

import os
import select
import socket
import sys
import time


def answer_of(connection, way):
    """The last line, by another system call each."""
    data = b""
    while not data.endswith(b"\n"):
        if way == "poll":
            poll = select.poll()
            poll.register(connection, select.POLLIN)
            poll.poll()
        if way == "timeout":
            connection.settimeout(50)
        piece = os.read(connection.fileno(), 4096) if way == "read" else connection.recv(4096)
        if not piece:
            sys.exit("the connection ended before the answer")
        data += piece
    return data.decode().splitlines()[-1]


def ask(path, way, line):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(line.encode() + b"\n")
    if way == "child":
        # The process that connected is not the one that waits.
        child = os.fork()
        if child:
            connection.close()
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(answer_of(connection, way), flush=True)


def serve(path):
    """Half a second for each client."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    connection, _ = listener.accept()
    connection.recv(4096)
    time.sleep(0.5)
    connection.sendall(b"ok\n")


if sys.argv[2] == "serve":
    serve(sys.argv[1])
else:
    ask(*sys.argv[1:4])
