#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuhil run with the dfu-util of this machine: choosing, verdicts, exit statuses, reports.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil

if [ ! -x "$dfuhil" ]; then
  echo "skip - dfuhil run: it is not in this build"
  exit 0
fi
if ! command -v dfu-util >/dev/null 2>&1; then
  echo "skip - dfuhil run: dfu-util is not installed"
  exit 0
fi
case $(uname -m) in
x86_64) ;;
*)
  echo "skip - dfuhil run: virtual time works on x86_64 only"
  exit 0
  ;;
esac

# scenario NAME STEP...: a file suite/NAME.yaml with these steps; TOP: more of the top level
scenario()
{
  local name=$1

  shift
  mkdir -p "$(dirname "suite/$name")"
  {
    printf 'name: the tool does as %s wants\nwhy: Some do not.\nreference: a test\nfiles: {image: {size: 3000, seed: 1}}\n' "$name"
    [ -z "${TOP-}" ] || printf '%s\n' "$TOP"
    printf 'steps:\n'
    printf -- '  - %s\n' "$@"
  } >"suite/$name.yaml"
}

# Two that pass, one that fails, one that is skipped.
suite()
{
  TOP='tags: [quick, first]' scenario a/list bootloader list
  scenario a/flash bootloader '{download: {file: image, address: 0x08000000}}' '{flash: {equals: image, address: 0x08000000}}'
  TOP='tags: [quick]' scenario b/wrong bootloader 'list' '{flash: {equals: image, address: 0x08000000}}'
  TOP='tools: [pydfu]' scenario b/other bootloader list
}

# run STATUS ARGUMENT...: nothing else is left in TMPDIR
run()
{
  local want=$1

  shift
  mkdir -p tmp
  TMPDIR=$PWD/tmp ends "$want" timeout -k 5 100 "$dfuhil" run "$@"
  [ -z "$(ls -A tmp)" ] || { echo "=> something is left in TMPDIR" && ls -la tmp && return 1; }
}

# A script of a scenario talks to what the tool has flashed and started, by its terminal.
by_terminal()
{
  TOP='tools: [dfu-util]'
  files='files: {image: {size: 3000, seed: 1, bootable: true}}'
  # shellcheck disable=SC2016 # the line is the script's
  scenario talks bootloader '{download: {file: image, address: 0x08000000, leave: true}}' '{wait: {usb: "0483:5740", within: 3s}}' \
    '{run: [sh, -e, -c, "stty -F /dev/ttyACM0 raw -echo; exec 5<>/dev/ttyACM0; echo hello >&5; read line <&5; [ \"$line\" = hello ]"]}' \
    '{state: {mode: application}}'
  sed -i "s/^files:.*/$files/" suite/talks.yaml
  run 0 suite --tool dfu-util
  says said '1 passed'
}

# --- verdicts and exit statuses ---

verdicts()
{
  suite
  run 1 suite
  says said 'ok    a/flash'
  says said 'ok    a/list'
  says said 'skip  b/other: it is for pydfu alone'
  says said 'FAIL  b/wrong'
  says said 'suite/b/wrong.yaml:9:5: flash at'
  says said 'last requests:'
  says said '2 passed, 1 failed, 1 skipped;'
  run 0 suite/a
  says said '2 passed, 0 failed;'
}

none_is_a_failure()
{
  suite
  run 1 suite --match 'nothing/*'
  says said 'none of the 4 scenarios has such an id or tag'
  run 1 suite --tag nothing
  run 1 suite/a --shard 3/3
  says said 'in shard 3/3: nothing was run'
  run 1 suite/b/other.yaml
  says said 'every scenario was skipped: nothing has been tested'
  mkdir empty
  run 2 empty
  run 2
  says said 'no scenario is named'
  run 2 nowhere
}

# All mistakes in all files, before anything runs.
mistakes_come_first()
{
  suite
  scenario c/bad bootlaoder
  scenario c/worse '{wait: {colour: red}}'
  echo '{tool: x' >x.yaml
  run 2 suite --tool dfu-util --tool ./x.yaml --tool nobody --junit report.xml
  says said 'suite/c/bad.yaml:6:5: error: '
  says said "did you mean 'bootloader'?"
  says said 'suite/c/worse.yaml:6:'
  says said 'x.yaml:'
  says said 'nobody'
  says said 'mistakes: nothing was run'
  says_not said 'ok    a/list'
  [ ! -e report.xml ]
}

