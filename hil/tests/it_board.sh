#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rig of a real board, with an emulated one in its place: the wires are commands to that dfuemu, USB is the bus that everything
# runs on. What a real board may suffer, and what may go wrong on a desk.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_scenarios.sh"
export LIMIT=240

# wire NAME ON OFF: of board 1, by commands of dfuemu
wire()
{
  echo "  $1: {command: {on: [$dfuemu, ctl, $PWD/S, $2], off: [$dfuemu, ctl, $PWD/S, $3], timeout: 20s}}"
}

# board_file [LINE...]: board.yaml, with lines that stand for those of the same key
board_file()
{
  local line key

  export XDG_STATE_HOME=$PWD/state DFUBENCH_LOCK_DIR=$PWD
  {
    printf '%s\n' 'rig: desk' 'kind: board' "board: {serial: \"$serial\", port: 1-1}" 'application: {usb: "0483:5740"}' \
      'timing: {reset: 5ms, settle: 5ms, off: 20ms, on: 20ms, listed: 5s}' \
      'allows: [mass-erase, option-bytes, rdp-1]' 'wires:'
    wire boot0 'boot0, high' 'boot0, low'
    wire nrst 'nrst, high' 'nrst, low'
    wire power 'power, "on"' 'power, "off"'
    wire vbus plug unplug
  } >board.yaml
  for line in "$@"; do
    key=${line%%:*}
    grep -v "^$key:" board.yaml >rest || true
    { [ -z "${line#*: }" ] || echo "$line"; cat rest; } >board.yaml
  done
}

# without_wire NAME
without_wire()
{
  grep -v "^  $1:" board.yaml >rest
  mv rest board.yaml
}

# on_board STATUS [OPTION...] -- ARGUMENT...: dfuhil beside boards with such options of exec
on_board()
{
  local want=$1 options=()

  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  rm -f S
  ends "$want" emu --control S "${options[@]}" -- "$dfuhil" "$@"
}

scene()
{
  # NAME STEPS...: a scenario of these lines
  local name=$1

  shift
  mkdir -p s
  {
    printf '%s\n' "name: $name" 'why: It is to be seen here.' 'reference: none' 'files:' \
      '  image: {size: 5000, seed: 20, bootable: true}' '  other: {size: 5000, seed: 21, bootable: true}' 'steps:'
    printf '  - %s\n' "$@"
  } >"s/$name.yaml"
}

# --- it is a rig ---

same_verdicts()
{
  need dfu-util python3
  board_file
  ends 0 "$dfuhil" run --tag smoke --json here.json "$repo/scenarios"
  on_board 0 --serial "$serial" -- run --rig board.yaml --tag smoke --json there.json "$repo/scenarios"
  verdicts here.json >here
  verdicts there.json | grep -v ' skipped$' >there
  comm -13 here there >differ
  cat differ
  [ ! -s differ ]
  # Without usbmon nobody sees requests; the rest is played.
  for id in files/upload-compares start/dfuerror download/small download/dfuse-one-element many/two-boards-by-serial \
    fault/unplugged-in-block protect/read-protected-download; do
    says said "skip  $id: "
  done
  says said "skip  download/small: rig 'desk' cannot do 'events', which sectors needs"
  says said 'skip  protect/read-protected-download: step '\''flash'\'' (line 14) looks into the flash while the board is'
  [ "$(grep -c ' passed$' there)" -eq 3 ]
  grep -q '"time": *"real"' there.json
}

behaviour()
{
  need dfu-util
  board_file
  scenarios
  rm s/interrupted.yaml
  on_board 1 --serial "$serial" -- run --rig board.yaml -j 4 s
  says said 'the rig desk takes one scenario at a time: --jobs 4 is of no effect'
  says said 'ok    s/hangs'
  says said 'ok    s/leaves'
  says said '0483:df11 has not come up within 1s'
  says said "skip  s/bystander: rig 'desk' cannot do 'boards'"
  says said "skip  s/denied: rig 'desk' cannot do"
}

