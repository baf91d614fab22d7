#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# node's usb: 2.x with its own static libusb, 3.x in Rust with system calls of its own.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

# node VERSION: of the package
node_usb()
{
  local folder=$cache/node-usb-$1

  need node
  if [ ! -d "$folder/node_modules/usb" ]; then
    need npm
    rm -rf "$folder.new"
    mkdir -p "$folder.new"
    npm install --prefix "$folder.new" --no-audit --no-fund --loglevel=error "usb@$1" ||
      skip "the package usb@$1 cannot be had from the npm registry"
    rm -rf "$folder"
    mv "$folder.new" "$folder"
  fi
  exercise node "$clients/flash_node.js" "$folder"
}

check 'node usb 2.18.0 lists, flashes and reads' node_usb 2.18.0
check 'node usb 3.1.0 lists, flashes and reads' node_usb 3.1.0
finish
