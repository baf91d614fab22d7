#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What dfuemu show --json says that was asked and answered, a line for each request: without times, addresses and packet numbers."""
import json
import sys

LEFT_OUT = {"number", "packet", "packet_end", "time_us", "end_us", "bus", "device"}

for request in json.load(sys.stdin)["requests"]:
    print(json.dumps({k: v for k, v in request.items() if k not in LEFT_OUT}))
