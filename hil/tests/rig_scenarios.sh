# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of rigs share: scenarios of what a rig itself has to do, in the folder s; and verdicts, to compare rigs.
dfuhil=$build/dfuhil

# Of each result: what was played, and what became of it
verdicts()
{
  python3 -c '
import json, sys
for r in sorted(json.load(open(sys.argv[1]))["results"], key=lambda r: (r["scenario"], r["tool"])):
    print(r["scenario"], r["tool"], r["verdict"])' "$1"
}

scenarios()
{
  mkdir s
  cat >s/interrupted.yaml <<'END'
name: a download is interrupted
why: Both ways of saying when.
reference: none
files:
  image: {size: 100000, seed: 3, bootable: true}
steps:
  - bootloader
  - download: {file: image, address: 0x08000000, interrupt: {requests: 30, signal: KILL}}
    expect: {exit: 137}
  - bootloader
  - download: {file: image, address: 0x08000000, interrupt: {after: 700ms, signal: TERM}}
    expect: {exit: 143}
END
  cat >s/bystander.yaml <<'END'
name: a bystander is there beside the board
why: Tools have to find theirs.
reference: none
bystanders: [0a5c-21e6]
steps:
  - wait: {usb: "0a5c:21e6"}
  - bootloader
  - wait: {usb: "0a5c:21e6"}
END
  cat >s/hangs.yaml <<'END'
name: a tool that waits for ever is killed
why: With all that it has started.
reference: none
tools: [dfu-util]
steps:
  - bootloader
  - run: [sh, -c, 'sleep 86401 & exec sleep 86402']
    expect: {hangs: true, within: 1s}
  - list
END
  cat >s/leaves.yaml <<'END'
name: what a tool leaves behind ends with it
why: It would work on the board in the next step.
reference: none
tools: [dfu-util]
steps:
  - run: [sh, -c, "setsid sh -c 'echo >began; sleep 1; echo >late' & until [ -e began ]; do :; done"]
  - wait: 2s
  - run: [sh, -c, 'test ! -e late']
END
  cat >s/says.yaml <<'END'
name: what the application says is heard, until the next reset
why: A rig has to listen all the time.
reference: none
tools: [dfu-util]
files:
  image: {size: 5000, seed: 3, bootable: true}
steps:
  - prepare: {flash: [{file: image}]}
  - application
  - wait: {usb: "0483:5740"}
  - wait: {console: "^application at 0x08000000$"}
  - wait: {console: "application"}
  - reset
  - wait: {console: "application", within: 2s}
END
  cat >s/never.yaml <<'END'
name: a board that never comes is told of
why: The limit is that of the board's clock.
reference: none
steps:
  - bootloader
  - unplug
  - wait: {usb: "0483:df11", within: 1s}
END
  cat >s/denied.yaml <<'END'
name: nobody can be kept from a device
why: Skipped here.
reference: none
bystanders: [{device: 0a5c-21e6, denied: true}]
steps: [bootloader]
END
  ln -s "$fixtures" .
}
