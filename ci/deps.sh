#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The one list of Debian packages that building, the demo, the tests and the benchmark need; installs what is missing of it.
# Usage: sh ci/deps.sh [-b] [-n]     -b: for building alone; -n: only list what is missing (exit status 1 if anything is)
set -eu
only_build=
only_list=
for word; do
  case $word in
  -b) only_build=yes ;;
  -n) only_list=yes ;;
  *)
    echo "deps: usage: sh ci/deps.sh [-b] [-n]" >&2
    exit 2
    ;;
  esac
done

# --- to build ---
build='
gcc             the compiler
libc6-dev       its headers
make            runs the build
pkg-config      finds libraries
binutils        ar and nm
libusbredirparser-dev    serve redir
libusbgx-dev    serve gadget makes gadgets in configfs with it
libconfig-dev   without it pkg-config does not find libusbgx
libunicorn-dev  executes the instructions of firmware
'
# --- to build dfuhil ---
hil='
libfyaml-dev    scenario, tool and rig files
libjansson-dev  JSON reports
libxml2-dev     JUnit reports
libsqlite3-dev  the history of a bench
zlib1g-dev      libxml2 as an archive, for make static
liblzma-dev     the same
libusb-1.0-0-dev         the tool that the suite is tested with; clients in C
libgpiod-dev    wires on GPIO lines
libhidapi-dev   wires on USB relays
libserialport-dev        wires on serial relays
'
# --- to run the demo ---
demo='
dfu-util        the tool that flashes the board
usbutils        lsusb
'
# --- to run all tests ---
check='
libcmocka-dev   unit tests
clang           fuzzing
llvm            readable stacks of what fuzzing finds
clang-format    the layout of the sources
gcc-aarch64-linux-gnu    the build for aarch64
libc6-dev-arm64-cross    its headers
musl-tools      statically linked clients
python3         clients and test scripts
python3-usb     pyusb, as pydfu uses it
python3-serial  pyserial, as mpremote uses it
picocom         a terminal program
fwupd           a client
tshark          opens captures
umockdev        plays captures to clients
strace          looks at what clients do
mandoc          checks the manual pages
shellcheck      checks the scripts
bash-completion what the completion is made for
dpkg-dev        sources of packages
file            what kind of program a file is
python3-yaml    reads the pipelines in ci/ as the services do
python3-venv    what labgrid is installed in, for its test
yamllint        the layout of YAML files
jq              reads reports
sqlite3         looks into the history
systemd         checks the units of nights
gcc-arm-none-eabi        the firmware in fixtures/, and programs for a Cortex-M4F
qemu-system-arm runs them too, and is what --app qemu starts
'
# --- for tests in a guest with a kernel of its own ---
guest='
qemu-system-x86 runs the guest
busybox-static  the guest before it sees the files of the host
kmod            modules
cpio            packs what the guest starts from
xz-utils        unpacks kernels and modules
zstd            the same, of newer ones
apt             finds and fetches kernels
socat           leads sockets of the host into the guest
util-linux      setpriv and flock
libelf-dev      objtool, as modules are built, needs its library
usbip           a client
gpiod           tools of GPIO lines
usbrelay        a tool of relay boards
i2c-tools       tools of I2C adapters
'
# --- for the benchmark ---
bench='
libumockdev-dev its headers
'

export DEBIAN_FRONTEND=noninteractive LC_ALL=C

installed()
{
  # shellcheck disable=SC2016 # the variable is dpkg-query's
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2)" = ii ]
}

# The runtime of clang's sanitizers has the version of the default clang in its name, which only clang's package knows.
clang_runtime()
{
  depends=$(dpkg-query -W -f '${Depends}' clang 2>/dev/null) ||
    depends=$(apt-cache depends clang 2>/dev/null) || depends=
  version=$(printf '%s\n' "$depends" | sed -n 's/.*clang-\([0-9][0-9]*\).*/\1/p' | head -n 1)
  [ -z "$version" ] || echo "libclang-rt-$version-dev"
}

wanted()
{
  if [ -n "$only_build" ]; then
    demo='' check='' guest='' bench=''
  fi
  printf '%s' "$build$hil$demo$check$guest$bench" | sed -n 's/^\([a-z0-9][^ ]*\).*/\1/p'
  [ -z "$only_build" ] || return 0
  # For the clients written for Node, which comes from other places too, and then with npm.
  command -v node >/dev/null 2>&1 || printf 'nodejs\nnpm\n'
  clang_runtime
}

missing()
{
  for package in $(wanted); do
    installed "$package" || printf '%s ' "$package"
  done
  [ -n "$only_build" ] || installed clang || [ -n "$(clang_runtime)" ] || printf 'libclang-rt-dev '
}

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "deps: this is not a Debian system; needed are the equivalents of:" >&2
  wanted | tr '\n' ' ' >&2
  echo >&2
  exit 1
fi

list=$(missing)
[ -n "$list" ] || exit 0
if [ -n "$only_list" ]; then
  echo "missing: $list"
  exit 1
fi

if [ "$(id -u)" -eq 0 ]; then
  root=
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
  root="sudo env DEBIAN_FRONTEND=$DEBIAN_FRONTEND LC_ALL=C"
else
  echo "deps: missing packages: $list" >&2
  echo "deps: neither root nor sudo; as root, run: apt-get install $list" >&2
  exit 1
fi

echo "deps: installing $list"
# tshark's package asks who may capture; nobody needs to here.
if command -v debconf-set-selections >/dev/null 2>&1; then
  echo 'wireshark-common wireshark-common/install-setuid boolean false' | $root debconf-set-selections
fi
$root apt-get -q update
# Only now is the default clang's version known on a fresh system.
list=$(missing | sed 's/libclang-rt-dev //')
# shellcheck disable=SC2086 # a list of words
$root apt-get -q install -y --no-install-recommends $list
list=$(missing)
if [ -n "$list" ]; then
  echo "deps: still missing: $list" >&2
  exit 1
fi
