// A daemon that is stopped for a while and goes on: what it did not hear meanwhile is not silence.

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Lan } from './lan.js';
import { describeOnNetwork } from './require.js';

let lan: Lan;

beforeEach(async () => {
  lan = await Lan.build();
});

afterEach(() => lan.dispose());

describeOnNetwork('a daemon that was stopped', ['build'], () => {
  test('as backup does not take over from a master that lives', async () => {
    const { a, b } = await lan.pair();
    for (let round = 0; round < 3; round += 1) {
      b.program.signal('SIGSTOP');
      // Longer than the dead time of 3.2 s; nothing in the system tells when it is over.
      await delay(4_000);
      b.program.signal('SIGCONT');
      await delay(700);
    }
    expect(b.program.text()).not.toContain('MASTER because');
    expect(a.state).toBe('MASTER');
    await lan.settled(a, [b], 1_000);
  });
});
