#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuhil lint and rules, over captures that real tools made.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
TIME=virtual

# record WORDS...: what the tool does is in run.pcapng
record()
{
  board -q --capture run.pcapng "$@"
}

# findings of run.pcapng by id, one line each
findings()
{
  "$dfuhil" lint --json run.pcapng >run.json || true
  python3 -c 'import json; [print(f["rule"]) for f in json.load(open("run.json"))["findings"]]'
}

in_good_order()
{
  need dfu-util python3
  pattern 5000 1 >in.bin
  record -- sh -e -c '
    dfu-util -l
    dfu-util -a 0 -s 0x08000000 -D in.bin
    dfu-util -a 0 -s 0x08000000:5000 -U out.bin
    dfu-util -a 1 -s 0x1FFFC000:16 -U options.bin
    dfu-util -a 0 -s 0x08004000:mass-erase:force -D in.bin
    dfu-util -a 0 -s 0x08004000:leave -D in.bin'
  cmp in.bin out.bin
  ends 0 "$dfuhil" lint run.pcapng
  says said 'profile f407-v3.1'
  says said '0 errors, 0 warnings, 0 notes'
  findings >ids
  diff ids /dev/null
}

# An image of two parts: after the last block the pointer is there, not at the start.
two_parts()
{
  python3 "$clients/make_dfu.py" --noise 3 two.dfu 0x08000000:400 0x08020000:4000
}

jumps_astray()
{
  need dfu-util python3
  two_parts
  record -- dfu-util -a 0 -s :leave -D two.dfu
  ends 1 "$dfuhil" lint run.pcapng
  says said '[leave-without-set-address] see AN3156 5.5'
  says said 'LEAVE 0x08020800'
  says said 'the image begins at 0x08000000'
  says said '1 error, 0 warnings, 0 notes'
}

polls_early()
{
  local python=/usr/bin/python3

  [ -x "$python" ] || python=python3
  need "$python"
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  pattern 65536 1 >in.bin
  record -- "$python" "$clients/flash_pyusb.py" flash in.bin
  ends 0 "$dfuhil" lint run.pcapng
  says said '[poll-timeout-ignored]'
  says said '(this is the first of '
}

refused()
{
  need dfu-util python3
  pattern 100 1 >in.bin
  ends 74 record -- dfu-util -a 0 -s 0x09000000:force -D in.bin
  findings >ids
  printf '%s\n' set-address-outside-map | diff ids -
}

two_boards()
{
  need dfu-util python3
  pattern 2048 1 >in.bin
  record --boards 2 -- sh -c 'for s in $(dfu-util -l | sed -n "s/.*alt=0,.*serial=\"\(.*\)\".*/\1/p"); do
    dfu-util -S "$s" -a 0 -s 0x08000000 -D in.bin; done'
  ends 0 "$dfuhil" lint --json run.pcapng
  python3 - <<'END'
import json
run = json.load(open("said"))
assert run["boards"] == 2 and run["profile"] == "f407-v3.1" and run["findings"] == [], run
END
}

as_json()
{
  need dfu-util python3
  two_parts
  record -- dfu-util -a 0 -s :leave -D two.dfu
  ends 1 "$dfuhil" lint --json --profile f407 run.pcapng
  python3 - <<'END'
import json
run = json.load(open("said"))
finding, = run["findings"]
assert finding["rule"] == "leave-without-set-address" and finding["severity"] == "error", finding
assert finding["board"] == 1 and finding["times"] == 1 and finding["packet"] > 20 and finding["time_us"] > 0, finding
assert "LEAVE" in finding["request"] and finding["text"] and finding["explanation"] and finding["citation"], finding
END
}

damaged()
{
  need dfu-util
  record -- dfu-util -a 0 -s 0x08000000:2048 -U out.bin
  head -c -30 run.pcapng >cut.pcapng
  ends 0 "$dfuhil" lint cut.pcapng
  says said 'cut.pcapng: it is cut off in the middle of the packet'
  echo 'this is no capture' >text
  ends 2 "$dfuhil" lint text
  says said 'text: this is neither pcapng nor pcap'
  : >empty
  ends 2 "$dfuhil" lint empty
  says said 'empty: the file is empty'
  ends 2 "$dfuhil" lint missing.pcapng
  says said 'missing.pcapng: No such file or directory'
  ends 2 "$dfuhil" lint --profile f470 run.pcapng
  says said "unknown profile 'f470', did you mean 'f407'?"
  printf '\324\303\262\241\002\000\004\000' >old.pcap
  ends 2 "$dfuhil" lint old.pcap
  says said 'its header is cut off'
  ends 2 "$dfuhil" lint
  says said 'usage: dfuhil lint'
}

