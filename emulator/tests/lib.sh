# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# What the integration tests share; sourced by it_*.sh. A test is a shell function in a folder of its own: `check` runs it
# at once, `later` beside others, and `finish` waits for those and ends the script. A function fails with any command that
# fails (set -e), and ends with `skip REASON` if something is missing.
set -u
export LC_ALL=C

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$tests/../.." && pwd)
case ${B:-build} in
/*) build=${B:-build} ;;
*) build=$repo/${B:-build} ;;
esac
dfuemu=$build/dfuemu
clients=$tests/clients
fixtures=$repo/fixtures
# Things that are fetched once: sources, packages, and what is built of them.
cache=${DFUBENCH_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/dfubench}
serial=326237753036
work=$(mktemp -d "${TMPDIR:-/tmp}/it-XXXXXX") || exit 1
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
count=0
failures=0
waiting=()
sentences=()

if [ ! -x "$dfuemu" ]; then
  echo "not ok - $dfuemu is there"
  exit 1
fi

# Boards on a bus, as fast as can be without hurrying the host's own sleeps. LIMIT: seconds until it counts as hung;
# TIME: another way to tell time, for trying out.
emu()
{
  timeout -k 5 "${LIMIT:-60}" "$dfuemu" exec --time "${TIME:-x50}" "$@"
}

# The same with the serial number that most tests look for.
board()
{
  emu --serial "$serial" "$@"
}

skip()
{
  echo "$*" >reason
  exit 77
}

need()
{
  local program

  for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || skip "$program is not installed"
  done
}

# ends STATUS COMMAND...: it ends with that status; all that it says is in the file `said`.
ends()
{
  local want=$1 status=0

  shift
  "$@" >said 2>&1 || status=$?
  cat said
  [ "$status" -eq "$want" ] && return 0
  echo "=> status $status instead of $want: $*"
  return 1
}

# says FILE TEXT: the file has a line with that text in it.
says()
{
  grep -q -F -e "$2" "$1" && return 0
  echo "=> '$2' is missing from $1:"
  cat "$1"
  return 1
}

says_not()
{
  grep -q -F -e "$2" "$1" || return 0
  echo "=> '$2' is in $1:"
  cat "$1"
  return 1
}

# The emulated processor of a guest may be one of many that share this machine's.
patience=1
between=0.02
if [ -n "${VM_KERNEL-}" ]; then
  patience=5
  between=0.06
fi

# pause SECONDS: without a program of its own, whose start takes a guest longer than the pause.
pause()
{
  [ -p "$work/nothing" ] || mkfifo "$work/nothing" 2>/dev/null || true
  read -r -t "$1" _ <>"$work/nothing" || true
}

# until_true SECONDS COMMAND...: wait for a condition
until_true()
{
  local deadline=$((SECONDS + $1 * patience))

  shift
  while ! "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "=> never true: $*"
      return 1
    fi
    pause "$between"
  done
}

# gone PID: not there any more, or a zombie that waits for its parent. Read as a whole: what bash has left over of a file of a
# process that ends meanwhile would turn up in front of the next file that is read.
gone()
{
  local line=

  read -r -d '' line <"/proc/$1/stat" || true
  line=${line##*) }
  [ -z "$line" ] || [ "${line:0:1}" = Z ]
} 2>/dev/null

pattern()
{
  # BYTES SEED: reproducible noise; of letters in a guest, where Python takes a second to start
  if [ -n "${VM_KERNEL-}" ]; then
    awk -v n="$1" -v s="$2" 'BEGIN {
      for (i = 0; i < n / 16; i++) { s = (s * 69069 + 12345) % 2147483648; printf "%08x%08x", s, i }
    }' | head -c "$1"
    return
  fi
  python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(int(sys.argv[2])).randbytes(int(sys.argv[1])))' \
    "$1" "$2"
}

in_folder()
{
  local folder=$1

  shift
  mkdir -p "$folder"
  (
    set -e
    cd "$folder"
    "$@"
  ) >"$folder/log" 2>&1 </dev/null
}

verdict()
{
  local sentence=$1 folder=$2 status=$3

  if [ "$status" -eq 0 ]; then
    echo "ok - $sentence"
  elif [ "$status" -eq 77 ] && [ -f "$folder/reason" ]; then
    echo "skip - $sentence: $(cat "$folder/reason")"
  else
    echo "not ok - $sentence"
    failures=$((failures + 1))
    echo "--- $sentence (status $status)" >&2
    tail -n 80 "$folder/log" >&2
  fi
}

# happens TEXT...: in the file `events` there are these texts, in this order
happens()
{
  local text line from=0

  for text; do
    line=$(tail -n +$((from + 1)) events | grep -n -F -m 1 -e "$text") || {
      echo "=> after line $from of the events there is no: $text"
      return 1
    }
    from=$((from + ${line%%:*}))
  done
}

# wanted SENTENCE: DFUBENCH_ONLY, a pattern of grep -E, picks some of the tests
wanted()
{
  [ -z "${DFUBENCH_ONLY-}" ] || grep -q -E -e "$DFUBENCH_ONLY" <<<"$1"
}

# check SENTENCE FUNCTION [ARGUMENT...]
check()
{
  local sentence=$1 folder status=0

  wanted "$sentence" || return 0
  shift
  count=$((count + 1))
  folder=$work/$count
  in_folder "$folder" "$@"
  status=$?
  verdict "$sentence" "$folder" "$status"
}

# The same beside others: for tests that mostly wait.
later()
{
  local sentence=$1

  wanted "$sentence" || return 0
  shift
  count=$((count + 1))
  in_folder "$work/$count" "$@" &
  waiting+=("$count:$!")
  sentences[count]=$sentence
}

gather()
{
  local entry status

  for entry in "${waiting[@]}"; do
    status=0
    wait "${entry#*:}" || status=$?
    verdict "${sentences[${entry%%:*}]}" "$work/${entry%%:*}" "$status"
  done
  waiting=()
}

finish()
{
  gather
  [ "$failures" -eq 0 ]
  exit
}

# exercise CLIENT...: the client lists the board, flashes 64 KiB and reads them back.
# It understands: list | flash FILE | read FILE LENGTH, all from 0x08000000 on.
exercise()
{
  pattern 65536 1 >in.bin
  # shellcheck disable=SC2016 # the inner shell's
  board --flash flash.img -- sh -e -c '"$@" list >list; "$@" flash in.bin; "$@" read out.bin 65536' sh "$@"
  cat list
  says list "0483:df11 $serial"
  cmp in.bin out.bin
  cmp -n 65536 in.bin flash.img
}
