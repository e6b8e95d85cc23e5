#!/usr/bin/env bash
# npm run lab: sets up what is missing, then runs `tscarp lab` with the arguments given. Only the
# lab itself writes to standard output.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh lab
exec node dist/bin/tscarp.js lab "$@"
