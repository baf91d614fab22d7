#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rig behind a control socket: tools see the boards of the dfuemu that everything runs in. No kernel is needed for that.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_scenarios.sh"

# rig STATUS [OPTION...] -- ARGUMENT...: dfuhil run beside boards with such options of exec
rig()
{
  local want=$1 options=()

  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  TIME=${TIME:-real} ends "$want" emu --control S "${options[@]}" -- "$dfuhil" run --rig control:S "$@"
}

same_verdicts()
{
  need dfu-util python3
  ends 0 "$dfuhil" run --tag smoke --json here.json "$repo/scenarios"
  rig 0 --capture c.pcapng -- --tag smoke --json there.json "$repo/scenarios"
  says said "skip  many/two-boards-by-serial: rig 'control' cannot do 'boards'"
  verdicts here.json | grep -v '^many/' >here
  verdicts there.json | grep -v '^many/' >there
  diff here there
  grep -q '"time": *"real"' there.json
}

unfit()
{
  ends 3 "$dfuhil" run --rig control:nowhere --tag smoke "$repo/scenarios"
  says said "the rig 'control' is unfit: cannot connect to 'nowhere': No such file or directory"
  [ -d /sys/devices/platform/vhci_hcd.0 ] || {
    ends 3 "$dfuhil" run --rig vhci --tag smoke "$repo/scenarios"
    says said "the rig 'vhci' is unfit: vhci_hcd is not loaded: modprobe vhci-hcd"
  }
  need dfu-util
  # No bus within a bus
  ends 3 "$dfuemu" exec -- "$dfuhil" run --junit report.xml --tag smoke "$repo/scenarios"
  says said "the rig 'emulated' is unfit: a seccomp listener is there already"
  says_not said 'ERROR'
  [ ! -e report.xml ]
}

# Whatever somebody has left behind is not there when a scenario begins.
known_board()
{
  need dfu-util
  pattern 1048576 1 >noise
  # shellcheck disable=SC2016
  TIME=real ends 0 emu --boards 2 --control S --capture c.pcapng --fault 'stall on=dnload,count=any' -- sh -ec '
    ctl() { "$0" ctl S "$@"; }
    ctl flash load "$PWD/noise"
    ctl options set efaa1055ff550055ff7f0080ff7f0080
    ctl boot1 high
    ctl nrst low
    ctl unplug
    "$1" run --rig control:S --match "download/small" --match "start/*changes-nothing" "$2"
    ctl board 2 status
  ' "$dfuemu" "$dfuhil" "$repo/scenarios"
  says said 'ok    download/small'
  says said 'ok    start/list-changes-nothing'
  says said 'vdd: low' # the other board
}

reasons()
{
  need dfu-util
  rig 1 --profile f411 -- --match start/no-device "$repo/scenarios"
  says said 'the rig has profile f411, the scenario is for f407'
  says said 'every scenario was skipped'
  rig 1 --app none -- --match start/no-device "$repo/scenarios"
  says said 'the application on the rig is none, the scenario is for 0483:5740'
  rig 1 -- --match start/dfuerror "$repo/scenarios"
  says said "rig 'control' cannot do 'transcript', which requests needs"
  rig 1 -- --match protect/level-2 --match 'profiles/g474-upload' "$repo/scenarios"
  says said "rig 'control' cannot do 'profiles'"
}

behaviour()
{
  need dfu-util
  scenarios
  # shellcheck disable=SC2016
  TIME=real ends 1 emu --control S --capture c.pcapng -- \
    sh -c '"$0" run --rig control:S -j 4 s; s=$?; ps -e -o args= >processes; exit $s' "$dfuhil"
  says said 'the rig control takes one scenario at a time: --jobs 4 is of no effect'
  says said 'ok    s/interrupted'
  says said 'ok    s/hangs'
  says said 'ok    s/leaves'
  says said 'ok    s/says'
  says said '0483:df11 has not come up within 1s; mode of board 1: bootloader'
  says said "skip  s/bystander: rig 'control' cannot do 'boards'"
  says_not processes 'sleep 86401'
}

# The boards' own time: as fast as they are, or skipped
faster()
{
  need dfu-util
  TIME=x10 rig 0 -- --match download/small --json fast.json "$repo/scenarios"
  grep -q '"time": *"x10"' fast.json
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
  TIME=virtual rig 0 -- --match download/small --json virtual.json "$repo/scenarios"
  grep -q '"time": *"virtual"' virtual.json
}

has_no_protection()
{
  "$dfuemu" ctl S status | grep -q -x ' *rdp_level: 0'
}

# A server whose boards nobody shows to this machine, and which goes in the middle
server()
{
  need dfu-util
  mkdir s
  cat >s/contents.yaml <<'END'
name: contents go in and come out
why: No tool is needed for that.
reference: none
files:
  image: {size: 5000, seed: 2, bootable: true}
steps:
  - flash: {address: 0x08000000, length: 1048576, erased: true}
  - prepare: {flash: [{address: 0x08004000, file: image}], options: {rdp: 1, write-protect: [2]}}
  - flash: {address: 0x08004000, equals: image}
  - options: {rdp: 1, write-protect: [2]}
  - prepare: {flash: [{address: 0x08000000, file: image}]}
  - reset
  - state: {mode: application, reset-cause: pin}
  - software-entry
END
  cat >s/waits.yaml <<'END'
name: the server goes
why: That is no verdict on a tool.
reference: none
steps:
  - wait: 5min
END
  "$dfuemu" serve usbip --listen 127.0.0.1:0 --boot0 low --control S >ready &
  server=$!
  until_true 20 grep -q '^ready' ready
  # The second time it finds what the first has left.
  ends 0 "$dfuhil" run --rig control:S --repeat 2 s/contents.yaml
  "$dfuhil" run --rig control:S --deadline none s/waits.yaml >waits 2>&1 &
  # It has come so far that it is told to wait.
  until_true 20 has_no_protection
  kill -9 "$server"
  wait "$server" || true
  if wait $!; then return 1; fi
  cat waits
  says waits 'ERROR'
}

# What firmware does is told by events, a fault with its registers.
of_firmware()
{
  need dfu-util
  "$dfuemu" exec --app firmware -q -- true >missing 2>&1 || skip "$(sed 's/.*--app firmware: //; q' missing)"
  rig 0 --app firmware --capture c.pcapng -- "$repo/scenarios/firmware/faults.yaml"
  # A stack that is nowhere, and a fault that nobody asks for.
  mkdir s
  sed '/- wait:/,$d' "$repo/scenarios/firmware/faults.yaml" >s/silent.yaml
  cat >>s/silent.yaml <<'END'
  - wait: {console: "serial number"}
  - console: {send: b, expect: welcome, within: 500ms}
END
  rig 1 --app firmware --capture c.pcapng -- --json there.json s/silent.yaml
  says said 'application: BusFault at 0x08000'
  ends 1 "$dfuhil" run --json here.json s/silent.yaml
  for file in here there; do
    jq -r '.results[0].steps[-1].application' "$file".json | sed 's/ at [0-9.]* s$//' >"$file"
  done
  diff here there
}

later 'smoke scenarios have the verdicts of the private bus' same_verdicts
later 'a rig that is not there is unfit' unfit
later 'a board comes to a scenario as it left the factory' known_board
later 'what the boards are not is a reason to skip' reasons
later 'interrupts, limits and bystanders are those of the private bus' behaviour
later 'faults of firmware are told, and with their registers' of_firmware
later 'the clock is that of the boards' faster
later 'a server has boards without a host, and may go' server
finish
