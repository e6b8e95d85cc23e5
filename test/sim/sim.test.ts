// Seeded simulation of whole segments. SEED=n replays one seed, SIM_SEEDS and SIM_HOURS make it
// longer: SIM_SEEDS=1000 SIM_HOURS=1 npx vitest run test/sim

import { describe, expect, it } from 'vitest';
import { simulate, workload } from './simulation.js';

const { seeds, length } = workload(process.env);

describe('a LAN of CARP routers', () => {
  it.each(seeds)('keeps one holder and comes to rest, seed %i', { timeout: 3_600_000 }, (seed) => {
    const { roleChanges } = simulate(seed, { length });
    // A run in which nothing happens proves nothing.
    expect(roleChanges).toBeGreaterThan(1);
  });

  it('repeats itself from its seed, line by line', () => {
    expect(simulate(1, { length: 60 })).toEqual(simulate(1, { length: 60 }));
  });
});
