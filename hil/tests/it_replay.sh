#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuhil replay and import, over the recordings of fixtures/captures and new ones.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
captures=$fixtures/captures

if [ ! -x "$dfuhil" ]; then
  echo 'skip - dfuhil replay and import: dfuhil is not in this build'
  exit 0
fi

virtual()
{
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
}

# replays STATUS [OPTION...] CAPTURE
replays()
{
  local want=$1

  shift
  ends "$want" timeout -k 5 100 "$dfuhil" replay "$@"
}

# edit FROM TO PATTERN OCCURRENCE OFFSET: adds 1 to a byte, counted from that occurrence of the bytes; fails if there is none
edit()
{
  python3 - "$@" <<'PYTHON'
import sys

data = bytearray(open(sys.argv[1], "rb").read())
pattern, at = bytes.fromhex(sys.argv[3]), -1
for _ in range(int(sys.argv[4])):
    at = data.index(pattern, at + 1)
data[at + int(sys.argv[5])] ^= 1
open(sys.argv[2], "wb").write(data)
PYTHON
}

# differences FILE: of a JSON report, "packet kind offset"
differences()
{
  python3 -c '
import json, sys
for d in json.load(open(sys.argv[1]))["differences"]:
    print(d["packet"], d["kind"], d.get("offset", "-"))' "$1"
}

round_trip()
{
  virtual
  replays 0 "$captures/$1.pcapng"
  says said 'no difference in '
  says_not said ' in 0 requests'
  # by the time, too, as far as a loaded machine lets pauses be the same
  replays 0 --tolerance 100ms "$captures/$1.pcapng"
}

no_requests()
{
  replays 2 "$captures/dfu-util-list.pcapng"
  says said 'there is no DFU request in it'
}

# Somebody began to record when the board was there: which device it is, the profile says.
begun_late()
{
  virtual
  need editcap tshark
  tshark -r "$captures/dfu-util-download.pcapng" -Y 'usb.bmRequestType == 0xa1' -T fields -e frame.number >numbers
  editcap -r "$captures/dfu-util-download.pcapng" late.pcapng "$(head -n 1 numbers)-1000"
  replays 0 late.pcapng
  says said 'no difference in '
  says said 'which nothing in the recording tells'
}

# Of a run that is recorded here and now, with each tool that there is.
fresh()
{
  virtual
  need dfu-util python3
  pattern 5000 1 >in.bin
  TIME=virtual board --capture run.pcapng --flash flash.img -- sh -e -c '
    dfu-util -a 0 -s 0x08000000 -D in.bin
    dfu-util -a 0 -s 0x08000000:5000 -U out.bin
    dfu-util -a 1 -s 0x1FFFC000:16 -U options.bin'
  replays 0 --json report.json run.pcapng
  says said 'in 3 sessions'
  replays 0 --capture again.pcapng run.pcapng
  # The recording of a replay is one that can be replayed.
  replays 0 again.pcapng
}

# The bytes of a status are told by what they mean, at the packet that has them.
one_byte_of_a_status()
{
  virtual
  edit "$captures/dfu-util-download.pcapng" new.pcapng 006400000400 1 1
  replays 1 --json report.json new.pcapng
  says said 'packet 41'
  says said 'DFU_GETSTATUS: poll'
  says said 'expected: 101 ms'
  says said 'got:      100 ms'
  differences report.json >found
  echo '41 poll -' | diff - found
  edit "$captures/dfu-util-download.pcapng" new.pcapng 006400000400 1 4
  replays 1 --json report.json new.pcapng
  says said 'expected: dfuDNLOAD-IDLE'
  differences report.json >found
  grep -x '41 state -' found
}

# Of data that were read after they had been written in the same recording.
one_byte_of_data()
{
  local packet

  virtual
  need dfu-util python3 tshark
  pattern 5000 2 >in.bin
  TIME=virtual board --capture run.pcapng -- sh -e -c '
    dfu-util -a 0 -s 0x08000000 -D in.bin
    dfu-util -a 0 -s 0x08000000:5000 -U out.bin'
  # second occurrence: what was read; byte 300 of the block
  edit run.pcapng new.pcapng "$(head -c 16 in.bin | od -An -tx1 | tr -d ' \n')" 2 300
  replays 0 run.pcapng
  replays 1 --json report.json new.pcapng
  differences report.json >found
  packet=$(tshark -r run.pcapng -Y 'usb.bmRequestType == 0xa1 && usb.setup.wLength == 2048' -T fields -e frame.number | head -n 1)
  [ -n "$packet" ]
  echo "$packet data 300" | diff - found
  says said 'data, byte 300'
}

