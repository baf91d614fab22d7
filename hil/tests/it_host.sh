#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Scripted hosts against a board.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil

# host STATUS [OPTION...]: the script on standard input, in virtual time; OPTIONs of exec before --, of host after it.
host()
{
  local want=$1 options=()

  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ $# -eq 0 ] || shift
  cat >script
  TIME=virtual ends "$want" board "${options[@]}" -- "$dfuhil" host "$@" script
}

session()
{
  pattern 5000 1 >image
  host 0 --flash flash.img -- --file image=image <<'END'
getstatus -> dfuERROR errFIRMWARE poll 0; clrstatus; getstatus -> dfuIDLE OK
set-interface 0
upload 0 64 -> hex 00 21 41 92
erase 0x08000000; getstatus wait -> dfuDNBUSY OK poll 100; getstatus -> dfuDNLOAD-IDLE
each 2048 of image at 0x08000000: set-address @; settle; dnload 2 @; settle
abort; set-address 0x08000000; settle; abort; getstate -> dfuIDLE
each 2048 of image at 0x08000000: upload @ @ -> @
upload 2 8 -> file image offset 0
upload 4 904 -> file image offset 4096
abort
dnload 2 empty; getstatus -> dfuMANIFEST poll 1
expect-gone within 2s
getstatus -> gone
END
  says said '41 requests, all answered as expected'
  cmp -n 5000 image flash.img
}

# What dfu-util 0.5 to 0.7 sent around each command
older()
{
  pattern 4100 2 >image
  host 0 --flash flash.img -- --file image=image <<'END'
set-interface 0; getstatus -> dfuERROR; clrstatus; getstatus -> dfuIDLE
erase 0x08000000; getstatus wait -> dfuDNBUSY; getstatus -> dfuDNLOAD-IDLE OK; abort; getstatus -> dfuIDLE
each 2048 of image at 0x08000000: set-address @; getstatus wait; getstatus -> dfuDNLOAD-IDLE OK; abort; getstatus -> dfuIDLE; dnload 2 @; getstatus wait -> dfuDNBUSY; getstatus -> dfuDNLOAD-IDLE OK
END
  cmp -n 4100 image flash.img
}

state()
{
  host 1 <<<'getstatus -> dfuIDLE'
  says said 'script:1:1: getstatus -> dfuIDLE: expected dfuIDLE, got dfuERROR errFIRMWARE, poll 0 ms'
  host 1 <<<'clrstatus; clrstatus; getstatus -> dfuERROR errVENDOR'
  says said 'script:1:23: getstatus -> dfuERROR errVENDOR: expected errVENDOR, got dfuERROR errUNKNOWN, poll 0 ms'
  host 1 <<<'clrstatus; erase 0x08000000; getstatus -> dfuDNBUSY poll 104'
  says said 'expected poll 104 ms, got dfuDNBUSY OK, poll 100 ms'
  host 1 <<<'clrstatus; set-address 0; settle'
  says said 'expected dfuDNLOAD-IDLE, got dfuERROR errTARGET'
}

stall()
{
  host 1 <<<'dnload 2 hex 00'
  says said 'script:1:1: dnload 2 hex 00: expected an answer, got stall'
  host 1 <<<'clrstatus -> stall'
  says said 'expected stall, got ok'
  host 0 <<<'dnload 2 hex 00 -> stall; dnload 2 hex 00 -> error; dnload 2 hex 00 -> any'
}

data()
{
  head -c 64 /dev/zero >zeros
  host 1 -- --file z=zeros <<<$'clrstatus\neach 32 of z at 0x08000010: upload @ @ -> @'
  says said "(chunk 1 of 'z', 0x08000010): expected 0x00 as byte 0, got 0xff"
  host 1 <<<'clrstatus; upload 0 64 -> length 3'
  says said 'expected 3 bytes, got 4'
}

late()
{
  host 1 --fault 'silent on=getstatus' <<<'timeout 3s; getstatus'
  says said 'script:1:13: getstatus: expected an answer, got no answer within the timeout'
  host 0 --fault 'silent on=getstatus,count=1' <<<'timeout 3s; getstatus -> timeout; getstatus -> dfuERROR'
  # A mass erase takes the chip 16 s.
  host 0 <<<'clrstatus; mass-erase; getstatus wait -> dfuDNBUSY; timeout 5s; getstatus -> timeout; timeout 20s; getstatus -> dfuDNLOAD-IDLE'
}

unplugged()
{
  host 1 --fault 'unplug on=clrstatus' <<<'getstatus; clrstatus; getstatus -> dfuIDLE; getstatus; getstatus'
  says said 'the device is gone'
  host 0 --fault 'unplug=1s on=clrstatus' <<<'clrstatus -> any; expect-gone; close; open 0483:df11 within 5s; getstatus -> dfuERROR'
  host 1 <<<'expect-gone within 2s'
  says said 'expected the device to leave, got a device that is still there'
}

