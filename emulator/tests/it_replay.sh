#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Recordings that play the device: what real tools did, and then do again.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

# The clock of both runs; virtual where that works, for then held answers cost nothing.
clock=x50
[ "$(uname -m)" = x86_64 ] && clock=virtual
usbmon=$fixtures/captures/usbmon

# emu on the same clock, recorded
record()
{
  timeout -k 5 60 "$dfuemu" exec --time "$clock" --serial "$serial" --capture c.pcapng "$@"
}

replay()
{
  timeout -k 5 60 "$dfuemu" replay --time "$clock" "$@"
}

# Progress bars go by the tool's own time.
without_bars()
{
  tr '\r' '\n' <"$1" | grep -v '\[[= ]*\]'
}

# round OPTION... -- SCRIPT: with the options for the board it is run and recorded, then run with the recording. Output
# and status are the same, all requests are made, and none is taken as a liberty.
round()
{
  local options=() status=0 again=0

  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  record "${options[@]}" -- sh -c "$@" >out.1 2>err.1 || status=$?
  replay c.pcapng --json how.json -- sh -c "$@" >out.2 2>err.2 || again=$?
  cat err.1 err.2
  [ "$status" -eq "$again" ]
  [ -s out.1 ]
  diff <(without_bars out.1) <(without_bars out.2)
  python3 - <<'PYTHON'
import json

how = json.load(open("how.json"))
assert how["departures"] == how["liberties"] == 0, how
assert all(d["requests"] == d["played"] for d in how["devices"]), how
PYTHON
}

# played N: that many requests in all
played()
{
  python3 -c 'import json, sys; sys.exit(sum(d["played"] for d in json.load(open("how.json"))["devices"]) < int(sys.argv[1]))' "$1"
}

# --- the same again ---

lists()
{
  need dfu-util lsusb
  round --boards 3 --also "$fixtures/descriptors/0483-374b.usb" -- 'dfu-util -l; lsusb -v'
  says out.2 "serial=\"$serial\""
  says out.2 0483:374b
}

downloads()
{
  need dfu-util
  pattern 20000 1 >in.bin
  round -- 'dfu-util -a 0 -s 0x08000000 -D in.bin'
  says out.2 'File downloaded successfully'
  played 60
}

uploads()
{
  need dfu-util
  pattern 1048576 2 >flash.img
  round --flash flash.img -- 'dfu-util -a 0 -s 0x08010000:20000 -U out.bin; sha256sum out.bin; rm out.bin'
  says out.2 "$(tail -c +65537 flash.img | head -c 20000 | sha256sum | sed 's/ .*//')"
}

erases()
{
  need dfu-util
  pattern 100 3 >in.bin
  round --flash flash.img -- 'dfu-util -a 0 -s 0x08000000:mass-erase:force -D in.bin'
  says out.2 'File downloaded successfully'
}

# Two lives, of different descriptors
leaves()
{
  need dfu-util lsusb
  python3 "$clients/make_dfu.py" --noise 5 x.dfu 0x08000000:392 0x08020000:600
  round -- '
    dfu-util -a 0 -D x.dfu
    dfu-util -a 0 -s 0x08000000:leave
    timeout 20 sh -c "until lsusb -d 0483:5740; do sleep 0.05; done"
    lsusb'
  says out.2 0483:5740
}

two_boards()
{
  need dfu-util lsusb
  python3 "$clients/make_dfu.py" --noise 5 x.dfu 0x08000000:392 0x08020000:600
  round --boards 2 -- '
    dfu-util -S "$1" -a 0 -D x.dfu
    dfu-util -S 326237763036 -a 0 -s 0x08000000:64 -U out.bin; rm out.bin
    dfu-util -S "$1" -a 0 -s 0x08000000:leave
    timeout 20 sh -c "until lsusb -d 0483:5740; do sleep 0.05; done"
    lsusb' sh "$serial"
  says out.2 0483:5740
  says out.2 0483:df11
}

# What went wrong goes wrong again: stalls, silence, replies that are too short, a device that goes.
failures()
{
  local fault

  need dfu-util
  pattern 9000 4 >in.bin
  for fault in 'stall on=dnload,block=2,count=3' 'silent on=dnload,block=2,count=2' 'bus-error on=dnload,count=4' \
    'delay=8s on=getstatus,count=6' 'delay=2s on=getstatus,count=6' 'short=3 on=getstatus,count=6' \
    'unplug on=dnload,count=6' 'power-cut=1s on=dnload,count=6' 'status=errPROG on=getstatus,count=9'; do
    echo "== $fault"
    round --fault "$fault" -- 'dfu-util -a 0 -s 0x08000000 -D in.bin 2>&1; echo "status $?"'
  done
}