# A byte that was written shows where it is read back.
one_byte_written()
{
  virtual
  need dfu-util python3
  pattern 2000 3 >in.bin
  TIME=virtual board --capture run.pcapng -- sh -e -c '
    dfu-util -a 0 -s 0x08000000 -D in.bin
    dfu-util -a 0 -s 0x08000000:2000 -U out.bin'
  edit run.pcapng new.pcapng "$(head -c 16 in.bin | od -An -tx1 | tr -d ' \n')" 1 99
  replays 1 --json report.json new.pcapng
  differences report.json >found
  [ "$(wc -l <found)" -eq 1 ]
  grep -E '^[0-9]+ data 99$' found
}

other_board()
{
  virtual
  replays 1 --profile l476 "$captures/dfu-util-download.pcapng"
  says said 'expected: 104 ms'
  replays 1 "$captures/dfu-util-stall.pcapng"
  says said 'expected: a STALL'
  says said 'got:      an answer of 2048 bytes'
  says said '1 difference at 1 place'
}

# What the flash held before is what was read of it, or a file.
before()
{
  virtual
  need python3
  replays 0 "$captures/dfu-util-upload.pcapng"
  says said 'with 5000 bytes that the recording reads before it writes them'
  head -c 5000 /dev/zero >zeros
  replays 1 --flash zeros "$captures/dfu-util-upload.pcapng"
  says said 'with the contents of a file'
  says said 'data, '
  replays 2 --flash none "$captures/dfu-util-upload.pcapng"
  says said "cannot read 'none'"
  head -c 2000000 /dev/zero >zeros
  replays 2 --flash zeros "$captures/dfu-util-upload.pcapng"
  says said 'more than the flash'
}

# Option bytes that forbid writing a sector, from a state file: what is written there is dropped in silence.
options()
{
  virtual
  need dfu-util python3
  pattern 2000 5 >in.bin
  TIME=virtual board --capture run.pcapng --state open.state -- sh -e -c '
    dfu-util -a 0 -s 0x08000000 -D in.bin
    dfu-util -a 0 -s 0x08000000:2000 -U out.bin'
  replays 0 --state open.state run.pcapng
  # nWRP of sector 0, and its complement, twice
  sed 's/^\(option-bytes: .\{16\}\).*/\1FE0F01F0FE0F01F0/' open.state >shut.state
  replays 1 --state shut.state run.pcapng
  says said 'data, '
  sed 's/^otp/opt/' open.state >wrong.state
  replays 2 --state wrong.state run.pcapng
  says said 'wrong.state:'
  replays 2 --profile l476 --state open.state run.pcapng
  says said "'open.state' is of profile f407-v3.1"
}

