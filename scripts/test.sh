#!/usr/bin/env bash
# npm test: everything that can be checked here, then one line of totals. With arguments only the
# test files they name: npm test -- test/protocol
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh test
. scripts/counts.sh

# Vitest must have said what it counted; a run that says nothing has proven nothing.
tests() {
  local before status=0
  before=$(lines)
  node_modules/.bin/vitest run "$@" || status=$?
  if [ "$(lines)" -eq "$before" ]; then
    echo 'vitest wrote no counts: it died, or its reporters were replaced'
    return 1
  fi
  return "$status"
}

if [ $# -gt 0 ]; then
  step 'tests' tests "$@"
else
  step 'check' npm run --silent check
  step 'unit tests' tests --project unit
  # These mostly wait, so more of them run at once than there are processors.
  step 'network namespace tests' tests --project netns --maxWorkers 4 --passWithNoTests
  step 'package' npm run --silent pack:check
  step 'installation' bash scripts/install-check.sh
fi
finish
