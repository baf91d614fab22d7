#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `serve usbip` over loopback, with a client of our own that can do what the kernel's does not. The real client is the
# kernel: vm_usbip.sh.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
export dfuemu

# serve OPTION...: a server on a free port, its address in $address, its process in $server. `stop` ends it.
serve()
{
  rm -f ready
  "$dfuemu" serve usbip --listen 127.0.0.1:0 --time "${TIME:-x50}" "$@" >ready 2>complaints &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true; cat complaints' EXIT
  until_true 20 grep -q '^ready: usbip: listening on 127.0.0.1:[0-9]*$' ready
  address=$(sed 's/.* //' ready)
}

stop()
{
  local status=0

  kill -TERM "$server"
  wait "$server" || status=$?
  [ "$status" -eq 0 ]
}

client()
{
  timeout -k 5 "${LIMIT:-120}" python3 "$clients/usbip_checks.py" "$address" "$@"
}

# passes NAME [OPTION...]: one check of the client's, against a server with these options.
passes()
{
  local name=$1

  shift
  serve "$@"
  client "$name"
  stop
  [ ! -s complaints ]
}

lists()
{
  passes listed --boards 2 --also "$fixtures/descriptors/0483-374b.usb"
  passes no_devices --boot0 low --app none
}

flashes()
{
  passes flashed --flash f.bin
  cmp -n 20000 want.bin f.bin
}

sessions()
{
  passes next_is_unconfigured
  passes statuses
  passes silent --fault 'silent on=getstatus'
  passes bus_error --fault 'bus-error on=getstatus'
}

held()
{
  TIME=real passes held --boards 2
  TIME=real serve --control S
  client pulled
  stop
  says complaints 'does not enumerate (it is tried on)'
}

replugs()
{
  serve --control S
  client replugged "${DFUBENCH_RUNS:-100}"
  stop
  [ ! -s complaints ]
}

many()
{
  TIME=x1000 serve --boards 256
  client many 256 4096
  stop
}

contends()
{
  serve
  client contended "${DFUBENCH_RUNS:-200}"
  stop
}

harm()
{
  local most=1024

  # Sanitizers keep what was freed for a while; they find what is not.
  [ -z "${SAN:-}" ] || most=65536
  printf '\0\0\002\040\211\001\0\010' >app.bin
  ASAN_OPTIONS=quarantine_size_mb=8:${ASAN_OPTIONS:-} TIME=x1000 \
    serve --boards 2 --also "$fixtures/descriptors/0483-374b.usb"
  LIMIT=280 client harm "$server" 10000 "$most"
  stop
  says complaints 'is hung up on: version'
  says complaints 'nothing more of this kind'
  [ "$(wc -l <complaints)" -lt 400 ]
}

crowds()
{
  ulimit -n 256
  serve --boards 2 --also "$fixtures/descriptors/0483-374b.usb"
  client crowd 200
  stop
}

idles()
{
  serve
  client idle_too_long
  stop
}

refuse()
{
  local text=$1

  shift
  ends 125 timeout 20 "$dfuemu" serve usbip "$@"
  says said "$text"
}

listens()
{
  serve
  refuse "cannot listen on $address: Address already in use" --listen "$address"
  for where in 127.0.0.1 : :0 127.0.0.1: 127.0.0.1:65536 127.0.0.1:-1 ::1:0 '[]:0' 127.0.0.1:0x0 1:2:3; do
    refuse "--listen '$where': must be ADDRESS:PORT" --listen "$where"
  done
  refuse "must be ADDRESS:PORT" --listen "127.0.0.1:http"
  # 64 characters between dots are no name: nobody is asked for it.
  name=$(printf 'a%.0s' {1..64})
  refuse "cannot listen on $name:0: " --listen "$name:0"
  refuse 'cannot listen on 192.0.2.1:0: Cannot assign requested address' --listen 192.0.2.1:0
  stop
}

# said_by WHERE TEXT: a server that listens there says so.
said_by()
{
  rm -f ready
  "$dfuemu" serve usbip --listen "$1" >ready 2>complaints &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true' EXIT
  until_true 20 grep -q '^ready' ready
  stop
  says ready "$2"
}

addresses()
{
  local port

  said_by 0 'listening on 127.0.0.1:'
  said_by localhost:0 'listening on '
  [ ! -s complaints ]
  port=$(sed 's/.*://' ready)
  said_by "$port" "listening on 127.0.0.1:$port"
  said_by 0.0.0.0:0 'listening on 0.0.0.0:'
  says complaints 'USB/IP has no authentication'
  [ -e /proc/net/if_inet6 ] || return 0
  said_by '[::1]:0' 'listening on [::1]:'
  [ ! -s complaints ]
  said_by '[::]:0' 'listening on [::]:'
  says complaints 'USB/IP has no authentication'
}

check 'boards and bystanders are listed, and imported by one client at a time' lists
check 'a board is written and read over USB/IP' flashes
check 'each result of a transfer has its status, and the next client a fresh device' sessions
check '--listen takes addresses and ports, and says what is wrong with others' listens
check 'names and other families work too, with a warning beyond loopback' addresses
later 'a held transfer is taken back, cut off and waited for by nobody else' held
later 'a board that leaves comes back to be imported again' replugs
later 'an import is one client'"'"'s, however many want it' contends
later 'a request that does not come is not waited for' idles
gather
check '256 boards serve 256 clients' many
check 'peers that mean harm do none, to nobody' harm
check 'connections that idle keep nobody out' crowds
finish
