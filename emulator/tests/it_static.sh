#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfu-util, statically linked with a libusb that knows no udev, both built from the sources of Debian.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

# Where this machine gets Debian's packages from: "URI RELEASE", of the archive itself, not of updates or others' packages.
archive()
{
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" && $1 ~ /\/debian\/?$/ && $2 !~ /[-\/]/ { print $1, $2; exit }'
}

# Sources come by apt, from there, with lists of their own: what is configured on this machine is not touched.
fetch_sources()
{
  local apt=$PWD/apt options place

  place=$(archive)
  [ -n "$place" ] || return
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $place main" >"$apt/sources.list"
  options=(-q -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$apt/lists"
    -o Dir::Cache="$apt" -o APT::Sandbox::User=)
  apt-get "${options[@]}" update &&
    apt-get "${options[@]}" source --download-only dfu-util libusb-1.0 &&
    rm -rf "$apt"
}

# The orig tarballs have been checked against the signed lists by apt; Debian's patches are of no concern here.
build_static()
{
  local top=$PWD

  tar xf libusb-1.0_*.orig.tar.* && tar xf dfu-util_*.orig.tar.*
  (cd libusb-*/ && ./configure -q --prefix="$top/usb" --disable-udev --disable-shared --enable-static &&
    make -s -j2 && make -s install)
  (cd dfu-util-*/ && ./configure -q CFLAGS=-O1 LDFLAGS=-static USB_CFLAGS="-I$top/usb/include/libusb-1.0" \
    USB_LIBS="-L$top/usb/lib -lusb-1.0 -lpthread" && make -s -j2)
  mv dfu-util-*/src/dfu-util "$cache/dfu-util-static.new"
  mv "$cache/dfu-util-static.new" "$cache/dfu-util-static"
}

static_dfu_util()
{
  local tool=$cache/dfu-util-static

  if [ ! -x "$tool" ]; then
    need apt-get gcc make tar readelf
    mkdir -p "$cache"
    fetch_sources || skip 'the sources of dfu-util and libusb cannot be had'
    build_static
  fi
  readelf -l "$tool" >elf
  says_not elf INTERP
  pattern 65536 1 >in.bin
  ends 0 board --flash flash.img -- sh -e -c '
    "$1" -l
    "$1" -a 0 -s 0x08000000 -D in.bin
    "$1" -a 0 -s 0x08000000:65536 -U out.bin' sh "$tool"
  says said 'dfu-util 0.11'
  says said "name=\"@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg\", serial=\"$serial\""
  cmp in.bin out.bin
  cmp -n 65536 in.bin flash.img
}

check 'a static dfu-util 0.11 with a libusb without udev lists, flashes and reads' static_dfu_util
finish
