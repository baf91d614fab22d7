#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A sample of mutants.sh: the smoke scenarios alone catch these. `make mutants` has all.
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/it-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
SUITE="--tag smoke --deadline 60s $here/../../scenarios" MATRIX=$folder/matrix.md "$here/mutants.sh" \
  no-clrstatus no-getstatus block-base-3 no-erase pad-00 dfuse-raw leave-no-getstatus exit-zero