# Read protection shows in a recording by what is refused.
locked()
{
  virtual
  need dfu-util python3
  cat >locked.yaml <<'END'
name: a board with read protection is read, and set free
why: for a recording
reference: AN3156
tools: [dfu-util]
steps:
  - prepare: {flash: [{fill: 0x5a, size: 5000}], options: {rdp: 1}}
  - bootloader
  - upload: {output: out, address: 0x08000000, length: 2048}
    expect: {exit: any}
  - unprotect
  - wait: 30s
  - download: {file: image, address: 0x08000000}
files: {image: {size: 3000, seed: 1}}
END
  ends 0 "$dfuhil" run --capture-dir captures locked.yaml
  replays 0 captures/*.pcapng
  says said 'and protected from reading'
}

# Erasing takes longer there: a difference in time alone, and only where time is judged.
time_differs()
{
  virtual
  need dfu-util python3
  pattern 3000 4 >in.bin
  TIME=virtual board --erase-times maximum --capture run.pcapng -- dfu-util -a 0 -s 0x08000000 -D in.bin
  replays 0 run.pcapng
  says said 'not judged without --tolerance'
  replays 1 --tolerance 20ms run.pcapng
  says said 'DFU_GETSTATUS: time'
  replays 0 --tolerance 1000%+1s run.pcapng
  replays 2 --tolerance soon run.pcapng
  replays 2 --tolerance 5%5ms run.pcapng
  says said "--tolerance '5%5ms'"
}

# A device that does not come back as recorded ends it, and what was not sent is told.
stays_away()
{
  virtual
  need dfu-util python3
  "$fixtures/firmware/make-demo.sh" demo.bin
  TIME=virtual board --app f055:9800 --capture run.pcapng -- sh -c 'dfu-util -a 0 -s 0x08000000:leave -D demo.bin; sleep 3'
  replays 1 run.pcapng
  says said 'return of f055:9800'
  says said 'expected: device f055:9800 to come'
}

# On boards of somebody else's, which keep real time: pins, contents and the plug by the control socket.
by_control()
{
  local name

  ends 3 "$dfuhil" replay --rig control:nowhere "$captures/two-boards.pcapng"
  says said "cannot connect to 'nowhere'"
  ends 2 "$dfuhil" replay --rig vhcy "$captures/two-boards.pcapng"
  for name in dfu-util-upload dfu-util-replugged; do
    TIME=real ends 0 emu --control S -- "$dfuhil" replay --rig control:S "$captures/$name.pcapng"
    says said 'rig control:S, real time'
    says said 'no difference in '
  done
  TIME=real ends 2 emu --control S -- "$dfuhil" replay --rig control:S --time virtual "$captures/dfu-util-upload.pcapng"
}

reports()
{
  virtual
  need python3
  replays 1 --junit j.xml --html h.html --json - "$captures/dfu-util-stall.pcapng"
  says said '"format":1'
  says j.xml 'failures="1"'
  says j.xml 'dfu-util-stall.pcapng/session-1'
  says h.html '<html'
  replays 0 --junit j.xml "$captures/two-boards.pcapng"
  says j.xml 'tests="2" failures="0"'
  replays 2 --junit - --json - "$captures/two-boards.pcapng"
  replays 2 --json none/x.json "$captures/two-boards.pcapng"
}

bad()
{
  replays 2
  replays 2 none.pcapng
  says said 'none.pcapng: No such file or directory'
  echo nonsense >nonsense.pcapng
  replays 2 nonsense.pcapng
  replays 2 --rig emulatde "$captures/two-boards.pcapng"
  says said "did you mean 'emulated'?"
  replays 2 --profile f470 "$captures/two-boards.pcapng"
  says said "did you mean 'f407'?"
  replays 2 --time never "$captures/two-boards.pcapng"
  replays 2 --seed x "$captures/two-boards.pcapng"
  replays 2 --rig emulated --rig vhci "$captures/two-boards.pcapng"
  says said "replay: --rig 'vhci': there is one already, 'emulated'"
  replays 2 --wrong "$captures/two-boards.pcapng"
}

# cut: every beginning of a capture is replayed or refused, and nothing is left behind
cut()
{
  local size step status

  virtual
  mkdir tmp
  size=$(stat -c %s "$captures/dfu-util-replugged.pcapng")
  for ((step = 1; step < 8; step++)); do
    head -c $((size * step / 8)) "$captures/dfu-util-replugged.pcapng" >cut.pcapng
    status=0
    TMPDIR=$PWD/tmp timeout -k 5 100 "$dfuhil" replay cut.pcapng >said 2>&1 || status=$?
    cat said
    [ "$status" -le 2 ]
  done
  rmdir tmp
}

# --- import ---

imported()
{
  local options=("${@:2}")

  virtual
  need dfu-util
  ends 0 "$dfuhil" import "${options[@]}" -o new.yaml "$captures/$1.pcapng"
  says said "new.yaml: the scenario; 'dfuhil run new.yaml' plays it"
  says new.yaml 'The data of the recording is in this file'
  ends 0 "$dfuhil" check new.yaml
  ends 0 "$dfuhil" run new.yaml
  says said '1 passed'
}

# What the recorder lost is told, and held against nobody; what it has is.
lost()
{
  local damaged=$tests/damaged

  virtual
  replays 0 --json report.json "$damaged/answers-lost.pcapng"
  says said 'no difference in 12 requests'
  says said '3 more sent, of which the recording does not have the answer'
  says report.json '"answers_unknown":3'
  replays 0 "$damaged/cut-after-block.pcapng"
  says said '1 more sent, of which'
  replays 0 --json report.json "$damaged/snaplen.pcapng"
  says said '1 of them sent shorter than then'
  says report.json '"sent_shorter":1'
  replays 0 "$captures/qemu/xhci-redir-dfu-util.qemu.pcap"
  says said '52 more sent, of which'
  edit "$damaged/answers-lost.pcapng" new.pcapng 006800000400 1 1
  replays 1 new.pcapng
  says said 'expected: 105 ms'
  ends 0 "$dfuhil" import -o new.yaml "$damaged/answers-lost.pcapng"
  says new.yaml 'for want of an answer'
  says new.yaml 'set-address 0x08000000 -> any'
  ends 0 "$dfuhil" run new.yaml
}

# A state that DFU does not have is told by its number, and is no word of a script.
no_state()
{
  virtual
  edit "$captures/dfu-util-download.pcapng" new.pcapng 0a0000000a00 1 4
  replays 1 new.pcapng
  says said 'expected: state 11'
  ends 0 "$dfuhil" import --host -o new.yaml new.pcapng
  says new.yaml '-> any # state 11, errFIRMWARE, which DFU does not have'
  ends 0 "$dfuhil" check new.yaml
  ends 0 "$dfuhil" run new.yaml
}

# As somebody with Windows records it; a board that comes back there has the address that it had.
windows()
{
  local name

  virtual
  for name in download leave replugged unprotect; do
    python3 "$tests/clients/to_usbpcap.py" "$captures/dfu-util-$name.pcapng" windows.pcap
    replays 0 windows.pcap
    grep '^no difference' said >first
    says_not said damaged
    "$dfuhil" replay "$captures/dfu-util-$name.pcapng" | grep '^no difference' | cmp - first
    python3 "$tests/clients/to_usbpcap.py" "$captures/dfu-util-$name.pcapng" windows.pcap 2
    replays 0 windows.pcap
    grep '^no difference' said | cmp - first
  done
}

# Boards of which the recording does not have the serial number are told apart all the same.
nameless()
{
  virtual
  python3 "$tests/clients/to_usbpcap.py" "$captures/two-boards.pcapng" windows.pcap no-strings
  ends 0 "$dfuemu" show windows.pcap
  says_not said 'serial number'
  replays 0 windows.pcap
  says said 'to 2 boards'
  says said 'no difference in 30 requests'
  ends 0 "$dfuhil" import -o new.yaml windows.pcap
  ends 0 "$dfuhil" run new.yaml
}

# Requests that the recording lacks: what is answered otherwise behind them may follow from that, and is marked; what is before them is
# not.
gap()
{
  local damaged=$tests/damaged

  virtual
  replays 1 --json report.json --junit report.xml "$damaged/requests-lost.pcapng"
  says said 'may be missing before packet 41, the first such place'
  says said '6 of the differences may follow from what the recording lacks before packet 41'
  says report.xml 'may follow from what the recording lacks before packet 41'
  gaps 41 42 45 50
  # The first answer, at packet 38, is another one: that is none of the gap's.
  edit "$damaged/requests-lost.pcapng" new.pcapng 000000000200 1 4
  replays 1 --json report.json new.pcapng
  gaps 41 42 45 50
  # Where nobody knows where.
  replays 0 "$damaged/drops-in-statistics.pcapng"
  says said 'nobody knows where: any difference may follow from that'
  edit "$damaged/drops-in-statistics.pcapng" new.pcapng 006800000400 1 1
  replays 1 --json report.json new.pcapng
  says report.json '"after_gap":true'
  replays 0 "$damaged/drops.pcapng"
  says said 'may be missing before packet 45'
  # What began before the recording did is not lost in it; nor are answers.
  for name in begins-late answers-lost reordered cut-in-packet; do
    "$dfuhil" replay --json report.json "$damaged/$name.pcapng" >said || true
    says_not said 'may follow'
    says_not report.json '"gap"'
  done
}

# gaps PACKET MARKED...: the gap of the report, and the packets of the differences that are marked
gaps()
{
  python3 - "$@" <<'END'
import json, sys
report = json.load(open("report.json"))
gap, *marked = map(int, sys.argv[1:])
assert report["gap"] == gap, report["gap"]
assert sorted({d["packet"] for d in report["differences"] if d.get("after_gap")}) == marked, report["differences"]
assert all(("after_gap" in d) == (d["packet"] >= gap) for d in report["differences"]), report["differences"]
END
}

# An upgrade in the middle of a run: what is on the disk by then is not run.
replaced()
{
  virtual
  cp "$dfuhil" old
  ends 0 "$dfuhil" import --host -o new.yaml "$captures/dfu-util-leave.pcapng"
  exec 8<old
  rm old
  ends 0 /proc/self/fd/8 replay "$captures/dfu-util-leave.pcapng"
  ends 0 /proc/self/fd/8 run --tools-folder "$fixtures/tools" new.yaml
  exec 8<&-
}

recognised()
{
  virtual
  ends 0 "$dfuhil" import -o new.yaml "$captures/dfu-util-leave.pcapng"
  says new.yaml 'download: {file: image-1, address: 0x08000000, leave: true}'
  says new.yaml 'flash: {address: 0x08000000, equals: image-1}'
  says new.yaml 'wait: {usb: "0483:5740"'
  "$fixtures/firmware/make-demo.sh" demo.bin
  cmp -n 5000 demo.bin new-image-1.bin
  ends 0 "$dfuhil" import -o up.yaml "$captures/dfu-util-upload.pcapng"
  says up.yaml 'upload: {output: read-'
  says up.yaml 'prepare:'
  ends 0 "$dfuhil" import -o stall.yaml "$captures/dfu-util-stall.pcapng"
  says stall.yaml 'fault: {rule: "stall on=write,count=1"}'
  says stall.yaml 'dnload 2 file data-1 offset 0 length 2048 -> stall'
  ends 0 "$dfuhil" import -o plug.yaml "$captures/dfu-util-replugged.pcapng"
  says plug.yaml '- unplug'
}

# A verdict that can fail: with other contents the imported scenario does.
imported_can_fail()
{
  virtual
  need dfu-util
  ends 0 "$dfuhil" import -o new.yaml "$captures/dfu-util-upload.pcapng"
  sed -i 's/equals: before-1/equals: other/; s/^files:/files:\n  other: {size: 5000, seed: 1}/' new.yaml
  ends 1 "$dfuhil" run new.yaml
}

import_bad()
{
  ends 0 "$dfuhil" import -o new.yaml "$captures/dfu-util-leave.pcapng"
  ends 2 "$dfuhil" import -o new.yaml "$captures/dfu-util-leave.pcapng"
  says said "'new.yaml' is there already (--force)"
  ends 0 "$dfuhil" import --force -o new.yaml "$captures/dfu-util-leave.pcapng"
  rm new.yaml
  ends 2 "$dfuhil" import -o new.yaml "$captures/dfu-util-leave.pcapng"
  says said "'new-image-1.bin' is there already (--force)"
  ends 2 "$dfuhil" import -o none/new.yaml "$captures/dfu-util-leave.pcapng"
  ends 2 "$dfuhil" import
  ends 2 "$dfuhil" import none.pcapng
  ends 2 "$dfuhil" import "$captures/dfu-util-list.pcapng"
  says said 'there is no DFU request in it'
  cp "$captures/dfu-util-leave.pcapng" 'a "b" $c.pcapng'
  ends 0 "$dfuhil" import 'a "b" $c.pcapng'
  ends 0 "$dfuhil" check 'a "b" $c.yaml'
}

for name in dfu-util-download dfu-util-upload dfu-util-leave dfu-util-mass-erase dfu-util-unprotect dfu-util-replugged \
  two-boards pyusb-flash webusb-flash fwupd-install usbmon/vhci-dfu-util.usbmon usbmon/vhci-dfu-util.own; do
  check "$name is answered as recorded" round_trip "$name"
  check "$name as a scenario passes" imported "$name"
done
for name in dfu-util-download dfu-util-stall dfu-util-unprotect dfu-util-replugged two-boards; do
  check "$name as a scenario of its requests passes" imported "$name" --host
done
check 'dfu-util-stall as a scenario passes' imported dfu-util-stall
check 'a recording without a DFU request is refused' no_requests
check 'a recording that began when the board was there is answered as recorded' begun_late
check 'a new recording, and that of its replay, are answered as recorded' fresh
check 'another byte in a status is told at its packet, by its meaning' one_byte_of_a_status
check 'another byte in data is told at its packet and offset' one_byte_of_data
check 'another byte that is written shows where it is read' one_byte_written
check 'another ROM, and a board without the fault, answer otherwise' other_board
check 'the flash holds before what the recording reads, or a file' before
check 'option bytes are those of a state file' options
check 'a board with read protection is known by its refusals' locked
check 'times are judged by a tolerance' time_differs
check 'a device that does not come back is told' stays_away
check 'a recording is sent to the boards behind a control socket' by_control
check 'reports of a replay' reports
check 'mistakes of the command line and the file are told' bad
check 'recordings that are cut off are replayed as far as they go' cut
check 'answers that the recording lost are no difference' lost
check 'an answer that DFU does not know is told and imported' no_state
check 'recordings of USBPcap are sent as those of Linux are' windows
check 'boards without serial numbers are told apart' nameless
check 'differences behind requests that the recording lost are marked' gap
check 'a dfuhil that is replaced meanwhile goes on with itself' replaced
check 'operations are recognised, with what belongs to them' recognised
check 'the verdicts of an imported scenario can fail' imported_can_fail
check 'import writes over nothing, and tells what is wrong' import_bad
finish
