#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark: runs everything, prints a table, writes BUILD/bench.json. Usage: run.py BUILD [PART...]

Parts: transfers virtual start memory real captures usbip suite firmware guest; all unless named. What is compared is measured in turns in one run;
figures are medians, with the lowest and the highest beside them."""

import json
import os
import re
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BYSTANDER = os.path.join(ROOT, "fixtures", "descriptors", "0483-374b.usb")
PARTS = ("transfers", "virtual", "start", "memory", "real", "captures", "usbip", "suite", "firmware", "guest")
TRANSFERS = 20000
TRANSFERS_UMOCKDEV = 1000
INSTRUCTIONS = 80_000_000
ECHO_BYTES = 20000
ROUNDS = 200
CAPTURE_MIB = 300
CAPTURE_MIB_TSHARK = 10


class Skip(Exception):
    """Something is not there."""


def wall(command, expect=0, **more):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)
    passed = time.perf_counter() - start
    if done.returncode != expect:
        sys.exit(f"bench: {' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return passed, done.stdout + done.stderr


def peak(command, path):
    """The most memory that it had, in KiB, when all but the end of the file had gone through its standard input."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        with open(path, "rb") as f:
            shutil.copyfileobj(f, child.stdin)
        with open(f"/proc/{child.pid}/status", encoding="utf-8") as f:
            return int(re.search(r"VmHWM:\s*(\d+) kB", f.read()).group(1))


def processor_of(pid):
    """Seconds of processor that a process has taken."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor():
    """Seconds of processor that children have taken, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Sample:
    """Repetitions of one measurement."""

    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    def record(self, scale=1, digits=4):
        def rounded(value):
            return round(value * scale, digits)

        return {"median": rounded(self.median), "low": rounded(min(self.values)), "high": rounded(max(self.values)),
                "runs": len(self.values)}  # fmt: skip


