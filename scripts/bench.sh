#!/usr/bin/env bash
# npm run bench: sets up what is missing, then measures with the arguments given (test/bench/main.ts
# has them). ucarp and keepalived are measured where they are installed. Only the figures go to
# standard output.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh lab
node_modules/.bin/esbuild test/bench/main.ts test/bench/player.ts test/bench/client.ts \
  --bundle --format=esm --platform=node --target=node20 --external:koffi \
  --outdir=build/bench --log-level=warning >&2
exec node build/bench/main.js "$@"
