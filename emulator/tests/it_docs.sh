#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Help, manual page and completion name the same things, and the examples of manual page and README run.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2094 # `help` is a command of dfuemu and a file
. "$(dirname "$0")/lib.sh"

page=$repo/emulator/dfuemu.1
completion=$repo/emulator/dfuemu.bash-completion

# section NAME: its lines of the manual page
section()
{
  sed -n "/^\.Sh $1\$/,/^\.Sh /p" "$page"
}

# plain: lines of mdoc as words, one to a line; options with their dashes
plain()
{
  sed -e 's/Fl \([-a-z]\)/-\1/g' -e 's/\\e/\\/g' | tr -s ' ,:=+|()[]"' '\n'
}

# completed WORD...: what the completion offers for the last of them
completed()
{
  (
    # shellcheck source=/dev/null
    . "$completion"
    COMP_WORDS=("$dfuemu" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _dfuemu
    printf '%s\n' "${COMPREPLY[@]}"
  )
}

# same WHAT A B: two files have the same lines, in any order
same()
{
  sort -u "$2" >"$2.sorted"
  sort -u "$3" >"$3.sorted"
  [ -s "$2.sorted" ] && diff "$2.sorted" "$3.sorted" && return 0
  echo "=> $1: $2 (<) and $3 (>) differ"
  return 1
}

# named FILE: each line of the file is a word of the manual page
named()
{
  local word status=0

  plain <"$page" >page.words
  while read -r word; do
    grep -q -x -F -e "$word" page.words && continue
    echo "=> the manual page does not name '$word'"
    status=1
  done <"$1"
  [ -s "$1" ] && return "$status"
}

# --- names ---

commands()
{
  "$dfuemu" help | sed -n 's/^  \([a-z]*\) .*/\1/p' >help
  section COMMANDS | sed -n 's/^\.It Cm \([a-z]*\).*/\1/p' >manual
  completed '' | grep -v '^-' >completion
  same commands help manual
  same commands help completion
}

options()
{
  "$dfuemu" exec --help | sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' >help
  { section OPTIONS; section TERMINALS; } | sed -n 's/^\.It Fl \(. , \)\{0,1\}-\([a-z0-9-]*\).*/--\2/p' >manual
  completed exec - | grep -v -x -e -- >completion
  same 'options of exec' help manual
  same 'options of exec' help completion
}

# Options of all commands are in OPTIONS, that of exec alone in TERMINALS, a front's own in its part of FRONTS.
front_options()
{
  local front status=0

  "$dfuemu" serve --help | sed -n '/^FRONT is/,/^$/s/^  \([a-z-]*\) .*/\1/p' >fronts
  [ "$(grep -c . fronts)" -eq 5 ]
  completed serve '' | grep -v '^-' >completion
  same fronts fronts completion || status=1
  while read -r front; do
    "$dfuemu" serve "$front" --help | sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' >help
    {
      section OPTIONS
      section REPLAY
      sed -n "/^\.Ss $front\$/,/^\.S[sh] /p" "$page"
    } | sed -n 's/^\.It Fl \(. , \)\{0,1\}-\([a-z0-9-]*\).*/--\2/p' >manual
    completed serve "$front" - | grep -v -x -e -- >completion
    same "options of serve $front" help manual || status=1
    same "options of serve $front" help completion || status=1
  done <fronts
  return "$status"
}

gaps()
{
  "$tests/fronts/table.sh" >table
  sed -n '/^<!-- gaps -->$/,/^<!-- end of gaps -->$/p' "$repo/README.md" | grep -v '^<!--' >printed
  diff table printed
}

ctl_options()
{
  "$dfuemu" ctl --help | sed -n '1s/\(--[a-z]*\)/\n\1\n/gp' | grep -x -e '--[a-z]*' >help
  section SYNOPSIS | sed -n '/Cm ctl/,/Ar socket/p' | sed -n 's/^\.Op Fl -\([a-z]*\).*/--\1/p' >manual
  completed ctl - | grep -v -x -e --help >completion
  same 'options of ctl' help manual
  same 'options of ctl' help completion
}

# Its own, and those of exec that the page names there
replay_options()
{
  "$dfuemu" replay --help | sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' >help
  section REPLAY | sed -n 's/^\.It Fl -\([a-z]*\).*/--\1/p' | grep -v -x -e --replay >manual
  section REPLAY | sed -n '/^\.Cm replay$/,/^they may/s/^\.Fl \(-time.*\|-help\)\( ;\)\{0,1\}$/\1/p' | tr -s ' ,;' '\n' |
    sed -n 's/^-/--/p' >>manual
  completed replay - | grep -v -x -e -- >completion
  same 'options of replay' help manual
  same 'options of replay' help completion
}

show_options()
{
  "$dfuemu" show --help | sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' | grep -v -x -e --help >help
  section CAPTURES | sed -n 's/^\.It Fl -\([a-z]*\).*/--\1/p' >manual
  completed show - | grep -v -x -e --help >completion
  same 'options of show' help manual
  same 'options of show' help completion
}

# Requests are those that --request takes: a capture of nothing is enough to know.
show_requests()
{
  local name

  completed show --request '' >completion
  grep -c . completion | grep -q -x 16
  while read -r name; do
    "$dfuemu" show --request "$name" /dev/null >said 2>&1 || true
    says said '/dev/null: the file is empty'
  done <completion
  ends 125 "$dfuemu" show --request WRIET /dev/null
  says said "(did you mean 'WRITE'?)"
}

# The commands, one to a line. json and quit are for programs that keep a connection: nobody types them.
ctl_commands()
{
  "$dfuemu" ctl --help | sed '1,/^Commands:/d' | sed -n 's/^  \([a-z0-9-]*\) .*/\1/p' | sort -u >help
  section CONTROL | sed -n 's/^\.It Cm \(.*\)/\1/p' | sed -e 's/, Cm /\n/g' -e 's/ , /\n/g' | sed 's/ .*//' >manual
  section CONTROL | sed -n '/^\.El/,$s/^\(After\)\{0,1\}\.\{0,1\}\(Cm \)\(json\|quit\|at\|in\|board\) .*/\3/p' >>manual
  section CONTROL | sed -n '/^\.El/,$s/^\.Cm \(json\|quit\|at\|in\|board\).*/\1/p' >>manual
  completed ctl S '' >completion
  same 'commands of ctl' help manual
  grep -v -x -e json -e quit help >typed
  same 'commands of ctl' typed completion
}

# words COMMAND...: what ctl says that it would have taken instead of the last word
words()
{
  "$dfuemu" ctl "$socket" "$@" 2>&1 | sed -n 's/.*: expected \(an action (\|a request (\)\{0,1\}\([^()?]*\)).*/\2/p;t
    s/.*: expected //p' | sed 's/, did you.*//' | tr -s ', ' '\n'
}

# Values are what dfuemu itself lists when it gets another word.
values()
{
  local command status=0
  socket=$PWD/S

  "$dfuemu" exec --control S -- sleep 100 &
  until_true 10 test -S S
  for command in boot0 boot1 nrst power board fault flash options erase-times traffic wait 'wait booted' 'wait reset' 'wait state' \
    'fault add' 'fault add stall on=' 'fault add stall state='; do
    echo "== $command"
    # shellcheck disable=SC2086 # words
    case $command in
    *=) words ${command}zzz ;;
    flash) words flash zzz x ;;
    *) words $command zzz ;;
    esac >given
    case $command in
    'wait reset' | 'wait booted' | 'wait state' | *state=)
      # The page says "a mode", "a state": they are many, and named by status and events.
      [ -s given ] || status=1
      ;;
    *) named given || status=1 ;;
    esac
    case $command in
    *' '*) ;;
    *)
      completed ctl S "$command" '' >completion
      same "words of $command" given completion || status=1
      ;;
    esac
  done
  "$dfuemu" exec --bench zzz -- true 2>&1 | sed 's/.*expected //; s/, did you.*//; s/ or /, /' | tr -s ', ' '\n' >given
  completed exec --bench '' >completion
  same 'bench devices' given completion || status=1
  named given || status=1
  words fault add zzz >given
  completed exec --fault '' | sed 's/=$//' >completion
  same 'faults' given completion || status=1
  kill $!
  wait $! || true
  return "$status"
}