# Looking and preparing, and what the board does then: what it did before
look()
{
  need dfu-util
  board_file
  scene fresh 'prepare: {flash: [{address: 0x08004000, file: image}]}' bootloader 'state: {dfu: dfuERROR, status: errFIRMWARE}' \
    'flash: {address: 0x08004000, equals: image}' 'state: {dfu: dfuERROR, status: errFIRMWARE}' \
    'prepare: {flash: [{address: 0x08004000, file: other}]}' 'flash: {address: 0x08004000, equals: other}' \
    'flash: {address: 0x08000000, length: 16K, erased: true}' 'state: {dfu: dfuERROR, status: errFIRMWARE}'
  scene idle bootloader 'host: "clrstatus; getstatus -> dfuIDLE"' 'flash: {address: 0x08000000, length: 16K, erased: true}' \
    'state: dfuIDLE' 'host: "set-address 0x08004000; settle -> dfuDNLOAD-IDLE"' \
    'flash: {address: 0x08000000, length: 16K, erased: true}' 'state: dfuDNLOAD-IDLE' \
    'host: "abort; upload 2 16; getstate -> dfuUPLOAD-IDLE"' 'flash: {unchanged: true}' 'state: dfuUPLOAD-IDLE' \
    'host: "clrstatus; getstate -> dfuERROR"' 'flash: {unchanged: true}' 'state: {dfu: dfuERROR, status: errUNKNOWN}'
  scene application 'prepare: {flash: [{address: 0x08000000, file: image}]}' application 'wait: {usb: "0483:5740"}' \
    'flash: {address: 0x08000000, equals: image}' 'wait: {usb: "0483:5740"}' 'state: {mode: application}' \
    'power: off' 'state: {mode: off}' 'flash: {address: 0x08000000, equals: image}' 'state: {mode: off}' 'power: on' \
    'wait: {usb: "0483:5740"}'
  # Left by a tool while BOOT0 is high: no reset would bring the application back
  scene left bootloader 'download: {file: image, address: 0x08000000, leave: true}' 'wait: {usb: "0483:5740"}' \
    'flash: {address: 0x08000000, equals: image}' 'wait: {usb: "0483:5740"}' 'state: {mode: application}'
  scene options 'prepare: {options: {write-protect: [2]}}' 'options: {write-protect: [2], rdp: 0}' bootloader \
    'options: {write-protect: [2]}' 'state: {dfu: dfuERROR, status: errFIRMWARE}'
  scene protected 'prepare: {options: {rdp: 1}}' bootloader 'options: {rdp: 1}' 'state: {dfu: dfuERROR, status: errFIRMWARE}'
  scene unprotected 'options: {rdp: 0, write-protect: []}' 'flash: {erased: true}'
  for id in fresh idle application left options protected unprotected; do
    on_board 0 --serial "$serial" --state board.state --flash board.flash -- run --rig board.yaml "s/$id.yaml"
  done
}

console()
{
  need dfu-util
  mkfifo tty
  board_file "console: {device: $PWD/tty, speed: 9600}"
  scene heard bootloader 'run: [sh, -c, "printf \"boot\\r\\nhello 42\\r\\n\" >tty & wait"]' \
    'wait: {console: "^hello [0-9]+$", within: 5s}'
  sed -i "s| >tty| >$PWD/tty|" s/heard.yaml
  scene silent bootloader 'wait: {console: hello, within: 300ms}'
  # What was said before a reset is not what was said since.
  scene reset bootloader 'run: [sh, -c, "printf \"hello\\n\" >tty & wait"]' 'wait: {console: hello}' reset \
    'wait: {console: hello, within: 300ms}'
  sed -i "s| >tty| >$PWD/tty|" s/reset.yaml
  on_board 1 --serial "$serial" -- run --rig board.yaml s
  says said 'ok    s/heard'
  says said 'nothing on the console matches /hello/ within 300ms'
  [ "$(grep -c '^FAIL .*nothing on the console matches' said)" -eq 2 ]
  board_file 'console: {device: /nowhere/tty}'
  on_board 1 --serial "$serial" -- run --rig board.yaml s/silent.yaml
  says said "'/nowhere/tty' cannot be opened: No such file or directory"
}

# --- what a real board must not suffer ---

