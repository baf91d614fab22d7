#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What make dist packs and make install installs: dfuhil runs the suite from anywhere, the packed one without any library.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
ordinary=$build/dfuhil
static=$build/dfuhil-static

if [ ! -x "$ordinary" ]; then
  echo "skip - static and installed dfuhil: it is not in this build"
  exit 0
fi

# unpack FOLDER: the archive of make dist, our copy: another test may be making it anew
unpack()
{
  mkdir -p "$1"
  tar -C "$1" -xf "$work"/dfubench-*.tar.xz --strip-components=1
}

pack()
{
  need make xz flock
  # shellcheck disable=SC2016 # that shell's
  flock "$build" sh -e -c 'rm -f "$1"/dfubench-*.tar.xz
    make -C "$2" --no-print-directory B="$1" SAN="$4" dist
    cp "$1"/dfubench-*.tar.xz "$3"' sh "$build" "$repo" "$work" "${SAN-}"
  [ -x "$static" ]
  unpack here
  [ "$(cd here && echo *)" = 'bin share' ]
  # Nothing of the tree that a scenario, adapter or bystander needs is left behind.
  diff -r "$repo/scenarios" here/share/dfubench/scenarios
  (cd "$fixtures" && find tools descriptors firmware -name '*.yaml' -o -name '*.usb' -o -name '*.mjs' \
    -o -name '*.sh' -o -name '*.py' -o -name '*.bin' -o -name '*.hex') | sed 's,^,./,' | sort >ours
  (cd here/share/dfubench && find tools descriptors firmware -type f | sed 's,^,./,') | sort >packed
  diff ours packed
  for page in man1/dfuemu.1 man1/dfuhil.1 man5/dfu-scenario.5 man5/dfu-tool.5; do
    [ -s "here/share/man/$page" ]
  done
  [ -s here/share/doc/dfubench/LICENSE ]
}

no_library()
{
  need file ldd readelf
  for program in "$static" "$build/dfuemu-static"; do
    file -b "$program" | grep -q -e 'statically linked' -e 'static-pie linked'
    ldd "$program" >needs 2>&1 || true
    grep -q -e 'not a dynamic executable' -e 'statically linked' needs
    readelf -l "$program" >elf
    says_not elf INTERP
  done
}

# runs_all DFUHIL: the suite, from here, with dfu-util; what the ordinary one in its tree says is what it says
runs_all()
{
  need dfu-util
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
  ends 0 timeout 200 env -i PATH="$PATH" "$1" run conformance --junit report.xml --html report.html --capture-dir captures
  [ -s report.xml ] && [ -s report.html ] && [ "$(find captures -name '*.pcapng' | wc -l)" -gt 80 ]
  grep -E '^(ok|xfail|skip|FAIL|ERROR)' said | sed 's/[:(].*//' >one
  [ "$(grep -c '' one)" -ge 80 ]
  # No archive of Unicorn is linked, and a program that is one file loads nothing: what needs it is skipped, and says so.
  firmware=
  if ldd "$1" 2>&1 | grep -q -e 'not a dynamic executable' -e 'statically linked'; then
    firmware=firmware/
    [ "$(grep -c '^skip .*firmware/.*made without Unicorn' said)" -eq "$(find "$repo/scenarios/firmware" -name '*.yaml' | wc -l)" ]
  fi
  timeout 200 "$ordinary" run "$repo/scenarios" >said 2>&1
  grep -E '^(ok|xfail|skip|FAIL|ERROR)' said | sed 's/[:(].*//' >two
  diff <(grep -v " ${firmware:-nothing}" one | sort) <(grep -v " ${firmware:-nothing}" two | sort)
}

packed()
{
  unpack here
  runs_all "$PWD/here/bin/dfuhil"
}

installed()
{
  need make
  make -C "$repo" --no-print-directory B="$build" SAN="${SAN-}" install PREFIX="$PWD/there"
  mkdir elsewhere
  cd elsewhere
  runs_all ../there/bin/dfuhil
}

by_name()
{
  unpack here
  PATH=$PWD/here/bin:$PATH
  dfuhil run --list conformance >all
  [ "$(grep -c '' all)" -eq "$(find "$repo/scenarios" -name '*.yaml' ! -path '*/measure/*' | wc -l)" ]
  dfuhil run --list start many/two-boards-by-serial >some
  [ "$(grep -c '' some)" -eq "$(find "$repo/scenarios/start" -name '*.yaml' | wc -l | awk '{ print $1 + 1 }')" ]
  # What is there goes before what has that name in the suite.
  mkdir start
  cp "$repo/scenarios/leave/alone.yaml" start/ours.yaml
  dfuhil run --list start >mine
  [ "$(sed 's/ .*//' mine)" = start/ours ]
  ends 2 dfuhil run strat
  says said "neither a file nor scenarios of the suite are named 'strat', did you mean 'start'?"
  ends 2 dfuhil run conformanse
  says said "did you mean 'conformance'?"
  ends 2 dfuhil run start/dfueror
  says said 'start/dfueror: error: cannot open it: No such file or directory'
  ends 2 dfuhil run ../../conformance
  # Bystanders are those that came with it.
  printf 'name: a\nwhy: b\nreference: c\nbystanders: [0a5c-21e6]\nsteps: [bootloader]\n' >own.yaml
  dfuhil check own.yaml
}

check 'make dist packs both programs and all that goes with them' pack
[ -x "$static" ] || finish
later 'the packed programs need no library' no_library
later 'scenarios of the suite can be named from anywhere' by_name
gather
check 'the packed dfuhil runs the suite from another folder' packed
check 'the installed dfuhil runs the suite from another folder' installed
finish
