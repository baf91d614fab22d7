#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 at random moments of a run, and a look at what is left of it.

usage: kill_moments.py DFUEMU FOLDER RUNS [SEED]

One line of sums at the end; a line for each moment that left something behind, with what repeats it. Exit status 1 if
there was one."""

import collections
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

FLASH_BYTES = 1 << 20
BLOCK = 2048
WORKERS = 4
DEADLINE_S = 20
VICTIMS = ("tool", "supervisor", "both", "guardian", "group")
MARK = "DFUBENCH_KILL_MARK"


class Left(Exception):
    """Something that a kill must not leave behind."""


def processes_with(mark):
    wanted = f"{MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as f:
                    if wanted in f.read().split(b"\0"):
                        found.append(int(name))
            except OSError:
                pass  # it has ended, or is somebody else's
    return found


def state_of(pid):
    """Its state, as ps has it, and its session; a process that ends has no environment any more while it still has files open."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return fields[0], int(fields[3])
    except (OSError, IndexError):
        return "X", 0


def processes_in(session):
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and state_of(name)[1] == session]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return "?"


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def check_flash(path, old, new):
    """Old, or whole: each block as it was, erased, or as the tool sends it."""
    if not os.path.exists(path):
        if old is not None:
            raise Left("the flash file is gone")
        return "missing"
    with open(path, "rb") as f:
        got = f.read()
    if got == old:
        return "old"
    if len(got) != FLASH_BYTES:
        raise Left(f"the flash file has {len(got)} bytes")
    before = old if old is not None else b"\xff" * FLASH_BYTES
    for at in range(0, FLASH_BYTES, BLOCK):
        block = got[at : at + BLOCK]
        sent = new[at : at + BLOCK]
        if block not in (before[at : at + BLOCK], b"\xff" * BLOCK) and (not sent or block[: len(sent)] != sent):
            raise Left(f"the flash file has a block at {at:#x} that was never sent")
    return "new"


def check_state(path, old):
    if not os.path.exists(path):
        if old is not None:
            raise Left("the state file is gone")
        return
    with open(path, encoding="ascii") as f:
        text = f.read()
    # The next start reads it again, in earnest.
    if not text.startswith("dfubench-state 1\n") or not text.endswith("\n") or "\nerase-counts: " not in text:
        raise Left("the state file is not whole")


def check_capture(path, may_be_cut):
    if not os.path.exists(path):
        return
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        left = len(data) - at
        if left < 12 or struct.unpack_from("<I", data, at + 4)[0] > left:
            if may_be_cut:
                return
            raise Left(f"the capture is cut at byte {at} of {len(data)}")
        kind, length = struct.unpack_from("<II", data, at)
        tail = struct.unpack_from("<I", data, at + length - 4)[0] if length >= 12 else 0
        if length % 4 or tail != length or (at == 0) != (kind == 0x0A0D0D0A):
            raise Left(f"the capture has a broken block at byte {at}")
        at += length


