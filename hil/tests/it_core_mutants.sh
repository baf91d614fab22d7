#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The core with one line wrong: a unit test is to fail. Names of mutants as arguments: these alone.
# One file is compiled anew for each and linked before the rest; what the build has stays as it is.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
CC=${CC:-cc}
[ -z "${SAN-}" ] || CC="$CC -fsanitize=address,undefined -fno-sanitize-recover=undefined"

# In this order; the first that fails is named.
units=(test_profile test_dfuse test_identity test_flash test_rom test_mcu test_ep0)

# NAME | FILE in emulator/core (of several, the one that has the place) | what is wrong | expression of sed that makes it so
mutants()
{
  cat <<'END'
start-idle|dfuse.c|the ROM starts in dfuIDLE|s/commit(d, DFU_ERROR, DFU_ERR_FIRMWARE)/commit(d, DFU_IDLE, DFU_OK)/; s/(enum dfu_state)profile->boot_state, (enum dfu_status)profile->boot_status/DFU_IDLE, DFU_OK/
start-status|dfuse.c|the ROM starts with errUNKNOWN|s/commit(d, DFU_ERROR, DFU_ERR_FIRMWARE)/commit(d, DFU_ERROR, DFU_ERR_UNKNOWN)/; s/(enum dfu_status)profile->boot_status/DFU_ERR_UNKNOWN/
block-base|dfuse.c|data begin with block 0|s/#define FIRST_DATA_BLOCK 2u/#define FIRST_DATA_BLOCK 0u/
block-multiplier|dfuse.c|blocks are as far apart as they are long|s/(block - FIRST_DATA_BLOCK) \* (uint32_t)d->profile->transfer_size_bytes/(block - FIRST_DATA_BLOCK) * (uint32_t)d->length/
download-in-upload|dfuse.c|a download is taken in dfuUPLOAD-IDLE|s/if (d->state != DFU_IDLE && d->state != DFU_DNLOAD_IDLE)/if (d->state != DFU_IDLE \&\& d->state != DFU_DNLOAD_IDLE \&\& d->state != DFU_UPLOAD_IDLE)/
upload-in-download|dfuse.c|an upload is taken in dfuDNLOAD-IDLE|s/if (d->state != DFU_IDLE && d->state != DFU_UPLOAD_IDLE)/if (d->state != DFU_IDLE \&\& d->state != DFU_UPLOAD_IDLE \&\& d->state != DFU_DNLOAD_IDLE)/
clrstatus-mild|dfuse.c|CLRSTATUS in dfuIDLE does no harm|s/commit(d, DFU_ERROR, DFU_ERR_UNKNOWN);/commit(d, DFU_IDLE, DFU_OK);/
address-order|dfuse.c|addresses are read with a wrong byte|s/(uint32_t)d->buffer\[1\] |/(uint32_t)d->buffer[4] |/
manifest-state|dfuse.c|a leave says dfuMANIFEST-WAIT-RESET|s/commit(d, DFU_MANIFEST, d->status)/commit(d, DFU_MANIFEST_WAIT_RESET, d->status)/
leave-pointer|dfuse.c|a leave goes to the start of the flash|s/\.kind = JOB_LEAVE, \.address = d->pointer/.kind = JOB_LEAVE, .address = d->profile->default_pointer/
leave-in-idle|dfuse.c|a leave is refused in dfuIDLE|s/if (!s->length) { \/\* LV-1/if (!s->length \&\& d->state == DFU_DNLOAD_IDLE) { \/* LV-1/
status-order|dfuse.c,dfu_machine.c|bwPollTimeout has its bytes the wrong way round|s/(uint8_t)poll_ms,  (uint8_t)(poll_ms >> 8)/(uint8_t)(poll_ms >> 8),  (uint8_t)poll_ms/
poll-erase|profiles/f407.c|an erase announces 104 ms|s/\.poll_erase_ms = 100,/.poll_erase_ms = 104,/
poll-write|profiles/f407.c|a write announces 100 ms|s/\.poll_write_ms = 104,/.poll_write_ms = 100,/
poll-mass-erase|profiles/f407.c|a mass erase announces what it takes|s/\.poll_mass_erase_ms = 100,/.poll_mass_erase_ms = 16000,/
transfer-size|profiles/f407.c|blocks are counted in 1024 bytes|s/\.transfer_size_bytes = 2048,/.transfer_size_bytes = 1024,/
descriptor-size|profiles/f407.c|the descriptor says 1024 bytes|s/0x09, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x08,/0x09, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x04,/
descriptor-attributes|profiles/f407.c|the descriptor says manifestation tolerant|s/0x09, 0x21, 0x0B,/0x09, 0x21, 0x0F,/
release|profiles/f407.c|bcdDevice is 21.00|s/DEVICE(0x22)/DEVICE(0x21)/
layout|profiles/f407.c|the layout has a sector less|s/01\*064Kg,07\*128Kg/01*064Kg,06*128Kg/
sector-size|profiles/f407.c|the first sectors have 32 KiB|s/{ 4, 16 \* KIB },/{ 4, 32 * KIB },/
erase-time|profiles/f407.c|the largest sectors are erased in 0.2 s|s/{ 128 \* KIB, 2000 \* MS, 4000 \* MS }/{ 128 * KIB, 200 * MS, 4000 * MS }/
erase-maximum|profiles/f407.c|a small sector takes 0.5 s at most|s/{ 16 \* KIB, 400 \* MS, 800 \* MS }/{ 16 * KIB, 400 * MS, 500 * MS }/
mass-erase-time|profiles/f407.c|a mass erase takes 1.6 s|s/\.mass_typ_us = 16000 \* MS/.mass_typ_us = 1600 * MS/
program-time|profiles/f407.c|a byte is programmed in 1 us|s/\.program_typ_us = 16,/.program_typ_us = 1,/
abort-in-error|profiles/f407.c|ABORT leads out of dfuERROR|s/\.abort_leaves_error = false/.abort_leaves_error = true/
erase-pointer|profiles/f407.c|an erase does not move the pointer|s/\.erase_sets_pointer = true/.erase_sets_pointer = false/
busy-again|profiles/f407.c|GETSTATUS says dfuDNBUSY again instead of waiting|s/\.busy_rule = BUSY_HOLDS/.busy_rule = BUSY_SAYS_BUSY/
get-commands|profiles/f407.c|Get names another command|s/\.get_commands = { 0x00, 0x21,/.get_commands = { 0x00, 0x11,/
protected-address|profiles/f407.c|Set-Address is allowed with read protection|s/\.rdp_set_address_status = 0x0B/.rdp_set_address_status = 0/
startup-time|profiles/f407.c|the ROM needs 0.9 s to its pull-up|s/\.startup_us = 90 \* MS/.startup_us = 900 * MS/
protected-read|rom_memory.c|read protection does not hinder reading|s/rdp_access_status; \/\* UP-10/rdp_access_status * 0; \/* UP-10/
outside|rom_memory.c|Set-Address takes any address|s/return region_of(rm, job->address, 1) ? DFU_OK : DFU_ERR_TARGET;/return DFU_OK;/
option-length|rom_memory.c|option bytes may be written in part|s/if (job->address != m->base || job->length != .*)$/if (job->address != m->base)/
program-sets-bits|flash_cells.c|programming sets bits|s/new &= old;/new |= 0 * old;/
erase-two|flash_cells.c|an erase takes the next sector with it|s/p->sectors = 1;/p->sectors = 2;/
write-protection|flash_cells.c|write protection does not hinder erasing|s/return 0; \/\* FL-7 \*\//(void)0;/
serial-number|identity.c|the serial number is of other words of the UID|s/uid\[0\] + uid\[2\]/uid[0] + uid[1]/
boot0|mcu.c|BOOT0 works the other way round|s/m->pins\[PIN_BOOT0\] &&/!m->pins[PIN_BOOT0] \&\&/
thumb-bit|mcu.c|an application starts without its Thumb bit|s/msp_ok && (pc & 1) && pc_ok/msp_ok \&\& pc_ok/
END
}

# compile FILE: as the file of that name in emulator/core
compile()
{
  # shellcheck disable=SC2086 # words
  $CC -std=c11 -D_GNU_SOURCE -O1 -I"$repo/emulator/core" -I"$repo/emulator/core/profiles" -c -o mutant.o "$1"
}

# The first unit test that fails is in the file `caught`.
try_units()
{
  local unit status

  rm -f caught
  for unit in "${units[@]}"; do
    # shellcheck disable=SC2086
    $CC -o "$unit" "$build/obj/emulator/tests/$unit.o" mutant.o "$build/libemulator.a" -pthread -lcmocka
    status=0
    timeout 60 "./$unit" >output 2>&1 || status=$?
    rm "$unit"
    if [ "$status" -ne 0 ]; then
      echo "$unit$(sed -n 's/^\[  FAILED  \] \([a-z_0-9]*\)$/: \1/p' output | head -n 1 | tr _ ' ')" >caught
      return 0
    fi
  done
}

caught()
{
  local file expression=$2 changed=no

  for file in ${1//,/ }; do
    [ -f "$repo/emulator/core/$file" ] || continue
    sed "$expression" "$repo/emulator/core/$file" >mutant.c
    cmp -s mutant.c "$repo/emulator/core/$file" || changed=yes
    [ "$changed" = no ] || break
  done
  if [ "$changed" = no ]; then
    echo "=> nothing in $1 is changed by $expression"
    return 1
  fi
  compile mutant.c
  try_units
  cat caught
}

untouched()
{
  compile "$repo/emulator/core/dfuse.c"
  try_units
  [ ! -f caught ] || cat output
  [ ! -f caught ]
}

for unit in "${units[@]}"; do
  if [ ! -f "$build/obj/emulator/tests/$unit.o" ]; then
    echo 'skip - mutants of the core: the unit tests are not built (make unit)'
    exit 0
  fi
done
check 'without a mutation no test fails' untouched
while IFS='|' read -r name file bug expression; do
  [ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
  check "core mutant $name is caught: $bug" caught "$file" "$expression"
  # What the expression has of | is no separator.
  [ ! -s "$work/$count/caught" ] || echo "    by $(cat "$work/$count/caught")"
done < <(mutants)
finish
