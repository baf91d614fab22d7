#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rig files of real boards on the bench in software: `dfuhil rig bench` plugs in what they name, and `rig check` is content; and what
# goes wrong on a desk. In a guest.
# guest: -k stock
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_bench.sh"

example_rig()
{
  cp "$fixtures/rigs/bench.yaml" rig.yaml
}

# Step by step, with the drivers and the libraries that a real one has
checked()
{
  "$1"
  ends 0 "$dfuhil" rig bench rig.yaml --time x5 -- "$dfuhil" rig check rig.yaml
  says_not said 'failed '
}

# The console of a rig is the serial port that its application is, which comes and goes with it. What is written there comes back.
console()
{
  need dfu-util jq
  example_rig
  cat >echoes.yaml <<'END'
name: what the application says is heard, while it is there
why: A rig listens all the time.
reference: none
tools: [dfu-util]
files:
  image: {size: 5000, seed: 3, bootable: true}
steps:
  - prepare: {flash: [{file: image}]}
  - application
  - wait: {usb: "0483:5740"}
  - run: [sh, -c, "until [ -c /dev/ttyACM0 ]; do sleep 0.1; done; echo hello >/dev/ttyACM0"]
  - wait: {console: "^hello$", within: 20s}
  - bootloader
  - wait: {console: "hello", within: 200ms}
END
  ends 1 "$dfuhil" rig bench rig.yaml --time x20 -- "$dfuhil" run --rig ./rig.yaml --json said.json echoes.yaml
  jq -e '[.results[0].steps[] | select(.verdict != "passed") | .line] == [14]' said.json
  says said 'no serial port of the board is there at USB port 1-'
}

# What udev says of rules that it reads
complained()
{
  udevadm test /sys/bus/usb/devices/usb1 >tested 2>&1
  says tested 'Reading rules file: /run/udev/rules.d/60-dfubench.rules'
  grep '^/run/udev/rules.d/60-dfubench.rules:' tested >complaints || true
}

# As the page on rigs says, with the system's own rules beside: whoever is in plugdev needs nothing else.
udev_rules()
{
  local udevd=/lib/systemd/systemd-udevd status=0

  need udevadm setpriv
  [ -x "$udevd" ] || skip 'systemd-udevd is not installed'
  getent group plugdev || skip 'there is no group plugdev'
  mkdir -p /run/udev/rules.d
  (cat "$fixtures/rigs/60-dfubench.rules" && echo 'KERNEL=="x", MOD="0660"') >/run/udev/rules.d/60-dfubench.rules
  complained
  [ "$(cut -d ' ' -f 1 complaints)" = "/run/udev/rules.d/60-dfubench.rules:$(($(grep -c '' "$fixtures/rigs/60-dfubench.rules") + 1))" ]
  cp "$fixtures/rigs/60-dfubench.rules" /run/udev/rules.d/
  complained
  cat complaints
  [ ! -s complaints ]
  "$udevd" --daemon
  udevadm trigger --subsystem-match=usb --subsystem-match=usbmon --action=add
  example_rig
  mkdir theirs
  chown nobody theirs
  cat >theirs/all <<'END'
udevadm settle
export XDG_STATE_HOME=$PWD/theirs DFUBENCH_LOCK_DIR=$PWD/theirs
setpriv --reuid=nobody --regid=nogroup --groups=plugdev "$dfuhil" rig check rig.yaml
END
  export dfuhil
  ends 0 "$dfuhil" rig bench rig.yaml --time x5 -- bash theirs/all || status=$?
  udevadm control --exit
  return "$status"
}

served()
{
  relay_rig
  "$dfuhil" rig bench rig.yaml --time x20 --control S -- "$dfuemu" ctl --json S status >board.json
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
  ends 3 "$dfuhil" rig bench rig.yaml --time x5 -- "$dfuhil" rig check rig.yaml
  modprobe hid-generic
  says said 'a device 16c0:05df is plugged in at USB port '
  says said "'modprobe -a usbhid hid-generic'"
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
  ends 0 "$dfuhil" rig bench rig.yaml --time x20 --control S -- bash all || { umount full; false; }
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

bench_modules
check 'rig bench has the board and the relays of the file' served
check 'rig check is content with the example that README.md has: a CP2112, and relays for the supplies' checked example_rig
check 'rig check is content with relays' checked relay_rig
check 'what cannot be emulated is told' refused
check 'relays without a driver are told' no_hidraw
check 'with the udev rules that come with it rig check is content with a user who is in plugdev' udev_rules
check "the console of a rig is its application's serial port, and is silent when that is gone" console
check 'relays unplugged, a hub reset, a clock that jumps, a full disk: each run has a verdict, and the next one works' faults
finish