pyusb()
{
  local python

  for python in python3 /usr/bin/python3; do
    "$python" -c 'import usb.core' 2>/dev/null && break
  done
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  pattern 9000 5 >in.bin
  round -- '"$@" list; "$@" flash in.bin; "$@" read out.bin 9000; cmp in.bin out.bin; rm out.bin' sh "$python" \
    "$clients/flash_pyusb.py"
  says out.2 "$serial"
  played 40
}

# node VERSION
node_usb()
{
  need node
  [ -d "$cache/node-usb-$1/node_modules/usb" ] || skip "the package usb@$1 is not here (it_node.sh fetches it)"
  pattern 9000 6 >in.bin
  round -- '"$@" list; "$@" flash in.bin; "$@" read out.bin 9000; cmp in.bin out.bin; rm out.bin' sh node \
    "$clients/flash_node.js" "$cache/node-usb-$1"
  says out.2 "$serial"
  played 40
}

# An erase of two sectors was held, and the device left and came back: so it is in time that passes, too.
on_time()
{
  need dfu-util lsusb
  python3 "$clients/make_dfu.py" --noise 5 x.dfu 0x08000000:392 0x08020000:600
  record -- sh -c 'dfu-util -a 0 -D x.dfu; dfu-util -a 0 -s 0x08000000:leave
    timeout 20 sh -c "until lsusb -d 0483:5740; do sleep 0.05; done"' >out.1
  replay c.pcapng --capture again.pcapng -- sh -c 'dfu-util -a 0 -D x.dfu; dfu-util -a 0 -s 0x08000000:leave
    timeout 20 sh -c "until lsusb -d 0483:5740; do sleep 0.05; done"' >out.2
  [ "$clock" = virtual ] || skip 'virtual time works on x86_64 only'
  for capture in c again; do
    "$dfuemu" show --json "$capture.pcapng" >"$capture.json"
  done
  python3 - <<'PYTHON'
import json

def held(name):
    return [(r["request"], r["end_us"] - r["time_us"]) for r in json.load(open(name))["requests"]]

was, now = held("c.json"), held("again.json")
assert was and was == now, (was, now)
assert max(us for _, us in was) > 100000, was
PYTHON
}

# --- other recordings ---