# A name of an adapter is one that is there: in the usual folder, in --tools-folder, or under test.
adapters_are_there()
{
  TOP='tools: [dfu-util, mine, theirs, refrence]' scenario own bootloader list
  mkdir folder
  sed -e 's/^tool: .*/tool: theirs/' "$fixtures/tools/dfu-util.yaml" >folder/theirs.yaml
  sed -e 's/^tool: .*/tool: mine/' "$fixtures/tools/dfu-util.yaml" >mine.yaml
  run 2 suite --tools-folder folder --tool ./mine.yaml
  says said "suite/own.yaml:5:33: error: 'tools': there is no adapter 'refrence', did you mean 'reference'?"
  says said '1 mistake: nothing was run'
  sed -i 's/refrence/reference/' suite/own.yaml
  run 0 suite --tools-folder folder --tool ./mine.yaml
  run 2 suite
  says said "'mine'"
  says said "'theirs'"
  ends 0 "$dfuhil" check suite mine.yaml folder
  ends 2 "$dfuhil" check suite mine.yaml
  says said "suite/own.yaml:5:25: error: 'tools': there is no adapter 'theirs'"
}

usage()
{
  suite
  run 2 suite --tols x
  run 2 suite --time slow
  says said "--time 'slow': must be virtual, real, or a factor as x20"
  run 2 suite --shard 5/4
  run 2 suite --jobs 0
  run 2 suite --deadline soon
  run 2 suite --rig vhci --time virtual
  says said "the rig 'vhci' has real time alone"
  run 2 suite --rig emulated --rig vhci
  says said "--rig 'vhci': there is one already, 'emulated', and run has one alone; 'dfuhil nightly' shares the scenarios among"
  run 2 suite --tool-path dfu-utli=/bin/true
  says said "did you mean 'dfu-util'?"
  run 2 suite --tool-path dfu-util=/nowhere/dfu-util
  says said "cannot run '/nowhere/dfu-util': No such file or directory"
  run 2 suite --junit - --json -
  run 2 suite --tap --html -
  run 2 suite --junit nowhere/report.xml
  says said "cannot write 'nowhere/report.xml': No such file or directory"
  run 0 --help
}

# --- choosing ---

choosing()
{
  suite
  run 0 suite --list
  [ "$(wc -l <said)" -eq 4 ]
  run 0 --list --match 'a/*' suite
  [ "$(wc -l <said)" -eq 2 ]
  run 0 --list --tag first --tag nothing suite
  [ "$(wc -l <said)" -eq 1 ]
  says said 'a/list  the tool does as a/list wants'
  # Named twice, there once; the parts together are the whole.
  run 0 --list suite suite/a/list.yaml --shard 1/3
  cp said parts
  run 0 --list suite --shard 2/3
  cat said >>parts
  run 0 --list suite --shard 3/3
  cat said >>parts
  run 0 --list suite
  sort parts | tr -s ' ' >parts.sorted
  tr -s ' ' <said | diff - parts.sorted
}

# A fault from outside makes a scenario fail that passes, whatever it says itself.
faults()
{
  suite
  TOP='faults: ["delay=10ms on=getstatus"]' scenario c/late bootloader '{download: {file: image, address: 0x08000000}}'
  run 0 suite/a suite/c
  run 1 suite/a suite/c --fault 'stall on=clrstatus,count=any' --fault 'stall on=write,count=any' --json report
  says said 'FAIL  a/flash'
  says said 'FAIL  c/late'
  says said 'ok    a/list'
  grep -q '"stall on=write,count=any"' report
  run 2 suite --fault 'stahl on=write'
  says said "--fault 'stahl on=write': fault rule: column 1: 'stahl'"
  says said "did you mean 'stall'?"
}

fail_fast()
{
  local i

  for i in 1 2 3 4; do
    scenario "$i" bootloader '{flash: {equals: image, address: 0x08000000}}'
  done
  run 1 suite --fail-fast -j 1
  says said '1 of 4 ran: 0 passed, 1 failed;'
  run 1 suite --fail-fast --keep-going -j 1
  says said '0 passed, 4 failed;'
}

# Seeds are the same whatever runs beside a scenario; those of repeats differ.
seeds()
{
  suite
  run 0 suite/a -j 2 --repeat 3 --json two
  run 0 suite/a -j 1 --repeat 3 --json one
  for i in one two; do
    jq -r '.results[] | "\(.scenario) \(.repeat) \(.seed)"' "$i" >"$i.seeds"
  done
  diff one.seeds two.seeds
  [ "$(wc -l <one.seeds)" -eq 6 ]
  [ "$(cut -d ' ' -f 3 one.seeds | sort -u | wc -l)" -eq 6 ]
  run 0 suite/a --seed 2 --json other
  [ "$(jq '.results[0].seed' other)" != "$(jq '.results[0].seed' one)" ]
}