forbidden()
{
  need dfu-util
  board_file 'allows: []' 'application: '
  scene mass bootloader mass-erase
  scene first bootloader 'download: {file: image, address: 0x08000000, mass-erase-first: true}'
  scene unprotect bootloader unprotect
  scene bytes bootloader 'set-option-bytes: efaa1055efaa1055ff7f0080ff7f0080'
  scene write-protect 'prepare: {options: {write-protect: [1]}}'
  scene rdp1 'prepare: {options: {rdp: 1}}'
  scene rdp2 'prepare: {options: {rdp: 2}}'
  scene rdp2-bytes bootloader 'set-option-bytes: efcc1033efcc1033ff7f0080ff7f0080'
  scene otp bootloader 'download: {file: image, address: 0x1fff7800}'
  scene otp-lock bootloader 'host: "clrstatus; set-address 0x1fff7a00; settle; dnload 2 hex 00; settle"'
  scene script-mass bootloader 'host: "clrstatus; dnload 0 hex 41; settle"'
  # shellcheck disable=SC2016 # the runner's
  scene command bootloader 'run: ["${tool}", -s, ":mass-erase:force"]'
  scene boot1 'boot1: high'
  scene cause bootloader 'state: {reset-cause: pin}'
  scene wrong-app 'wait: {usb: "0483:5740"}'
  on_board 1 --serial "$serial" -- run --rig board.yaml s
  says said 'every scenario was skipped'
  [ "$(grep -c '^skip ' said)" -eq 15 ]
  says said 'and the rig file names none'
  for id in mass first script-mass command; do
    says said "skip  s/$id: step '"
  done
  says said "erases the whole flash, which the rig 'desk' does not allow ('allows: [mass-erase]')"
  says said "skip  s/otp: step 'download' (line 9) writes to 0x1fff7800, OTP memory, which is for ever"
  says said "skip  s/otp-lock: step 'host' (line 9) writes to 0x1fff7a00, OTP memory, which is for ever"
  says said "rig 'desk' cannot do 'irreversible'"
  says said "rig 'desk' cannot do 'boot1'"
  says said "rig 'desk' cannot do 'inside'"
  # Whatever is allowed
  board_file
  on_board 1 --serial "$serial" -- run --rig board.yaml s/rdp2-bytes.yaml s/otp.yaml s/otp-lock.yaml s/rdp2.yaml
  [ "$(grep -c '^skip ' said)" -eq 4 ]
  says said 'read protection of level 2, which is for ever: no real board is given it'
}

# The same by ways that do not say so, whatever the file allows
by_the_back_door()
{
  need dfu-util
  board_file
  scene command-in-file bootloader 'host: "clrstatus; dnload 0 file other"'
  scene raw-control bootloader 'host: "clrstatus; set-address 0x1fff7800; settle; control 0x21 1 2 0 hex 00"'
  scene two-scripts bootloader 'host: "clrstatus; set-address 0x1fff7800; settle"' 'host: "dnload 2 hex 00; settle"'
  scene beside-an-erase bootloader \
    'host: "clrstatus; set-address 0x1fff7800; settle; erase 0x08004000; settle; dnload 2 hex 00; settle"'
  scene refused-address bootloader \
    'host: "clrstatus; set-address 0x1fff7800; settle; set-address 0x08000000 -> any; dnload 2 hex 00"'
  scene behind-a-tool bootloader 'upload: {output: out, address: 0x1fff7800, length: 16, alt: 2}' 'host: "dnload 2 hex 00; settle"'
  scene from-below bootloader 'host: "each 2048 of image at 0x1fff7000: set-address @; settle; dnload 2 @; settle"'
  # shellcheck disable=SC2016 # the runner's
  scene big-x bootloader 'run: ["${tool}", -a, "2", -s, "0X1FFF7800", -D, x]'
  # shellcheck disable=SC2016 # the runner's
  scene decimal bootloader 'run: ["${tool}", -a, "2", -s, "536836096", -D, x]'
  scene script-rdp2 bootloader \
    'host: "clrstatus; set-address 0x1fffc000; settle; dnload 2 hex efcc1033efcc1033ff7f0080ff7f0080; settle"'
  scene part bootloader 'host: "clrstatus; set-address 0x1fffc008; settle; dnload 2 hex ff7f0080ff7f0080; settle"'
  scene complement bootloader 'set-option-bytes: efcc1055efaa1055ff7f0080ff7f0080'
  scene prepared 'prepare: {options: {bytes: efcc1055efaa1055ff7f0080ff7f0080}}'
  scene elsewhere bootloader 'download: {file: image, address: 0x08000000, usb: "1209:0001"}'
  scene opens bootloader 'host: "open 1209:0001; clrstatus"'
  on_board 1 --serial "$serial" --flash f --state state.json -- run --rig board.yaml s
  [ "$(grep -c '^skip ' said)" -eq 15 ]
  says said 'every scenario was skipped'
  rm s/*
  # Known once the file is there
  cat >s/file.yaml <<'END'
name: option bytes of level 2 as a file
why: They are seen when they are made.
reference: none
files:
  options: {hex: efcc1033efcc1033ff7f0080ff7f0080}
steps: [bootloader, {download: {file: options, address: 0x1fffc000, alt: 1}}]
END
  cat >s/long.yaml <<'END'
name: a file that reaches into OTP memory
why: Its start is not there.
reference: none
files:
  image: {size: 5000, seed: 1}
steps: [bootloader, {download: {file: image, address: 0x1fff7000}}]
END
  cat >s/parts.yaml <<'END'
name: a DfuSe file that is made of another one
why: Its addresses are in its bytes alone.
reference: none
files:
  image: {size: 16, seed: 1}
  made: {dfuse: [{address: 0x1fff7800, of: image}]}
  again: {join: [made]}
steps: [bootloader, {download: {file: again}}]
END
  # shellcheck disable=SC2016 # the runner's
  sed 's/{download: .*/{run: ["${tool}", -D, "${file:again}"]}]/' s/parts.yaml >s/words.yaml
  on_board 1 --serial "$serial" --flash f --state state.json -- run --rig board.yaml s
  says said '0 passed, 0 failed, 4 with errors'
  says said "step 'download' (line 6) sets read protection of level 2, which is for ever: no real board is given it"
  [ "$(grep -c 'ERROR .*writes to 0x1fff7800, OTP memory, which is for ever' said)" -eq 3 ]
  says state.json 'option-bytes: EFAA1055EFAA1055FF7F0080FF7F0080'
}