# GETSTATUS after a block, lost by the recorder, looks like one that was not sent: the finding says so, and only behind the gap.
lossy()
{
  need python3
  python3 - "$fixtures/captures/dfu-util-download.pcapng" "$dfuemu" <<'END'
import json, struct, subprocess, sys
path, dfuemu = sys.argv[1:]
show = subprocess.run([dfuemu, "show", "--json", "--request", "ALL", path], capture_output=True, text=True, check=True)
requests = json.loads(show.stdout)["requests"]
write = next(n for n, r in enumerate(requests) if r["request"] == "WRITE")
lost = {r["packet_end"] for r in requests[write + 1 : write + 3]} | {r["packet"] for r in requests[write + 1 : write + 3]}
assert all(r["request"] == "GETSTATUS" for r in requests[write + 1 : write + 3])
data, at, frame, out = open(path, "rb").read(), 0, 0, {True: b"", False: b""}
while at < len(data):
    kind, length = struct.unpack_from("<II", data, at)
    block = data[at : at + length]
    at += length
    frame += kind == 6
    if kind == 6 and frame in lost:
        continue
    if kind == 6 and frame == max(lost) + 1:
        drops = block[8:-4] + struct.pack("<HHQHH", 4, 8, 4, 0, 0)
        out[True] += struct.pack("<II", 6, len(drops) + 12) + drops + struct.pack("<I", len(drops) + 12)
    else:
        out[True] += block
    out[False] += block
open("told.pcapng", "wb").write(out[True])
open("untold.pcapng", "wb").write(out[False])
END
  ends 1 "$dfuhil" lint told.pcapng
  says said 'the recorder says that it lost 4 packets'
  says said 'instead of GETSTATUS; this may follow from what the recording lacks before packet'
  ends 1 "$dfuhil" lint --json told.pcapng
  says said '"after_gap":true'
  ends 1 "$dfuhil" lint untold.pcapng
  says_not said 'may follow'
}

# Escape sequences are for terminals.
colours()
{
  need dfu-util python3
  two_parts
  record -- dfu-util -a 0 -s :leave -D two.dfu
  "$dfuhil" lint run.pcapng >plain || true
  says_not plain "$(printf '\033')"
  python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$dfuhil" lint run.pcapng >coloured || true
  says coloured "$(printf '\033[1;31merror')"
  NO_COLOR=1 python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$dfuhil" lint run.pcapng >asked || true
  says_not asked "$(printf '\033')"
}

list()
{
  need python3
  "$dfuhil" rules >list
  says list 'getstatus-after-dnload '
  "$dfuhil" rules --json >rules.json
  python3 - <<'END'
import json
rules = json.load(open("rules.json"))["rules"]
lines = open("list").read().splitlines()
assert [r["id"] for r in rules] == [l.split()[0] for l in lines] and len(rules) >= 30
assert {r["severity"] for r in rules} == {"note", "warning", "error"}
END
  ends 0 "$dfuhil" rules early-poll
  says said 'See DFU 1.1 6.1.2'
  ends 2 "$dfuhil" rules erly-poll
  says said "did you mean 'early-poll'?"
}

if [ ! -x "$dfuhil" ]; then
  echo "skip - lint: dfuhil is not in this build (sh ci/deps.sh)"
  exit 0
fi
later 'dfu-util in good order gives no finding' in_good_order
later 'a leave with the pointer in the last block is an error' jumps_astray
later 'early polls of a tool without sleeps are a note' polls_early
later 'a refused address is told' refused
later 'two boards of one capture are told apart' two_boards
later 'findings are there for programs' as_json
later 'a damaged or missing capture is told of, with status 2 if nothing can be read' damaged
later 'a finding that may follow from lost packets says so' lossy
later 'colours are for terminals' colours
later 'rules are listed and explained' list
finish
