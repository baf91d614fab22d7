#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuemu show: captures of all kinds, in any state, of any size, and held against tshark.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"
TIME=virtual
captures=$fixtures/captures

# A download, an upload that is refused, one that is not, in run.pcapng
record()
{
  need dfu-util python3
  pattern 5000 1 >in.bin
  board -q --capture run.pcapng -- sh -c '
    dfu-util -a 0 -s 0x08000000 -D in.bin
    dfu-util -a 0 -s 0x080FF800:4096:force -U out.bin
    dfu-util -a 0 -s 0x08000000:100:leave -U some.bin' >said 2>&1 || true
}

show()
{
  "$dfuemu" show "$@"
}

# Times differ from run to run where real time is: the lines without them
line()
{
  show "$@" | grep -F -q -e "$text" || {
    echo "=> no line with '$text':"
    show "$@"
    return 1
  }
}

time_line()
{
  record
  ends 0 show run.pcapng
  says said "0483:df11 at address 2 of bus 1, serial number $serial"
  says said 'dfuERROR, errFIRMWARE'
  for text in 'ERASE 0x08000000, sector 0  ' 'SET_ADDRESS 0x08000800, sector 0 ' 'READ 0x08000000, sector 0, 100 of 100 bytes, sum'; do
    line run.pcapng
  done
  grep -q -E 'ERASE 0x08000000, sector 0 +400\.[0-9]+ +100  dfuDNLOAD-IDLE' said
  grep -q -E 'WRITE 0x08001000, sector 0, 904 bytes, sum [0-9a-f]{8} +1[0-9]{2}\.[0-9]{3} +104  dfuDNLOAD-IDLE' said
  grep -q -E 'READ 0x08[0-9A-F]+, 0 of 2048 bytes .*STALL' said
  grep -q -E 'LEAVE 0x08000000, sector 0 .*dfuMANIFEST' said
  # The sum is that of the file's block.
  sum=$(python3 -c 'import zlib; print("%08x" % zlib.crc32(open("in.bin", "rb").read()[:2048]))')
  says said "WRITE 0x08000000, sector 0, 2048 bytes, sum $sum"
  says said '1 sector erased; 5000 bytes written in 3 blocks (0x08000000 to 0x08001387)'
  says said 'left for 0x08000000'
  grep -q -E '^ +0  0x08000000 +16 KiB  #{8}-{16}  erased, 5000 bytes written, 100 bytes read$' said
  grep -q -E '^ +1-3  0x08004000 +16 KiB  \.{24}$' said
  says_not said 'damage'
}

filters()
{
  record
  show --request ERASE --request write run.pcapng >some
  grep -E '^ +[0-9]+\.' some | grep -v 0483:df11 | sed 's/ 0x.*//; s/.* //' | sort | uniq -c | tr -s ' ' >counts
  printf ' %s\n' '1 ERASE' '3 WRITE' | diff - counts
  show --request GETSTATUS run.pcapng | grep -c GETSTATUS >polls
  [ "$(cat polls)" -ge 17 ]
  show --request OTHER run.pcapng >other
  says other 'GET_DESCRIPTOR string'
  # Two boards: each alone, by address and by serial number.
  board -q --boards 2 --serial 208F3681554D --capture two.pcapng -- sh -c '
    dfu-util -S 208F3681554D -a 0 -s 0x08004000 -D in.bin; dfu-util -S 326237753036 -a 0 -s 0x08000000:64 -U x.bin' >said 2>&1
  show two.pcapng >both
  says both 'board 1: '
  says both 'board 2: '
  show --device 208F3681554D two.pcapng >one
  says one 'WRITE 0x08004000'
  says_not one 'READ 0x08000000'
  show --device 326237753036 two.pcapng >one
  says_not one 'WRITE'
  says one 'READ 0x08000000'
  address=$(sed -n "s/.*at address \([0-9]*\) of bus 1, serial number $serial.*/\1/p" both)
  show --device "1.$address" two.pcapng >same
  diff one same
  show --device "$address" two.pcapng >same
  diff one same
  ends 0 show --device 99 two.pcapng
  says said "warning: show: nothing was said to device '99' in 'two.pcapng'"
  says_not said 'board 1'
}

