#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `dfuemu serve redir` without a guest: sockets that come and go, and peers that mean harm.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"

peer()
{
  timeout 120 python3 "$clients/redir.py" "$@"
}

# Leaves the pid in $server.
serve()
{
  need python3
  "$dfuemu" --version | grep -q ' serve-redir' || skip 'not in this build: libusbredirparser is missing'
  "$dfuemu" serve redir --time x50 "$@" >ready 2>says &
  server=$!
  # shellcheck disable=SC2064 # the pid as it is now
  trap "kill $server 2>/dev/null || true; tail -n 20 says" EXIT
  until_true 20 grep -q -s "^ready: " ready
}

unserve()
{
  local status=0

  kill "$server"
  wait "$server" || status=$?
  says_not says Sanitizer
  [ "$status" -eq 0 ]
}

# Not where sanitizers keep what is freed.
measured()
{
  [ -n "${SAN-}" ] || echo rss
}

# Of processor time.
ticks()
{
  awk '{ print $14 + $15 }' "/proc/$server/stat"
}

connections()
{
  [ "$(grep -c -F " $1" /proc/net/unix)" -ge "$2" ]
}

comes_and_goes()
{
  serve --socket r.sock
  says ready "ready: redir: connecting to 'r.sock'"
  peer serve r.sock 3 >seen
  [ "$(grep -c 0483:df11 seen)" -eq 3 ]
  unserve
  says says 'a guest is there'
  says says 'the guest has gone'
}

listens()
{
  serve --socket listen:r.sock
  says ready "listening on 'r.sock'"
  [ "$(stat -c %a r.sock)" = 600 ]
  [ "$(peer look r.sock)" = 0483:df11 ]
  [ "$(peer look r.sock)" = 0483:df11 ]
  unserve
  [ ! -e r.sock ]
}

numbered()
{
  serve --socket listen:r.sock --boards 2 --also "$fixtures/descriptors/0a5c-21e6.usb"
  [ "$(peer look r-2.sock)" = 0483:df11 ]
  [ "$(peer look r-3.sock)" = 0a5c:21e6 ]
  unserve
}

by_hand()
{
  serve --socket listen:r.sock --control S
  "$dfuemu" ctl S board add | grep -q 2
  [ "$(peer look r-2.sock)" = 0483:df11 ]
  "$dfuemu" ctl S board remove 2
  [ ! -e r-2.sock ]
  unserve
}

mistakes()
{
  local long

  "$dfuemu" --version | grep -q ' serve-redir' || skip 'not in this build: libusbredirparser is missing'
  ends 125 "$dfuemu" serve redir
  says said '--socket is missing'
  ends 125 "$dfuemu" serve redir --socket ''
  says said "--socket '': must be the name of a Unix socket, or 'listen:' and that name"
  ends 125 "$dfuemu" serve redir --socket listen:
  says said "--socket '': the name must have 1 to 107 bytes"
  long=$(printf '%0106d' 0)
  ends 125 "$dfuemu" serve redir --socket "$long"
  says said 'the name must have 1 to 107 bytes, with the number of a board'
  echo precious >file
  ends 125 timeout 20 "$dfuemu" serve redir --socket file
  says said "cannot connect to 'file': there is something else of that name"
  ends 125 "$dfuemu" serve redir --socket listen:file
  says said "cannot listen on 'file': there is something else of that name"
  [ "$(cat file)" = precious ]
  serve --socket listen:r.sock
  ends 125 "$dfuemu" serve redir --socket listen:r.sock
  says said 'somebody listens there already'
  kill -9 "$server"
  until_true 10 gone "$server"
  serve --socket listen:r.sock
  unserve
}

# Whoever comes when no descriptor is left waits, and is served when there is one: not asked after all the time meanwhile.
exhausted()
{
  local before free=0

  need prlimit
  serve --socket "listen:$PWD/r%d.sock" --boards 2
  while [ -e "/proc/$server/fd/$free" ]; do
    free=$((free + 1))
  done
  prlimit --pid "$server" --nofile="$free:"
  peer look r1.sock >seen &
  until_true 10 connections "$PWD/r1.sock" 2 # with the one that listens
  before=$(ticks)
  sleep 1
  [ $(($(ticks) - before)) -lt 50 ]
  prlimit --pid "$server" --nofile=100:
  wait $!
  [ "$(cat seen)" = 0483:df11 ]
  unserve
}

attacked()
{
  serve --socket listen:r%d.sock --boards 2
  # shellcheck disable=SC2046 # a word or none
  peer hostile r1.sock r2.sock "$server" $(measured)
  unserve
}

flooded()
{
  serve --socket listen:r%d.sock --boards 2
  # shellcheck disable=SC2046
  peer flood r1.sock r2.sock "$server" $(measured)
  unserve
}

stormed()
{
  serve --socket listen:r%d.sock --boards 2
  # shellcheck disable=SC2046
  peer connects r1.sock r2.sock "$server" 10000 $(measured)
  unserve
  # It does not fill the screen either.
  [ "$(grep -c '' says)" -lt 60 ]
}

later 'a socket is connected to whenever it is there' comes_and_goes
later 'or made, for one guest at a time' listens
later 'each device has a socket' numbered
later 'also one that is added by hand' by_hand
later 'mistakes in --socket are named' mistakes
later 'a hostile peer harms neither itself for good nor others, and leaves no memory behind' attacked
later 'a peer that asks without reading is made to wait' flooded
later 'without a descriptor left nobody is served, and no time is taken' exhausted
later 'ten thousand connections leave nothing behind' stormed
finish
