#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches the tools that `make matrix` compares and that are no Debian packages, and labgrid and mpremote for their tests, at pinned
# versions, into a cache outside the tree. Prints NAME=PATH for each, as --tool-path takes it; why there is none goes to stderr, and the exit status is then 1.
# With --version: NAME, a tab and the version that is fetched instead.
# Usage: sh ci/tools.sh [--version] [NAME...]     Environment: DFUBENCH_CACHE; PYDFU: a pydfu.py that is there already
set -u
cache=${DFUBENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dfubench}/tools
pydfu_commit=3c60e0cf216994ea8a502744b2f915a2a48788f4
pydfu_sha256=7e7179a7a7425004df73b92f4e527fa5ef0cea537737cc96efe32259c8c45548
dfu_npm=0.1.5
usb_npm=2.18.0
dfu_nusb_crate=0.2.0
labgrid_pypi=26.0.1
mpremote_pypi=1.29.0
status=0

missing()
{
  echo "tools: $*" >&2
  status=1
}

# in_place NAME: what was made in $cache/NAME.new appears as a whole.
in_place()
{
  rm -rf "${cache:?}/$1" && mv "$cache/$1.new" "$cache/$1"
}

get_pydfu()
{
  file=${PYDFU:-$cache/pydfu/pydfu.py}
  if [ ! -f "$file" ] && [ -z "${PYDFU-}" ]; then
    mkdir -p "$cache/pydfu.new"
    curl -fsSL --max-time 60 -o "$cache/pydfu.new/pydfu.py" \
      "https://raw.githubusercontent.com/micropython/micropython/$pydfu_commit/tools/pydfu.py" &&
      echo "$pydfu_sha256  $cache/pydfu.new/pydfu.py" | sha256sum -c --quiet - >&2 && in_place pydfu
    rm -rf "$cache/pydfu.new"
  fi
  if [ -f "$file" ]; then
    echo "pydfu=$file"
  else
    missing "pydfu.py of MicroPython cannot be had from here: PYDFU=FILE names one"
  fi
}

get_webdfu()
{
  folder=$cache/webdfu-$dfu_npm
  if [ ! -d "$folder" ] && command -v npm >/dev/null; then
    mkdir -p "$folder.new"
    npm install --prefix "$folder.new" --no-audit --no-fund --loglevel=error "dfu@$dfu_npm" "usb@$usb_npm" >&2 &&
      in_place "webdfu-$dfu_npm"
    rm -rf "$folder.new"
  fi
  if [ -d "$folder" ]; then
    echo "webdfu=$folder"
  else
    missing "webdfu: the npm packages dfu and usb cannot be had (nodejs and npm are needed)"
  fi
}

get_dfu_nusb()
{
  folder=$cache/dfu-nusb-$dfu_nusb_crate
  if [ ! -x "$folder/bin/download" ] && command -v cargo >/dev/null; then
    cargo install --quiet --locked --root "$folder.new" --version "$dfu_nusb_crate" --example download dfu-nusb >&2 ||
      cargo install --quiet --root "$folder.new" --version "$dfu_nusb_crate" --example download dfu-nusb >&2
    [ ! -x "$folder.new/bin/download" ] || in_place "dfu-nusb-$dfu_nusb_crate"
    rm -rf "$folder.new"
  fi
  if [ -x "$folder/bin/download" ]; then
    echo "dfu-nusb=$folder/bin/download"
  else
    missing "dfu-nusb: the crate cannot be built (cargo is needed)"
  fi
}

# get_by_pip NAME PROGRAM VERSION: PATH is the folder of the program. A virtual environment knows where it is, and cannot be moved into
# place: a file says that it is whole.
get_by_pip()
{
  folder=$cache/$1-$3
  if [ ! -f "$folder/whole" ]; then
    (
      flock 9
      [ ! -f "$folder/whole" ] || exit 0
      rm -rf "$folder"
      python3 -m venv "$folder" >&2 &&
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$1==$3" >&2 &&
        "$folder/bin/$2" --help >/dev/null && : >"$folder/whole"
    ) 9>"$folder.lock"
  fi
  if [ -f "$folder/whole" ]; then
    echo "$1=$folder/bin"
  else
    missing "$1 $3 cannot be had (python3, python3-venv and pip's package index are needed)"
  fi
}

# What is pinned above, for people. Another pydfu.py is told by its checksum.
version_of()
{
  case $1 in
  pydfu)
    sum=$(sha256sum <"${PYDFU:-$cache/pydfu/pydfu.py}" | cut -d ' ' -f 1)
    if [ "$sum" = "$pydfu_sha256" ]; then
      printf 'pydfu\tof MicroPython, commit %.12s\n' "$pydfu_commit"
    else
      printf 'pydfu\tof MicroPython, SHA-256 %.12s...\n' "$sum"
    fi
    ;;
  webdfu) printf 'webdfu\tnpm dfu %s, usb %s\n' "$dfu_npm" "$usb_npm" ;;
  dfu-nusb) printf 'dfu-nusb\t%s\n' "$dfu_nusb_crate" ;;
  labgrid) printf 'labgrid\t%s\n' "$labgrid_pypi" ;;
  mpremote) printf 'mpremote\t%s\n' "$mpremote_pypi" ;;
  esac
}

if [ "${1-}" = --version ]; then
  shift
  for name; do
    version_of "$name"
  done
  exit
fi
mkdir -p "$cache" || exit 1
[ $# -gt 0 ] || set -- pydfu webdfu dfu-nusb
for name; do
  case $name in
  pydfu) get_pydfu ;;
  webdfu) get_webdfu ;;
  dfu-nusb) get_dfu_nusb ;;
  labgrid) get_by_pip labgrid labgrid-client "$labgrid_pypi" ;;
  mpremote) get_by_pip mpremote mpremote "$mpremote_pypi" ;;
  *) missing "'$name' is none of pydfu, webdfu, dfu-nusb, labgrid, mpremote" ;;
  esac
done
exit $status
