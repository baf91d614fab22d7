# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the scripts of the guest share: the cache, and packages that are unpacked but never installed.

cache=${DFUBENCH_CACHE:-${HOME:-/nonexistent}/.cache/dfubench}/vm
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
# Where depmod and modprobe are is not in everybody's path.
PATH=$PATH:/usr/sbin:/sbin

# die MESSAGE: 125 is our own failure, as in env(1)
die()
{
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 125
}

need()
{
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || die "$program is not installed (sh ci/deps.sh)"
  done
}

# folder_of NAME: where the named kernel is, or is to be
folder_of()
{
  case $1 in
  stock | backports) echo "$cache/$release-$1" ;;
  *) die "unknown kernel '$1': stock, backports" ;;
  esac
}

# One at a time: whoever comes second finds the work done.
lock()
{
  mkdir -p "$cache" || die "cannot make '$cache'"
  { exec 9>"$cache/lock"; } 2>/dev/null || die "cannot write into '$cache'"
  flock -w 900 9 || die "'$cache/lock' has been held for 15 minutes"
}

# A private state of apt, with its lists up to date: the machine's own lists may be old or missing, and writing them needs
# root. Its mirror and its keys serve; its configuration stays as it is. Sets `apt`, the options for it.
# private_apt NAME
private_apt()
{
  local state=$cache/apt-$release-$1 keyring signed='' suites
  need apt-get dpkg-deb depmod flock
  mkdir -p "$state/lists/partial" "$state/archives/partial" || die "cannot make '$state'"
  for keyring in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
    if [ -r "$keyring" ]; then
      signed="[signed-by=$keyring] "
    fi
  done
  # shellcheck disable=SC2016 # they are awk's
  case $1 in
  # The mirror of backports is the one that the release itself comes from.
  backports) suites='$1 == release || $1 ~ /^(old)*stable$/ { $1 = release "-backports" ' ;;
  *) suites='$1 ~ "^(" release "|(old)*stable)(-updates|-security)?$" {' ;;
  esac
  # shellcheck disable=SC2016 # the variables are apt's
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' 'Component: main' |
    awk -v release="$release" -v signed="$signed" "$suites"'; print "deb " signed $2 " " $1 " main" }' |
    sort -u >"$state/sources.list"
  [ -s "$state/sources.list" ] || die "no apt source of this machine is for $release main: no mirror to ask for a kernel"
  apt=(-q -o "Dir::State::lists=$state/lists" -o "Dir::Cache::archives=$state/archives" -o Dir::Cache::pkgcache=
    -o Dir::Cache::srcpkgcache= -o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=2)
  # One source that fails is no reason to give up: what counts is whether the package can be had.
  apt-get "${apt[@]}" update >"$state/update.log" 2>&1 || grep '^[EW]:' "$state/update.log" >&2
}

# unpack FOLDER PACKAGE...: downloads, as apt checks it, and unpacks into FOLDER
unpack()
{
  local into=$1 package
  shift
  mkdir -p "$into/debs" || die "cannot make '$into/debs'"
  (cd "$into/debs" && apt-get "${apt[@]}" download "$@" >../apt.log 2>&1) || {
    sed 's/^/    /' "$into/apt.log" >&2
    die "cannot download $*"
  }
  for package in "$into"/debs/*.deb; do
    dpkg-deb -x "$package" "$into" || die "cannot unpack '$package'"
  done
  rm -rf "$into/debs" "$into/apt.log"
}