# What a tool has made of the protection is not put right at the price of the flash, unless that is allowed.
protected_by_a_tool()
{
  need dfu-util
  board_file 'allows: [option-bytes]'
  pattern 3000 1 >f
  printf '\357\125\020\252\357\125\020\252\377\177\000\200\377\177\000\200' >rdp1
  printf '%s\n' "dfu-util -a 1 -s 0x\$(echo 1fff)c000 -D $PWD/rdp1; sleep 1" >protect.sh
  scene tool 'prepare: {options: {write-protect: [9]}}' bootloader "run: [sh, $PWD/protect.sh]"
  on_board 0 --serial "$serial" --flash f -- run --rig board.yaml s/tool.yaml
  says said 'dfuhil: the option bytes are not as they were before: the board is read protected now, and the rig file does not'
  cmp -n 3000 f <(pattern 3000 1)
}

# A recording is held against the same.
recordings()
{
  need dfu-util
  board_file 'allows: []'
  pattern 3000 1 >image
  ends 0 emu --serial "$serial" --capture mass.pcapng -- dfu-util -a 0 -s 0x08000000:mass-erase:force -D image
  ends 0 emu --serial "$serial" --capture plain.pcapng -- dfu-util -a 0 -s 0x08004000 -D image
  on_board 3 --serial "$serial" -- replay --rig board.yaml mass.pcapng
  says said "the recording erases the whole flash, which the rig 'desk' does not allow ('allows: [mass-erase]')"
  printf '\357\314\020\063\357\314\020\063\377\177\000\200\377\177\000\200' >rdp2
  # The board resets itself, and is never to be read again.
  emu --serial "$serial" --capture rdp2.pcapng -- dfu-util -a 1 -s 0x1fffc000 -D rdp2 >said 2>&1 || true
  board_file
  on_board 3 --serial "$serial" -- replay --rig board.yaml rdp2.pcapng
  says said 'the recording sets read protection of level 2, which is for ever'
  board_file 'allows: []'
  on_board 0 --serial "$serial" --flash flash -- replay --rig board.yaml plain.pcapng
  cmp -n 3000 image <(tail -c +16385 flash)
}

