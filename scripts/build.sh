#!/usr/bin/env bash
# Builds dist: the program as one file (build.mjs), the library as modules with their types. With
# --if-needed only when a source has changed since. Builds aside and swaps, so that a failed build
# leaves the last good one.
set -euo pipefail
cd "$(dirname "$0")/.."

inputs() {
  find src bin -type f
  printf '%s\n' package.json package-lock.json tsconfig.json tsconfig.build.json \
    scripts/build.sh scripts/build.mjs
}
fingerprint() {
  { node --version; inputs | LC_ALL=C sort | xargs sha256sum; } | sha256sum
}

mkdir -p build
exec 9>build/lock
flock 9

now=$(fingerprint)
if [ "${1-}" = --if-needed ] && [ "$now" = "$(cat dist/.inputs 2>/dev/null || true)" ]; then
  exit 0
fi

printf 'build: dist is out of date, building\n' >&2
rm -rf build/dist
node scripts/build.mjs build/dist/bin/tscarp.js >&2
node_modules/.bin/tsc -p tsconfig.build.json --outDir build/dist >&2
printf '%s\n' "$now" >build/dist/.inputs
rm -rf dist
mv build/dist dist
