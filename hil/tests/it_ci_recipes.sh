#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What ci/ has for the CI of a flashing tool: the sample project's pipelines run here as the services would run them, with an
# archive of this tree instead of a release. What is left out: images, runners, the keeping of artefacts.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
sample=$repo/ci/sample

if [ ! -x "$dfuhil" ]; then
  echo "skip - recipes for CI: dfuhil is not in this build"
  exit 0
fi

service()
{
  /usr/bin/python3 "$repo/hil/tests/ci_service.py" "$@"
}

needs()
{
  need /usr/bin/python3 make xz flock
  /usr/bin/python3 -c 'import usb, yaml' || skip 'python3-usb or python3-yaml is not installed'
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
}

archive()
{
  needs
  # shellcheck disable=SC2016 # that shell's
  flock "$build" sh -e -c 'make -C "$2" --no-print-directory B="$1" SAN= dist
    cp "$1"/dfubench-*.tar.xz "$3"' sh "$build" "$repo" "$work"
  cp -r "$sample" "$work/broken"
  sed -i 's/self.execute(2, data/self.execute(3, data/' "$work/broken/flashlet"
  if cmp -s "$sample/flashlet" "$work/broken/flashlet"; then return 1; fi
}

clean()
{
  need yamllint
  yamllint -s -c "$repo/ci/yamllint.yaml" "$repo/ci"
}

scripts_clean()
{
  needs
  need shellcheck
  service scripts "$repo" .
  [ "$(find . -name '*.bash' | wc -l)" -eq 3 ] && [ -s gitlab.dfubench.sh ]
  # Variables come from outside.
  shellcheck -e SC2154 ./*.bash ./*.sh
}

# All that names a version names this one.
versions()
{
  local version

  version=$(sed -n 's/^VERSION := //p' "$repo/Makefile")
  grep -n -r -o -h -E '(dfubench/ci/github@v|ref: v|DFUBENCH_VERSION: |default: )[0-9]+\.[0-9.]+[0-9]' "$repo/ci" "$repo/README.md" >named
  cat named
  [ "$(grep -c '' named)" -ge 5 ]
  if grep -v -F -e "$version" named; then return 1; fi
}

# reports FOLDER NUMBER: what is to be kept whatever became of it, of so many scenarios
reports()
{
  /usr/bin/python3 -c '
import sys, xml.etree.ElementTree as tree
sys.exit(len(tree.parse(sys.argv[1]).findall("testsuite/testcase")) != int(sys.argv[2]))' "$1/report.xml" "$2"
  says "$1/report.html" '<!doctype html>'
  says "$1/report.html" start/dfuerror
  [ "$(find "$1/captures" -name '*.pcapng' | wc -l)" -ge 5 ]
}

github()
{
  needs
  ends 0 service github "$sample" "$repo" run "archive=$1"
  reports run/artefacts/dfubench 10
  says said 'output status=0'
  says said '== left out: actions/checkout@v4'
  says run/github_step_summary '### dfubench: 9 passed, 0 failed, 1 skipped'
}

github_broken()
{
  needs
  ends 1 service github "$work/broken" "$repo" run "archive=$1" tool-path=flashlet=./flashlet
  reports run/artefacts/dfubench 10
  says said 'output status=1'
  says run/github_step_summary 'FAIL  download/small'
  says run/artefacts/dfubench/report.xml '<failure '
}

github_wrong()
{
  needs
  ends 1 service github "$sample" "$repo" a "archive=$1" tool=flashlte.yaml
  says said 'flashlte.yaml: error: cannot open it'
  says said 'output status=2'
  ends 1 service github "$sample" "$repo" b "archive=$1" "sha256=$(printf '0%.0s' {1..64})"
  says said 'FAILED'
  says_not said 'Run the scenarios'
  ends 0 service github "$sample" "$repo" c "archive=$1" "sha256=$(sha256sum <"$1" | cut -d ' ' -f 1)" artifact=
  [ -z "$(ls -A c/artefacts)" ]
  ends 1 service github "$sample" "$repo" d "archive=$1" tags=smokey
  says said 'none of the'
  # Words of an input are no part of a script.
  # shellcheck disable=SC2016
  ends 1 service github "$sample" "$repo" e "archive=$1" 'scenarios=$(touch,hit)' 'tool-path=a=$(touch hit)'
  [ ! -e e/project/hit ]
}

# From where releases are, and from source
github_others()
{
  local version

  needs
  need curl
  version=$(basename "$1" | sed 's/dfubench-\(.*\)-[^-]*/\1/')
  mkdir -p "releases/v$version"
  cp "$1" "releases/v$version/"
  ends 0 service github "$sample" "$repo" a "release-url=file://$PWD/releases/" "version=$version" scenarios=start
  says said 'output status=0'
  [ "$build" = "$repo/build" ] || skip "what is built from source is $repo/build"
  sh "$repo/ci/deps.sh" -b -n || skip 'packages for building are missing'
  ends 0 service github "$sample" "$repo" b
  reports b/artefacts/dfubench 10
}