wear()
{
  need dfu-util
  board_file 'wear: {warn: 1, stop: 2}'
  scene other 'prepare: {flash: [{address: 0x08000000, file: other}]}'
  scene image 'prepare: {flash: [{address: 0x08000000, file: image}]}'
  cp s/other.yaml s/same.yaml
  # The first goes into erased flash, the same once more is there already: neither wears anything.
  scene list bootloader list
  for id in other same image list other; do
    on_board 0 --serial "$serial" --flash f -- run --rig board.yaml --json "$id.json" "s/$id.yaml"
  done
  says list.json "sector 0 of the board $serial has been erased 1 times; the rig file has it stop at 2"
  on_board 1 --serial "$serial" --flash f -- run --rig board.yaml s/image.yaml
  says said "sector 0 of the board $serial has been erased 2 times, and the rig file has it stop at 2 ('wear')"
  on_board 3 --serial "$serial" --flash f -- rig check board.yaml
  says said '2 erases of the sector at 0x08000000, and the file stops at 2'
}

# Nothing is recorded here: what tools, scripts and recordings are to erase is what counts.
wear_unheard()
{
  need dfu-util sqlite3
  board_file 'wear: {warn: 2, stop: 3}'
  erases() { sqlite3 state/dfubench/history.sqlite "SELECT erases FROM wear WHERE sector = $1"; }
  scene tool bootloader 'download: {file: image, address: 0x08004000}'
  scene script bootloader 'host: "clrstatus; erase 0x08008000; settle"' 'host: "each 2048 of image at 0x08004000: erase @; settle"'
  pattern 20000 1 >image
  ends 0 emu --serial "$serial" --capture r.pcapng -- dfu-util -a 0 -s 0x08004000 -D image
  on_board 0 --serial "$serial" -- run --rig board.yaml s/tool.yaml
  [ "$(erases $((0x08004000)))" -eq 1 ]
  on_board 0 --serial "$serial" -- run --rig board.yaml s/script.yaml
  [ "$(erases $((0x08004000)))" -eq 2 ]
  [ "$(erases $((0x08008000)))" -eq 1 ]
  on_board 0 --serial "$serial" -- replay --rig board.yaml r.pcapng
  [ "$(erases $((0x08004000)))" -eq 3 ]
  [ "$(erases $((0x08008000)))" -eq 2 ]
  on_board 1 --serial "$serial" -- run --rig board.yaml s/tool.yaml
  says said "has been erased 3 times, and the rig file has it stop at 3 ('wear'): nothing is written to it any more"
}

# --- what goes wrong on a desk: each with a reason, none for ever ---

never_enumerates()
{
  board_file 'timing: {reset: 5ms, listed: 500ms}'
  scene list bootloader list
  on_board 1 --serial "$serial" --boot1 high -- run --rig board.yaml s
  says said 'the bootloader, 0483:df11, has not come up within 0.5 s after a reset with BOOT0 high'
  on_board 3 --serial "$serial" --boot1 high -- rig check board.yaml
  says said 'no device 0483:df11 is listed, at each of three attempts'
  says said 'is BOOT1 (PB2) high?'
  says said 'does something talk to the board while it starts?'
  says said 'The USB socket CN5 does not power a Discovery'
  says said "is it on? 'active' the wrong way round cuts it when it is to be on: power: "
  says said 'has the chip a crystal or a clock'
  says said "the rig 'desk' is unfit"
}

wrong_board()
{
  board_file 'timing: {reset: 5ms, listed: 500ms}'
  scene list bootloader list
  on_board 1 --serial 207A389B5848 -- run --rig board.yaml s
  says said "another board: that at port 1-1 has serial number 207A389B5848, the rig file says $serial"
  on_board 3 --serial 207A389B5848 -- rig check --json board.yaml
  python3 -c '
import json
r = json.loads(open("said").read().splitlines()[0])
assert not r["fit"]
s = next(s for s in r["steps"] if s["verdict"] == "failed")
assert s["step"] == "bootloader" and "207A389B5848" in s["saw"] and s["mend"], s'
  board_file 'board: {serial: "326237753036", port: 1-2}' 'timing: {reset: 5ms, listed: 500ms}'
  on_board 1 --serial "$serial" -- run --rig board.yaml s
  says said "the board with serial number $serial is at port 1-1, the rig file says 1-2"
}

