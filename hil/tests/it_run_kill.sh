#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuhil run is interrupted or killed at any moment, and parts of it are: no process and no file is left.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
RANDOM=${DFUBENCH_SEED:=$RANDOM}

if [ ! -x "$dfuhil" ]; then
  echo "skip - killing dfuhil run: it is not in this build"
  exit 0
fi

# Scenarios in real time, so that there is something to interrupt: a tool with children, and dfu-util if it is there.
suite()
{
  mkdir -p suite tmp
  cat >suite/wait.yaml <<'END'
name: the tool is there for a while
why: Somebody loses patience.
reference: a test
steps:
  - bootloader
  - list: {}
    expect: {exit: any}
END
  cat >tool.yaml <<'END'
tool: family
command: [sh, -c, "sleep 20 & (trap '' TERM HUP INT; setsid sleep 20) & : >\"$DFUHIL_READY\"; wait"]
operations: {list: [x]}
END
}

# Processes of this test, by a word in their environment
left()
{
  grep -l -z -x -F -e "DFUHIL_MARK=$PWD" /proc/[0-9]*/environ 2>/dev/null | sed 's/[^0-9]//g' | while read -r pid; do
    gone "$pid" || echo "$pid"
  done
}

nothing_left()
{
  [ -z "$(left)" ] && [ -z "$(ls -A tmp)" ]
}

# start ARGUMENT...: in the background; $! is dfuhil itself
start()
{
  rm -f ready
  env --default-signal TMPDIR="$PWD/tmp" DFUHIL_MARK="$PWD" DFUHIL_READY="$PWD/ready" \
    "$dfuhil" run suite --tool ./tool.yaml --time real --repeat 4 -j 2 "$@" >said 2>&1 &
}

# ended STATUS: and nothing is left soon
ended()
{
  local want=$1 pid=$2 status=0

  wait "$pid" || status=$?
  cat said
  if ! until_true 20 nothing_left; then
    left | while read -r pid; do tr '\0' ' ' <"/proc/$pid/cmdline"; done
    ls -lR tmp
    return 1
  fi
  [ "$want" = any ] || [ "$status" -eq "$want" ] || { echo "=> status $status instead of $want" && return 1; }
}

# The run is in the midst of its tools when the signal comes.
signalled()
{
  suite
  start --json report.json
  until_true 30 test -e ready
  kill -s "$1" $!
  ended "$2" $!
  says said 'interrupted: '
  jq -e '.interrupted and .planned == 4' report.json
}

killed()
{
  suite
  start
  until_true 30 test -e ready
  kill -s KILL $!
  ended 137 $!
}

# A key at the terminal: everything in the foreground gets it.
key()
{
  need python3
  suite
  cat >press.py <<'PYTHON'
import os, pty, sys, time

pid, terminal = pty.fork()
if not pid:
    os.execv(sys.argv[1], sys.argv[1:])
out = b""
while not os.path.exists("ready"):
    time.sleep(0.02)
os.write(terminal, b"\x03")
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    out += data
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
  TMPDIR=$PWD/tmp DFUHIL_MARK=$PWD DFUHIL_READY=$PWD/ready timeout -k 5 60 env --default-signal \
    python3 press.py "$dfuhil" run suite --tool ./tool.yaml --time real --repeat 4 -j 2 >said 2>&1 &
  ended 130 $!
  says said 'interrupted: '
}

# One whose signals nobody waits for any more: the second one.
second()
{
  suite
  mkfifo fifo
  start --json fifo
  until_true 30 test -e ready
  kill -s INT $!
  # It hangs in its report, which nobody reads.
  until_true 30 grep -q 'interrupted: ' said
  kill -s INT $!
  ended 130 $!
}

# Whatever it is doing: reading, starting, playing, ending.
any_moment()
{
  local i signal delay

  suite
  echo "DFUBENCH_SEED=$DFUBENCH_SEED"
  for i in $(seq 20); do
    case $((RANDOM % 4)) in
    0) signal=INT ;;
    1) signal=TERM ;;
    2) signal=HUP ;;
    3) signal=KILL ;;
    esac
    delay=$(printf '0.%03d' $((RANDOM % 400)))
    echo "$i: $signal after $delay s"
    start
    sleep "$delay"
    kill -s "$signal" $!
    ended any $!
  done
}

# Not dfuhil, but what it has started: the run goes on, and says what happened.
part_killed()
{
  local pid

  suite
  start --repeat 1 --deadline 60s
  until_true 30 test -e ready
  for pid in $(left); do
    [ "$(cat "/proc/$pid/comm")" = "$1" ] && [ "$pid" != $! ] && kill -s KILL "$pid"
  done
  ended 1 $!
  grep -q -e "$2" said
}

deadline()
{
  suite
  start --repeat 1 --deadline 2s
  ended 1 $!
  grep -q -E 'killed|deadline' said
}

later 'after SIGINT what ran is reported, and nothing is left' signalled INT 130
later 'after SIGTERM what ran is reported, and nothing is left' signalled TERM 143
later 'after SIGHUP what ran is reported, and nothing is left' signalled HUP 129
later 'Ctrl-C ends the run in good order' key
later 'a second Ctrl-C ends it at once' second
later 'a killed run leaves nothing' killed
gather
later 'at any moment a signal leaves nothing' any_moment
later 'a killed play is an error, and leaves nothing' part_killed dfuhil 'died of signal 9'
later 'a tool whose guardian is killed is over' part_killed dfuemu-guardian 'family\|FAIL\|ERROR'
later 'after the deadline nothing is left' deadline
finish