class Bench:
    def __init__(self, build, folder):
        self.build = os.path.abspath(build)
        self.folder = folder
        self.dfuemu = os.path.join(self.build, "dfuemu")
        self.rows = []

    def program(self, name):
        path = os.path.join(self.build, "bench", name)
        if not os.access(path, os.X_OK):
            raise Skip(f"{name} was not built")
        return path

    def row(self, name, value, unit, goal=None, met=None, **more):
        """value: a number, or a Sample's record"""
        self.rows.append({"name": name, "value": value, "unit": unit, "goal": goal, "met": met, **more})
        if isinstance(value, dict):
            text = f"{value['median']:g}"
            spread = f"{value['low']:g} .. {value['high']:g}"
        else:
            text, spread = f"{value:g}", ""
        verdict = {None: "", True: "met", False: "NOT MET"}[met]
        print(f"{name:<62} {text:>10} {unit:<5} {spread:>22}  {goal or '':<14} {verdict}", flush=True)

    # --- control transfers ---

    def calls_per_transfer(self, control):
        def calls(count):
            said = wall([self.dfuemu, "exec", "-v", "--also", BYSTANDER, "--", control, str(count)])[1]
            return int(re.search(r"(\d+) calls answered", said).group(1))

        return (calls(3000) - calls(1000)) / 2000

    def transfers(self):
        control = self.program("control")
        notify = self.program("notify")
        calls = self.calls_per_transfer(control)
        per, work = {}, {}

        def once(command, count):
            before = processor()
            passed = wall([part.replace("COUNT", str(count)) for part in command])[0]
            return passed, processor() - before

        def measure(name, command, count, share=1):
            """Long run less an empty one: what is not per transfer goes out."""
            none, whole = once(command, 0), once(command, round(count * share))
            per.setdefault(name, Sample()).add((whole[0] - none[0]) / count * 1e6)
            work.setdefault(name, Sample()).add((whole[1] - none[1]) / count * 1e6)

        def bus(*options):
            return [self.dfuemu, "exec", *options, "--also", BYSTANDER, "--", control, "COUNT"]

        try:
            mock = [self.program("umockdev"), BYSTANDER, control, "COUNT"]
        except Skip as e:
            mock = None
            print(f"(umockdev: {e}: libumockdev-dev)")
        for _ in range(11):
            measure("bare", [notify, "COUNT"], TRANSFERS, calls)
            for word in ("libusb", "memory", "epoll"):
                measure(word, [notify, "COUNT", word], TRANSFERS, calls)
            measure("real", bus(), TRANSFERS)
            measure("virtual", bus("--time", "virtual"), TRANSFERS)
            if mock:
                measure("umockdev", mock, TRANSFERS_UMOCKDEV)

        def ratio(one, other, figures):
            s = Sample()
            s.values = [a / b for a, b in zip(figures[one].values, figures[other].values)]
            return s.record(digits=2)

        def compare(name, one, other, goal=None, limit=None, above=False):
            r = ratio(one, other, per)
            met = None if limit is None else r["median"] >= limit if above else r["median"] <= limit
            self.row(f"  {name}", r, "x", goal, met)
            self.row("    the same in processor time", ratio(one, other, work), "x")

        self.row("notified calls for a control transfer through libusb", calls, "")
        self.row("that many bare notifications", per["bare"].record(digits=2), "us")
        self.row("  with libusb's own system calls beside them", per["libusb"].record(digits=2), "us")
        self.row("  and one read and one write of the child's memory", per["memory"].record(digits=2), "us")
        self.row("  and epoll", per["epoll"].record(digits=2), "us")
        for name, text in (("real", "real time"), ("virtual", "virtual time")):
            self.row(f"control transfer on the private bus, {text}", per[name].record(digits=2), "us",
                     per_second=round(1e6 / per[name].median))  # fmt: skip
        compare("private bus : bare notifications", "real", "bare", "<= 1.3", 1.3)
        compare("bare with libusb's own calls : bare notifications", "libusb", "bare")
        compare("private bus : bare with libusb's own calls", "real", "libusb")
        compare("private bus : all of these", "real", "epoll")
        compare("virtual : real time", "virtual", "real", "<= 1.1", 1.1)
        if mock:
            self.row("the same device behind umockdev", per["umockdev"].record(digits=1), "us")
            compare("umockdev : private bus", "umockdev", "real", ">= 10", 10, True)

    # --- virtual time ---

    def image(self, size):
        path = os.path.join(self.folder, f"{size}.bin")
        with open(path, "wb") as f:
            f.write(bytes(i * 31 % 251 for i in range(size)))
        return path

    def flash(self, size, address, *options):
        if not shutil.which("dfu-util"):
            raise Skip("dfu-util is not installed")
        return wall([self.dfuemu, "exec", "-v", *options, "--", "dfu-util", "-a", "0", "-s", address, "-D",
                     self.image(size)])  # fmt: skip

    @staticmethod
    def board_time(said):
        """From the first thing that the tool makes the board do to the last, on the board's clock."""
        stamps = [float(stamp) for stamp in re.findall(r"^dfuemu: (\d+\.\d{6}) (?!.*: listed$)", said, re.M)]
        stamps = [stamp for stamp in stamps if stamp > 3]  # the boards have been on the desk for that long before
        return stamps[-1] - stamps[0]

    def virtual(self):
        for size, name, goal in ((65536, "64 KiB", 0.1), (1 << 20, "1 MiB", 0.5)):
            s = Sample()
            for _ in range(7):
                passed, said = self.flash(size, "0x08000000:mass-erase:force", "--time", "virtual")
                if "in real time" in said:
                    sys.exit(f"bench: this is no virtual time:\n{said}")
                s.add(passed)
            self.row(f"dfu-util, mass erase and {name}, virtual time", s.record(), "s", f"< {goal}", s.median < goal,
                     board_s=self.board_time(said))  # fmt: skip
            self.row("  board time of that run", round(self.board_time(said), 2), "s")

    # --- start ---

    def start(self):
        alone, ours = Sample(), Sample()
        true = shutil.which("true")
        for _ in range(41):
            alone.add(wall([true])[0])
            ours.add(wall([self.dfuemu, "exec", "--", true])[0])
        more = Sample()
        more.values = [b - a for a, b in zip(alone.values, ours.values)]
        self.row("start-up: dfuemu exec -- true, more than true", more.record(1000, 2), "ms", "< 5", more.median < 0.005)

    # --- memory ---

    def memory(self):
        m = json.loads(wall([self.program("memory")])[1])
        kib = {key: round(value / 1024, 1) for key, value in m.items()}
        self.row(f"a board at rest (1 of {m['boards']})", kib["at_rest_bytes"], "KiB", "< 64", kib["at_rest_bytes"] < 64)
        self.row("1 MiB image in the first board", kib["image_bytes"], "KiB")
        self.row("  the same image shared by each further board", kib["shared_bytes"], "KiB", "shared",
                 m["shared_bytes"] < 4096)  # fmt: skip
        self.row("  loaded on its own instead", kib["loaded_bytes"], "KiB")

    # --- captures ---

    def captures(self):
        if not shutil.which("dfu-util"):
            raise Skip("dfu-util is not installed")
        short, long, small = (os.path.join(self.folder, name) for name in ("short", "long", "small"))
        data = os.path.join(self.folder, "data")
        with open(data, "wb") as f:
            f.write(os.urandom(16384))
        wall([self.dfuemu, "exec", "-q", "--time", "virtual", "--capture", short, "--",
              "dfu-util", "-a", "0", "-s", "0x08000000", "-D", data])  # fmt: skip
        lengthen = os.path.join(ROOT, "emulator", "tests", "clients", "long_capture.py")
        wall([sys.executable, lengthen, short, long, str(CAPTURE_MIB)])
        wall([sys.executable, lengthen, short, small, str(CAPTURE_MIB_TSHARK)])
        commands = {"cat": "exec cat {} >/dev/null", "summary": "exec {show} --summary {} >/dev/null",
                    "show": "exec {show} {} >/dev/null", "json": "exec {show} --json {} >/dev/null",
                    "tshark": "exec tshark -r {} >/dev/null"}  # fmt: skip

        def once(name, path):
            return wall(["sh", "-c", commands[name].format(path, show=self.dfuemu + " show")])[0]

        times = {name: Sample() for name in ("cat", "summary", "show", "json")}
        once("cat", long)  # from now on the file is in the cache
        for _ in range(5):
            for name, sample in times.items():
                sample.add(once(name, long))
        self.row(f"a capture of {CAPTURE_MIB} MiB: cat", times["cat"].record(), "s")
        for name, sample in list(times.items())[1:]:
            ratio = sample.median / times["cat"].median
            rate = CAPTURE_MIB / sample.median
            self.row(f"  dfuemu show{'' if name == 'show' else ' --' + name}", sample.record(), "s", mib_per_s=round(rate))
            self.row("    against cat", round(ratio, 1), "times")
        memory = [peak([self.dfuemu, "show", "-"], path) for path in (small, long)]
        self.row(f"  memory for it, against one of {CAPTURE_MIB_TSHARK} MiB ({memory[0]} KiB)", memory[1], "KiB", "the same",
                 memory[1] < memory[0] + 512)  # fmt: skip
        if not shutil.which("tshark"):
            return
        ours, theirs = Sample(), Sample()
        for _ in range(3):
            ours.add(once("show", small))
            theirs.add(once("tshark", small))
        self.row(f"a capture of {CAPTURE_MIB_TSHARK} MiB: tshark -r", theirs.record(), "s")
        self.row("  dfuemu show", ours.record(), "s")
        self.row("    against tshark", round(ours.median / theirs.median, 3), "times")

    # --- real time ---

    def real(self):
        # The model's: the same run in virtual time, whose clock shows nothing else.
        _, said = self.flash(16384, "0x08000000", "--time", "virtual")
        want = self.board_time(said)
        s = Sample()
        for _ in range(5):
            listing = wall([self.dfuemu, "exec", "--", "dfu-util", "-l"])[0]
            s.add(self.flash(16384, "0x08000000")[0] - listing)
        off = max(abs(value - want) for value in s.values) / want
        self.row("erase and write of sector 0 by dfu-util, by the model", round(want, 3), "s")
        self.row("  in real time", s.record(), "s", "+- 5 %", off <= 0.05, off_percent=round(off * 100, 2))
        took = float(wall([self.dfuemu, "exec", "--", self.program("control"), "mass"])[1])
        self.row("mass erase by a client that does not sleep, real time", round(took, 3), "s", "16 +- 5 %",
                 abs(took - 16) / 16 <= 0.05)  # fmt: skip

    # --- USB/IP ---

    def usbip(self):
        client = self.program("usbip")
        for boards in (1, 16, 256):
            # Boards so fast that they take no time: what remains is the transport, and what it costs us to be them.
            server = subprocess.Popen(
                [self.dfuemu, "serve", "usbip", "-q", "--listen", "127.0.0.1:0", "--time", "x100000", "--boards", str(boards)],
                stdout=subprocess.PIPE, text=True)  # fmt: skip
            try:
                address = server.stdout.readline().split()[-1]
                for kind, name, steps, rounds in (("getstatus", "GETSTATUS", 1, 10000), ("dnload", "2 KiB and 2 GETSTATUS", 3, 4000)):
                    self.compare_usbip(client, server.pid, address, boards, kind, name, steps, rounds)
            finally:
                server.terminate()
                server.wait()

    def compare_usbip(self, client, server, address, boards, kind, name, steps, rounds):
        bare, ours, ratio, used = Sample(), Sample(), Sample(), {"bare": 0, address: 0}

        def run(where, rounds, sign):
            before = processor() + processor_of(server)
            seconds = float(wall([client, where, str(boards), str(rounds), kind])[1])
            used[where] += sign * (processor() + processor_of(server) - before)
            return seconds

        for _ in range(9):
            one, two = run("bare", rounds, 1), run(address, rounds, 1)
            for where in used:  # what it takes before the first round does not count
                run(where, 0, -1)
            bare.add(one / rounds / steps * 1e6)
            ours.add(two / rounds / steps * 1e6)
            ratio.add(one / two)
        plural = "s" if boards > 1 else ""
        self.row(f"USB/IP, {boards} board{plural}, {name}: a transfer", ours.record(digits=2), "us",
                 per_second=round(1e6 / ours.median))  # fmt: skip
        self.row("  the same bytes over bare TCP", bare.record(digits=2), "us")
        self.row("  rate : bare TCP's", ratio.record(digits=2), "x", ">= 0.8", ratio.median >= 0.8)
        # The same where others keep the processors busy, which spreads the rates.
        self.row("  bare TCP's processor time : ours, both ends", round(used["bare"] / used[address], 2), "x")

    # --- firmware ---

    @staticmethod
    def taken(command, expect=0):
        before = processor()
        said = wall(command, expect)[1]
        return processor() - before, said

    def loop(self, instructions, mpu=False):
        """An image that computes, loads and stores so many instructions long, and locks up at its end; and where that is."""
        code = bytes.fromhex("0548064c01314a40d3002360256876190138f7d100de00bf") + struct.pack("<II", instructions // 8, 0x20000100)
        if mpu:  # MPU_CTRL = ENABLE | PRIVDEFENA before it
            code = bytes.fromhex("024805210160 00bf02e000bf") + struct.pack("<I", 0xE000ED94) + code
        path = os.path.join(self.folder, f"loop-{instructions}{'-mpu' if mpu else ''}.bin")
        with open(path, "wb") as f:
            f.write(struct.pack("<II", 0x20010000, 0x08000041).ljust(64, bytes(1)) + code)
        return path, 0x08000040 + 20

    def instructions(self):
        core = os.path.join(self.build, "tools", "cortexm_run")
        cores = {"ours": ([core, "--cycles", str(2 * INSTRUCTIONS), "IMAGE"], 3)}
        cores["mpu"] = cores["ours"]
        try:
            cores["unicorn"] = ([self.program("unicorn"), "IMAGE", "END"], 0)
        except Skip as e:
            raise Skip(f"{e}: libunicorn-dev") from None
        if shutil.which("qemu-system-arm"):
            cores["qemu"] = (["sh", "-c", "ulimit -c 0; exec qemu-system-arm -M netduinoplus2 -nodefaults -display none -monitor none "
                                          "-serial null -kernel IMAGE 2>&1"], -6)  # fmt: skip
        times = {name: Sample() for name in cores}
        for _ in range(5):
            for name, (command, status) in cores.items():
                spent = []
                for count in (8, INSTRUCTIONS):
                    image, end = self.loop(count, name == "mpu")
                    run = [word.replace("IMAGE", image).replace("END", str(end)) for word in command]
                    spent.append(self.taken(run, status)[0])
                times[name].add((spent[1] - spent[0]) / INSTRUCTIONS * 1e9)
        names = {"ours": "an instruction of firmware, in processor time", "mpu": "  with the MPU on",
                 "unicorn": "  on Unicorn alone", "qemu": "  on qemu-system-arm"}  # fmt: skip
        for name, sample in times.items():
            self.row(names[name], sample.record(digits=2), "ns", million_per_s=round(1000 / sample.median))
            if name != "ours":
                ratio = Sample()
                ratio.values = [b / a if name == "mpu" else a / b for a, b in zip(times["ours"].values, sample.values)]
                self.row("    against off" if name == "mpu" else "    ours against it", ratio.record(digits=1), "times")

    @staticmethod
    def python():
        """The one that has Debian's packages may not be the first in the path."""
        for python in (sys.executable, "/usr/bin/python3"):
            if os.access(python, os.X_OK) and not subprocess.run([python, "-c", "import usb.core"], capture_output=True,
                                                                 check=False).returncode:  # fmt: skip
                return python
        return None

    def running(self, image, app, clock, *command):
        """That command on the bus of a board that runs that image; processor time, and what was said."""
        flash = os.path.join(self.folder, "flash")
        shutil.copy(image, flash)
        return self.taken([self.dfuemu, "exec", "--time", clock, "--boot0", "low", "--flash", flash, "--app", app, *command])

    def boots(self, name, image, option="-v"):
        """From power to the first pull-up."""
        boot, board = Sample(), 0.0
        for _ in range(7):
            rest = self.running(image, "none", "virtual", "--", "true")[0]
            spent, said = self.running(image, "firmware", "virtual", option, "--", "true")
            board = float(re.search(r"^dfuemu: (\d+\.\d{6}) .*: attached", said, re.M).group(1))
            boot.add(spent - rest)
        self.row(f"firmware ({name}) from power to its pull-up, processor time", boot.record(1000, 1), "ms")
        self.row("  on the board's clock", round(board * 1000, 1), "ms")

    def rounds(self, image, app, clock, few, *command):
        """A long run of a client less a short one: processor time of all, and the client's clock, for each of ROUNDS."""
        work, clocked = Sample(), Sample()
        for _ in range(5):
            spent, times = [], []
            for count in (few, few + ROUNDS):
                used, said = self.running(image, app, clock, *(word.replace("COUNT", str(count)) for word in command))
                spent.append(used)
                times.append(float(said.split()[-1]))
            work.add((spent[1] - spent[0]) / ROUNDS)
            clocked.add((times[1] - times[0]) / ROUNDS)
        return work, clocked

    def consoles(self, image):
        """The same firmware, asked on its console, here and on QEMU."""
        control = os.path.join(self.folder, "control")
        client = [sys.executable, os.path.join(ROOT, "emulator", "tests", "clients", "firmware_console.py"), control, "COUNT", "i",
                  "serial number"]  # fmt: skip
        apps = {"firmware": "a question to its console (blink), the answer of 4 lines"}
        if shutil.which("qemu-system-arm"):
            apps["qemu"] = "  on qemu-system-arm (--app qemu), whose serial port takes no time"
        for app, name in apps.items():
            work, clocked = self.rounds(image, app, "real", 5, "-q", "--control", control, "--", *client)
            self.row(name, clocked.record(1000, 2), "ms")
            self.row("    processor time of both", work.record(1000, 2), "ms")

    def prompts(self, python, usb):
        """MicroPython's, if there is an image of it."""
        name = "micropython-pybv10.dfu"
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "dfubench", "firmware")
        given = os.environ.get("DFUBENCH_MICROPYTHON_PYBV10")
        image = given or os.path.join(os.environ.get("DFUBENCH_FIRMWARE") or cache, name)
        if not os.path.exists(image):
            print(f"(firmware: no REPL's round trips: there is no {image}, see ci/check-firmware.sh)")
            return
        if not shutil.which("dfu-util"):
            print("(firmware: no REPL's round trips: dfu-util is not installed)")
            return
        flash = os.path.join(self.folder, "micropython")
        wall([self.dfuemu, "exec", "-q", "--time", "virtual", "--flash", flash, "--", "dfu-util", "-a", "0", "-D", image])
        # The first start makes a file system: the others show what a board does every day.
        wall([self.dfuemu, "exec", "-q", "--time", "virtual", "--boot0", "low", "--flash", flash, "--app", "firmware", "--",
              python, usb, "f055:9800", "repl", "1+1", "2"])  # fmt: skip
        self.boots("MicroPython", flash)
        client = ("-q", "--", python, usb, "f055:9800", "rounds", "COUNT")
        work, clocked = self.rounds(flash, "firmware", "virtual", 5, *client)
        self.row("1+1 to its REPL over CDC and the answer, processor time of both", work.record(1000, 2), "ms")
        self.row("  on the board's clock", clocked.record(1000, 2), "ms")
        self.row("  in real time", self.rounds(flash, "firmware", "real", 5, *client)[1].record(1000, 2), "ms")

    def firmware(self):
        if subprocess.run([self.dfuemu, "exec", "--app", "firmware", "-q", "--", "true"], capture_output=True, check=False).returncode:
            raise Skip("this build runs no firmware: libunicorn-dev")
        self.instructions()
        images = os.path.join(ROOT, "fixtures", "firmware")
        echo = os.path.join(images, "cdc-echo.bin")
        self.boots("cdc-echo", echo)
        wait, trip = Sample(), Sample()
        for _ in range(7):
            spent = self.running(echo, "firmware", "virtual", "-v", "--", "true")[0]
            wait.add(self.running(echo, "firmware", "virtual", "--", "sleep", "10")[0] - spent)
        self.row("  one second of its waiting, in virtual time, processor time", wait.record(100, 1), "ms")
        usb = os.path.join(ROOT, "emulator", "tests", "clients", "firmware_usb.py")
        python = self.python()
        if not python:
            print("(firmware: no round trips: python3-usb)")
        else:
            for _ in range(5):
                less, more = (self.running(echo, "firmware", "virtual", "--", python, usb, "0483:5740", "echo", str(count))[0]
                              for count in (64, 64 + ECHO_BYTES))  # fmt: skip
                trip.add((more - less) / ECHO_BYTES * 64)
            self.row("64 bytes there and back over CDC, processor time of both", trip.record(1e6, 0), "us")
            self.prompts(python, usb)
        self.consoles(os.path.join(images, "blink.bin"))
        dfuhil = os.path.join(self.build, "dfuhil")
        if not os.access(dfuhil, os.X_OK):
            raise Skip("dfuhil was not built")
        circle, work = Sample(), Sample()
        for _ in range(5):
            before = processor()
            circle.add(wall([dfuhil, "run", "-q", os.path.join(ROOT, "scenarios", "firmware", "whole-circle.yaml")])[0])
            work.add(processor() - before)
        self.row("flash, run, talk, detach, read back: the whole circle", circle.record(), "s", "< 2", circle.median < 2)
        self.row("  in processor time", work.record(), "s")

    # --- every front, in a guest ---

    def guest(self):
        """One client that does not sleep, boards that take no time: an emulated processor does all the work."""
        for name in ("qemu-system-x86_64", "usbip"):
            if not shutil.which(name):
                raise Skip(f"{name} is not installed")
        fronts = "exec vhci usbip gadget raw-gadget redir"
        script = os.path.join(ROOT, "emulator", "tests", "vm_fronts.sh")
        said = wall([script, "stock", *fronts.split()],
                    env=dict(os.environ, B=self.build, FEATURES="rates"))[1]  # fmt: skip
        found = re.findall(r"^rates (\S+) (\d+) (\S+) (\S+)$", said, re.M)
        if [front for front, *_ in found] != fronts.split():
            sys.exit(f"bench: not all fronts told their rates:\n{said}")
        for front, rate, small, large in found:
            self.row(f"in a guest (emulated processor), {front}: control transfers", int(rate), "/s")
            self.row("  64 KiB in blocks of 2 KiB", float(small), "s")
            self.row("  1 MiB in blocks of 2 KiB", float(large), "s")

    # --- the scenarios ---

    def suite(self):
        dfuhil = os.path.join(self.build, "dfuhil")
        if not os.access(dfuhil, os.X_OK):
            raise Skip("dfuhil was not built")
        report = os.path.join(self.folder, "suite.json")
        taken = Sample()
        for _ in range(3):
            taken.add(wall([dfuhil, "run", "-q", "scenarios", "--tool", "dfu-util", "--json", report])[0])
        with open(report, encoding="utf-8") as f:
            results = json.load(f)["results"]
        board = sum(r["board-us"] for r in results) / 1e6
        self.row(f"{len(results)} scenarios with dfu-util in virtual time", taken.record(), "s", "20 s", taken.median < 20)
        self.row("  time on the boards' clocks that they took", round(board), "s")
        self.row("  the same in one second of yours", round(board / taken.median), "s")


def main():
    if len(sys.argv) < 2 or any(part not in PARTS for part in sys.argv[2:]):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(sys.argv[1], folder)
        print(f"{'':<62} {'median':>10} {'':<5} {'spread':>22}  {'goal':<14}")
        for part in sys.argv[2:] or PARTS:
            try:
                getattr(bench, part)()
            except Skip as e:
                print(f"({part}: {e})")
    result = {"machine": {"kernel": os.uname().release, "processor": os.uname().machine, "cpus": os.cpu_count()},
              "figures": bench.rows}  # fmt: skip
    path = os.path.join(bench.build, "bench.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
    missed = sum(row["met"] is False for row in bench.rows)
    print(f"{missed} of {sum(row['met'] is not None for row in bench.rows)} goals not met; written: {path}")


if __name__ == "__main__":
    main()