# Two that nobody can tell from each other, and one beside the board that a tool could take for it
two_boards()
{
  board_file 'profile: f072' 'board: {serial: FFFFFFFEFFFF}' 'timing: {reset: 5ms, listed: 500ms}'
  scene list bootloader list
  sed -i 's/^steps:/board: {profile: f072}\nsteps:/' s/list.yaml
  on_board 1 --profile f072 --boards 2 --boot0 high -- run --rig board.yaml s
  grep -q -E 'two devices answer to the description, at ports 1-(1 and 1-2|2 and 1-1)' said
  board_file
  # shellcheck disable=SC2016 # the runner's
  scene list bootloader 'run: ["${tool}", -l]'
  on_board 1 --boards 2 --serial "$serial" --serial 207A389B5848 --boot0 high -- run --rig board.yaml s
  says said 'no tool is run: beside the board there is another device 0483:df11, at port 1-2, serial number 207A389B5848'
  # One that can be told the serial number is told it.
  scene list bootloader 'download: {file: image, address: 0x08000000}' 'flash: {address: 0x08000000, equals: image}'
  on_board 0 --boards 2 --serial "$serial" --serial 207A389B5848 --boot0 high -- run --rig board.yaml --json told.json s
  says told.json "-S $serial"
  on_board 3 --boards 2 --serial "$serial" --serial 207A389B5848 --boot0 high -- rig check board.yaml
  says said 'keep other boards out of their bootloaders'
}

# A second one that nobody can tell from it is plugged in while sectors are being written: the next one is left alone.
joined_in_the_middle()
{
  board_file 'profile: f072' 'board: {serial: FFFFFFFEFFFF}'
  cat >s.yaml <<'END'
name: many sectors are prepared
why: Something happens meanwhile.
reference: none
board: {profile: f072}
files: {image: {size: 60000, seed: 20}}
steps:
  - prepare: {flash: [{file: image}]}
END
  pattern 131072 1 >f
  # shellcheck disable=SC2016
  ends 1 emu --control S --profile f072 --boot0 high --flash f -- sh -ec '
    ("$1" ctl S wait erased 900s && "$1" ctl S board add) >added 2>&1 &
    "$0" run --rig board.yaml s.yaml || status=$?
    wait
    cat added
    "$1" ctl S status >status
    exit ${status-0}' "$dfuhil" "$dfuemu"
  says said 'two devices answer to the description'
  erases=$(sed -n 's/^ *erases: //p' status | head -n 1)
  echo "$erases erases"
  [ "$erases" -ge 1 ]
  [ "$erases" -lt 30 ]
}

stuck()
{
  board_file 'timing: {reset: 5ms, listed: 2s}'
  scene list bootloader list
  on_board 1 --serial "$serial" --fault 'status=OK:dfuDNBUSY on=getstatus,state=dfuDNBUSY,count=any' \
    --fault 'status=OK:dfuDNBUSY on=getstatus,state=dfuDNLOAD-IDLE,count=any' -- run --rig board.yaml s
  says said 'the board stays in dfuDNBUSY'
  on_board 3 --serial "$serial" --fault 'silent on=getstate,count=any' --fault 'silent on=getstatus,count=any' -- \
    rig check board.yaml
  says said 'GETSTATE was not answered within'
}

# In the middle of a tool, for good: there is no wire that could plug it in again.
gone()
{
  need dfu-util
  board_file 'timing: {reset: 5ms, listed: 500ms}'
  without_wire vbus
  scene gone bootloader "run: [$dfuemu, ctl, $PWD/S, unplug]" 'flash: {unchanged: true}'
  on_board 1 --serial "$serial" -- run --rig board.yaml s
  says said 'has not come up within 0.5 s'
}

# A command that fails, and one that never ends
bad_wires()
{
  board_file
  scene list bootloader list
  sed -i 's|^  nrst: .*|  nrst: {command: {on: ["true"], off: ["false"]}}|' board.yaml
  on_board 1 --serial "$serial" -- run --rig board.yaml s
  says said "nrst (command 'true'): 'false' ended with status 1"
  on_board 3 --serial "$serial" -- rig check board.yaml
  says said "the rig 'desk' is unfit"
  board_file
  sed -i 's|^  nrst: .*|  nrst: {command: {on: ["true"], off: [sleep, "1000"], timeout: 300ms}}|' board.yaml
  on_board 1 --serial "$serial" -- run --rig board.yaml s
  says said "'sleep' took longer than 0.3 s and was killed"
  # It is no reset, and nobody would know by the command.
  board_file 'timing: {reset: 5ms, listed: 500ms}'
  sed -i 's|^  nrst: .*|  nrst: {command: {on: ["true"], off: ["true"]}}|' board.yaml
  on_board 3 --serial "$serial" --boot0 low -- rig check board.yaml
  says said 'does NRST ever get high?'
  on_board 3 --serial "$serial" --boot0 high -- rig check board.yaml
  says said 'the device stayed'
}

