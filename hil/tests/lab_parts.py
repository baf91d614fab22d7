#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands for what is on a lab's network, and no test has: power switches and digital outputs that are switched by HTTP. Behind
each of them is a pin of an emulated board.
lab_parts.py DFUEMU LOG FOLDER...     board N is the dfuemu whose control socket is FOLDER/S, of the Nth folder
PUT /N/BOOT0 and /N/NRST with high or low, PUT /N/power with 1 or 0; GET tells what was put last. The port is the first line of
stdout; each PUT becomes a line of LOG, once the pin is so. Without a dfuemu an output keeps its level all the same, as a real one
does without a board; it is told to the next dfuemu that it is put to, no earlier."""

import http.server
import os
import subprocess
import sys
import threading

dfuemu, log, folders = sys.argv[1], sys.argv[2], sys.argv[3:]
levels = {f"/{n + 1}/{pin}": value for n in range(len(folders)) for pin, value in
          (("BOOT0", "low"), ("NRST", "high"), ("power", "1"))}
lock = threading.Lock()


def command(path, value):
    pin = path.split("/")[2]
    if pin == "power":
        return ["power", {"1": "on", "0": "off"}[value]]
    return [pin.lower(), {"high": "high", "low": "low"}[value]]


class Part(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path in levels else 404, levels.get(self.path, "no such part"))

    def do_PUT(self):
        value = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        try:
            words = command(self.path, value)
            levels[self.path]
        except (IndexError, KeyError):
            self.answer(404, f"nothing is switched by '{value}' at {self.path}")
            return
        socket = os.path.join(folders[int(self.path.split("/")[1]) - 1], "S")
        # 125: nothing listens there.
        done = subprocess.run([dfuemu, "ctl", socket, *words], capture_output=True, text=True, check=False)
        if done.returncode not in (0, 125):
            self.answer(500, done.stdout + done.stderr)
            return
        levels[self.path] = value
        with lock, open(log, "a") as file:
            print(self.path, value, file=file)
        self.answer(200, "")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Part)
print(server.server_port, flush=True)
server.serve_forever()
