#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rig files of real boards on the bench in software: `dfuhil rig bench` plugs in what they name, and nights run there. In a guest.
# With DFUBENCH_WHOLE=1 nights are of all smoke scenarios, on either rig: ci/vm/run -t 3600 -- hil/tests/vm_bench_rig.sh
# guest: -k stock
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_scenarios.sh"

gpio_rig()
{
  cat >rig.yaml <<'END'
rig: gpio
kind: board
board: {serial: "326237763036"}
application: {usb: "0483:5740"}
wires:
  boot0: {gpio: {chip: cp2112_gpio, line: 0}, idle: low}
  nrst: {gpio: {chip: cp2112_gpio, line: 1}, drive: open-drain, idle: high}
  power: {gpio: {chip: cp2112_gpio, line: 2}, idle: on}
END
}

relay_rig()
{
  cat >rig.yaml <<'END'
rig: relays
kind: board
board: {serial: "326237763036"}
application: {usb: "0483:5740"}
wires:
  boot0: {relay-hid: {serial: BENCH, relay: 1}, idle: low}
  nrst: {relay-hid: {serial: BENCH, relay: 2}, active: low, idle: high}
  power: {relay-hid: {serial: BENCH, relay: 3}, idle: on}
END
}

example_rig()
{
  cp "$fixtures/rigs/bench.yaml" rig.yaml
}

