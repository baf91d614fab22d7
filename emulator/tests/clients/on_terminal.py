#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a command on a terminal of its own, press Ctrl-C whenever the file READY is there, which goes, and end as it did:
on_terminal.py READY COMMAND..."""

import os
import pty
import select
import signal
import sys
import time


def main():
    ready, command = sys.argv[1], sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        if os.path.exists(ready):
            os.unlink(ready)
            os.write(terminal, b"\x03")
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                sys.stdout.buffer.write(os.read(terminal, 4096))
            except OSError:
                break
    else:
        os.kill(pid, signal.SIGKILL)
        print("=> it did not end")
    status = os.waitpid(pid, 0)[1]
    print(f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"status {os.WEXITSTATUS(status)}")


main()