json()
{
  record
  show --json run.pcapng >run.json
  show --json - <run.pcapng >stdin.json
  sed 's/"file":"-"/"file":"run.pcapng"/' stdin.json | cmp - run.json
  python3 - <<'END'
import json, zlib
run = json.load(open("run.json"))
data = open("in.bin", "rb").read()
writes = [r for r in run["requests"] if r["request"] == "WRITE"]
assert [w["address"] for w in writes] == [0x08000000, 0x08000800, 0x08001000], writes
assert [w["crc32"] for w in writes] == [zlib.crc32(data[i:i + 2048]) for i in (0, 2048, 4096)]
erase, = [r for r in run["requests"] if r["request"] == "ERASE"]
assert erase["data"] == "4100000008" and erase["sector"] == 0 and erase["memory"] == "Internal Flash", erase
busy = [r for r in run["requests"] if r.get("state") == "dfuDNBUSY"]
assert busy[0]["poll_ms"] == 100 and busy[0]["status"] == "OK", busy[0]
board, = run["boards"]
assert board["written_bytes"] == 5000 and board["sectors_erased"] == 1 and board["serial"] == "326237753036", board
assert len(board["sectors"]) >= 12 and board["sectors"][0]["written_bytes"] == 5000
assert run["damage"] == [] and run["format"] == "pcapng" and run["dfu_requests"] == len(run["requests"])
END
}

# What would be written by others: the same requests, and tshark finds them too.
forms()
{
  local form

  need tshark
  export HOME=$PWD # no preferences of the user's
  record
  "$clients/compare_tshark.py" "$dfuemu" run.pcapng 70
  show --json run.pcapng | python3 "$clients/meanings.py" >want
  for form in usbpcap usbpcap-old qemu pcap pcap-be pcap-ns pcap-be-ns old-header pcapng-be simple; do
    echo "== $form"
    "$clients/recast.py" "$form" run.pcapng "$form"
    "$clients/compare_tshark.py" "$dfuemu" "$form" 70
    show --json "$form" | python3 "$clients/meanings.py" >got
    diff want got
  done
}

# Programs of Wireshark's write it anew.
rewritten()
{
  local form

  need tshark editcap mergecap reordercap
  export HOME=$PWD
  record
  show --json run.pcapng >run.json
  python3 "$clients/meanings.py" <run.json >want
  for form in pcap nsecpcap pcapng; do
    echo "== $form"
    editcap -F "$form" run.pcapng "as-$form"
    ends 0 show --json "as-$form"
    python3 "$clients/meanings.py" <said >got
    diff want got
  done
  editcap -s 90 run.pcapng short.pcapng
  ends 1 show --summary short.pcapng
  says said 'not whole, the first is number'
  says said '5000 bytes written in 3 blocks'
  # Turned round, and put in order again.
  python3 "$clients/turn_capture.py" run.pcapng turned.pcapng
  ends 1 show --json turned.pcapng
  says said 'earlier than the one before'
  python3 "$clients/meanings.py" <said | diff want -
  reordercap turned.pcapng ordered.pcapng
  ends 0 show --json ordered.pcapng
  python3 "$clients/meanings.py" <said | diff want -
  # Two in one, each with interfaces of its own.
  mergecap -a -w both.pcapng run.pcapng as-pcap
  show --summary both.pcapng >said || true
  says said '2 sectors erased; 10000 bytes written in 6 blocks'
}

# What Linux's usbmon and QEMU recorded, as tshark reads it; and the same run by our own filter
recorded()
{
  local file

  need tshark
  export HOME=$PWD
  for file in "$captures"/usbmon/*.pcapng "$captures"/qemu/*.pcap*; do
    "$clients/compare_tshark.py" "$dfuemu" "$file" 40
  done
  "$clients/compare_tshark.py" "$dfuemu" "$captures/windows/hid-devices.pcapng" 42
  ends 0 show --summary "$captures/windows/hid-devices.pcapng"
  says said '42 control transfers, 0 of them DFU; 13 transfers of other kinds'
  for file in own usbmon; do
    show --json "$captures/usbmon/vhci-dfu-util.$file.pcapng" | python3 "$clients/meanings.py" >"$file"
  done
  diff own usbmon
  [ "$(grep -c WRITE own)" -eq 3 ]
  # QEMU leaves out answers, and that is told.
  ends 1 show "$captures/qemu/xhci-redir-dfu-util.qemu.pcap"
  says said 'requests without the answer, which was lost'
  says said 'SET_ADDRESS 0x08000000'
}

damaged()
{
  local name status rest line

  need python3
  "$tests/damaged/make.py" .
  for name in *.p*; do
    cmp "$name" "$tests/damaged/$name"
  done
  cp "$tests/damaged/whole.pcapng" .
  while IFS='|' read -r name status rest; do
    ends "$status" show --summary "$name"
    line=$name\|$status\|$(sed -n 's/.* \([0-9]* control transfers, [0-9]* of them DFU\).*/\1/p' said)
    line=$line$(sed -n 's/^damage: /|/p; s/^dfuemu: [^:]*: /|/p' said | tr -d '\n')
    [ "$line" = "$name|$status|$rest" ] || {
      echo "=> wanted: $name|$status|$rest"
      return 1
    }
  done <"$tests/damaged/expected"
  [ "$(grep -c . "$tests/damaged/expected")" -ge 28 ]
  # What was lost stands about where it was, not at the end.
  ends 1 show answers-lost.pcapng
  says said 'answer not recorded'
  grep -o -e '^ *0.124908.*not recorded' -e '^ *0.736747' said | sed -n '1s/ *0.124908.*//p' | grep -q -x ''
}

