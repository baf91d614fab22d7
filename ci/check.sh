#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# All tests, or the stages named as arguments: unit symbols fuzz cross lint install integration demo vm, and of the last one bench;
# trips if it is named. Run by make.
# Environment: B (build directory), MAKE, SAN, FUZZ_SECONDS, IT_SECONDS, VM_SECONDS, CI (true: a skip is a failure).
# Each test is one line `ok - ...`, `not ok - ...` or `skip - ...: reason`; the last line has the sums.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
MAKE=${MAKE:-make}
SAN=${SAN-}
FUZZ_SECONDS=${FUZZ_SECONDS:-3}
IT_SECONDS=${IT_SECONDS:-600}
VM_SECONDS=${VM_SECONDS:-600}
export B SAN
case $B in
/*) results=$B/results ;;
*) results=$PWD/$B/results ;;
esac
lines=$results/lines
rm -rf "$results"
mkdir -p "$results" || exit 1
: >"$lines"

# tell STATE SENTENCE
tell()
{
  printf '%s - %s\n' "$1" "$2" | tee -a "$lines"
}

# try SENTENCE COMMAND...: one test; what the command says is shown if it fails.
try()
{
  sentence=$1
  shift
  said=$(mktemp "$results/output.XXXXXX") || exit 1 # tests may run beside each other
  if "$@" >"$said" 2>&1; then
    tell ok "$sentence"
  else
    status=$?
    sed 's/^/    /' "$said"
    tell 'not ok' "$sentence (status $status)"
  fi
}

# need PROGRAM SENTENCE: false, and a skip, if the program is missing
need()
{
  command -v "$1" >/dev/null 2>&1 && return 0
  tell skip "$2: $1 is not installed (sh ci/deps.sh)"
  return 1
}

# cmocka's XML, one test case after the other, as lines.
read_cmocka()
{
  awk -v binary="$1" '
    function flush() { if (name != "") print state " - " binary ": " name (state == "skip" ? ": skipped by the test" : ""); name = "" }
    /<testcase / {
      flush()
      name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
      gsub(/&lt;/, "<", name); gsub(/&gt;/, ">", name); gsub(/&quot;/, "\"", name); gsub(/&amp;/, "\\&", name)
      gsub(/_/, " ", name)
      state = "ok"
    }
    /<failure|<error/ { state = "not ok" }
    /<skipped/ { state = "skip" }
    /<\/testsuite>/ { flush() }
    END { flush() }
  ' "$2"
}

# unit_job SOURCE
unit_job()
{
  name=$(basename "$1" .c)
  if [ ! -x "$B/tests/$name" ]; then
    tell skip "$name: what it tests is not in this build (sh ci/deps.sh)"
    return
  fi
  folder=$results/unit/$name
  mkdir -p "$folder"
  CMOCKA_MESSAGE_OUTPUT=XML CMOCKA_XML_FILE="$folder/%g.xml" timeout 60 "$B/tests/$name" >"$folder/output" 2>&1
  status=$?
  : >"$folder/lines"
  # A second group of the same name does not fit into the file: cmocka prints it instead.
  for xml in "$folder"/*.xml "$folder/output"; do
    if [ -f "$xml" ]; then
      read_cmocka "$name" "$xml" >>"$folder/lines"
    fi
  done
  grep -v '^ok - ' "$folder/lines"
  cat "$folder/lines" >>"$lines"
  count=$(grep -c '' "$folder/lines")
  if grep -q '^not ok' "$folder/lines"; then
    sed -n '/<failure/,/<\/failure/p' "$folder"/*.xml 2>/dev/null | sed 's/^/    /'
    grep -v '^ *<' "$folder/output" | sed 's/^/    /'
  elif [ $status -ne 0 ] || [ "$count" -eq 0 ]; then
    sed 's/^/    /' "$folder/output"
    tell 'not ok' "$name: runs to its end (status $status, $count tests)"
  else
    echo "$name: $count tests"
  fi
}

stage_unit()
{
  printf '%s\n' emulator/tests/test_*.c hil/tests/test_*.c | in_parallel 2 unit_job
}

stage_symbols()
{
  [ -z "$SAN" ] || return 0 # sanitizers add calls of their own
  try 'libcore.a is pure' sh ci/check-symbols.sh "$B/libcore.a"
}

# fuzz_job SOURCE
fuzz_job()
{
  name=$(basename "$1" .c)
  if [ ! -x "build-fuzz/$name" ]; then
    tell skip "$name: what it tests is not in this build (sh ci/deps.sh)"
    return
  fi
  corpus=$(dirname "$1")/corpus/${name#fuzz_}
  found=$results/$name
  mkdir -p "$found"
  if [ ! -d "$corpus" ]; then
    tell 'not ok' "$name: has a corpus in $corpus"
    return
  fi
  try "$name: corpus and $FUZZ_SECONDS s of fuzzing" timeout $((FUZZ_SECONDS + 60)) "build-fuzz/$name" \
    -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$found/" "$found" "$corpus"
}

stage_fuzz()
{
  need clang 'fuzz targets hold' || return 0
  # shellcheck disable=SC2086 # MAKE has options too
  try 'fuzz targets build' $MAKE --no-print-directory fuzz-build
  find emulator hil -path '*/tests/fuzz_*.c' | sort | in_parallel 2 fuzz_job
}

