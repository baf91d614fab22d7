#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every profile with dfu-util as the distribution ships it, in virtual time: what it lists, that it writes and reads back, and
# what it stumbles over with some parts, as it does with the real ones.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

TIME=virtual

needs()
{
  need dfu-util "$@"
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
}

# NAME ID VERSION SERIAL FLASH-BYTES ALTERNATES, from 0 on, separated by |
profiles='
f407-v3.0 0483:df11 2100 326237753036 1048576 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg|@Option Bytes  /0x1FFFC000/01*016 g|@OTP Memory /0x1FFF7800/01*512 g,01*016 g|@Device Feature/0xFFFF0000/01*004 g
f407-v3.1 0483:df11 2200 326237753036 1048576 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg|@Option Bytes  /0x1FFFC000/01*016 e|@OTP Memory /0x1FFF7800/01*512 e,01*016 e|@Device Feature/0xFFFF0000/01*004 e
f407-v9.0 0483:df11 2200 326237753036 1048576 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg|@Option Bytes  /0x1FFFC000/01*016 e|@OTP Memory /0x1FFF7800/01*512 e,01*016 e|@Device Feature/0xFFFF0000/01*004 e
f407-v9.1 0483:df11 2200 326237753036 1048576 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg|@Option Bytes  /0x1FFFC000/01*016 e|@OTP Memory /0x1FFF7800/01*512 e,01*016 e|@Device Feature/0xFFFF0000/01*004 e
f072 0483:df11 2200 FFFFFFFEFFFF 131072 @Internal Flash  /0x08000000/064*0002Kg|@Option Bytes  /0x1FFFF800/01*016 e
f105 0483:df11 2200 STM32 262144 @Internal Flash  /0x08000000/128*002Kg|@Option Bytes  /0x1FFFF800/01*016 e
f411 0483:df11 2200 326237753036 524288 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg|@Option Bytes  /0x1FFFC000/01*016 e|@OTP Memory /0x1FFF7800/01*512 e,01*016 e|@Device Feature/0xFFFF0000/01*004 e
f427-v7.0 0483:df11 2200 326237753036 2097152 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg|@Option Bytes  /0x1FFFC000/01*016 e/0x1FFEC000/01*016 e|@OTP Memory /0x1FFF7800/01*512 e,01*016 e|@Device Feature/0xFFFF0000/01*004 e
f427-v9.1 0483:df11 2200 326237753036 2097152 @Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg,04*016Kg,01*064Kg,07*128Kg|@Option Bytes  /0x1FFFC000/01*016 e/0x1FFEC000/01*016 e|@OTP Memory /0x1FFF7800/01*512 e,01*016 e|@Device Feature/0xFFFF0000/01*004 e
g431 0483:df11 0200 326237753036 131072 @Internal Flash   /0x08000000/64*02Kg|@Option Bytes   /0x1FFF7800/01*40Be|@OTP Memory   /0x1FFF7000/01*01Ke
g474 0483:df11 0200 326237753036 524288 @Internal Flash   /0x08000000/256*02Kg|@Option Bytes   /0x1FFF7800/01*048 e/0x1FFFF800/01*048 e|@OTP Memory   /0x1FFF7000/01*1024 e
h743-rev-v 0483:df11 0200 200364500000 2097152 @Internal Flash   /0x08000000/16*128Kg|@Option Bytes   /0x5200201C/01*128 e
l476 0483:df11 2200 326237753036 1048576 @Internal Flash  /0x08000000/0512*0002Kg|@Option Bytes  /0x1FFF7800/01*040 e|@OTP Memory /0x1FFF7000/01*0001Ke|@Device Feature/0xFFFF0000/01*004 e
c5 0483:df11 0200 326237753036 524288 @Internal Flash   /0x08000000/64*08Kg
gd32vf103 28e9:0189 0100 3CBJ 131072 @Internal Flash  /0x08000000/128*001Kg
gd32vf103-nano 28e9:0189 1000 3CBJ 131072 @Internal Flash  /0x08000000/512*002Kg|@Option Bytes  /0x1FFFF800/01*016 g
dfu11 1209:0001 0100 326237753036 262144 Firmware
dfu11-reset 1209:0001 0100 326237753036 262144 Firmware
dfu11-detach 1209:0001 0100 326237753036 262144 Firmware
'

# None is forgotten here.
table()
{
  "$dfuemu" profiles | sed 's/ .*//' | sort >there
  sed -n 's/^\([a-z][^ ]*\) .*/\1/p' <<<"$profiles" | sort >here
  diff there here
}

# lists NAME ID VERSION SERIAL BYTES ALTERNATES
lists()
{
  local n

  needs
  ends 0 emu --profile "$1" -- dfu-util -l
  n=0
  while IFS= read -r -d '|' name; do
    printf 'Found DFU: [%s] ver=%s, devnum=2, cfg=1, intf=0, path="1-1", alt=%s, name="%s", serial="%s"\n' \
      "$2" "$3" "$n" "$name" "$4"
    n=$((n + 1))
  done <<<"$6|" | tac >want
  grep Found said | diff want -
}

