# SPDX-License-Identifier: GPL-2.0-or-later
"""The application's serial port by pyserial: serial_port.py list | talk | lines | much [SECONDS] | gone COMMAND... | again N"""
import subprocess
import sys
import threading
import time

import serial
from serial.tools import list_ports

PORT = "/dev/ttyACM0"


def show_ports():
    for port in list_ports.comports():
        if "ACM" in port.device:
            print(port.device, port.hwid, port.product, port.manufacturer, sep="|")


def talk():
    with serial.Serial(PORT, 115200, timeout=2, exclusive=True) as port:
        for text in (b"a", b"hello\r\n\x00\x03\x04\x11\x13\x7f\xff", b"\n"):
            assert port.write(text) == len(text)
            port.flush()
            assert port.out_waiting == 0
            assert port.read(len(text)) == text
        assert port.in_waiting == 0
        began = time.monotonic()
        assert port.read(1) == b""
        assert 1.9 < time.monotonic() - began < 4, time.monotonic() - began
        port.write(b"dropped")
        while port.in_waiting < 7:
            pass
        port.reset_input_buffer()
        assert port.in_waiting == 0
        try:
            serial.Serial(PORT, exclusive=True)
        except serial.SerialException as mistake:
            print("second:", mistake)
    print("done")


def lines():
    """What the kernel's driver says of the lines, and what the device is told."""
    with serial.Serial(PORT, 9600) as port:
        assert (port.dtr, port.rts, port.cts, port.dsr, port.cd, port.ri) == (True, True, True, False, False, False)
        port.dtr = False
        port.rts = False
        port.rts = True
        port.baudrate = 1200
        port.baudrate = 250000  # not one of termios's
        # The stub says that it knows no breaks: tcsendbreak() does nothing then.
        port.send_break(0.25)
        try:
            port.break_condition = True
        except OSError as mistake:
            print("break:", mistake)
    print("done")


def much(seconds="30"):
    data = bytes(i * 7 % 251 for i in range(300000))
    got = bytearray()
    with serial.Serial(PORT, 115200, timeout=float(seconds), write_timeout=float(seconds)) as port:

        def reads():
            while len(got) < len(data):
                more = port.read(min(len(data) - len(got), 1000))
                if not more:
                    return
                got.extend(more)

        reader = threading.Thread(target=reads)
        reader.start()
        assert port.write(data) == len(data)
        reader.join()
    assert bytes(got) == data, len(got)
    print("done")


def gone(*command):
    """The command makes the device leave."""
    with serial.Serial(PORT, timeout=10) as port:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        try:
            port.read(1)
            print("still there")
        except serial.SerialException as mistake:
            print("gone:", mistake)


def again(times):
    for i in range(int(times)):
        text = b"%d times" % i
        with serial.Serial(PORT, 115200, timeout=5) as port:
            port.write(text)
            got = port.read(len(text))
            assert got == text, got
    print("done")


if __name__ == "__main__":
    parts = {"list": show_ports, "talk": talk, "lines": lines, "much": much, "gone": gone, "again": again}
    parts[sys.argv[1]](*sys.argv[2:])