stage_cross()
{
  need aarch64-linux-gnu-gcc 'dfuemu builds for aarch64' || return 0
  # shellcheck disable=SC2086
  try 'dfuemu builds for aarch64' $MAKE --no-print-directory cross CFLAGS=-O0 # nobody runs it here
}

# What other scripts read in is seen by way of them.
scripts()
{
  find ci .ci emulator hil fixtures scenarios -type f \( -name '*.sh' -o -path .ci/run -o -path 'ci/vm/*' \) ! -name lib.sh
}

stage_lint()
{
  if need shellcheck 'scripts are clean'; then
    # shellcheck disable=SC2046
    try 'scripts are clean (shellcheck)' shellcheck -x -P SCRIPTDIR $(scripts)
    try 'completion is clean (shellcheck)' shellcheck -s bash emulator/dfuemu.bash-completion hil/dfuhil.bash-completion
  fi
  if need mandoc 'manual pages are clean'; then
    # shellcheck disable=SC2046
    try 'manual pages are clean (mandoc)' mandoc -T lint -W warning emulator/dfuemu.1 $(find hil -name "*.[15]")
  fi
}

stage_install()
{
  try 'make install puts everything in its place' install_into "$results/install"
}

install_into()
{
  # shellcheck disable=SC2086
  $MAKE --no-print-directory B="$B" install DESTDIR="$1" PREFIX=/usr &&
    "$1/usr/bin/dfuemu" --version &&
    test -s "$1/usr/share/man/man1/dfuemu.1" &&
    test -s "$1/usr/share/bash-completion/completions/dfuemu" &&
    { [ ! -x "$B/dfuhil" ] || has_hil "$1/usr"; }
}

# The installed runner finds its adapters, and what else belongs to it is there.
has_hil()
{
  "$1/bin/dfuhil" --version &&
    (cd "$1" && bin/dfuhil run --list conformance >/dev/null) &&
    test -s "$1/share/man/man1/dfuhil.1" && test -s "$1/share/man/man5/dfu-scenario.5" &&
    test -s "$1/share/man/man5/dfu-tool.5" && test -s "$1/share/man/man5/dfu-rig.5" &&
    "$1/bin/dfuhil" check "$1/share/dfubench/rigs" &&
    test -s "$1/share/bash-completion/completions/dfuhil" &&
    test -s "$1/share/dfubench/tools/dfu-util.yaml"
}

# processor NAME: seconds that the children of this shell have taken so far, into $results/NAME.processor
processor()
{
  times >"$results/$1.times" # in this shell: another one has other children
  awk '{ for (i = 1; i <= NF; i++) { split($i, t, "m"); sum += t[1] * 60 + t[2] } } END { printf "%d\n", sum + 0.5 }' \
    "$results/$1.times" >"$results/$1.processor"
  rm "$results/$1.times"
}