class Moment:
    """One run with one kill."""

    def __init__(self, driver, number):
        self.driver = driver
        self.number = number
        self.dice = random.Random(f"{driver.seed}-{number}")
        self.virtual = self.dice.random() < 0.7
        self.victim = self.dice.choice(VICTIMS)
        self.existing = self.dice.random() < 0.5
        self.tool = self.dice.choice(("dfu-util", "shell", "daemon"))
        if self.victim == "group" and self.tool == "daemon":
            self.tool = "shell"  # what has left the group is not killed with it
        # At the end the files are saved, which takes a small part of a run: look there more often than chance would.
        self.at_end = self.virtual and self.dice.random() < 0.3
        self.delay_s = self.dice.uniform(0, 0.004 if self.at_end else driver.virtual_s if self.virtual else 1.3)
        self.folder = os.path.join(driver.folder, str(number))
        self.mark = f"{os.getpid()}-{driver.seed}-{number}"
        self.found_late = collections.Counter()

    def __str__(self):
        return (
            f"moment {self.number} (seed {self.driver.seed}): {'virtual' if self.virtual else 'real'} time, "
            f"{self.tool}, kill {self.victim} {'at the end' if self.at_end else 'after the start'} "
            f"+ {self.delay_s * 1000:.2f} ms, files {'exist' if self.existing else 'missing'}"
        )

    def command(self, *tool):
        return [
            self.driver.dfuemu, "exec", "--time", "virtual" if self.virtual else "real", "--flash", "flash.bin",
            "--state", "state", "--capture", "run.pcapng", "--", *tool,
        ]  # fmt: skip

    def start(self):
        flash = ["dfu-util", "-a", "0", "-s", "0x08000000", "-D", self.driver.firmware]
        script = '"$@"; dfu-util -l'
        if self.tool == "daemon":
            script = "setsid sh -c 'trap \"\" TERM HUP; sleep 1000' & " + script
        tool = flash if self.tool == "dfu-util" else ["sh", "-c", script, "sh", *flash]
        environment = {**os.environ, MARK: self.mark, "XDG_RUNTIME_DIR": os.path.join(self.folder, "runtime")}
        with open(os.path.join(self.folder, "said"), "wb") as said:
            return subprocess.Popen(
                self.command(*tool), cwd=os.path.join(self.folder, "files"), env=environment, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip

    def strike(self, supervisor):
        if self.at_end:
            deadline = time.monotonic() + DEADLINE_S
            while not children_of(supervisor.pid) and time.monotonic() < deadline and supervisor.poll() is None:
                pass
            while children_of(supervisor.pid) and time.monotonic() < deadline:
                pass
        end = time.monotonic() + self.delay_s
        while time.monotonic() < end and supervisor.poll() is None:
            time.sleep(min(0.0005, max(0, end - time.monotonic())))
        if supervisor.poll() is not None:
            return "nobody"
        if self.victim == "group":
            os.killpg(supervisor.pid, signal.SIGKILL)
            return "group"
        guardians = children_of(supervisor.pid)
        tools = [tool for guardian in guardians for tool in children_of(guardian)]
        hit = []
        if self.victim in ("tool", "both") and any([kill(pid) for pid in tools[:1]]):
            hit.append("tool")
        if self.victim in ("supervisor", "both") and kill(supervisor.pid):
            hit.append("supervisor")
        if self.victim == "guardian" and any([kill(pid) for pid in guardians]):
            hit.append("guardian")
        return "+".join(hit) or "nobody"

    def wait_for_all(self, supervisor):
        try:
            supervisor.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise Left("dfuemu does not end") from None
        deadline = time.monotonic() + DEADLINE_S
        known = set()
        while True:
            known.update(processes_with(self.mark), processes_in(supervisor.pid))
            left = [pid for pid in sorted(known) if state_of(pid)[0] not in "ZX"]
            if not left:
                break
            if time.monotonic() > deadline:
                raise Left("processes are left: " + ", ".join(f"{pid} ({name_of(pid)})" for pid in left))
            time.sleep(0.002)

    def next_start(self):
        """It takes away what a killed one could not, and can read what is there."""
        again = subprocess.run(
            self.command("true"), cwd=os.path.join(self.folder, "files"), stdin=subprocess.DEVNULL,
            env={**os.environ, "XDG_RUNTIME_DIR": os.path.join(self.folder, "runtime")}, capture_output=True,
            timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        if again.returncode:
            raise Left(f"the next start fails with {again.returncode}: {again.stderr.decode(errors='replace')}")
        if folders := os.listdir(os.path.join(self.folder, "runtime")):
            raise Left(f"after the next start there still is {folders}")
        files = set(os.listdir(os.path.join(self.folder, "files"))) - {"flash.bin", "state", "run.pcapng"}
        if files:
            raise Left(f"after the next start there still is {sorted(files)}")

    def look(self, supervisor_hit):
        files = os.path.join(self.folder, "files")
        old = self.driver.old_flash if self.existing else None
        result = check_flash(os.path.join(files, "flash.bin"), old, self.driver.new_bytes)
        check_state(os.path.join(files, "state"), self.driver.old_state if self.existing else None)
        check_capture(os.path.join(files, "run.pcapng"), supervisor_hit)
        if os.listdir(os.path.join(self.folder, "runtime")):
            if not supervisor_hit:
                raise Left("the private tree is left, and nobody killed its owner")
            self.found_late["tree"] += 1
        for name in os.listdir(files):
            if name.endswith((".tmp", ".lock")):
                if not supervisor_hit:
                    raise Left(f"{name} is left, and nobody killed its owner")
                self.found_late[name[name.rindex(".") + 1 :]] += 1
        return result

    def run(self):
        os.makedirs(os.path.join(self.folder, "files"))
        os.makedirs(os.path.join(self.folder, "runtime"), 0o700)
        if self.existing:
            with open(os.path.join(self.folder, "files", "flash.bin"), "wb") as f:
                f.write(self.driver.old_flash)
            with open(os.path.join(self.folder, "files", "state"), "w", encoding="ascii") as f:
                f.write(self.driver.old_state)
        supervisor = self.start()
        try:
            hit = self.strike(supervisor)
            self.wait_for_all(supervisor)
            result = self.look("supervisor" in hit or "group" in hit)
            self.next_start()
        finally:
            for pid in [supervisor.pid] if supervisor.poll() is None else []:
                kill(pid)
            supervisor.wait()
            for pid in processes_with(self.mark):
                kill(pid)
        shutil.rmtree(self.folder)
        return hit, result


class Driver:
    def __init__(self, dfuemu, folder, runs, seed):
        self.dfuemu = os.path.abspath(dfuemu)
        self.folder = os.path.abspath(folder)
        self.runs = runs
        self.seed = seed
        self.lock = threading.Lock()
        self.next = 0
        self.sums = collections.Counter()
        self.failures = 0
        dice = random.Random(f"{seed}")
        self.new_bytes = dice.randbytes(6 * BLOCK + 100)
        self.old_flash = dice.randbytes(FLASH_BYTES)
        self.firmware = os.path.join(self.folder, "firmware.bin")
        os.makedirs(self.folder, exist_ok=True)
        with open(self.firmware, "wb") as f:
            f.write(self.new_bytes)
        state = os.path.join(self.folder, "state")
        subprocess.run([self.dfuemu, "exec", "--state", state, "--", "true"], check=True)
        with open(state, encoding="ascii") as f:
            self.old_state = f.read()
        start = time.monotonic()
        flash = ["dfu-util", "-a", "0", "-s", "0x08000000", "-D", self.firmware]
        tool = [self.dfuemu, "exec", "--time", "virtual", "--", *flash]
        subprocess.run(tool, check=True, capture_output=True)
        self.virtual_s = 1.5 * (time.monotonic() - start)  # others run beside it

    def work(self):
        while True:
            with self.lock:
                number = self.next
                self.next += 1
            if number >= self.runs:
                return
            moment = Moment(self, number)
            try:
                hit, result = moment.run()
                said = None
            except (Left, OSError, subprocess.SubprocessError) as e:
                said = f"{type(e).__name__}: {e}" if not isinstance(e, Left) else str(e)
            with self.lock:
                if said is None:
                    self.sums[f"killed {hit}"] += 1
                    self.sums[f"flash {result}"] += 1
                    for what, count in moment.found_late.items():
                        self.sums[f"{what} left to the next start"] += count
                else:
                    self.failures += 1
                    print(f"{moment}: {said}", flush=True)

    def run(self):
        print(f"seed {self.seed}, {self.runs} moments", flush=True)
        threads = [threading.Thread(target=self.work) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("; ".join(f"{key}: {self.sums[key]}" for key in sorted(self.sums)))
        print(f"{self.failures} of {self.runs} moments left something behind (seed {self.seed})")
        return 1 if self.failures else 0


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    sys.exit(Driver(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4] if len(sys.argv) > 4 else time.time())).run())
