#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Broken scenario, tool and rig files: what dfuhil check says of each, to the letter. bad/NAME.txt is what it says of
# bad/NAME.yaml; DFUBENCH_WRITE=1 writes them anew, to be read before they are committed.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
bad=$repo/hil/tests/bad

# refuses FILE...: status 2, nothing on stdout; what it says is in the file `said`
refuses()
{
  local status=0

  timeout 20 "$dfuhil" check --color never "$@" >out 2>said || status=$?
  cat said
  [ "$status" -eq 2 ] && [ -s said ] && [ ! -s out ] && return 0
  echo "=> status $status instead of 2, or something on stdout, or nothing on stderr"
  return 1
}

# libfyaml words its part differently from release to release.
without_libfyaml()
{
  sed 's/: error: YAML: .*/: error: YAML/' "$1"
}

one()
{
  local here=$PWD name=$1

  cd "$bad"
  timeout 20 "$dfuhil" check --color never "$name.yaml" >"$here/out" 2>"$here/said" || status=$?
  cd "$here"
  cat said
  [ "${status-0}" -eq 2 ]
  [ ! -s out ]
  if [ -n "${DFUBENCH_WRITE-}" ]; then
    cp said "$bad/$name.txt"
  fi
  diff <(without_libfyaml "$bad/$name.txt") <(without_libfyaml said)
}

all_at_once()
{
  local count

  count=$(cat "$bad"/*.txt | grep -c ': error: ')
  refuses "$bad" >/dev/null
  [ "$(grep -c ': error: ' said)" -eq "$count" ]
}

huge()
{
  head -c 1200000 /dev/zero | tr '\0' ' ' >blanks.yaml
  refuses blanks.yaml
  says said 'blanks.yaml: error: above 1 MiB'
  { echo 'tags:' && yes -- '- a' | head -n 250000; } >values.yaml
  refuses values.yaml
  says said 'values.yaml:2:1: error: more values in here'
  { printf 'name: ' && yes -- '[' | head -n 100000 | tr -d '\n'; } >deep.yaml
  refuses deep.yaml
  says said ': error: nested too deeply'
  { echo 'base: &b' && seq -f '  k%.0f: v' 9000 && echo 'all:' && yes -- '- <<: *b' | head -n 1000; } >merged.yaml
  refuses merged.yaml
  says said 'error: more values'
}

no_file()
{
  mkfifo pipe.yaml
  mkdir -p folder.yaml/.hidden empty
  echo 'tags: [' >folder.yaml/.broken.yaml
  echo 'tags: [' >folder.yaml/.hidden/broken.yaml
  refuses missing.yaml
  says said 'missing.yaml: error: cannot open it: No such file or directory'
  refuses pipe.yaml
  says said 'pipe.yaml: error: no regular file'
  refuses /dev/zero
  says said '/dev/zero: error: no regular file'
  refuses empty folder.yaml
  says said 'empty: error: a folder without any .yaml'
  says said 'folder.yaml: error: a folder without any .yaml'
  ln -s loop.yaml loop.yaml
  refuses loop.yaml
  says said 'loop.yaml: error: cannot open it'
  mkdir deep
  ln -s .. deep/up
  refuses deep
  says said 'deep: error: a folder without any .yaml'
}

unreadable()
{
  local as=''

  # Root may read everything.
  if [ "$(id -u)" -eq 0 ]; then
    need setpriv
    as='setpriv --reuid 65534 --clear-groups'
  fi
  echo 'name: x' >closed.yaml
  chmod 000 closed.yaml
  # shellcheck disable=SC2086 # words
  ends 2 $as "$dfuhil" check --color never closed.yaml
  says said 'closed.yaml: error: cannot open it: Permission denied'
}

in_order()
{
  mkdir -p b a/c
  for file in b/two.yaml a/c/one.yaml a/b.yaml; do
    echo 'tags: [' >"$file"
  done
  refuses .
  [ "$(sed -n 's/^\([^ :]*\):.*error.*/\1/p' said | uniq | tr '\n' ' ')" = './a/b.yaml ./a/c/one.yaml ./b/two.yaml ' ]
}

colour()
{
  echo 'tags: [' >a.yaml
  refuses a.yaml
  if grep -q "$(printf '\033')" said; then return 1; fi
  ends 2 "$dfuhil" check --color always a.yaml
  mv said coloured
  refuses a.yaml
  sed "s/$(printf '\033')\[[0-9;]*m//g" coloured >plain
  cmp plain said
  if cmp -s coloured said; then return 1; fi
}

usage()
{
  ends 2 "$dfuhil" check
  ends 2 "$dfuhil" check --color sometimes x
  ends 2 "$dfuhil" check --nonsense
  ends 0 "$dfuhil" check --help
}

for file in "$bad"/*.yaml; do
  name=$(basename "$file" .yaml)
  check "mistakes are told: ${name//-/ }" one "$name"
done
check 'all broken files are told of in one run' all_at_once
check 'files too large, too deep, or with too much in them are refused' huge
check 'what is no file is refused' no_file
check 'a file that may not be read is refused' unreadable
check 'files of a folder are read in order' in_order
check 'colour comes when asked for' colour
check 'check tells how it is used' usage
finish
