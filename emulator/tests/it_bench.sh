#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bench devices beside the boards: on the private bus, in USB/IP's list, in captures, in what ctl tells.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"

# A client of relay boards that goes through usbfs
client()
{
  need gcc pkg-config
  pkg-config --exists hidapi-libusb || skip 'libhidapi-dev is not installed'
  # shellcheck disable=SC2046 # words
  gcc -std=c11 -O1 -o relay "$clients/relay_hidapi.c" $(pkg-config --cflags --libs hidapi-libusb)
}

application()
{
  printf '\0\0\002\040\211\001\0\010' >app.bin
  head -c 8184 /dev/zero >>app.bin
}

# From nothing to the application, the bootloader and back, by relays alone
by_relay()
{
  client
  application
  cp app.bin flash.bin
  cat >tool <<'END'
set -e
dfuemu ctl S wait booted application 2s
./relay BENCH 1 on 2 on 2 off
dfuemu ctl S wait listed 5s
lsusb
./relay BENCH 1 off 2 on 2 off
dfuemu ctl S wait booted application 5s
dfuemu ctl S wait listed 5s
lsusb
./relay BENCH
END
  sed -i "s#dfuemu#$dfuemu#" tool
  emu -v --control S --flash flash.bin --capture run.pcapng --bench 'usbrelay2=BENCH:1=boot0,2=!nrst' -- sh tool >said 2>events
  cat said events
  says said 0483:df11
  says said 0483:5740
  says said 'USBRelay2 00'
  sed -n 's/^dfuemu: [0-9.]* \(bench 1: relay .*\|board 1: \(BOOT0\|NRST\) .*\)/\1/p' events >moved
  cat >want <<'END'
bench 1: relay 1 on
board 1: BOOT0 high
bench 1: relay 2 on
board 1: NRST low
bench 1: relay 2 off
board 1: NRST high
bench 1: relay 1 off
board 1: BOOT0 low
bench 1: relay 2 on
board 1: NRST low
bench 1: relay 2 off
board 1: NRST high
END
  diff moved want
  grep -q -a -P 'U\0S\0B\0R\0e\0l\0a\0y\0002' run.pcapng
}

# Boards, then bench devices, then bystanders
order()
{
  need lsusb usbip
  emu --boards 2 --bench usbrelay1 --bench cp2112 --also "$fixtures/descriptors/0483-374b.usb" -- lsusb >said
  sed 's/.* ID \([^ ]*\) .*/\1/' said | sort >ids
  printf '0483:374b\n0483:df11\n0483:df11\n10c4:ea90\n16c0:05df\n1d6b:0001\n' | diff - ids
  "$dfuemu" serve usbip --listen 127.0.0.1:0 --boards 2 --bench usbrelay1 --bench cp2112 \
    --also "$fixtures/descriptors/0483-374b.usb" >ready &
  trap 'kill $!' EXIT
  until_true 10 grep -q '^ready' ready
  usbip --tcp-port "$(sed 's/.*://' ready)" list -r 127.0.0.1 >said 2>&1
  cat said
  sed -n 's/^ *\(1-[0-9]*\): .*(\(....:....\))$/\1 \2/p' said >ids
  printf '1-1 0483:df11\n1-2 0483:df11\n1-3 16c0:05df\n1-4 10c4:ea90\n1-5 0483:374b\n' | diff - ids
}

told()
{
  cat >tool <<'END'
set -e
dfuemu ctl S status >before
dfuemu ctl --json S events >events &
until grep -q listening events; do sleep 0.02; done
dfuemu ctl S bench 1 unplug
dfuemu ctl S bench 1 unplug
dfuemu ctl --json S status >after
dfuemu ctl S bench 1 plug
until grep -q '"plugged"' events; do sleep 0.02; done
kill $!
END
  sed -i "s#dfuemu#$dfuemu#" tool
  emu --boards 2 --control S --bench 'usbrelay2:1=2:boot0,1=power,2=!2:nrst' -- sh tool
  cat before after events
  sed -n '/^bench:/,$p' before | sed 's/address: .*/address:/' >said
  cat >want <<'END'
bench:
  - bench: 1
    device: usbrelay2
    serial: BITFT
    plugged: yes
    address:
    lines:
      - line: 1
        drive: off
        wires: 2:boot0,1:power
      - line: 2
        drive: off
        wires: !2:nrst
END
  diff said want
  python3 - <<'END'
import json
status = json.load(open("after"))["result"]["bench"][0]
assert status["plugged"] is False and status["address"] == 0, status
told = [json.loads(line) for line in open("events")]
told = [(e["event"], e["device"]) for e in told if e.get("bench") == 1]
assert told == [("unplugged", "usbrelay2"), ("plugged", "usbrelay2")], told
END
}

refused()
{
  ends 125 "$dfuemu" exec --bench usbrelay2:1=boot0 --bench usbrelay4=ABCDE --bench usbrelay1=ABCDE -- true
  says said "--bench 'usbrelay1=ABCDE': there is one with serial number ABCDE already"
  ends 125 "$dfuemu" exec --bench cp2112:0=2:boot0 -- true
  says said '--bench cp2112 goes to board 2, --boards has 1'
  ends 125 "$dfuemu" exec --boards 15 --bench cp2112 -- true
  says said '15 boards and 1 devices by --bench and --also: a bus has room for 15'
  ends 125 "$dfuemu" exec --bench cp2112:0=bot0 -- true
  says said "column 10: 'bot0': expected boot0, boot1, nrst, power or vbus, did you mean 'boot0'?"
  ends 1 emu --control S --bench cp2112 -- "$dfuemu" ctl S bench 2 unplug
  says said 'there is no bench device 2, but 1 of them'
  ends 2 emu --control S --bench cp2112 -- "$dfuemu" ctl S bench one unplug
  says said "bench 'one': expected the number of a bench device"
}

check 'a tool on the private bus moves the board by relays: bootloader, application' by_relay
check 'bench devices come after the boards, and before bystanders' order
check 'status and events tell of bench devices' told
check 'mistakes are told, with what is right' refused
finish
