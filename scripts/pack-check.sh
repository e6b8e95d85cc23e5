#!/usr/bin/env bash
# npm run pack:check: asks publint and "are the types wrong" about the package as it is published.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/build.sh --if-needed
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm pack --silent --pack-destination "$dir" >/dev/null
node_modules/.bin/publint --strict "$dir"/*.tgz
colour=$(if [ -t 1 ]; then echo --color; else echo --no-color; fi)
node_modules/.bin/attw "$colour" --profile esm-only "$dir"/*.tgz
