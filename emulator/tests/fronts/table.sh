#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The table of gaps as the README prints it, from gaps.tsv and the sentences of bodies.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

echo '| front | kernel | what it cannot show | why |'
echo '|---|---|---|---|'
while IFS=$'\t' read -r front kernel feature reason; do
  case $front in '' | '#'*) continue ;; esac
  case $feature in
  '"'*) sentence=$(tr -d '"' <<<"$feature") ;;
  *) sentence=$(sed -n "s/^$feature() # //p" "$here/bodies.sh") ;;
  esac
  if [ -z "$sentence" ]; then
    echo "gaps.tsv: no body '$feature' in bodies.sh" >&2
    exit 1
  fi
  case $kernel in
  '<'*) kernel="before ${kernel#<}" ;;
  '>='*) kernel="from ${kernel#>=} on" ;;
  esac
  echo "| $front | $kernel | $sentence | $reason |"
done <"$here/gaps.tsv"