# The same memory for ten times as much.
endless()
{
  need python3
  [ -z "${SAN-}" ] || skip 'a sanitizer takes all addresses there are'
  record
  python3 "$clients/long_capture.py" run.pcapng long.pcapng 60
  ulimit -v 30000
  show --summary long.pcapng >said
  runs=$(($(stat -c %s long.pcapng) / $(stat -c %s run.pcapng)))
  says said "$(grep -o '[0-9]* bytes written in' said)"
  [ "$(sed -n 's/.*; \([0-9]*\) bytes written in.*/\1/p' said)" -ge $((5000 * runs)) ]
  show --json long.pcapng | tail -c 300 >end
  says end '"damage":[]'
}

# A board that comes back more often than there is room for, and is spoken to at last
comes_back()
{
  need dfu-util python3
  pattern 100 1 >in.bin
  board -q --capture one.pcapng -- dfu-util -l >said
  board -q --capture last.pcapng -- dfu-util -a 0 -s 0x08000000 -D in.bin >said
  printf 'one.pcapng %.0s' {1..70} | xargs "$clients/one_after_another.py" all.pcapng last.pcapng
  ends 0 show all.pcapng
  [ "$(grep -c 'at address' said)" -eq 1 ]
  says said 'WRITE 0x08000000, sector 0, 100 bytes'
  says said 'board 1: 0483:df11'
  says_not said 'board 2'
}

mistakes()
{
  record
  ends 125 show
  says said 'show: no capture: dfuemu show [OPTIONS] CAPTURE'
  ends 125 show missing.pcapng
  says said "cannot open 'missing.pcapng': No such file or directory"
  ends 125 show .
  says said '.: reading it failed: Is a directory'
  ends 125 show a b
  says said "one capture at a time: 'b' is one too many"
  ends 125 show --jsno run.pcapng
  says said "unknown option '--jsno': try 'dfuemu help show' (did you mean '--json'?)"
  ends 125 show --request ERAES run.pcapng
  says said "(did you mean 'ERASE'?)"
  ends 125 show --profile f470 run.pcapng
  says said "(did you mean 'f407'?)"
  ends 125 show --color red run.pcapng
  says said "--color 'red': must be auto, always or never"
  ends 125 show --device 200 run.pcapng
  says said 'addresses go from 1 to 127'
  ends 125 show --request
  says said "option '--request' needs a value"
  ends 125 sh -c "'$dfuemu' show run.pcapng >/dev/full"
  says said 'cannot write to standard output: No space left on device'
  python3 "$clients/long_capture.py" run.pcapng long.pcapng 1
  ends 125 sh -c "'$dfuemu' show long.pcapng >/dev/full"
  says said 'cannot write to standard output: No space left on device'
}

colours()
{
  record
  show run.pcapng >plain
  says_not plain "$(printf '\033')"
  show --color always run.pcapng >coloured
  says coloured "$(printf '\033[33mERASE')"
  sed 's/\x1b\[[0-9]*m//g' coloured | diff plain -
  python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$dfuemu" show run.pcapng >terminal
  says terminal "$(printf '\033[33mERASE')"
  NO_COLOR=1 python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$dfuemu" show run.pcapng >asked
  says_not asked "$(printf '\033')"
}

# Without the descriptors, the profile knows the sectors and the state.
late()
{
  need editcap
  export HOME=$PWD
  record
  editcap -r run.pcapng late.pcapng 41-90
  show late.pcapng >said || true
  says_not said 'sector 0'
  show --profile f407 late.pcapng >said || true
  says said 'sector 0'
}

later 'commands, addresses, sectors, times and states are in the time line, and the flash below' time_line
later 'requests and devices can be picked' filters
later '--json has every request, and reads standard input' json
later 'USBPcap, QEMU, pcap in all byte orders and headers read alike, and as tshark reads them' forms
later 'what editcap, reordercap and mergecap make of it reads alike' rewritten
later 'recordings of usbmon, QEMU and USBPcap read as tshark reads them' recorded
later 'each damaged capture is read as far as it goes, and told what is wrong with it' damaged
later 'a long capture takes no more memory than a short one' endless
later 'a board that comes back many times is one board' comes_back
later 'mistakes are told' mistakes
later 'colours are for terminals' colours
later 'a capture that begins late is understood with --profile' late
finish
