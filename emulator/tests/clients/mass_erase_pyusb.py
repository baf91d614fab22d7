#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A mass erase by way of pyusb: mass_erase_pyusb.py TIMEOUT_MS [PAUSE_MS]. Prints "done SECONDS" or "timeout SECONDS"."""

import sys
import time

import usb.core

from flash_pyusb import DNBUSY, DNLOAD, DNLOAD_IDLE, GETSTATUS, Board


def main():
    timeout_ms, pause_ms = int(sys.argv[1]), int((sys.argv[2:] or ["0"])[0])
    board = Board(usb.core.find(idVendor=0x0483, idProduct=0xDF11))
    board.out(DNLOAD, 0, b"\x41")
    start = time.monotonic()
    if board.state() != DNBUSY:
        raise SystemExit("dfuDNBUSY expected")
    if pause_ms:
        time.sleep(pause_ms / 1000)
    try:
        state = board.device.ctrl_transfer(0xA1, GETSTATUS, 0, 0, 6, timeout_ms)[4]
        if state != DNLOAD_IDLE:
            raise SystemExit(f"dfuDNLOAD-IDLE expected: state {state}")
        print(f"done {time.monotonic() - start:.3f}")
    except usb.core.USBTimeoutError:
        print(f"timeout {time.monotonic() - start:.3f}")


if __name__ == "__main__":
    main()
