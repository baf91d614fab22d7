#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Help, manual page and completion of dfuhil name the same things, and the examples of the manual page run.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
page=$repo/hil/dfuhil.1
completion=$repo/hil/dfuhil.bash-completion

if [ ! -x "$dfuhil" ]; then
  echo "skip - help, manual page and completion of dfuhil: it is not in this build"
  exit 0
fi

# section NAME: its lines of the manual page
section()
{
  sed -n "/^\.Sh $1\$/,/^\.Sh /p" "$page"
}

# completed WORD...: what the completion offers for the last of them
completed()
{
  (
    # shellcheck source=/dev/null
    . "$completion"
    COMP_WORDS=("$dfuhil" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _dfuhil
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

commands()
{
  "$dfuhil" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' >help
  section COMMANDS | sed -n 's/^\.It Cm \([a-z]*\).*/\1/p' >manual
  section SYNOPSIS | sed -n 's/^\.Cm \([a-z]*\).*/\1/p' >synopsis
  completed '' | grep -v '^-' >completion
  same commands help manual
  same commands help synopsis
  same commands help completion
}

# long_options COMMAND: of its help
long_options()
{
  "$dfuhil" "$1" --help | grep -o -e '\(^\|[ [(]\)--[a-z][a-z-]*' | grep -o -e '--.*'
}

options_of_run()
{
  "$dfuhil" run --help | sed -n 's/^  \(-.,\|   \) \(--[a-z0-9-]*\).*/\2/p' >help
  section OPTIONS | sed -n 's/^\.It Fl \(. \(Ar n \)\{0,1\}, Fl \)\{0,1\}-\([a-z0-9-]*\).*/--\3/p' >manual
  completed run - >completion
  same 'options of run' help manual
  same 'options of run' help completion
}

# Every help names what the completion offers, which may know --help by itself.
options_of_others()
{
  local command status=0

  for command in check history host import lint nightly replay rules steps; do
    echo "== $command"
    {
      long_options "$command"
      echo --help
    } | sort -u >help
    completed "$command" - >completion
    same "options of $command" help completion || status=1
    while read -r option; do
      [ "$option" = --help ] || grep -q -e "Fl -${option#--}\( \|\$\)" "$page" || {
        echo "=> the manual page does not name $option of $command"
        status=1
      }
    done <help
  done
  return "$status"
}

# What the completion offers for a value is accepted, as far as it can be tried without a rig.
values()
{
  local word

  completed run --tool '' >tools
  says tools dfu-util
  for word in $(completed run --time '') $(completed run --color ''); do
    case $word in
    auto | always | never) "$dfuhil" run --list --color "$word" "$repo/scenarios" >listed ;;
    *) "$dfuhil" run --list --time "$word" "$repo/scenarios" >listed ;;
    esac
  done
  completed steps '' >verbs
  says verbs bootloader
  while read -r word; do
    "$dfuhil" steps "$word" >explained
  done <verbs
  completed rules "" >ids
  says ids success-but-differs
  # shellcheck disable=SC2046 # words
  "$dfuhil" rules $(cat ids) >explained
}

# Members of the JSON report are what the manual page names.
members()
{
  local word

  "$dfuhil" run "$repo/scenarios/start/dfuerror.yaml" --json report >said || cat said
  python3 - report <<'PYTHON' >members
import json
import sys

def names(value):
    if isinstance(value, dict):
        for key in value:
            yield key
            yield from names(value[key])
    elif isinstance(value, list):
        for one in value:
            yield from names(one)

print("\n".join(sorted(set(names(json.load(open(sys.argv[1])))))))
PYTHON
  { section JSON && section VERDICTS; } | tr -s ' ,' '\n' >words
  [ "$(grep -c . members)" -ge 50 ]
  while read -r word; do
    grep -q -x -F -e "$word" words || {
      echo "=> the manual page does not name '$word'"
      return 1
    }
  done <members
}

examples()
{
  local text count=0 status

  need dfu-util jq python3
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
  ln -s "$repo/scenarios" "$fixtures" .
  PATH=$build:$PATH
  python3 - "$page" >commands <<'PYTHON'
import re
import sys

text = re.sub(r"(?s).*\n\.Sh EXAMPLES\n(.*?)\n\.Sh .*", r"\1", open(sys.argv[1]).read())
text = re.sub(r"(?m)^\.Dl ", "", text).replace("\\e", "\\")
for command in re.findall(r"(?m)^\$ ((?:.*\|\n)*.*)$", text):
    sys.stdout.write(command + "\0")
PYTHON
  while IFS= read -r -d '' text; do
    count=$((count + 1))
    echo "\$ $text"
    status=0
    timeout -k 5 100 bash -c "$text" </dev/null >said 2>&1 || status=$?
    cat said
    # A scenario may fail: what is at stake here is that the command line is right.
    [ "$status" -le 1 ]
    says_not said 'nothing was run'
    says_not said 'dfuhil: '
  done <commands
  [ "$count" -ge 5 ]
  [ -s report.xml ] && [ -s report.html ]
}

later 'help, manual page and completion of dfuhil have the same commands' commands
later 'help, manual page and completion have the same options of dfuhil run' options_of_run
later 'the other commands of dfuhil have the same options in help, manual page and completion' options_of_others
later 'what the completion of dfuhil offers is accepted' values
later 'the manual page names the members of the JSON report' members
later 'the examples of the manual page of dfuhil run' examples
finish
