// The simulation without a test runner, for hours or for reading one seed's transcript:
//
//   npx esbuild test/sim/soak.ts --bundle --platform=node --format=esm --outfile=/tmp/soak.mjs
//   SIM_SEEDS=1000 SIM_HOURS=2 node /tmp/soak.mjs
//   SEED=17 node /tmp/soak.mjs
//
// Goes on after a failure, prints every one, and exits 1 if there was any.

import { simulate, workload } from './simulation.js';

const { seeds, length } = workload(process.env);
let failures = 0;
let virtualSeconds = 0;
for (const seed of seeds) {
  try {
    const outcome = simulate(seed, { length });
    virtualSeconds += outcome.virtualSeconds;
    if (seeds.length === 1) process.stdout.write(`${outcome.transcript.join('\n')}\n`);
  } catch (error) {
    failures += 1;
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
  }
}
const hours = (virtualSeconds / 3_600).toFixed(1);
process.stdout.write(`${seeds.length} seeds, ${hours} virtual hours, ${failures} failures\n`);
process.exitCode = failures === 0 ? 0 : 1;
