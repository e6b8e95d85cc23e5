#!/usr/bin/env bash
# Runs all tests but those of whole hosts under every version of Node that is supported, among them
# the contract suite of the network backends. Native modules belong to one version, so each gets a
# copy of the tree with node modules of its own. Usage: node-matrix.sh [MAJOR...]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/counts.sh
. scripts/node-cache.sh

if [ $# -eq 0 ]; then set -- 20 22 24 26; fi

# Tracked files and new ones, as they are now; a file deleted but not committed is not an error.
copy_tree() {
  mkdir -p "$1"
  git ls-files --cached --others --exclude-standard -z |
    tar --create --null --ignore-failed-read --files-from=- 2>/dev/null |
    tar --extract --directory "$1"
}

# npm 11 runs on every one of these versions; the one in the path may not.
mkdir "$scratch/bin"
printf '#!/bin/sh\nexec node %q "$@"\n' "$(npm_cli 11)" >"$scratch/bin/npm"
chmod +x "$scratch/bin/npm"

# under HOME: the tests with that Node first in the path. The headers come with it, so that
# nothing is downloaded and none of another version are found.
under() {
  export PATH=$scratch/bin:$1/bin:$PATH npm_config_nodedir=$1
  rm -rf "$scratch/tree"
  copy_tree "$scratch/tree"
  cd "$scratch/tree"
  bash scripts/setup.sh test --no-build
  node_modules/.bin/vitest run --project unit
}

rows=()
for major in "$@"; do
  home=$(node_home "$major")
  before=$(lines)
  step "Node $("$home/bin/node" --version)" under "$home"
  rows+=("$(printf '%-10s %7d %7d %7d' "$("$home/bin/node" --version)" \
    "$(total 1 "$before")" "$(total 2 "$before")" "$(total 3 "$before")")")
done

printf '\n%-10s %7s %7s %7s\n' node passed failed skipped
printf '%s\n' "${rows[@]}"
finish
