// What a master makes of time and of what it hears.

import { describe, expect, it } from 'vitest';
import { deadline, step } from '../../../src/protocol/carp/machine.js';
import type { Master, Settings, State } from '../../../src/protocol/carp/state.js';
import { seconds } from '../../../src/protocol/units.js';
import { ipv4 } from '../fixtures.js';
import { bsd } from '../vectors.js';
import { at, backup, heard, master, play, settings, words } from './machine-fixtures.js';

/** Rings at each deadline until `end`: what is done, each with its second. */
function rings(given: Settings, from: State, end: number): string[] {
  const done: string[] = [];
  let state = from;
  for (let alarm = deadline(state); alarm !== undefined && alarm <= at(end); ) {
    const next = step(given, state, { type: 'elapsed' }, alarm);
    const time = (alarm - at(0)) / 1_000_000;
    done.push(...words(next.actions).map((word) => `${time} ${word}`));
    state = next.state;
    const following = deadline(state);
    if (following !== undefined && following <= alarm) throw new Error('the alarm did not move on');
    alarm = following;
  }
  return done;
}

function only(done: readonly string[], word: string): number[] {
  return done.filter((line) => line.includes(` ${word}`)).map((line) => Number.parseFloat(line));
}

describe('a new master', () => {
  it('claims, announces and advertises, in this order (ucarp: script, ARP, advertisement)', () => {
    const { state, actions } = play(settings(), backup(), [[3, 'elapsed']]);
    expect(words(actions)).toEqual(['claim', 'announce', 'advertise 1/0 #random']);
    expect(state).toMatchObject({ advertiseAt: at(4), announceAt: [], claimAgainAt: undefined });
  });

  it('announces again right after its third advertisement (ucarp)', () => {
    expect(rings(settings(), master(), 5)).toEqual([
      '1 advertise 1/0 #random',
      '2 advertise 1/0 #random',
      '2 announce',
      '3 advertise 1/0 #random',
      '4 advertise 1/0 #random',
      '5 advertise 1/0 #random',
    ]);
  });

  it('announces at the times that are asked for, in whatever order they are given', () => {
    const given = settings({ announceAfter: [seconds(10), seconds(0.3), seconds(5.5)] });
    const done = rings(given, master(given), 20);
    expect(only(done, 'announce')).toEqual([0.3, 2, 5.5, 10]);
    expect(only(done, 'advertise')).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('announces once for all the times that an alarm slept through', () => {
    const given = settings({ announceAfter: [seconds(0.1), seconds(0.2), seconds(0.9)] });
    const { state, actions } = step(given, master(given), { type: 'elapsed' }, at(0.5));
    expect(words(actions)).toEqual(['announce']);
    expect(deadline(state)).toBe(at(0.9));
  });

  it('retries the claim first, then announces, then advertises, when all are due', () => {
    const given = settings({ announceAfter: [seconds(1)] });
    const { state } = play(given, master(given), [[0, 'claim-failed']]);
    const { actions } = step(given, state, { type: 'elapsed' }, at(1));
    expect(words(actions)).toEqual(['claim', 'announce', 'advertise 1/0 #random']);
  });

  it('sends once and never again with 255/255 (ucarp)', () => {
    const given = settings({ advbase: 255, advskew: 255 });
    const { state, actions } = play(given, backup(given), [[1000, 'elapsed']]);
    expect(words(actions)).toEqual(['claim', 'announce', 'advertise 255/255 #random']);
    expect(deadline(state)).toBeUndefined();
    const spurious = step(given, state, { type: 'elapsed' }, at(100_000));
    expect(spurious).toEqual({ state, actions: [] });
  });

  it('goes on with 255/254 and 254/255', () => {
    expect(rings(settings({ advbase: 255, advskew: 254 }), master(), 300)).not.toEqual([]);
    for (const advbase of [254, 255]) {
      const given = settings({ advbase, advskew: advbase === 254 ? 255 : 254 });
      expect(only(rings(given, master(given), 1000), 'advertise')).toHaveLength(3);
    }
  });
});

describe('the spacing of advertisements', () => {
  const elapsed = { type: 'elapsed' } as const;

  it('is advbase + advskew/256', () => {
    const given = settings({ advbase: 2, advskew: 128 });
    expect(only(rings(given, master(given), 8), 'advertise')).toEqual([2.5, 5, 7.5]);
  });

  it('does nothing on an early alarm', () => {
    const early = step(settings(), master(), elapsed, at(0.999999));
    expect(early).toEqual({ state: master(), actions: [] });
  });

  it('is not stretched by an alarm that rings late', () => {
    const { state } = step(settings(), master(), elapsed, at(1.4));
    expect(deadline(state)).toBe(at(2));
  });

  it('goes on from a deadline that was missed by less than an interval', () => {
    const { state } = step(settings(), master(), elapsed, at(1.999999));
    expect(deadline(state)).toBe(at(2));
  });

  it('starts anew after an interval or more was lost, with one advertisement and no burst', () => {
    for (const now of [2, 2.5, 100.25]) {
      const { state, actions } = step(settings(), master(), elapsed, at(now));
      expect(words(actions)).toEqual(['advertise 1/0 #random']);
      expect(deadline(state)).toBe(at(now + 1));
    }
  });
});

describe('a master that hears another', () => {
  function hears(given: Settings, priority: string, source?: string): [string, string, string[]] {
    const event = heard(priority, source === undefined ? {} : { source });
    const { state, actions } = step(given, master(given), event, at(0.5));
    return [state.type, state.reason, words(actions)];
  }
  const yields = ['backup', 'preferred-master', ['advertise 1/0 #101', 'release']];
  const reasserts = ['master', 'promoted', ['announce']];

  it.each(['0/255', '0/0'])('yields to %s: a shorter interval', (priority) => {
    expect(hears(settings(), priority)).toEqual(yields);
  });

  it.each(['1/1', '2/0', '255/255'])('reasserts itself against %s: longer', (priority) => {
    expect(hears(settings(), priority)).toEqual(reasserts);
  });

  it('decides between equals by the byte-reversed address (ucarp on little-endian hosts)', () => {
    expect(hears(settings(), '1/0', '200.0.0.0')).toEqual(yields);
    expect(hears(settings(), '1/0', '1.2.3.4')).toEqual(reasserts);
    expect(hears(settings({ source: ipv4('10.77.0.2') }), '1/0', '10.77.0.1')).toEqual(yields);
    expect(hears(settings(), '1/0', '10.77.0.2')).toEqual(reasserts);
  });

  it('does so with and without preemption (ucarp: -P has no effect on MASTER)', () => {
    const given = settings({ preempt: true });
    expect(hears(given, '0/255')).toEqual(yields);
    expect(hears(given, '1/1')).toEqual(reasserts);
  });

  it('waits its whole dead time after it has yielded', () => {
    const given = settings({ advskew: 128 });
    const { state } = step(given, master(given), heard('1/0'), at(0.5));
    expect(state).toMatchObject({ type: 'backup', yieldUntil: undefined, masterDownAt: at(4) });
  });

  it('announces once more after the second advertisement that follows (ucarp)', () => {
    const { state } = play(settings(), master(), [
      [1, 'elapsed'],
      [2, 'elapsed'],
      [3, 'elapsed'],
      [3.5, heard('2/0')],
    ]);
    expect(only(rings(settings(), state, 8), 'announce')).toEqual([5]);
  });

  it('counts those two anew for each one that it hears', () => {
    const { state } = play(settings(), master(), [
      [0.5, heard('2/0')],
      [1, 'elapsed'],
      [1.5, heard('2/0')],
    ]);
    expect(only(rings(settings(), state, 8), 'announce')).toEqual([3]);
  });

  it('keeps to its own deadline and sends nothing extra', () => {
    const { state } = step(settings(), master(), heard('2/0'), at(0.5));
    expect(deadline(state)).toBe(at(1));
  });
});

describe('the claim', () => {
  it('is tried again a second after it failed, as often as it fails', () => {
    const failed = play(settings(), master(), [[0.25, 'claim-failed']]);
    expect(failed.actions).toEqual([]);
    expect((failed.state as Master).claimAgainAt).toBe(at(1.25));
    const again = play(settings(), failed.state, [
      [1, 'elapsed'],
      [1.25, 'elapsed'],
    ]);
    expect(words(again.actions)).toEqual(['advertise 1/0 #random', 'claim']);
    expect((again.state as Master).claimAgainAt).toBeUndefined();
    const twice = play(settings(), again.state, [[1.5, 'claim-failed']]);
    expect((twice.state as Master).claimAgainAt).toBe(at(2.5));
  });

  it('is not tried again before its time', () => {
    const { state } = play(settings({ advbase: 10 }), master(settings({ advbase: 10 })), [
      [0, 'claim-failed'],
    ]);
    expect(deadline(state)).toBe(at(1));
    expect(step(settings(), state, { type: 'elapsed' }, at(0.999999)).actions).toEqual([]);
  });

  it('ends with an announcement and without further tries', () => {
    const { state, actions } = play(settings(), master(), [
      [0, 'claim-failed'],
      [0.5, 'claimed'],
    ]);
    expect(words(actions)).toEqual(['announce']);
    expect(state).toEqual(master());
  });

  it('is forgotten by whoever is no longer master', () => {
    const { state } = play(settings(), master(), [
      [0, 'claim-failed'],
      [0.5, heard('0/1')],
    ]);
    expect(deadline(state)).toBe(at(3.5));
    expect(step(settings(), state, { type: 'elapsed' }, at(1)).actions).toEqual([]);
  });
});

describe('a flood of advertisements of a worse master', () => {
  /** One each millisecond for a second, with alarms at their time: the seconds of announcements. */
  function announcements(given: Settings): number[] {
    const done: number[] = [];
    let state: State = master(given);
    for (let ms = 0; ms < 1_000; ms += 1) {
      const now = ms / 1_000;
      const rung = step(given, state, { type: 'elapsed' }, at(now));
      const next = step(given, rung.state, heard('2/0'), at(now));
      const words_ = words([...rung.actions, ...next.actions]);
      done.push(...words_.filter((word) => word === 'announce').map(() => now));
      state = next.state;
    }
    return done;
  }

  it('is answered five times at once, and then about ten times a second', () => {
    const done = announcements(settings());
    expect(done.slice(0, 6)).toEqual([0, 0.001, 0.002, 0.003, 0.004, 0.1]);
    expect(done.length).toBeGreaterThan(10);
    expect(done.length).toBeLessThan(30);
  });

  it('does not keep a later announcement from its time', () => {
    const given = settings({ announceAfter: [seconds(0.05)] });
    expect(announcements(given)).toContain(0.05);
  });

  it('is forgotten half a second after it', () => {
    const flood = [0, 1, 2, 3, 4, 5].map((ms) => [ms / 1_000, heard('2/0')] as const);
    const { state } = play(settings(), master(), flood);
    const { actions } = step(settings(), state, heard('2/0'), at(0.6));
    expect(words(actions)).toEqual(['announce']);
  });
});

describe("the BSD kernels' decisions in MASTER", () => {
  const cases = (['freebsd', 'netbsd', 'openbsd'] as const).flatMap((system) =>
    bsd.state_machine[system]
      .filter(
        ({ mode, event }) => mode === 'recv' && /^MASTER \d+\/\d+ hears \d+\/\d+$/.test(event),
      )
      .map(({ event, given, after }) => ({ name: `${system}: ${event}`, given, after })),
  );

  it.each(cases)(
    'are ours, but that equals are told apart by address: $name',
    ({ given, after }) => {
      const mine = settings({
        advbase: Number(given['advbase'] ?? 1),
        advskew: Number(given['advskew'] ?? 0),
      });
      const priority = `${given['rbase'] ?? 1}/${given['rskew'] ?? 0}`;
      const decide = (source: string): string =>
        step(mine, master(mine), heard(priority, { source }), at(0)).state.type.toUpperCase();
      const equal = priority === `${mine.advbase}/${mine.advskew}`;
      expect(decide('10.77.0.0')).toBe(after.state);
      expect(decide('10.77.0.2')).toBe(equal ? 'MASTER' : after.state);
    },
  );

  it('are enough to say something', () => {
    expect(cases.length).toBeGreaterThan(15);
  });
});
