#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Cortex-M4F: the same programs on it and on QEMU's STM32F405 print the same; where QEMU does otherwise than the architecture,
# both do as the table `deviations` says; and what comes from outside at the same cycles makes the same run.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
programs=$tests/cortexm
core=$build/tools/cortexm_run

# compile NAME [OPTION...]: program.bin
compile()
{
  local name=$1

  shift
  need arm-none-eabi-gcc arm-none-eabi-objcopy
  arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -O1 -Wall -Wextra -Werror -ffreestanding -nostdlib \
    -T "$programs/link.ld" "$@" -o program.elf "$programs/start.c" "$programs/$name.c"
  arm-none-eabi-objcopy -O binary program.elf program.bin
}

# here STATUS FILE [OPTION...]: what the program prints on this core
here()
{
  local want=$1 to=$2 status=0

  shift 2
  [ -x "$core" ] || skip 'cortexm_run is not built (make unit)'
  timeout -k 5 60 "$core" "$@" program.bin >"$to" 2>why || status=$?
  [ "$status" -ne 77 ] || skip "$(cat why)"
  cat "$to" why
  [ "$status" -eq "$want" ] || {
    echo "=> status $status instead of $want"
    return 1
  }
}

# What it prints on QEMU, and why QEMU stopped if it did not reset.
there()
{
  need qemu-system-arm
  timeout -k 5 60 qemu-system-arm -icount shift=4 -M netduinoplus2 -nodefaults -display none -serial stdio -no-reboot -kernel program.bin \
    >there 2>why-there </dev/null || true
  tr -d '\r' <there >there.text
  sed -n 's/^qemu: fatal: \(Lockup\).*/\1/p' why-there >>there.text
}

same_as_qemu()
{
  compile "$1"
  here 0 here
  there
  grep -q -x end here
  diff there.text here
}

# As many ways as the program has, by CASE.
locks_up()
{
  local case

  for case in 1 2 3 4 5 6 7 8; do
    compile lockup -DCASE="$case"
    here 3 here
    there
    says here begins
    sed '$d' there.text | diff - here
    says there.text Lockup
  done
}

deviations()
{
  local number ours theirs why

  while IFS='|' read -r number ours theirs why; do
    case $number in
    '#'*) continue ;;
    esac
    read -r number <<<"$number"
    read -r ours <<<"$ours"
    read -r theirs <<<"$theirs"
    echo "$number:$why"
    compile deviates -DCASE="$number"
    here 0 here
    there
    grep -q -x -F -e "$ours" here
    grep -q -x -F -e "$theirs" there.text
  done <"$programs/deviations"
}

# Lines that are not multiples of anything, some close together, so that some arrive late
lines='--irq 0@3001 --irq 1@3002 --irq 2@3003 --irq 3@7777 --irq 1@12000 --irq 0@12001 --irq 2@20011 --irq 3@20012 --irq 0@33333 --irq 1@40000 --irq 2@50000 --irq 1@50004 --irq 0@50009'

same_again()
{
  local run sum first=

  compile interrupted
  for run in $(seq 200); do
    # shellcheck disable=SC2086 # words
    here 0 run --tell $lines >/dev/null
    sum=$(cat run why | cksum)
    : "${first:=$sum}"
    [ "$sum" = "$first" ] || {
      echo "=> run $run is another"
      return 1
    }
  done
  [ "$(grep -c '^cycle' run)" -ge 64 ]
}

# It does not matter in which pieces it is run.
# same_in_pieces [OPTION...]
same_in_pieces()
{
  local quantum

  compile interrupted "$@"
  # shellcheck disable=SC2086 # words
  here 0 whole --tell $lines
  mv why why.whole
  for quantum in 1 5 7 100 8400; do
    # shellcheck disable=SC2086 # words
    here 0 pieces --tell --quantum "$quantum" $lines
    cmp whole pieces
    cmp why.whole why
  done
}

while read -r name sentence; do
  check "$sentence, as on QEMU" same_as_qemu "$name"
done <<'END'
order exceptions come by priority, nest, chain and are masked
threads threads with stacks of their own, unprivileged ones and such that use the FPU, take turns
fp frames of the FPU are lazy or eager
faults each fault is taken, escalated or taken in a handler
compute two hundred instructions compute the same
traps accesses mind where they go, or do not
it IT blocks, LDM, STM and exclusive accesses are left and come back to
sleep WFI and WFE sleep until something wakes them
returns EXC_RETURN is taken or refused
stacks stacks that are not there are told of
mpu the MPU lets pass what its regions say, and tells of the rest
mpu_frames frames that the MPU refuses are told of
END
check 'eight ways lead to lock-up, as on QEMU' locks_up
check 'where QEMU deviates from the architecture, the core does not' deviations
check 'interrupts at the same cycles make the same run, two hundred times' same_again
check 'a run is the same in pieces of any size' same_in_pieces
check 'so is one of which the MPU refuses instructions' same_in_pieces -DWITH_MPU

finish
