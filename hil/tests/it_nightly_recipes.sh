#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ci/nightly/: what systemd, cron, GitHub and GitLab are to run, run here without them.
# shellcheck disable=SC1091,SC2016,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
recipes=$repo/ci/nightly

if [ ! -x "$dfuhil" ] || ! command -v dfu-util >/dev/null 2>&1; then
  echo "skip - recipes for nights: dfuhil is not in this build, or dfu-util not installed"
  exit 0
fi
case $(uname -m) in
x86_64) ;;
*)
  echo "skip - recipes for nights: virtual time works on x86_64 only"
  exit 0
  ;;
esac

# Where the recipes find dfuhil
bin()
{
  mkdir -p bin home
  ln -sf "$dfuhil" bin/dfuhil
}

# night FOLDER: one is there, with all that belongs to it
night()
{
  says "$1/summary.txt" ': good; '
  says "$1/report.html" '<!doctype html>'
  says "$1/report.xml" start/dfuerror
}

units()
{
  need systemd-analyze
  for unit in service timer; do
    sed "s,/usr/local/bin/dfuhil,$dfuhil," "$recipes/dfubench-nightly.$unit" >"dfubench-nightly.$unit"
  done
  grep -q "^ExecStart=$dfuhil nightly " dfubench-nightly.service
  ends 0 systemd-analyze verify --man=no ./dfubench-nightly.service ./dfubench-nightly.timer
  [ ! -s said ]
  calendar=$(sed -n 's/^OnCalendar=//p' dfubench-nightly.timer)
  ends 0 systemd-analyze calendar "$calendar"
}

# What the service runs: its words are split at spaces.
service()
{
  local words

  bin
  words=$(sed -n 's/^DFUBENCH_NIGHT=//p' "$recipes/nightly.conf")
  says "$recipes/dfubench-nightly.service" 'EnvironmentFile=-/etc/dfubench/nightly.conf'
  printf '#!/bin/sh\ncat >"%s/told"\n' "$PWD" >tell
  chmod +x tell
  printf 'rig: desk\nkind: emulated\n' >desk.yaml
  words=${words//\/etc\/dfubench/$PWD}
  words=${words/%conformance/start/dfuerror}
  # shellcheck disable=SC2046,SC2086 # words
  ends 0 env XDG_STATE_HOME="$PWD" PATH="$PWD/bin:$PATH" $(sed -n 's,^ExecStart=/usr/local/bin/\(.*\) \$DFUBENCH_NIGHT$,\1,p' \
    "$recipes/dfubench-nightly.service") $words
  night dfubench/nights/latest
  says told '"status": 0'
  [ -s dfubench/history.sqlite ]
}

cron()
{
  local line command

  bin
  line=$(grep -E '^[0-9*]' "$recipes/dfubench-nightly.cron")
  [ "$(wc -l <<<"$line")" -eq 1 ]
  # A % would end the command.
  if grep -q '%' <<<"$line"; then return 1; fi
  command=$(sed -E 's/^[0-9*]+ [0-9*]+ [0-9*]+ [0-9*]+ [0-9*]+ dfubench //' <<<"$line")
  [ "$command" != "$line" ]
  printf 'rig: desk\nkind: emulated\n' >desk.yaml
  command=${command//\/etc\/dfubench/$PWD}
  ends 0 env -i HOME="$PWD/home" PATH="$PWD/bin:/usr/bin:/bin" /bin/sh -c "${command/%conformance/start/dfuerror}"
  night home/.local/state/dfubench/nights/latest
}

# script FILE: what a service would run of a recipe, its variables as `export`
script()
{
  /usr/bin/python3 -c '
import sys, yaml, shlex
file = yaml.load(open(sys.argv[1]), yaml.BaseLoader)
((_, job),) = file["jobs"].items() if "jobs" in file else file.items()
if "steps" in job:
    (step,) = [s for s in job["steps"] if "run" in s]
    variables, lines = step["env"], [step["run"]]
    (keep,) = [s["with"]["path"] for s in job["steps"] if "upload-artifact" in s.get("uses", "")]
else:
    variables, lines = job["variables"], job["script"]
    (keep,) = [p.rstrip("/") for p in job["artifacts"]["paths"]]
    assert job["artifacts"]["reports"]["junit"] == keep + "/report.xml"
assert keep == "dfubench-night" and "${{" not in "".join(lines)
for name, text in variables.items():
    print(f"export {name}={shlex.quote(text)}")
print("[ -z \"$MINE\" ] || . \"$MINE\"")
print("\n".join(lines))' "$1"
}

# recipe FILE SHELL...: with a good tool, with a bad one, and with one that is not there
recipe()
{
  local file=$1

  shift
  need /usr/bin/python3
  /usr/bin/python3 -c 'import yaml' || skip 'python3-yaml is not installed'
  bin
  script "$file" >run-it
  if command -v shellcheck >/dev/null; then shellcheck -s "$1" run-it -e SC1090,SC2154; fi
  printf 'RIGS="--rig emulated" TOOL=dfu-util SCENARIOS="start/dfuerror download/small"\n' >mine
  export HOME=$PWD/home PATH=$PWD/bin:$PATH GITHUB_STEP_SUMMARY=$PWD/summary MINE=$PWD/mine
  ends 0 "$@" run-it
  night dfubench-night
  [ "$(find dfubench-night/captures -name '*.pcapng' | wc -l)" -eq 3 ]
  [ -d home/.local/state/dfubench/nights/latest ]
  cp -r "$fixtures/tools/dfu-util.yaml" my-tool.yaml
  sed -i 's/^command: .*/command: "false"/; /^version:/d; s/^tool: .*/tool: mine/' my-tool.yaml
  printf 'RIGS="--rig emulated" TOOL=./my-tool.yaml SCENARIOS=start/dfuerror\n' >mine
  ends 1 "$@" run-it
  says dfubench-night/summary.txt 'tool failures:'
  printf 'RIGS="--rig emulated" TOOL=nobody SCENARIOS=start/dfuerror\n' >mine
  ends 2 "$@" run-it
  [ ! -e dfubench-night ]
}

github()
{
  recipe "$recipes/github.yml" bash --noprofile --norc -e -o pipefail
  [ "$(grep -c 'tool failure' summary)" -ge 1 ]
}

gitlab()
{
  recipe "$recipes/gitlab.yml" sh -e
}

later 'systemd takes the units' units
later 'the service runs a night as its file says' service
later 'the line for cron runs a night' cron
later 'the GitHub recipe runs a night, and keeps it' github
later 'the GitLab recipe runs a night, and keeps it' gitlab
finish