# The kernel has let go of what was on the bench.
unplugged()
{
  ! grep -q -x -E 'ea90|05df|df11|5740' /sys/bus/usb/devices/*/idProduct
}

# bench ARGUMENT...: dfuhil rig bench, where nothing of another one is left
bench()
{
  until_true 30 unplugged
  "$dfuhil" rig bench "$@"
}

# Step by step, with the drivers and the libraries that a real one has
checked()
{
  "$1"
  ends 0 bench rig.yaml --time x5 -- "$dfuhil" rig check rig.yaml
  says_not said 'failed '
}

served()
{
  relay_rig
  bench rig.yaml --time x20 --control S -- "$dfuemu" ctl --json S status >board.json
  python3 - <<'END'
import json
said = json.load(open("board.json"))["result"]
assert said["boards"][0]["serial"] == "326237763036", said
(bench,) = said["bench"]
assert (bench["device"], bench["serial"]) == ("usbrelay4", "BENCH"), bench
assert [line["wires"] for line in bench["lines"]] == ["1:boot0", "!1:nrst", "1:power"], bench
END
}

refused()
{
  gpio_rig
  sed -i 's/chip: cp2112_gpio, line: 0/chip: gpiochip0, line: 17/' rig.yaml
  ends 3 "$dfuhil" rig bench rig.yaml -- true
  says said "boot0: chip 'gpiochip0': what can be emulated is a CP2112, chip: cp2112_gpio"
  gpio_rig
  sed -i 's/line: 2/line: 8/' rig.yaml
  ends 3 "$dfuhil" rig bench rig.yaml -- true
  says said "power: line '8': a CP2112 has lines 0 to 7, and no names"
  ends 2 "$dfuhil" rig bench emulated -- true
  says said "'emulated' is no rig of a real board"
  sed -i 's/^kind: board/kind: bord/' rig.yaml
  ends 2 "$dfuhil" rig bench ./rig.yaml -- true
}

# Relays that the kernel has no driver for are plugged in all the same.
no_hidraw()
{
  relay_rig
  modprobe -r hid-generic
  ends 3 bench rig.yaml --time x5 -- "$dfuhil" rig check rig.yaml
  modprobe hid-generic
  says said 'a device 16c0:05df is plugged in at USB port '
  says said "'modprobe -a usbhid hid-generic'"
}

# --- nights ---

# What both rigs have besides: as quick as an emulated board may be switched
desk()
{
  "$1"
  cat >>rig.yaml <<'END'
timing: {reset: 5ms, settle: 5ms, off: 20ms, on: 20ms, listed: 20s}
usbmon: auto
END
  export XDG_STATE_HOME=$PWD/state DFUBENCH_LOCK_DIR=$PWD
  # dfu-util, which fails once where its words have what the file `flake` has, and whose version 0.12 forgets to leave
  cat >tool <<END
#!/bin/sh
version=\$(cat "$PWD/version")
[ "\$1" != --version ] || { echo "dfu-util \$version"; exit; }
if [ -e "$PWD/flake" ]; then
  case "\$*" in
  *"\$(cat "$PWD/flake")"*)
    rm "$PWD/flake"
    echo 'the cable was loose' >&2
    exit 70
    ;;
  esac
fi
if [ "\$version" != 0.11 ]; then
  for word; do
    shift
    set -- "\$@" "\${word%:leave}"
  done
fi
exec dfu-util "\$@"
END
  chmod +x tool
  echo 0.11 >version
}

# night STATUS DATE SCENARIO...: on the bench that the rig file asks for
night()
{
  local want=$1

  export DFUBENCH_NOW=$2
  shift 2
  until_true 30 unplugged
  ends "$want" timeout -k 5 600 "$dfuhil" rig bench rig.yaml --time x20 -- "$dfuhil" nightly --rig ./rig.yaml --retries 1 "$@" \
    --folder nights --history h.sqlite --tool-path dfu-util="$PWD/tool"
  until_true 20 unplugged
}

# What was played there has the verdict of the board in this process, and a recording.
as_in_process()
{
  local file

  "$dfuhil" run "$@" --json here.json >/dev/null
  jq -r '.results[] | "\(.scenario) \(.verdict)"' here.json | sort >here
  jq -r '.results[] | select(.tool == "dfu-util" and .verdict != "skipped") | "\(.scenario) \(.verdict)"' nights/latest/report.json |
    sort >there
  cat there
  [ -s there ]
  [ -z "$(comm -13 here there)" ]
  cut -d ' ' -f 1 there | while read -r file; do
    file=nights/latest/captures/$rig/$(echo "$file" | tr / -).dfu-util.pcapng
    "$dfuemu" show "$file" >/dev/null
    [ "$(stat -c %s "$file")" -gt 2000 ]
  done
}

# nights RIG FLAKE WORDS SCENARIO...: five of them; FLAKE is a flake in the second night, by those words of the tool's, and in the
# last one all that leaves has got worse.
nights()
{
  local rig=$1 flake=$2 words=$3

  shift 3
  need dfu-util jq
  night 0 2026-03-01T02:00 "$@"
  says said 'night of 2026-03-01 02:00 UTC: good'
  says said "rig $rig: fit, "
  as_in_process "$@"
  echo "$words" >flake
  night 0 2026-03-02T02:00 "$@"
  [ ! -e flake ]
  says said "  $flake (dfu-util) on $rig: exit status 70"
  says said 'it fails 1 of 2 times; the emulated board passes it'
  night 0 2026-03-03T02:00 "$@"
  says_not said 'flaky:'
  night 0 2026-03-04T02:00 "$@"
  echo 0.12 >version
  night 1 2026-03-05T02:00 --retries 0 "$@"
  says said "  leave/application-starts (dfu-util) on $rig: "
  says said ', and on the emulated board with the same seed just so'
  says said 'new tonight: first bad night 2026-03-05 02:00 UTC, last good one 2026-03-04 02:00 UTC; what changed: dfu-util 0.11 -> 0.12'
  jq -e '.status == 1 and [.cases[] | [.scenario, .is]] == [["leave/application-starts", "tool"]]' nights/latest/summary.json
  ends 0 "$dfuhil" history --history h.sqlite first-bad
  says said leave/application-starts
  says said '0.11 -> 0.12'
  ends 0 "$dfuhil" history --history h.sqlite flakes
  says said "$flake"
}

by_gpio()
{
  desk gpio_rig
  if [ -n "${DFUBENCH_WHOLE-}" ]; then
    nights gpio files/upload-compares ' -U ' conformance --tag smoke
  else
    nights gpio leave/application-starts :leave leave/application-starts
  fi
}

by_relays()
{
  desk relay_rig
  if [ -n "${DFUBENCH_WHOLE-}" ]; then
    nights relays files/upload-compares ' -U ' conformance --tag smoke
    return
  fi
  need dfu-util jq
  rig=relays
  night 0 2026-03-01 files/upload-compares
  says said 'rig relays: fit, 1 run'
  as_in_process files/upload-compares
}

# --- what goes wrong on a desk ---

# One that has a step by which it goes wrong in the middle
trouble()
{
  printf '%s\n' "name: $1 in the middle" 'why: It happens.' 'reference: none' 'tools: [dfu-util]' \
    'files: {image: {size: 5000, seed: 1, bootable: true}}' 'steps:' '  - bootloader' "  - run: [$PWD/$1]" '  - reset' \
    '  - download: {file: image, address: 0x08000000}' '  - flash: {address: 0x08000000, equals: image}' >"$1.yaml"
  cat >"$1"
  chmod +x "$1"
}

# The wires are relays whose board is unplugged; the hub that all hangs on starts anew; the wall's clock is set back and forth
# while a tool works; the disk that is recorded to is full. Each run has a verdict, and the next one goes as if nothing had been.
faults()
{
  need dfu-util sqlite3
  desk relay_rig
  trouble relays_unplugged <<END
#!/bin/sh
exec "$dfuemu" ctl "$PWD/S" bench 1 unplug
END
  trouble hub_reset <<'END'
#!/bin/sh
for hub in /sys/bus/usb/drivers/hub/*-0:1.0; do
  hub=${hub##*/}
  echo "$hub" >/sys/bus/usb/drivers/hub/unbind
  echo "$hub" >/sys/bus/usb/drivers/hub/bind
