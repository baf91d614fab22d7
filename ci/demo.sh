#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo: flashes the emulated board with this machine's own dfu-util, as one would a real board, and proves it.
# Environment: B (build directory).
set -eu
cd "$(dirname "$0")/.."
dfuemu=$(cd "${B:-build}" && pwd)/dfuemu
command -v dfu-util >/dev/null || { echo "demo: dfu-util is not installed: sh ci/deps.sh" >&2; exit 1; }
command -v lsusb >/dev/null || { echo "demo: lsusb is not installed: sh ci/deps.sh" >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step()
{
  printf '\n--- %s\n' "$*"
}

# The command as a reader would type it, then the command.
run()
{
  printf '$'
  for word; do
    case $word in
    *[!A-Za-z0-9_./:=%+-]* | '') printf " '%s'" "$word" ;;
    "$dfuemu") printf ' dfuemu' ;;
    *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  "$@"
}

step "A firmware image of 12 KiB"
sh fixtures/firmware/make-demo.sh "$folder/demo.bin"
size=$(wc -c <"$folder/demo.bin")
cd "$folder"

step "lsusb sees a board in its bootloader"
run "$dfuemu" exec lsusb

step "dfu-util erases, writes and starts it; the board leaves DFU and comes back as a serial port"
# The inner shell waits as a person would: it looks until the port is there.
# shellcheck disable=SC2016 # expanded there
run "$dfuemu" exec --flash board.bin --capture demo.pcapng -- sh -c '
  dfu-util -a 0 -s 0x08000000:leave -D demo.bin || exit
  tries=0
  until lsusb -d 0483:5740; do
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { echo "no serial port" >&2; exit 1; }
    sleep 0.1
  done
  if lsusb -d 0483:df11; then echo "still in the bootloader" >&2; exit 1; fi'

step "What dfu-util reads back from the board's flash in a second run is what was written"
run "$dfuemu" exec --flash board.bin -- dfu-util -a 0 -s "0x08000000:$size" -U readback.bin
run cmp demo.bin readback.bin

step "So is the start of the saved flash, and the rest is erased"
run cmp -n "$size" demo.bin board.bin
[ "$(tail -c +$((size + 1)) board.bin | tr -d '\377' | wc -c)" -eq 0 ]

[ "$(wc -c <demo.pcapng)" -gt "$size" ]
step "All is well; every transfer was recorded, too ($(wc -c <demo.pcapng) bytes of pcapng)"
