#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rig files of real boards on the bench in software: `dfuhil rig bench` plugs in what they name. Runs in a guest.
# guest: -k stock
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"

dfuhil=$build/dfuhil

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

# Step by step, with the drivers and the libraries that a real one has
checked()
{
  "$1"
  "$dfuhil" rig bench rig.yaml --time x5 -- "$dfuhil" rig check rig.yaml
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

if [ ! -x "$dfuhil" ]; then
  echo "skip - rig files on the bench: dfuhil is not built (sh ci/deps.sh)"
  exit 0
fi
for module in vhci-hcd cdc-acm usbhid hid-generic hid-cp2112; do
  modprobe "$module"
done
check 'rig bench has the board and the relays of the file' served
check 'rig check is content with GPIO lines of a CP2112' checked gpio_rig
check 'rig check is content with relays' checked relay_rig
check 'what cannot be emulated is told' refused
finish