# writes NAME BYTES: over what is there, a length that fills no block, read back by dfu-util and from the file
writes()
{
  local down=0

  needs
  case $1 in
  # dfu-util 0.11 says "Done!" and exits with 74: a device that has left the bus in time for it counts as an error
  dfu11-reset | dfu11-detach) down=74 ;;
  esac
  pattern 40001 1 >in.bin
  pattern "$2" 2 >flash.img
  cp flash.img before.img
  case $1 in
  dfu11*)
    ends "$down" emu --profile "$1" --flash flash.img -- dfu-util -D in.bin
    ends 0 emu --profile "$1" --flash flash.img -- dfu-util -U out.bin
    [ "$(stat -c %s out.bin)" -eq "$2" ]
    ;;
  *)
    ends 0 emu --profile "$1" --flash flash.img -- sh -e -c '
      dfu-util -a 0 -s 0x08000000 -D in.bin
      dfu-util -a 0 -s 0x08000000:40001 -U out.bin'
    ;;
  esac
  cmp -n 40001 in.bin out.bin
  cmp -n 40001 in.bin flash.img
  [ "$(stat -c %s flash.img)" -eq "$2" ]
  case $1 in
  h743*) ;; # it is all one sector
  *) cmp -i $((0x1c000)) -n 16384 before.img flash.img ;;
  esac
}

# erases NAME BYTES
erases()
{
  needs
  pattern "$2" 3 >flash.img
  pattern 100 4 >in.bin
  ends 0 emu --profile "$1" --flash flash.img -- dfu-util -a 0 -s 0x08000000:mass-erase:force -D in.bin
  cmp -n 100 in.bin flash.img
  [ "$(tail -c +101 flash.img | tr -d '\377' | wc -c)" -eq 0 ]
}

# keeps NAME: the state file fits the profile, and the profile the state file
keeps()
{
  needs
  ends 0 emu --profile "$1" --state state -- true
  cp state first
  says first "profile: $1"
  ends 0 emu --state state --control S -- sh -e -c '"$0" ctl S status; "$0" ctl S options save o.bin;
    "$0" ctl S options load o.bin; "$0" ctl S flash save f.bin' "$dfuemu"
  says said "profile: $1"
  diff first state
  [ "$(sed -n 's/^option-bytes: //p' state | tr -d '\n' | wc -c)" -eq $((2 * $(stat -c %s o.bin))) ]
  [ "$(stat -c %s f.bin)" -eq "$2" ]
}

# Areas of pages that are write-protected come with the bank that they lie in.
options_g474()
{
  needs
  ends 0 emu --profile g474 --control S -- sh -e -c '
    dfu-util -a 1 -s 0x1FFF7800 -U one.bin
    dfu-util -a 1 -s 0x1FFFF800 -U two.bin
    [ "$(stat -c %s one.bin two.bin | tr "\n" " ")" = "48 48 " ]
    printf "\177" | dd of=two.bin bs=1 seek=24 conv=notrunc # WRP2A from page 127
    printf "\177" | dd of=two.bin bs=1 seek=26 conv=notrunc # to page 127
    dfu-util -a 1 -s 0x1FFFF800:will-reset -D two.bin
    sleep 1
    "$0" ctl S options save both.bin
    head -c 2048 /dev/zero >page.bin
    dfu-util -a 0 -s 0x0807F800 -D page.bin
    dfu-util -a 0 -s 0x0807F800 -U out.bin' "$dfuemu"
  cmp -n 48 one.bin both.bin
  [ "$(od -An -tx1 -j 72 -N 8 both.bin)" = ' 7f ff 7f ff 80 00 80 00' ]
  [ "$(tr -d '\377' <out.bin | wc -c)" -eq 0 ] # write-protected: FL-7
}

# ST community td-p/574813: the reference manual has 48 bytes, the ROM lets 40 through.
options_g431()
{
  needs
  head -c 48 /dev/zero >in.bin
  ends 64 emu --profile g431 -- dfu-util -a 1 -s 0x1FFF7800 -D in.bin
  says said 'Last page at 0x1fff782f is not writeable'
  ends 0 emu --profile g431 -- dfu-util -a 1 -s 0x1FFF7800 -U out.bin
  [ "$(stat -c %s out.bin)" -eq 40 ]
}

# ST community thread 85626: fails with blocks of 2048 bytes, works with 1024. dfu-util tickets 40, 208: commands get over it.
slow_l476()
{
  needs
  pattern 16384 5 >in.bin
  ends 74 emu --profile l476 --erase-times maximum -- dfu-util -v -a 0 -s 0x08000000 -D in.bin
  says said 'Device stalled USB pipe, reusing last poll timeout'
  says said 'Error during download get_status'
  ends 0 emu --profile l476 --erase-times maximum --flash flash.img -- dfu-util -t 1024 -a 0 -s 0x08000000 -D in.bin
  cmp -n 16384 in.bin flash.img
}