# collect NAME COMMAND...: the lines that a script of tests prints are ours; its errors are shown if one of them fails.
collect()
{
  name=$1
  shift
  began=$(date +%s)
  processor "$name"
  before=$(cat "$results/$name.processor")
  # What a shell starts in the background has SIGINT and SIGQUIT ignored, which scripts pass on.
  env --default-signal "$@" >"$results/$name.lines" 2>"$results/$name.stderr"
  status=$?
  processor "$name"
  taken=$(($(cat "$results/$name.processor") - before))
  echo "$taken" >"$results/$name.processor"
  echo "== $name ($(($(date +%s) - began)) s, $taken s of a processor)"
  cat "$results/$name.lines"
  sed -n "s/^\(ok\|not ok\|skip\) - /\1 - $name: /p" "$results/$name.lines" >"$results/$name.tests"
  cat "$results/$name.tests" >>"$lines"
  if grep -q '^not ok' "$results/$name.tests"; then
    sed 's/^/    /' "$results/$name.stderr"
  elif [ $status -ne 0 ] || [ ! -s "$results/$name.tests" ]; then
    sed 's/^/    /' "$results/$name.stderr"
    tell 'not ok' "$name: runs to its end (status $status)"
  fi
}

# in_parallel NUMBER FUNCTION: lines of standard input are its arguments, so many at a time; what each prints stays together.
in_parallel()
{
  jobs=$(mktemp -d "$results/jobs.XXXXXX") || exit 1
  cat -n >"$jobs/list"
  others=
  while [ "$(echo "$others" | wc -w)" -lt $(($1 - 1)) ]; do
    worker "$2" &
    others="$others $!"
  done
  worker "$2"
  # shellcheck disable=SC2086 # words
  wait $others
}

# Whatever nobody else has begun, one after the other; each in a shell of its own: to this one, in which a worker runs too, the times
# of the other workers are added as they end.
worker()
{
  while read -r number job; do
    mkdir "$jobs/$number" 2>/dev/null || continue
    ("$1" "$job") >"$jobs/$number/output" 2>&1 </dev/null
    cat "$jobs/$number/output"
  done <"$jobs/list"
}

integration_job()
{
  if [ ! -x "$1" ]; then
    tell 'not ok' "$1 is no program: chmod +x"
    return
  fi
  collect "$(basename "$1")" timeout -k 10 "$IT_SECONDS" "./$1"
}

# They take longest, and mostly wait: beside the guests, if those are run too.
waiting='hil/tests/it_board.sh hil/tests/it_labgrid.sh'

# asked STAGE: it is one of those that are run
asked()
{
  case " $stages " in
  *" $1 "*) ;;
  *) return 1 ;;
  esac
}

# Those that take longest come first.
stage_integration()
{
  for script in $waiting emulator/tests/it_virtual_time.sh emulator/tests/it_*.sh emulator/tests/it_*.py hil/tests/it_*.sh; do
    case " $waiting " in
    *" $script "*) ! asked vm || continue ;;
    esac
    [ ! -f "$script" ] || echo "$script"
  done | awk '!seen[$0]++' | in_parallel 4 integration_job
}

