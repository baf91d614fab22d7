#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The private bus with its tests on the kernel of this Debian release, which has no synchronous wake-ups of notifications
# if it is older than 6.6: as an unprivileged user, who may look into his own children only (Yama).
# guest: -k stock --host-commands
set -u
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
echo 1 >/proc/sys/kernel/yama/ptrace_scope
[ "$(cat /proc/sys/kernel/yama/ptrace_scope)" = 1 ] || echo 'not ok - Yama restricts ptrace to children'
failed=0

# The host compiles, in a fraction of the time: it has the sources where they are here, and what comes out is in the share.
compilers=$(mktemp -d) || exit 1
chmod 755 "$compilers"
cat >"$compilers/gcc" <<'END'
#!/bin/bash
# What is written here is nothing to the host: one file in, at an absolute path, and one out.
built=built-$$-$RANDOM
arguments=("${0##*/}")
while [ $# -gt 0 ]; do
  case $1 in
  -o) out=$2 && shift ;;
  *) arguments+=("$1") ;;
  esac
  shift
done
(cd / && exec "$repo/ci/vm/on-host" "${arguments[@]}" -o "$VM_SHARED/$built") && cp "/run/vm/$built" "$out"
END
chmod 755 "$compilers/gcc"
! command -v musl-gcc >/dev/null || cp "$compilers/gcc" "$compilers/musl-gcc"
[ -n "${VM_HOST-}" ] || rm "$compilers"/*

# tests SCRIPT [PATTERN]: those tests of a script whose names match
tests()
{
  local lines

  lines=$(TIME=virtual DFUBENCH_RUNS=2 DFUBENCH_ONLY=${2-} setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
    env HOME=/tmp repo="$repo" PATH="$compilers:$PATH" "$here/$1" 2>/tmp/errors) || { failed=1; cat /tmp/errors >&2; }
  sed -n "s/^\(ok\|not ok\|skip\) - /\1 - ${1%.sh}: /p" <<<"$lines"
}

tests it_raw.sh
tests it_libusb.sh
tests it_dfu_util.sh 'names the four|392|first session|is there after|is taken|option bytes|killed'
tests it_virtual_time.sh 'build|times each: (sync|async|ioctl)|64 KiB|bash, date|waits: (nano|sem|cond|ping|epoll|exec|orphan)'
exit $failed
