#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client with pyusb that never sleeps: it relies on the board to hold its answers.
flash_pyusb.py list | flash FILE | read FILE LENGTH"""

import struct
import sys

import usb.core
import usb.util

FLASH, SECTOR, BLOCK, TIMEOUT_MS = 0x08000000, 0x4000, 2048, 20000
DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, ABORT = 1, 2, 3, 4, 6
IDLE, DNBUSY, DNLOAD_IDLE, ERROR = 2, 4, 5, 10


class Board:
    def __init__(self, device):
        self.device = device
        device.set_configuration(1)
        usb.util.claim_interface(device, 0)
        for _ in range(4):
            state = self.state()
            if state == IDLE:
                return
            self.out(CLRSTATUS if state == ERROR else ABORT)
        raise SystemExit(f"the board does not become idle: state {state}")

    def out(self, request, value=0, data=None):
        self.device.ctrl_transfer(0x21, request, value, 0, data, TIMEOUT_MS)

    def state(self):
        return self.device.ctrl_transfer(0xA1, GETSTATUS, 0, 0, 6, TIMEOUT_MS)[4]

    def execute(self):
        states = [self.state(), self.state()]
        if states != [DNBUSY, DNLOAD_IDLE]:
            raise SystemExit(f"states {states}")

    def command(self, code, address):
        self.out(DNLOAD, 0, struct.pack("<BI", code, address))
        self.execute()

    def flash(self, data):
        for at in range(0, len(data), SECTOR):
            self.command(0x41, FLASH + at)
        for at in range(0, len(data), BLOCK):
            self.command(0x21, FLASH + at)
            self.out(DNLOAD, 2, data[at : at + BLOCK])
            self.execute()
        self.out(ABORT)

    def read(self, size):
        self.command(0x21, FLASH)
        self.out(ABORT)
        data = b""
        while len(data) < size:
            length = min(BLOCK, size - len(data))
            data += bytes(self.device.ctrl_transfer(0xA1, UPLOAD, 2 + len(data) // BLOCK, 0, length, TIMEOUT_MS))
        self.out(ABORT)
        return data


def main():
    if sys.argv[1] == "list":
        for device in usb.core.find(find_all=True):
            print(f"{device.idVendor:04x}:{device.idProduct:04x} {device.serial_number}")
        return
    board = Board(usb.core.find(idVendor=0x0483, idProduct=0xDF11))
    if sys.argv[1] == "flash":
        with open(sys.argv[2], "rb") as file:
            board.flash(file.read())
    else:
        data = board.read(int(sys.argv[3]))
        with open(sys.argv[2], "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