done
END
  cat >jumping <<'END'
#!/bin/sh
[ "$1" != --version ] || exec dfu-util --version
(for _ in 1 2 3 4 5; do date -s '+1 day'; sleep 0.2; date -s '-1 day'; sleep 0.2; done) >/dev/null &
dfu-util "$@"
status=$?
wait
exit $status
END
  chmod +x jumping
  mkdir full
  mount -t tmpfs -o size=12k none full
  cat >all <<'END'
status=0
ended()
{
  want=$1
  shift
  timeout -k 5 120 "$@" || [ $? = "$want" ] || { echo "=> not status $want: $*"; status=1; }
}
ended 1 "$dfuhil" run --rig ./rig.yaml relays_unplugged.yaml
"$dfuemu" ctl S status >idle
"$dfuemu" ctl S bench 1 plug
for _ in $(seq 1000); do
  ! compgen -G '/sys/bus/hid/devices/*:16C0:05DF.*/hidraw/hidraw*' >/dev/null || break
  sleep 0.02
done
ended 1 "$dfuhil" run --rig ./rig.yaml hub_reset.yaml
"$dfuemu" ctl S status >idle_again
ended 0 "$dfuhil" run --rig ./rig.yaml download/small --tool-path dfu-util="$PWD/jumping" --capture-dir captures
ended 1 "$dfuhil" run --rig ./rig.yaml start/list-changes-nothing --capture-dir full
exit $status
END
  export dfuhil dfuemu
  ends 0 bench rig.yaml --time x20 --control S -- bash all || { umount full; false; }
  umount full
  [ "$(grep -c 'has the relay board been unplugged?' said)" -eq 2 ]
  says said 'dfuhil: the wires may not be idle: cannot open boot0 (relay 1 of USB relays BENCH, pulled: high): no relay board'
  says idle 'boot0: low' # its contacts fell
  says idle_again 'boot0: low'
  says idle_again 'vdd: high'
  says said 'ok    download/small'
  # Nothing is believed to have taken a day.
  sqlite3 state/dfubench/history.sqlite 'SELECT erases, slowest_us FROM erase WHERE slowest_us > 0' >slowest
  cat slowest
  [ -s slowest ]
  [ "$(sqlite3 state/dfubench/history.sqlite 'SELECT max(slowest_us) < 60000000 FROM erase')" = 1 ]
  "$dfuemu" show captures/*.pcapng >shown
  says shown 'WRITE 0x08000000'
  [ "$(sed -n 's/^ *\([0-9]*\)\.[0-9]* .*/\1/p' shown | sort -n | tail -n 1)" -lt 1000 ]
  says said 'No space left on device'
}

if [ ! -x "$dfuhil" ]; then
  echo "skip - rig files on the bench: dfuhil is not built (sh ci/deps.sh)"
  exit 0
fi
for module in vhci-hcd cdc-acm usbhid hid-generic hid-cp2112 usbmon; do
  modprobe "$module"
done
check 'rig bench has the board and the relays of the file' served
check 'rig check is content with the example that README.md has: a CP2112, and relays for the supplies' checked example_rig
check 'rig check is content with relays' checked relay_rig
check 'what cannot be emulated is told' refused
check 'relays without a driver are told' no_hidraw
check 'nights by GPIO: a flake and a regression are found and named' by_gpio
check 'nights by relays: verdicts are those of the board in this process' by_relays
check 'relays unplugged, a hub reset, a clock that jumps, a full disk: each run has a verdict, and the next one works' faults
finish