# Mistakes that the check finds by trying another wiring
wrong_wiring()
{
  board_file 'timing: {reset: 5ms, listed: 1s}'
  grep -v '^  boot0:\|^  nrst:' board.yaml >rest
  { cat rest; wire boot0 'nrst, high' 'nrst, low'; wire nrst 'boot0, high' 'boot0, low'; } >board.yaml
  on_board 3 --serial "$serial" --boot0 low -- rig check board.yaml
  says said 'it came up when BOOT0 was let go in the place of NRST: the two are swapped, in the file or on the board: BOOT0: '
  { cat rest; wire boot0 'boot0, low' 'boot0, high'; wire nrst 'nrst, high' 'nrst, low'; } >board.yaml
  on_board 3 --serial "$serial" --boot0 low -- rig check board.yaml
  says said "to mend it it came up with BOOT0 low: 'active' of boot0 is the wrong way round: BOOT0: "
  { cat rest; wire boot0 'boot0, high' 'boot0, low'; wire nrst 'nrst, low' 'nrst, high'; } >board.yaml
  on_board 3 --serial "$serial" --boot0 low -- rig check board.yaml
  says said "it came up while NRST was held low: 'active' of nrst is the wrong way round: NRST: "
  # On an empty board nothing comes instead.
  { cat rest; wire nrst 'nrst, high' 'nrst, low'; echo '  boot0: {command: {on: ["true"], off: ["true"]}}'; } >board.yaml
  on_board 3 --serial "$serial" --boot0 low -- rig check board.yaml
  says said 'does BOOT0 get high, and is it high as the reset ends?'
}

# The check brings the board into its bootloader, where a tool that is at work on another one would find it, and leaves none there.
check_takes_turns()
{
  need flock
  board_file 'timing: {reset: 5ms, listed: 1s}'
  # shellcheck disable=SC2016
  ends 3 emu --control S --serial "$serial" -- sh -ec '
    mkfifo go
    (flock 9; echo "1 another" >&9; : <go) 9>dfubench-board-turn-0483%3adf11 &
    while flock -n dfubench-board-turn-0483%3adf11 true; do :; done
    "$0" rig check board.yaml >first 2>&1 &
    until grep -q "^ok       turn: waiting until another board 0483:df11" first; do :; done
    ! grep -q "^ok       wires" first
    : >go
    wait $!
    cat first
    sed "s|^  power:.*|  power: {command: {on: [\"true\"], off: [\"true\"]}}|; s|326237753036|326237753037|" board.yaml >other.yaml
    "$0" rig check other.yaml || { echo "status $?"; "$1" ctl S status; exit 3; }' "$dfuhil" "$dfuemu"
  says said "the rig 'desk' is fit"
  says said 'another board: that at port 1-1 has serial number 326237753036'
  says_not said 'mode: bootloader'
}

# --- two of them, and what is left ---

one_run_at_a_time()
{
  need dfu-util
  board_file
  scene waits bootloader 'run: [sh, -c, "echo >began; until [ -e go ]; do sleep 0.05; done"]'
  sed -i "s|>began|>$PWD/began|; s|-e go|-e $PWD/go|" s/waits.yaml
  # shellcheck disable=SC2016
  ends 0 emu --control S --serial "$serial" -- sh -c '
    "$0" run --rig board.yaml s >first 2>&1 &
    until [ -e began ]; do sleep 0.05; done
    "$0" run --rig board.yaml s >second 2>&1; echo "status $?" >>second
    "$0" rig check board.yaml >third 2>&1; echo "status $?" >>third
    touch go
    wait' "$dfuhil"
  says first '1 passed'
  says second "the rig 'desk' is unfit: the board is in use by process"
  says second 'status 3'
  says third 'the board is in use by process'
  says third 'status 3'
}