from_usbmon()
{
  need dfu-util
  head -c 5000 /dev/zero | tr '\0' A >in.bin
  for capture in "$usbmon"/*.pcapng; do
    replay "$capture" --json how.json -- dfu-util -a 0 -s 0x08000000:leave -D in.bin
    played 31
  done
}

# The classic format, and the microseconds and nanoseconds of either byte order that come with it
from_pcap()
{
  need dfu-util editcap
  head -c 5000 /dev/zero | tr '\0' A >in.bin
  for kind in pcap nsecpcap; do
    editcap -F "$kind" "$usbmon/vhci-dfu-util.usbmon.pcapng" x.pcap
    replay x.pcap --json how.json -- dfu-util -a 0 -s 0x08000000:leave -D in.bin
    played 31
  done
}

# As somebody with Windows records it
from_usbpcap()
{
  need dfu-util
  pattern 5000 11 >in.bin
  record -- dfu-util -a 0 -s 0x08000000 -D in.bin
  python3 "$clients/to_usbpcap.py" c.pcapng windows.pcap
  replay windows.pcap --json how.json -- dfu-util -a 0 -s 0x08000000 -D in.bin
  played 25
  ends 1 replay windows.pcap -- dfu-util -a 0 -s 0x08000000 -D windows.pcap
  says said 'departs from the recording'
}

# A board that comes back has the address that it had: Windows gives the lowest that is free, and shows no SET_ADDRESS.
comes_back_in_windows()
{
  local twice='dfu-util -a 0 -s 0x08000000:unprotect:force -D in.bin; sleep 40; dfu-util -a 0 -s 0x08000000 -D in.bin'

  need dfu-util
  pattern 520 11 >in.bin
  record -- sh -c "$twice"
  python3 "$clients/to_usbpcap.py" c.pcapng windows.pcap 2
  replay windows.pcap --json how.json -- sh -c "$twice"
  says how.json '"departures":0'
}

# --- departures ---

# flipped WHICH OFFSET MASK: a recording with that change; the number of the changed packet is in $packet.
flipped()
{
  packet=$(python3 "$clients/flip_byte.py" c.pcapng flipped.pcapng "$@")
}

changed_bytes()
{
  need dfu-util python3
  pattern 5000 7 >in.bin
  record -- dfu-util -a 0 -s 0x08000000 -D in.bin

  # of a block
  flipped dnload:2 1000 0x80
  ends 1 replay flipped.pcapng --json how.json -- dfu-util -a 0 -s 0x08000000 -D in.bin
  says said "flipped.pcapng: packet $packet at "
  says said 'departs from the recording: byte 1000 of the data is 0x'
  python3 - "$packet" <<'PYTHON'
import json
import sys

how = json.load(open("how.json"))
departure, = how["devices"][0]["departures"]
assert how["departures"] == 1 and departure["what"] == "differs", how
assert departure["packet"] == int(sys.argv[1]), departure["packet"]
difference = departure["first_difference"]
assert difference["part"] == "data" and difference["offset"] == 1000, difference
assert difference["expected"] ^ difference["actual"] == 0x80, difference
sent = bytes.fromhex(departure["actual"]["data"])
assert sent == open("in.bin", "rb").read()[2048:4096]
assert departure["before"][0]["packet"] < departure["packet"]
PYTHON

  # of a SETUP packet: wValue, wIndex, wLength
  for offset in 2 4 6; do
    flipped setup:9 "$offset" 1
    ends 1 replay flipped.pcapng -- dfu-util -a 0 -s 0x08000000 -D in.bin
    says said "flipped.pcapng: packet $packet at "
    says said "departs from the recording: byte $offset of the SETUP packet is 0x"
  done

  # of what a GETSTATUS said: the tool departs with its next request, and what made it is the last before that
  flipped status:4 0 0x0a
  ends 1 replay flipped.pcapng -- dfu-util -a 0 -s 0x08000000 -D in.bin
  says said 'flipped.pcapng: packet '
  grep -m 1 'before: ' said | says /dev/stdin "packet $((packet - 1)) at "
}

another_tool_run()
{
  need dfu-util
  pattern 5000 8 >in.bin
  record -- dfu-util -a 0 -s 0x08000000 -D in.bin

  # less, more, and something else
  ends 1 replay c.pcapng -- dfu-util -l
  says said 'the tool ended where the recording goes on: '
  says said 'recorded: DFU_GETSTATUS [a1 03 00 00 00 00 06 00]'
  ends 1 replay c.pcapng -- sh -c 'dfu-util -a 0 -s 0x08000000 -D in.bin && dfu-util -a 0 -s 0x08000000:8 -U out.bin'
  says said 'a descriptor is read more often than in the recording'
  ends 1 replay c.pcapng -- dfu-util -a 0 -s 0x08000000:8 -U out.bin
  says said 'departs from the recording: byte '
}

# A departure is one although the tool does not mind; what the tool says counts otherwise.
status_is_the_verdict()
{
  need dfu-util
  record -- dfu-util -a 0 -s 0x08000000:8 -U out.bin
  ends 1 replay c.pcapng -- true
  rm out.bin
  ends 7 replay c.pcapng -- sh -c 'dfu-util -a 0 -s 0x08000000:8 -U out.bin; exit 7'
  rm out.bin
  ends 143 replay c.pcapng -- sh -c 'dfu-util -a 0 -s 0x08000000:8 -U out.bin; kill $$'
  ends 127 replay c.pcapng -- ./not-there
}

liberties()
{
  need dfu-util
  pattern 3000 9 >in.bin
  record -- dfu-util -a 0 -s 0x08000000 -D in.bin
  ends 1 replay c.pcapng -- sh -c 'dfu-util -a 0 -s 0x08000000 -D in.bin; dfu-util -l'
  ends 0 replay c.pcapng --loose -v --json how.json -- sh -c 'dfu-util -a 0 -s 0x08000000 -D in.bin; dfu-util -l'
  says said 'a descriptor is read more often than in the recording'
  says said 'liberties taken'
  python3 - <<'PYTHON'
import json

how = json.load(open("how.json"))
liberties = how["devices"][0]["liberties"]
assert how["departures"] == 0 and how["liberties"] == len(liberties) > 0, how
assert {each["what"] for each in liberties} == {"read-again"}, liberties
PYTHON
  # other data is no liberty
  pattern 3000 10 >in.bin
  ends 1 replay c.pcapng --loose -- dfu-util -a 0 -s 0x08000000 -D in.bin
  says said 'departs from the recording'
}

# --- recordings that are none ---

no_recording()
{
  ends 125 replay
  says said 'no capture to replay'
  : >empty
  ends 125 replay empty -- true
  says said 'empty: '
  echo 'no capture at all' >text
  ends 125 replay text -- true
  says said 'text: '
  ends 125 replay missing -- true
  says said "cannot open 'missing'"
  ends 125 replay "$usbmon/vhci-dfu-util.own.pcapng"
  says said 'no tool to run'
  ends 125 replay "$usbmon/vhci-dfu-util.own.pcapng" --flash x -- true
  says said "option '--flash' is not for replay"
  ends 125 "$dfuemu" serve usbip --replay "$usbmon/vhci-dfu-util.own.pcapng" --boards 2
  says said '--boards is about boards'
  ends 125 "$dfuemu" serve usbip --loose
  says said '--replay'
}

# Of a recording without its beginning nothing can be enumerated.
no_enumeration()
{
  need editcap
  editcap -r "$usbmon/vhci-dfu-util.own.pcapng" tail.pcapng 33-92
  ends 125 replay tail.pcapng -- true
  says said 'is not played: the device descriptor is not in the recording'
}

cut_off()
{
  need dfu-util
  head -c 5000 /dev/zero | tr '\0' A >in.bin
  head -c 9000 "$usbmon/vhci-dfu-util.own.pcapng" >cut.pcapng
  ends 1 replay cut.pcapng -- dfu-util -a 0 -s 0x08000000:leave -D in.bin
  says said 'warning: cut.pcapng: '
  grep -q -e 'no more requests' -e 'does not have the answer' said
}

# --- other fronts ---

# usbip_session LAST: a session over USB/IP with a download of the recorded 5000 bytes, of which the last has that value
usbip_session()
{
  python3 - "$clients" "$(sed 's/.* //' ready)" "$1" <<'PYTHON'
import sys

sys.path.insert(0, sys.argv[1])
import usbip_client

host = usbip_client.Device(sys.argv[2])
assert (host.record.vendor, host.record.product) == (0x0483, 0xDF11)
host.configure()
assert host.getstatus() == (10, 0, 10)
host.control(0x21, 4, 0, 0)
assert host.getstatus() == (0, 0, 2)
data = b"A" * 4999 + sys.argv[3].encode()
host.download(0, b"\x41\x00\x00\x00\x08")
for at in range(0, 5000, 2048):
    host.download(0, b"\x21" + (0x08000000 + at).to_bytes(4, "little"))
    host.download(2, data[at : at + 2048])
host.control(0x21, 6, 0, 0)
assert host.getstatus() == (0, 0, 2)
host.download(0, b"\x21\x00\x00\x00\x08")
host.control(0x21, 1, 2, 0)
assert host.getstatus() == (0, 1, 7)
PYTHON
}

# serve CAPTURE: on a free port; `stop STATUS` ends it
serve()
{
  rm -f ready
  "$dfuemu" serve usbip --listen 127.0.0.1:0 --time x50 --replay "$1" --json how.json >ready 2>complaints &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true; cat complaints' EXIT
  until_true 20 grep -q '^ready: usbip: listening on 127.0.0.1:[0-9]*$' ready
}

stop()
{
  local status=0

  kill -TERM "$server"
  wait "$server" || status=$?
  [ "$status" -eq "$1" ]
}

served()
{
  need python3
  for capture in "$usbmon"/*.pcapng; do
    serve "$capture"
    usbip_session A
    stop 0
    played 31
  done
  serve "$usbmon/vhci-dfu-util.own.pcapng"
  usbip_session B && return 1
  stop 1
  says complaints 'departs from the recording: byte 903 of the data is 0x42 instead of 0x41'
}

later 'a list of several devices is the same again' lists
later 'a download is the same again' downloads
later 'an upload is the same again' uploads
later 'a mass erase is the same again' erases
later 'the device leaves, and comes back as another, again' leaves
later 'two boards of one recording are told apart' two_boards
later 'what went wrong goes wrong again' failures
later 'pyusb finds all the same again' pyusb
later 'node usb 2.18.0 finds all the same again' node_usb 2.18.0
later 'node usb 3.1.0 finds all the same again' node_usb 3.1.0
later 'answers are held as long as they were' on_time
later 'a recording of the kernel is played, root hubs and all' from_usbmon
later 'so is a pcap' from_pcap
later 'so is a recording of USBPcap' from_usbpcap
later 'and one in which the board comes back at the same address' comes_back_in_windows
later 'a changed byte is found at its place' changed_bytes
later 'a tool that does less, more or something else departs' another_tool_run
later 'a departure makes the exit status, else the tool' status_is_the_verdict
later 'liberties are forgiven when asked for, and told' liberties
later 'what is no recording is refused in words' no_recording
later 'a recording without enumeration is refused in words' no_enumeration
later 'a recording that is cut off is played up to there' cut_off
later 'a recording is served to other hosts' served
finish
