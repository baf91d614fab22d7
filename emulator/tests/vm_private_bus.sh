#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The private bus with its tests on the kernel of this Debian release, which has no synchronous wake-ups of notifications
# if it is older than 6.6: as an unprivileged user, who may look into his own children only (Yama).
# guest: -k stock
set -u
here=$(cd "$(dirname "$0")" && pwd)
echo 1 >/proc/sys/kernel/yama/ptrace_scope
[ "$(cat /proc/sys/kernel/yama/ptrace_scope)" = 1 ] || echo 'not ok - Yama restricts ptrace to children'
failed=0

# tests SCRIPT [PATTERN]: those tests of a script whose names match
tests()
{
  local lines

  lines=$(TIME=virtual DFUBENCH_RUNS=2 DFUBENCH_ONLY=${2-} setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
    env HOME=/tmp "$here/$1" 2>/tmp/errors) || { failed=1; cat /tmp/errors >&2; }
  sed -n "s/^\(ok\|not ok\|skip\) - /\1 - ${1%.sh}: /p" <<<"$lines"
}

tests it_raw.sh
tests it_libusb.sh
tests it_dfu_util.sh 'names the four|392|first session|is there after|is taken|option bytes|killed'
tests it_virtual_time.sh 'build|times each: (sync|async|ioctl)|64 KiB|bash, date|waits: (nano|sem|cond|ping|epoll|exec|orphan)'
exit $failed