# --- reports ---

matrix()
{
  suite
  sed -e 's/^tool: .*/tool: other/' "$fixtures/tools/dfu-util.yaml" >other.yaml
  run 1 suite --tool dfu-util --tool ./other.yaml -q
  says said '         dfu-util  other'
  grep -q -x -E 'a/list +ok +ok *' said
  grep -q -x -E 'b/other +skip +skip *' said
  grep -q -x -E 'b/wrong +FAIL +FAIL *' said
}

# Files are sorted by scenario, and say the same.
files()
{
  suite
  run 1 suite -j 2 --junit report.xml --json report.json --html report.html
  jq -r '.results[].scenario' report.json >order
  sort -c order
  python3 - report.xml <<'PYTHON' >cases
import sys
import xml.etree.ElementTree as xml

for case in xml.parse(sys.argv[1]).getroot().iter("testcase"):
    print(case.get("name"), *[child.tag for child in case if child.tag != "system-out"])
PYTHON
  printf '%s\n' 'a/flash' 'a/list' 'b/other skipped' 'b/wrong failure' | diff cases -
  says report.html '</html>'
  [ -z "$(find . -maxdepth 1 -name '.report*')" ]
  run 2 suite --junit same --html same
  says said "'same' cannot be two reports at once"
  # - is standard output; people are told on the other one.
  TMPDIR=$PWD/tmp "$dfuhil" run suite --json - >stdout 2>stderr || true
  jq -e '.summary.passed == 2 and .summary.failed == 1' stdout
  says stderr '2 passed, 1 failed'
}

tap()
{
  suite
  run 1 suite --tap -j 1
  says said '1..4'
  says said 'ok 1 - a/flash (dfu-util): the tool does as a/flash wants'
  says said 'ok 3 - b/other (dfu-util): the tool does as b/other wants # SKIP it is for pydfu alone'
  says said 'not ok 4 - b/wrong'
  need prove
  # A parser of somebody else's
  prove --exec cat -v said >proved 2>&1 && return 1
  cat proved
  says proved 'Failed 1/4 subtests'
}

to_full()
{
  "$dfuhil" run "$@" >/dev/full
}

# A full disk is told; the other reports are written all the same.
full_disk()
{
  [ -w /dev/full ] || skip 'there is no /dev/full'
  suite
  run 2 suite/a --junit /dev/full --json report.json
  says said "the JUnit report is not complete: cannot write '/dev/full': No space left on device"
  says said '2 passed, 0 failed;'
  jq -e '.summary.passed == 2' report.json
  mkdir -p tmp
  TMPDIR=$PWD/tmp ends 2 to_full suite/a
  says said 'the console report is not complete: No space left on device'
  TMPDIR=$PWD/tmp ends 2 to_full suite/a --list
}

closed_pipe()
{
  suite
  mkdir tmp
  { TMPDIR=$PWD/tmp "$dfuhil" run suite/a --repeat 20 2>stderr || echo $? >status; } | head -n 1 >first
  says first 'ok    a/'
  [ "$(cat status)" -eq 2 ]
  says stderr 'Broken pipe'
  [ -z "$(ls -A tmp)" ]
}

colours()
{
  suite
  run 0 suite/a
  says_not said $'\033'
  run 0 suite/a --color always
  says said $'\033[32mok'
  need script
  script -q -e -c "'$dfuhil' run suite/a --color never" typescript >shown
  says_not shown $'\033[32m'
  says shown $'\r\033[K'
  script -q -e -c "TERM=xterm '$dfuhil' run suite/a" typescript >shown
  says shown $'\033[32mok'
  script -q -e -c "NO_COLOR=1 TERM=xterm '$dfuhil' run suite/a" typescript >shown
  says_not shown $'\033[32m'
  script -q -e -c "TERM=dumb '$dfuhil' run suite/a" typescript >shown
  says_not shown $'\033'
}

captures()
{
  suite
  run 0 suite/a --capture-dir captures
  [ "$(find captures -name '*.pcapng' -size +0 | wc -l)" -eq 2 ]
  run 0 suite/a
  [ "$(find . -name '*.pcapng' | wc -l)" -eq 2 ]
}

# What the rig has to say of a tool's run is in all reports, also if it has passed.
warnings()
{
  local text='1 process that the tool left behind was ended'

  scenario left bootloader '{run: [sh, -c, "sleep 1000 & :"]}' list
  run 0 suite --junit report.xml --json report.json --html report.html
  says said "warning: $text [step 2]"
  says report.xml "warning: $text [step 2]"
  says report.html "$text"
  jq -e --arg text "$text" '.results[0].steps[1].warnings == $text' report.json
  run 0 suite --tap
  says said "# warning: $text [step 2]"
  scenario left bootloader '{run: [sh, -c, "sleep 1000 & exit 1"]}' list
  run 1 suite
  says said "warning: $text [step 2]"
}

