# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of rig files on the bench in software share: two rigs, and a tool whose version and flakes can be ordered. In a guest.
. "$(dirname "${BASH_SOURCE[0]}")/rig_scenarios.sh"

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

# The drivers of adapters, board and recordings; ends the script where there is no dfuhil.
bench_modules()
{
  local module

  if [ ! -x "$dfuhil" ]; then
    echo "skip - rig files on the bench: dfuhil is not built (sh ci/deps.sh)"
    exit 0
  fi
  for module in vhci-hcd cdc-acm usbhid hid-generic hid-cp2112 usbmon; do
    modprobe "$module"
  done
}