# Names, and those after "also", as a wrong one brings them to light.
profiles()
{
  "$dfuemu" exec --profile zzz -- true 2>&1 | sed 's/.*must be //; s/ (did you.*//; s/, / /g; s/ or / /g' | tr ' ' '\n' >taken
  completed exec --profile '' >completion
  same profiles taken completion
  "$dfuemu" profiles | sed 's/ .*//' >listed
  [ "$(grep -c -x -F -f listed taken)" -eq "$(grep -c . listed)" ]
}

targets()
{
  make -s -C "$repo" help >help
  sed -n 's/^\.PHONY: //p' "$repo/Makefile" | tr ' ' '\n' >phony
  # What others need on the way, and nobody calls.
  grep -v -x -e unit -e without-hil -e clients -e fuzzers -e fuzz-build phony >public
  sed 's/ .*//' help >helped
  same 'targets of make' helped public
  grep -o -E '(`|&& |^    )make [a-z-]+' "$repo/README.md" | sed 's/.*make //' | sort -u | while read -r target; do
    grep -q -x -e "$target" phony || {
      echo "=> README.md: there is no 'make $target'"
      exit 1
    }
  done
}

# --- examples ---

# As many lines as it takes for a whole command; what follows is what it printed.
commands_of()
{
  python3 - "$1" <<'PYTHON'
import re
import subprocess
import sys

text = open(sys.argv[1]).read()
if sys.argv[1].endswith(".1"):
    text = re.sub(r"(?s).*\n\.Sh EXAMPLES\n(.*?)\n\.Sh .*", r"\1", text)
    text = re.sub(r"(?m)^\.Dl ", "", text).replace("\\e", "\\")
else:
    text = "\n".join(line[4:] if line.startswith("    ") else "" for line in text.split("\n"))
command = ""
for line in text.split("\n"):
    if command:
        command += "\n" + line
    elif line.startswith("$ "):
        command = line[2:]
    else:
        continue
    whole = not command.endswith("\\") and subprocess.run(["bash", "-n"], input=command.encode(), stderr=subprocess.DEVNULL).returncode == 0
    if whole:
        sys.stdout.write(command + "\0")
        command = ""
if command:
    sys.exit(f"a command without an end: {command}")
PYTHON
}