idle_at_the_end()
{
  need dfu-util
  board_file
  scene pins bootloader 'boot0: high' unplug
  scene fails bootloader 'run: ["false"]'
  # shellcheck disable=SC2016
  ends 0 emu --control S --serial "$serial" -- sh -ec '
    for s in s/pins.yaml s/fails.yaml; do
      "$0" run --rig board.yaml $s || [ $? = 1 ]
      "$1" ctl S status
    done' "$dfuhil" "$dfuemu"
  [ "$(grep -c -i 'boot0: low' said)" -eq 2 ]
  says_not said 'boot0: high'
}

# Supplies that are off while nobody uses the board, and a BOOT0 that rests high
other_idles()
{
  need dfu-util
  board_file
  sed -i -e '/^  power:/s/}$/, idle: off}/' -e '/^  vbus:/s/}$/, idle: off}/' -e '/^  boot0:/s/}$/, idle: high}/' board.yaml
  scene both bootloader list 'prepare: {flash: [{file: image}]}' application 'wait: {usb: "0483:5740"}' \
    'state: {mode: application}' bootloader 'state: {dfu: dfuERROR, status: errFIRMWARE}'
  # shellcheck disable=SC2016
  ends 0 emu --control S --serial "$serial" -- sh -ec '
    "$0" run --rig board.yaml s/both.yaml
    "$0" rig check board.yaml
    "$1" ctl S status' "$dfuhil" "$dfuemu"
  says said 'ok    s/both'
  says said 'ok       supply: power and VBUS on, which idle off'
  says said "the rig 'desk' is fit"
  says said 'boot0: high'
  # Also where nothing but the supply is switched
  without_wire boot0
  without_wire nrst
  without_wire vbus
  scene alone 'wait: {usb: "0483:df11"}' list
  ends 0 emu --control S --serial "$serial" -- "$dfuhil" run --rig board.yaml s/alone.yaml
}

fit()
{
  board_file
  on_board 0 --serial "$serial" -- rig check board.yaml
  says said 'ok       bootloader: BOOT0 high, NRST low for 5 ms'
  says said 'ok       start state: GETSTATUS'
  says said 'ok       nrst: NRST low, and high again'
  says said 'ok       vbus: in its bootloader, VBUS off, and on again'
  says said 'ok       power: in its bootloader, supply off, and on again'
  says said 'ok       idle: all wires go back to idle'
  says said "the rig 'desk' is fit"
  says_not said 'supply:'
  on_board 0 --serial "$serial" -- rig check --json board.yaml
  python3 -c 'import json; r = json.load(open("said")); assert r["fit"] and len(r["steps"]) > 12'
  # What a night has left in the flash may be no application that comes; that is no fault of the rig.
  board_file 'console: {usb: application}' 'timing: {listed: 1s}'
  pattern 3000 1 >noise
  on_board 0 --serial "$serial" --flash noise -- rig check board.yaml
  says said 'warning  console: '
  says said 'the application that the file speaks of did not come, and so did not its port'
  ends 2 "$dfuhil" rig check
  ends 2 "$dfuhil" rig mend board.yaml
  ends 2 "$dfuhil" rig check emulated
}

check "smoke scenarios have the verdicts of the board in this process" same_verdicts
check "tools, limits and bystanders are as on other rigs" behaviour
check "the board is looked into and prepared, and does what it did before" look
check "the console is heard, and silent where the board is" console
check "what the rig file does not allow, and what is for ever, is skipped with the reason" forbidden
check "it is skipped or refused by whatever way it goes" by_the_back_door
check "protection that a tool has set stays, if taking it away is not allowed" protected_by_a_tool
check "a recording is played to a board only if it may do what it does" recordings
check "erases are counted, and stop at the limit" wear
check "erases are counted where no bus is heard" wear_unheard
check "a board that never enumerates is told of" never_enumerates
check "another board than the one that is meant is left alone" wrong_board
check "two boards alike are left alone" two_boards
check "a second board that joins it while sectors are written is left alone, and so is the first" joined_in_the_middle
check "a board that stays busy, or is silent, holds nobody up" stuck
check "a board that goes in the middle is told of" gone
check "a wire that fails, hangs or is not there is told of" bad_wires
check "lines that are swapped, and levels the wrong way round, are found by trying" wrong_wiring
check "a check takes its turn to be in the bootloader" check_takes_turns
check "one run at a time has the board" one_run_at_a_time
check "the wires are idle when a run has ended" idle_at_the_end
check "supplies may idle off, and BOOT0 high" other_idles
check "a rig that is fit is found fit, step by step" fit
finish
