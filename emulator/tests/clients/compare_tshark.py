#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does tshark read the same requests in a capture as dfuemu show? compare_tshark.py DFUEMU CAPTURE [MINIMUM]

Compared are all control transfers: which packets are request and answer, time, device, SETUP packet, status, bytes moved, and what
DFU makes of it: command, block, state, status, poll timeout; and the data, where tshark gives them out."""
import json
import subprocess
import sys

BASE = """frame.number frame.time_epoch usb.transfer_type usb.urb_type usb.irp_info.direction usb.control_stage usb.bus_id
usb.device_address usb.bmRequestType usb.setup.bRequest usb.setup.wLength usb.urb_status usb.usbd_status usb.urb_len
usb.data_len usb.request_in usb.irp_id usb.data_fragment usb.control.Response _ws.malformed""".split()
DFU = "frame.number usbdfu.command usbdfu.block_number usbdfu.state usbdfu.status usbdfu.poll_timeout".split()
RESULTS = {0: "ack", -32: "stall", -71: "silent", -2: "cancelled", -104: "cancelled", -108: "gone", -19: "gone"}
STATES = "appIDLE appDETACH dfuIDLE dfuDNLOAD-SYNC dfuDNBUSY dfuDNLOAD-IDLE dfuMANIFEST-SYNC dfuMANIFEST " \
    "dfuMANIFEST-WAIT-RESET dfuUPLOAD-IDLE dfuERROR".split()


def tshark(path, fields, *more):
    command = ["tshark", "-r", path, *more, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]
    for field in fields:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True)
    rows = [dict(zip(fields, line.split("\t"))) for line in out.stdout.splitlines()]
    if out.returncode and not rows:
        sys.exit(f"tshark: {out.stderr}")
    return rows


def number(text):
    return int(text, 0) if text else None


def is_request(row):
    return row["usb.bmRequestType"] != "" and number(row["usb.control_stage"]) in (None, 0)


def is_data_stage(row):
    """USBPcap up to 1.2 gives it a packet of its own."""
    return number(row["usb.control_stage"]) == 1


def is_answer(row):
    if row["usb.irp_info.direction"]:
        return number(row["usb.irp_info.direction"]) == 1 and number(row["usb.control_stage"]) in (2, 3)
    return "C" in row["usb.urb_type"] or "E" in row["usb.urb_type"]


def is_qemu(row):
    """It counts the header in as data."""
    return row["usb.urb_len"] and number(row["usb.data_len"]) == number(row["usb.urb_len"]) + 64


def result_of(row):
    if row["usb.usbd_status"]:
        status = number(row["usb.usbd_status"])
        return {0: "ack", 0xC0000004: "stall", 0xC0010000: "cancelled", 0xC0007000: "gone"}.get(status, "silent")
    status = number(row["usb.urb_status"])
    if status == -121 and is_qemu(row):
        return "stall"
    return RESULTS.get(status, "silent")


def answer(r, row, meaning):
    """What the packet with the data of an answer adds."""
    if not r["bmRequestType"] & 0x80:
        return
    r["actual"] = number(row["usb.urb_len"] or row["usb.data_len"])
    if is_qemu(row) and number(row["usb.urb_status"]):
        r["actual"] = 0  # it names what was there before
    r["data"] = row["usb.control.Response"].replace(":", "")
    for name in ("state", "status", "poll_timeout"):
        r[name] = number(meaning["usbdfu." + name])


def theirs_of(path):
    """The requests as tshark has them, by the number of the packet with SETUP."""
    requests, order, latest = {}, [], {}
    rows = tshark(path, BASE)
    meaning = {r["frame.number"]: r for r in tshark(path, DFU, "-d", "usb.product==0x0483df11,usbdfu")}
    first = None
    for row in rows:
        if number(row["usb.transfer_type"]) is None:
            continue
        time = round(float(row["frame.time_epoch"]) * 1000000) if row["frame.time_epoch"] else 0
        first = time if first is None else first
        if number(row["usb.transfer_type"]) != 2:
            continue
        if row["_ws.malformed"]:
            sys.exit(f"tshark finds packet {row['frame.number']} malformed")
        if is_request(row):
            r = {"packet": int(row["frame.number"]), "time_us": time - first, "result": "none"}
            r["device"] = number(row["usb.device_address"])
            r["bus"] = number(row["usb.bus_id"])
            r["bmRequestType"] = number(row["usb.bmRequestType"])
            r["bRequest"] = number(row["usb.setup.bRequest"])
            r["wLength"] = number(row["usb.setup.wLength"])
            r["data"] = row["usb.data_fragment"].replace(":", "")
            d = meaning[row["frame.number"]]
            if d["usbdfu.command"]:
                r["bRequest"] = number(d["usbdfu.command"])
                r["block"] = number(d["usbdfu.block_number"])
            requests[r["packet"]] = latest[row["usb.irp_id"]] = r
            order.append(r)
        elif is_data_stage(row):
            r = latest[row["usb.irp_id"]]
            if r["bmRequestType"] & 0x80:
                answer(r, row, meaning[row["frame.number"]])
            else:
                r["data"] = row["usb.data_fragment"].replace(":", "")
            requests[int(row["frame.number"])] = r
        elif is_answer(row) and row["usb.request_in"]:
            r = requests[int(row["usb.request_in"])]
            r["packet_end"] = int(row["frame.number"])
            r["end_us"] = time - first
            r["result"] = result_of(row)
            if number(row["usb.control_stage"]) != 2:
                answer(r, row, meaning[row["frame.number"]])
    return order


def ours_of(dfuemu, path):
    out = subprocess.run([dfuemu, "show", "--json", "--request", "ALL", path], capture_output=True, text=True)
    if out.returncode not in (0, 1):
        sys.exit(out.stderr)
    return sorted(json.loads(out.stdout)["requests"], key=lambda r: r["packet"])


def differences(ours, theirs):
    for name in ("packet", "packet_end", "time_us", "end_us", "bus", "device", "bmRequestType", "result"):
        if ours.get(name) != theirs.get(name):
            yield name, ours.get(name), theirs.get(name)
    # What a dissector of a class takes over has no fields of these names.
    for name in ("bRequest", "wLength", "actual"):
        if theirs.get(name) is not None and ours[name] != theirs[name]:
            yield name, ours[name], theirs[name]
    if theirs.get("data") and "data" in ours and ours["data"] != theirs["data"]:
        yield "data", ours["data"], theirs["data"]
    if theirs.get("block") is not None and ours["wValue"] != theirs["block"]:
        yield "block", ours["wValue"], theirs["block"]
    if theirs.get("state") is not None and ours.get("state") != STATES[theirs["state"]]:
        yield "state", ours.get("state"), STATES[theirs["state"]]
    if theirs.get("poll_timeout") is not None and ours.get("poll_ms") != theirs["poll_timeout"]:
        yield "poll timeout", ours.get("poll_ms"), theirs["poll_timeout"]


def main():
    dfuemu, path = sys.argv[1:3]
    ours, theirs = ours_of(dfuemu, path), theirs_of(path)
    if len(ours) != len(theirs):
        sys.exit(f"{path}: {len(ours)} requests in ours, {len(theirs)} in tshark's")
    for a, b in zip(ours, theirs):
        for name, x, y in differences(a, b):
            sys.exit(f"{path}: {name} of packet {a['packet']}: {x} in ours, {y} in tshark's\n{a}\n{b}")
    if len(ours) < int((sys.argv[3:] or ["1"])[0]):
        sys.exit(f"{path}: only {len(ours)} requests")
    meant = sum(r.get("state") is not None for r in theirs)
    print(f"{len(ours)} requests are the same, {sum('data' in r and r['data'] != '' for r in theirs)} with data, {meant} with a state")


main()
