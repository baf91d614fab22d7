#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# gpio_sim_bridge.sh DFUEMU SOCKET FOLDER LINE=PIN...: levels of lines of gpio-sim, whose files are in FOLDER, become those of the
# board's pins (boot0, boot1, nrst, power), as often as they change, until it is killed.
set -eu
dfuemu=$1 socket=$2 folder=$3
shift 3
before=
while :; do
  now=
  for wire; do
    read -r value <"$folder/sim_gpio${wire%%=*}/value"
    pin=${wire#*=}
    case $pin$value in
    power0) level=off ;;
    power1) level=on ;;
    *0) level=low ;;
    *) level=high ;;
    esac
    now="$now $pin-$level"
    case " $before " in
    *" $pin-$level "*) ;;
    *) "$dfuemu" ctl "$socket" "$pin" "$level" ;;
    esac
  done
  before=$now
  sleep 0.02
done