gitlab()
{
  needs
  export CI_SERVICE_SHELL=$2
  ends 0 service gitlab "$sample" "$repo" run "DFUBENCH_ARCHIVE=$1"
  reports run/artefacts/dfubench-results 10
  says said '9 passed, 0 failed, 1 skipped'
}

gitlab_broken()
{
  needs
  ends 1 service gitlab "$work/broken" "$repo" run "DFUBENCH_ARCHIVE=$1" 'DFUBENCH_TOOL_PATH=flashlet=./flashlet'
  reports run/artefacts/dfubench-results 10
  says said 'FAIL  download/small'
}

gitlab_wrong()
{
  needs
  ends 1 service gitlab "$sample" "$repo" a "DFUBENCH_ARCHIVE=$1" DFUBENCH_TOOL=
  says said 'DFUBENCH_TOOL is not set'
  ends 1 service gitlab "$sample" "$repo" b DFUBENCH_RELEASE_URL=
  says said 'none of DFUBENCH_ARCHIVE, DFUBENCH_RELEASE_URL and DFUBENCH_SOURCE is set'
  ends 1 service gitlab "$sample" "$repo" c "DFUBENCH_ARCHIVE=$1" "DFUBENCH_SHA256=$(printf '0%.0s' {1..64})"
  says said 'FAILED'
  ends 1 service gitlab "$sample" "$repo" d "DFUBENCH_RELEASE_URL=file://$PWD/none"
  # shellcheck disable=SC2016 # the service puts them in
  ends 0 service gitlab "$sample" "$repo" e "DFUBENCH_ARCHIVE=$1" CI_NODE_INDEX=2 CI_NODE_TOTAL=4 \
    'DFUBENCH_ARGUMENTS=--shard $CI_NODE_INDEX/$CI_NODE_TOTAL' DFUBENCH_TAGS= DFUBENCH_SCENARIOS=download
  says said 'ok    download/'
}

# The adapter in the README, written down from there into another folder, runs as its lines say.
readme()
{
  needs
  sed -n '/^    \$ cat ci\/sample\/flashlet.yaml$/,/^    \$ dfuhil/s/^    //p' "$repo/README.md" | grep -v '^\$' >flashlet.yaml
  [ "$(grep -c '' flashlet.yaml)" -eq 10 ]
  diff flashlet.yaml "$sample/flashlet.yaml"
  cp "$sample/flashlet" .
  ends 0 "$dfuhil" run conformance --tag smoke --tool flashlet.yaml
  says said '9 passed, 0 failed, 1 skipped'
}

# As Docker's default profile has it, without capabilities; and under a listener, which the kernel allows once.
as_docker()
{
  need setpriv unshare dfu-util
  make -C "$repo" --no-print-directory B="$build" "$build/clients/container"
  PATH=$build/clients:$PATH
  ends 0 setpriv --bounding-set=-all --inh-caps=-all container "$dfuhil" run conformance --tag smoke
  says said '10 passed, 0 failed'
  ends 1 container unshare --mount true
  says said 'Operation not permitted'
  ends 3 container -n "$dfuhil" run start/dfuerror
  says said 'a seccomp listener is there already'
}

check 'make dist gives the archive that pipelines take' archive
archive=$(find "$work" -maxdepth 1 -name 'dfubench-*.tar.xz')
[ -n "$archive" ] || finish
later 'YAML in ci/ is clean (yamllint)' clean
later 'recipes and examples name the version of this tree' versions
later 'scripts in the recipes are clean (shellcheck)' scripts_clean
later 'the GitHub action passes a good tool, with reports and a summary' github "$archive"
later 'the GitHub action fails for a broken tool, with reports and a summary' github_broken "$archive"
later 'the GitHub action tells what is wrong with its inputs' github_wrong "$archive"
later 'the GitHub action takes a release, or builds from source' github_others "$archive"
gather
later 'the GitLab template passes a good tool, with reports' gitlab "$archive" sh
later 'the GitLab template does so with bash' gitlab "$archive" bash
later 'the GitLab template fails for a broken tool, with reports' gitlab_broken "$archive"
later 'the GitLab template tells what is wrong with its variables' gitlab_wrong "$archive"
later 'the adapter in README.md runs as printed' readme
later 'scenarios run under what Docker denies by default' as_docker
finish
