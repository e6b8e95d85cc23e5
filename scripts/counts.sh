# Sourced by the scripts that run tests: a scratch directory that goes when the script does, and
# the adding up of what the steps report. Counts are lines "passed failed skipped" in the file
# TSCARP_COUNTS; a caller that has set it adds up more than one script.
# shellcheck shell=bash

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
part_of_a_run='subtotal: '
if [ -z "${TSCARP_COUNTS-}" ]; then
  export TSCARP_COUNTS=$scratch/counts
  : >"$TSCARP_COUNTS"
  part_of_a_run=
fi

# Programs that see a pipe write no colours; this tells those that do not look.
if [ ! -t 1 ]; then export NO_COLOR=1; fi

record() { printf '%d %d %d\n' "$1" "$2" "$3" >>"$TSCARP_COUNTS"; }

lines() { wc -l <"$TSCARP_COUNTS"; }

# total FIELD FROM: the sum of one field over the lines after line FROM.
total() { awk -v from="$2" "NR > from { sum += \$$1 } END { print sum + 0 }" "$TSCARP_COUNTS"; }

# What a caller's other scripts have counted is not this script's to print.
start=$(lines)

# attempt COMMAND...: runs it in a subshell and puts its status into $status. Not `COMMAND || ...`,
# which would switch off `set -e` in all that the command calls.
attempt() {
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
}

# step NAME COMMAND...: runs it; a failure that counted nothing itself counts as one.
step() {
  local name=$1 status began=$SECONDS before
  before=$(lines)
  shift
  printf '\n== %s\n' "$name"
  attempt "$@"
  if [ "$status" -ne 0 ] && [ "$(total 2 "$before")" -eq 0 ]; then record 0 1 0; fi
  if [ "$(total 2 "$before")" -eq 0 ]; then
    printf '== %s: ok, %d s\n' "$name" $((SECONDS - began))
  else
    printf '== %s: FAILED (status %d), %d s\n' "$name" "$status" $((SECONDS - began))
  fi
}

# The line that ends a run: alone on its line once, where the run began. That nothing passed is a
# failure too.
finish() {
  local passed failed
  passed=$(total 1 "$start")
  failed=$(total 2 "$start")
  printf '\n%s%d passed, %d failed, %d skipped\n' "$part_of_a_run" \
    "$passed" "$failed" "$(total 3 "$start")"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