# betaflight-configurator 1861: dfu-util 0.11 polls for ever, where CLRSTATUS twice would help.
stuck_h743()
{
  needs
  pattern 1000 6 >in.bin
  pattern 2097152 7 >flash.img
  ends 143 emu --profile h743 --flash flash.img -v -- sh -c '
    dfu-util -a 0 -s 0x08100000 -D in.bin & sleep 100; kill $!; wait $!'
  says said 'erased 0x08100000, 131072 bytes'
  says_not said 'programmed'
  says_not said 'Erase    done'
}

# The string of V7.0 ends after the first bank: dfu-util takes the second for no memory at all.
half_f427()
{
  needs
  pattern 1000 8 >in.bin
  ends 64 emu --profile f427-v7.0 -- dfu-util -a 0 -s 0x08100000 -D in.bin
  says said 'Patching string descriptor 4 length (was 166, received 112)'
  says said 'Last page at 0x081003e7 is not writeable'
  ends 0 emu --profile f427-v9.1 --flash flash.img -- dfu-util -a 0 -s 0x08100000 -D in.bin
  cmp -n 1000 -i 1048576:0 flash.img in.bin
}

# dfu-util c66695c: the GD32 may be gone before it has answered.
leave_gd32()
{
  needs lsusb
  "$fixtures/firmware/make-demo.sh" demo.bin
  ends 0 emu --profile gd32vf103 -- sh -e -c 'dfu-util -a 0 -s 0x08000000:leave -D demo.bin; sleep 1; lsusb'
  says said 'ID 0483:5740'
  says said 'Found GD32VF103, which reports a bad page size'
}

# The device is away as it should be; dfu-util tells of it in two ways, and by 74.
leave_dfu11()
{
  needs lsusb
  "$fixtures/firmware/make-demo.sh" demo.bin
  ends 74 emu --profile dfu11-reset -- sh -c 'dfu-util -D demo.bin; status=$?; sleep 1; lsusb; exit $status'
  says said 'Resetting USB to switch back to runtime mode'
  says said 'Done!'
  says said 'ID 0483:5740'
  ends 74 emu --profile dfu11-detach -- sh -c 'dfu-util -D demo.bin; status=$?; sleep 1; lsusb; exit $status'
  says said 'unable to read DFU status after completion'
  says said 'ID 0483:5740'
  ends 0 emu --profile dfu11 -- sh -e -c 'dfu-util -D demo.bin; lsusb'
  says said 'ID 1209:0001'
}

# A rule's address is where the block goes: the second of 1024 bytes. A second attempt succeeds.
fault_dfu11()
{
  needs
  pattern 5000 9 >in.bin
  ends 74 emu --profile dfu11 --flash flash.img -v --fault 'stall on=write,address=0x08000400' -- dfu-util -D in.bin
  says said 'Error during download'
  ends 0 emu --profile dfu11 --flash flash.img -- dfu-util -D in.bin
  cmp -n 5000 in.bin flash.img
}

serials()
{
  needs
  ends 125 emu --profile f072 --serial 326237753036 -- true
  says said "--serial '326237753036': profile f072 cannot have it"
  ends 0 emu --profile f072 --serial FFFFFFFEFFFF --boards 2 -- dfu-util -l
  [ "$(grep -c 'alt=0.*serial="FFFFFFFEFFFF"' said)" -eq 2 ]
  ends 0 emu --profile l476 --serial 206437A1304E --boards 2 -- dfu-util -l
  says said 'serial="206437A1304E"'
  [ "$(sed -n 's/.*alt=0.*serial=//p' said | sort -u | grep -c .)" -eq 2 ]
}

check 'the table of this script has every profile' table
while read -r name id version serial bytes alternates; do
  [ -n "$name" ] || continue
  later "$name: dfu-util lists it" lists "$name" "$id" "$version" "$serial" "$bytes" "$alternates"
  later "$name: dfu-util writes it and reads it back" writes "$name" "$bytes"
  later "$name: state file and control socket fit it" keeps "$name" "$bytes"
  case $name in
  dfu11*) ;;
  *) later "$name: dfu-util erases all of it" erases "$name" "$bytes" ;;
  esac
  gather
done <<<"$profiles"
later 'g474: each bank of option bytes is written on its own' options_g474
later 'g431: has 40 option bytes' options_g431
later 'l476: at its slowest, blocks of 2048 bytes fail and 1024 do not' slow_l476
later 'h743: dfu-util waits for ever for an erase above 1 MB' stuck_h743
gather
later 'f427-v7.0: dfu-util does not see the second bank, and of V9.1 it does' half_f427
later 'gd32vf103: dfu-util leaves it for the application' leave_gd32
later 'dfu11: the application starts after a reset, or a detach, and dfu-util exits with 74' leave_dfu11
later 'dfu11: rules for faults meet its writes, by address' fault_dfu11
later 'serial numbers are those that a profile can have' serials
finish
