// tscarp and the real ucarp in one group, in both roles.

import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, Lan } from './lan.js';
import { describeOnNetwork } from './require.js';

// ucarp hears each advertisement up to a second late and looks at its timers only once an interval.
const ucarpSettles = 9_000;
const tscarpSettles = 6_000;

let lan: Lan;

beforeEach(async () => {
  lan = await Lan.build();
});

afterEach(() => lan.dispose());

/**
 * tscarp is master and ucarp its backup, and not just about to take over on its own because it has
 * not heard the first advertisements yet.
 */
async function longSettled(): Promise<{ readonly tscarp: Daemon; readonly ucarp: Daemon }> {
  const master = lan.tscarp(lan.a);
  await lan.settled(master, [], tscarpSettles);
  const backup = lan.ucarp(lan.b, '-k', '100');
  await lan.until('ucarp has been passive for longer than its dead time', 9_000, () => {
    return backup.state === 'BACKUP' && performance.now() - backup.since > 6_000;
  });
  await lan.settled(master, [backup], 1_000);
  return { tscarp: master, ucarp: backup };
}

describeOnNetwork('tscarp together with the real ucarp', ['build', 'ucarp'], () => {
  test('tscarp preferred: ucarp takes over when its host dies, yields on its return', async () => {
    const backup = lan.ucarp(lan.b, '-k', '100');
    let preferred = lan.tscarp(lan.a, '--preempt');
    await lan.settled(preferred, [backup], ucarpSettles);
    await lan.a.kill();
    await lan.settled(backup, [], ucarpSettles);
    await lan.a.boot();
    preferred = lan.tscarp(lan.a, '--preempt');
    await lan.settled(preferred, [backup], ucarpSettles);
  }, 40_000);

  test('ucarp preferred: tscarp takes over when its host dies, yields on its return', async () => {
    const backup = lan.tscarp(lan.b, '--advskew', '100');
    let preferred = lan.ucarp(lan.a, '-P');
    await lan.settled(preferred, [backup], ucarpSettles);
    await lan.a.kill();
    await lan.settled(backup, [], tscarpSettles);
    await lan.a.boot();
    preferred = lan.ucarp(lan.a, '-P');
    await lan.settled(preferred, [backup], ucarpSettles);
  }, 40_000);

  test('the goodbye of tscarp makes ucarp take over at once', async () => {
    const { tscarp: leaving, ucarp: backup } = await longSettled();
    const stopped = performance.now();
    leaving.program.signal('SIGTERM');
    await lan.settled(backup, [], 4_000);
    expect(backup.since - stopped).toBeLessThan(1_400);
    expect(await leaving.program.exited).toEqual({ status: 0, signal: undefined });
  });

  test('SIGUSR2 moves the role to ucarp, which keeps it if tscarp does not preempt', async () => {
    const { tscarp: demoted, ucarp: other } = await longSettled();
    demoted.program.signal('SIGUSR2');
    await lan.settled(other, [demoted], 4_000);
    const { since } = demoted;
    await lan.until('ucarp has been master for 5 s', 7_000, () => {
      return performance.now() - other.since > 5_000;
    });
    expect(other.state).toBe('MASTER');
    expect(demoted.since).toBe(since);
  });

  test('a wrong password makes both master, and each names the reason', async () => {
    const one = lan.ucarp(lan.b, '-k', '100');
    const other = lan.tscarp(lan.a, '--pass', 'hate');
    await lan.until('both are master', ucarpSettles, () => {
      return one.state === 'MASTER' && other.state === 'MASTER';
    });
    const complains = (text: string) =>
      text.includes('Check vhid, password and virtual IP address');
    await lan.until('both complain', 5_000, () => {
      return complains(one.program.text()) && complains(other.program.text());
    });
  });
});