# vm_job LINE: a batch that needs a kernel of its own. What it puts into $VM_SHARE is kept in build/results/NAME.share.
vm_job()
{
  script=${1%%:*}
  how=${1#*# }
  name=$(basename "$script" .sh)
  words=${how#*: }
  case $how in
  guest:*)
    [ "$words" = '-k stock' ] || name=$name$(echo "$words" | sed 's/--host-commands//; s/-k / /')
    name=$(echo "$name" | sed 's/ *$//; s/  */ /g')
    mkdir -p "$results/$name.share"
    if grep -q VM_MODULES "$script"; then
      # Built before the clock runs. Without them the batch says so.
      kernel=$(echo "$words" | sed -n 's/.*-k \([a-z]*\).*/\1/p')
      ci/vm/modules "${kernel:-stock}" >"$results/$name.modules" 2>&1 || true
    fi
    export VM_SHARE="$results/$name.share" VM_LOG="$results/$name.kernel.log"
    # shellcheck disable=SC2086 # words
    collect "$name" ci/vm/run -t "$VM_SECONDS" $words -- "./$script"
    unset VM_SHARE VM_LOG
    ;;
  *)
    [ "$words" = "$how" ] || name="$name $words"
    # shellcheck disable=SC2086
    collect "$name" timeout -k 10 $((2 * VM_SECONDS)) "./$script" ${words#host:}
    ;;
  esac
}

# Lines of batches, those first that take longest, lest one of them is left alone at the end.
longest_first()
{
  sort | awk '{
    rank = /vm_bench_nights/ ? 1 : /vm_bench_relay|vm_hil|vm_fronts.*stock/ ? 2 : /vm_usbip|selftest|vm_private_bus/ ? 3 : /vm_redir|vm_gadget\./ ? 4 : 5
    print rank "\t" $0
  }' | sort -s -n | cut -f 2-
}

# Each emulator/tests/vm_*.sh is one batch for each of its lines `# guest: OPTION...`, with options for ci/vm/run: it runs in
# that guest; or `# host: ARGUMENT...`: it runs here, and starts a guest. Three at a time: a guest has one processor, and
# keeps one busy, unless it waits.
stage_vm()
{
  if asked integration; then
    # shellcheck disable=SC2086 # words
    printf '%s\n' $waiting | in_parallel 2 integration_job &
    waiters=$!
  fi
  if need qemu-system-x86_64 'the guest works'; then
    guests 'vm_*.sh' 'ci/vm/selftest:# host:'
    echo "== guests: $(cat "$results"/selftest.processor "$results"/vm_*.processor | awk '{ sum += $1 } END { print sum }') s of a processor"
  fi
  ! asked integration || wait "$waiters"
}

# guests PATTERN [LINE]: batches in files of such names, and this one
guests()
{
  try 'clients for the guest build' "${MAKE%% *}" --no-print-directory B="$B" SAN="$SAN" clients
  {
    [ -z "${2-}" ] || echo "$2"
    find emulator hil -name "$1" -exec grep -H -E "^# (guest|host):" {} +
  } | longest_first | in_parallel 3 vm_job
}

# The bench in software: what switches a board's pins, with the drivers and the tools that real ones have.
stage_bench()
{
  need qemu-system-x86_64 'the bench works in a guest' || return 0
  guests 'vm_bench*.sh'
}

# Round trips of all clients behind a kernel, two guests: minutes of a processor. What they record is in $DFUBENCH_KEEP, if that is set.
stage_trips()
{
  need qemu-system-x86_64 'the round trips behind kernels' || return 0
  VM_SECONDS=$((3 * VM_SECONDS))
  FEATURES=trips
  export VM_SECONDS FEATURES
  try 'clients for the guest build' "${MAKE%% *}" --no-print-directory B="$B" SAN="$SAN" clients
  printf 'emulator/tests/vm_fronts.sh:# host: %s\n' 'stock vhci usbip redir gadget raw-gadget' 'alts gadget' | in_parallel 2 vm_job
}

stage_demo()
{
  need dfu-util 'the demo succeeds' || return 0
  try 'the demo succeeds' timeout 120 sh ci/demo.sh
}

[ $# -gt 0 ] || set -- unit symbols lint cross install fuzz integration demo vm
stages=$*
for stage in "$@"; do
  echo "=== $stage"
  "stage_$stage"
done

if [ "${CI-}" = true ]; then
  sed -i 's/^skip - \(.*\)/not ok - \1 (nothing may be skipped where CI=true)/' "$lines"
fi
passed=$(grep -c '^ok - ' "$lines")
failed=$(grep -c '^not ok - ' "$lines")
skipped=$(grep -c '^skip - ' "$lines")
echo "=== summary"
grep -e '^not ok - ' -e '^skip - ' "$lines"
sums="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || sums="$sums, $skipped skipped"
echo "$sums"
# Nothing run is no pass.
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
