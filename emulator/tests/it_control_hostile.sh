#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The control socket, and clients that mean harm or are badly confused: nobody else notices, and nothing is left behind.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
export ASAN_OPTIONS=quarantine_size_mb=8:${ASAN_OPTIONS:-}

# serve: boards with a socket S, their process in $server, with $FILES descriptors. `stop` ends it.
serve()
{
  prlimit --nofile="${FILES:-4096}" "$dfuemu" serve usbip --listen 127.0.0.1:0 --time x50 --control S >ready 2>complaints &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true; cat complaints' EXIT
  until_true 20 grep -q '^ready: ' ready
}

stop()
{
  local status=0

  kill -TERM "$server"
  wait "$server" || status=$?
  [ "$status" -eq 0 ]
  [ ! -s complaints ]
  [ ! -e S ]
}

client()
{
  timeout -k 5 "${LIMIT:-60}" python3 "$clients/control_hostile.py" S "$server" "$@"
}

harm()
{
  local most=1024

  # Sanitizers keep what was freed for a while; they find what is not.
  [ -z "${SAN:-}" ] || most=65536
  serve
  LIMIT=200 client harm 10000 "$most"
  stop
}

crowds()
{
  serve
  client crowd
  "$dfuemu" ctl S time
  stop
}

exhausted()
{
  FILES=$1 serve
  client exhausted
  stop
}

check 'clients that mean harm do none, to nobody' harm
check 'connections that idle keep nobody out' crowds
check 'without a descriptor left it says so, and takes no time' exhausted 24
check 'who is one too many is told so' exhausted 200
finish