devices()
{
  host 1 <<<'open 1234:5678'
  says said 'script:1:1: open 1234:5678: there is no device 1234:5678'
  host 1 -- --usb 1234:5678 <<<'abort'
  says said 'there is no device 1234:5678'
  host 1 --boards 2 <<<'abort'
  says said 'there are 2 devices 0483:df11 (serial numbers '
  host 0 --boards 2 <<<'open serial 326237753036; clrstatus; getstatus -> dfuIDLE'
  host 1 -- --serial 208F3681554D <<<'abort'
  says said 'no device 0483:df11 has serial number 208F3681554D (there is 326237753036)'
  host 1 --also "$fixtures/descriptors/04f2-b724.usb:denied" <<<'open 04f2:b724'
  says said 'device 04f2:b724 cannot be opened: Access denied'
  host 1 <<<'close; getstatus'
  says said 'expected an open device, got none: it was closed'
}

# The board runs an application that gives back what it is sent.
talk()
{
  sh "$fixtures/firmware/make-demo.sh" image
  "$dfuemu" exec --time virtual --flash echo.img -- dfu-util -a 0 -s 0x08000000 -D image >said 2>&1
  host 0 --flash echo.img --boot0 low <<'END'
open-serial within 3s
send "one; two # \x41\r\nthree"; expect "^one; two # A$" within 1s; expect "^three$"
control 0xa1 0x21 0 0 7 -> hex 00 c2 01 00 00 00 08
send "four"; close; open-serial 0483:5740 serial 326237753036; send "five\n"; expect "five"
END
  says said '7 requests, all answered as expected'
  host 1 --flash echo.img --boot0 low <<<'open-serial within 3s; send "left\x07"; expect "right" within 1s'
  says said 'script:1:41: expect "right" within 1s: expected that, got left\x07'
  host 1 --flash echo.img --boot0 low <<<'open-serial within 3s; expect "right" within 1s'
  says said 'expected that, got nothing'
  host 1 --flash echo.img --boot0 low <<<'open-serial within 3s; getstatus'
  says said "expected an open DFU interface, got a serial port: 'open' opens one"
  host 1 <<<'open; send "x"'
  says said "expected an open serial port, got a DFU interface: 'open-serial' opens one"
  host 1 <<<'open-serial 0483:df11'
  says said 'device 0483:df11 has no serial port (CDC-ACM)'
}

bad()
{
  local status=0

  : >empty
  printf 'clrstatus\ngetstatsu; dnload 2 file imgae; erase\n' >script
  "$dfuhil" host --file image=empty script 2>said && return 1
  says said "script:2:1: error: unknown request 'getstatsu', did you mean 'getstatus'?"
  says said 'script:2:38: error: the address is missing'
  printf 'clrstatus\ndnload 2 file imgae\ndnload 2 file image length 3\n' >script
  "$dfuhil" host --file image=empty script 2>said || status=$?
  [ "$status" -eq 2 ]
  says said "script:2:15: error: unknown file 'imgae', did you mean 'image'?"
  says said "script:3:15: error: 'image' has 0 bytes, not 3 from 0 on"
  ends 2 "$dfuhil" host --file image=none script
  says said "cannot read 'none': No such file or directory"
  ends 2 "$dfuhil" host none
  ends 2 "$dfuhil" host
  ends 2 "$dfuhil" host --fiel x script
  ends 2 "$dfuhil" host --usb 0483 script
  ends 2 "$dfuhil" host - </dev/null
  says said 'stdin:1:1: error: there is no request in it'
}

no_request_before_the_check()
{
  host 2 -- -v <<<'clrstatus; getstatsu'
  says_not said 'clrstatus: ok'
  host 0 -- -v <<<'clrstatus; getstatus'
  says said 'clrstatus: ok'
}

# The signal comes while a request that nobody answers is under way.
interrupted()
{
  local pid status=0

  printf 'clrstatus; abort\ngetstatus\n' >script
  LIMIT=40 "$dfuemu" exec --fault 'silent on=getstatus' -- "$dfuhil" host -v script >said 2>&1 &
  pid=$!
  until_true 20 grep -q 'abort: ok' said
  kill -s "$1" "$pid"
  wait "$pid" || status=$?
  cat said
  [ "$status" -eq "$2" ]
  says said 'interrupted after 3 requests'
}

help()
{
  "$dfuhil" host --help >said
  says said 'usage: dfuhil host'
  # The examples of the help are scripts.
  grep -E '^  (getstatus ->|abort;|each 2048)' said >script
  [ "$(grep -c '' script)" -eq 4 ]
  grep -q '^  open-serial f055:9800 within 3s; send' said
  pattern 100 3 >image
  TIME=virtual ends 0 board -- "$dfuhil" host --file image=image script
}

if [ ! -x "$dfuhil" ]; then
  echo 'skip - scripted hosts: dfuhil is not in this build'
  exit 0
fi
check 'a session from dfuERROR to the leave is answered as written' session
check 'what dfu-util 0.5 to 0.7 sent fits on three lines' older
check 'another state, status or time ends it with one line' state
check 'a STALL ends it, unless it is expected' stall
check 'data that differ are told by place' data
check 'a request that is not answered ends with its timeout' late
check 'a device that leaves is told, and waited for' unplugged
check 'the device is found by id and serial number, and what is wrong with that is told' devices
check 'a serial port is opened, written to, and heard' talk
check 'all mistakes of a script are told with their place' bad
check 'no request is sent of a script with a mistake' no_request_before_the_check
check 'SIGINT takes a request back' interrupted INT 130
check 'SIGTERM takes a request back' interrupted TERM 143
check 'the help has the grammar, and its examples run' help
finish