# A tool that hangs: it is killed, and said to be.
deadline()
{
  scenario hang bootloader '{list: , expect: {exit: any}}'
  cat >tool.yaml <<'END'
tool: hanger
command: [sh, -c, "while :; do :; done"]
operations: {list: [x]}
END
  run 1 suite/hang.yaml --tool ./tool.yaml --deadline 4s
  says said 'FAIL  suite/hang'
  says said 'of real time, and was killed'
  # One that has let most of the time pass before leaves less for the next.
  scenario hang bootloader '{run: [sleep, "3"]}' '{list: , expect: {exit: any}}'
  run 1 suite/hang.yaml --tool ./tool.yaml --deadline 8s --time real
  says said 'FAIL  suite/hang'
  says said 'suite/hang.yaml:8:5: list'
  says said 'of real time, and was killed'
}

# What firmware has said is what one looks for where it says something else, and a fault is one though others come after it.
of_firmware()
{
  "$build/dfuemu" exec --app firmware -q -- true >missing 2>&1 || skip "$(sed 's/.*--app firmware: //; q' missing)"
  local prepare='{prepare: {flash: [{address: 0x08000000, file: faulty}]}}'
  TOP='board: {application: firmware}' scenario said "$prepare" application '{wait: {console: "serial number"}}' \
    '{console: {send: u, expect: welcome, within: 500ms}}'
  TOP='board: {application: firmware}' scenario early "$prepare" application '{console: {send: u}}'
  TOP='board: {application: firmware}' scenario faults "$prepare" application '{wait: {console: "serial number"}}' \
    '{console: {send: l}}' '{fault: {of-application: lockup}}' '{fault: {of-application: usage}}' '{fault: {of-application: hard}}'
  sed -i 's/^files: {/&faulty: {firmware: hard-fault}, /' suite/*.yaml
  run 1 suite/said.yaml --tool dfu-util
  says said 'nothing on the console matches /welcome/ within 500ms'
  says said 'got:      HardFault'
  says said '                  halted'
  says said 'application: UsageFault at 0x08000'
  says said '             CFSR 00010000 UNDEFINSTR, HFSR 40000000 FORCED'
  says said '                     r12 00000000 sp 2001'
  run 1 suite/early.yaml --tool dfu-util
  says said 'console: the application does not listen on its serial console (yet?)'
  run 0 suite/faults.yaml --tool dfu-util
  says_not said 'application:'
  TOP='board: {application: firmware}' scenario none bootloader '{download: {file: bad, address: 0x08000000, leave: true}}' \
    '{wait: {console: welcome, within: 500ms}}'
  sed -i 's/^files: {/&bad: {firmware: broken}, /' suite/none.yaml
  run 1 suite/none.yaml --tool dfu-util --junit report.xml
  says report.xml 'application: the bootloader found nothing that can be executed, and reset the board'
  sed -n '/^    name: the image comes up/,/^$/s/^    //p' "$repo/README.md" >comes-up.yaml
  cp "$fixtures/firmware/cdc-echo.bin" app.bin
  run 0 ./comes-up.yaml --tool dfu-util --junit report.xml
  says report.xml 'name="comes-up"'
}

later 'a scenario talks to the application by its terminal' by_terminal
later 'a scenario is told what firmware has said, and of all its faults' of_firmware
later 'scenarios pass, fail and are skipped, and the exit status says so' verdicts
later 'a run of no scenario is a failure' none_is_a_failure
later 'mistakes in files are all told before anything runs' mistakes_come_first
later 'adapters that a scenario names are there' adapters_are_there
later 'wrong options are told with what they may be' usage
later 'scenarios are chosen by pattern, tag and shard' choosing
later 'faults can be put on the boards from outside' faults
later 'after the first failure no more are started, if so wanted' fail_fast
later 'the same seed gives the same scenario whatever runs beside it' seeds
later 'several tools give a matrix' matrix
later 'reports in files are sorted and whole' files
later 'TAP is what prove takes' tap
later 'a full disk is told, and nothing is lost that is elsewhere' full_disk
later 'a reader that goes first ends the run' closed_pipe
later 'colours and progress are for terminals' colours
later 'what the rig has to say of a tool is in all reports' warnings
later 'captures are kept where they are wanted' captures
later 'a tool that computes for ever is killed before the deadline, and its step has failed' deadline
finish