# They build on each other, so they run in one folder.
examples()
{
  local text command=0 status=0

  need dfu-util lsusb python3 tshark
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
  ln -s "$fixtures" "$repo/ci" "$repo/scenarios" .
  PATH=$build:$build/tools:$PATH
  commands_of "$1" >commands
  while IFS= read -r -d '' text; do
    command=$((command + 1))
    # As fast as can be, unless it says how fast.
    case $text in
    *' --time '*) ;;
    *)
      text=${text//dfuemu exec /dfuemu exec --time virtual }
      text=${text//dfuemu replay /dfuemu replay --time virtual }
      ;;
    esac
    echo "\$ $text"
    timeout -k 5 60 bash -c "$text" </dev/null >"said.$command" 2>&1 || status=$?
    cat "said.$command"
    [ "$status" -eq 0 ]
    # A script may end well although one of its commands failed. -v tells everything in such lines.
    [[ $text == *' -v '* ]] || says_not "said.$command" 'dfuemu: '
  done <commands
  [ "$command" -ge "$2" ]
}

manual_examples()
{
  examples "$page" 10
  grep -q 'Virtual COM Port' said.*
}

readme_examples()
{
  need qemu-system-x86_64
  "$repo/ci/vm/kernel" # fetching it may take longer than an example may
  examples "$repo/README.md" 6
  # What its own lines print.
  for line in 'status 74' 'good' 'as recorded' 'same' 'FAIL  download/small' 'status 1' 'bytes: 12288' 'already: yes' 'status 7' \
    'Bus 001 Device 002: ID 0483:df11 STMicroelectronics STM Device in DFU Mode'; do
    says "$repo/README.md" "    $line"
    grep -q -x -e "$line" said.*
  done
}

later 'help, manual page and completion have the same commands' commands
later 'help, manual page and completion have the same options of exec' options
later 'help, manual page and completion have the same fronts, and options of each' front_options
later 'README.md has the table of what fronts lack' gaps
later 'help, manual page and completion have the same options of ctl' ctl_options
later 'help, manual page and completion have the same options of replay' replay_options
later 'help, manual page and completion have the same options of show' show_options
later 'the completion has requests that show takes' show_requests
later 'help, manual page and completion have the same commands of ctl' ctl_commands
later 'manual page and completion name the words that commands and rules take' values
later 'completion has the profiles and their other names' profiles
later 'make help and README have the targets of the Makefile' targets
later 'the examples of the manual page run' manual_examples
later 'the examples of README.md run' readme_examples
finish
