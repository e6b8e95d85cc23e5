// What a backup makes of time and of what it hears.

import { describe, expect, it } from 'vitest';
import { deadline, initialState, step } from '../../../src/protocol/carp/machine.js';
import { deadTime } from '../../../src/protocol/carp/priority.js';
import type { Settings } from '../../../src/protocol/carp/state.js';
import { bsd } from '../vectors.js';
import { at, backup, heard, master, play, settings, words } from './machine-fixtures.js';

/** State, reason and actions after one advertisement at second 1. */
function hears(
  given: Settings,
  priority: string,
): { state: string; reason: string; did: string[] } {
  const { state, actions } = step(given, backup(given), heard(priority), at(1));
  return { state: state.type, reason: state.reason, did: words(actions) };
}

const takesOver = ['claim', 'announce', 'advertise 1/0 #101'];
const stays = { state: 'backup', reason: 'start', did: [] };

describe('a backup without preemption', () => {
  it.each(['1/0', '1/1', '0/1', '2/0', '2/255', '3/0'])('goes on listening to %s', (priority) => {
    expect(hears(settings(), priority)).toEqual(stays);
  });

  it.each(['3/1', '4/0', '255/254'])(
    'takes over from %s, which is slower than its own dead time (ucarp: going to time out)',
    (priority) => {
      const expected = { state: 'master', reason: 'too-slow', did: takesOver };
      expect(hears(settings(), priority)).toEqual(expected);
    },
  );

  it('takes over at once when the master says goodbye', () => {
    const expected = { state: 'master', reason: 'goodbye', did: takesOver };
    expect(hears(settings(), '255/255')).toEqual(expected);
  });

  it('does not take 255/254 or 254/255 for a goodbye', () => {
    expect(hears(settings(), '254/255').reason).toBe('too-slow');
    expect(hears(settings(), '255/254').reason).toBe('too-slow');
  });

  it('is not impressed by a goodbye when its own dead time is longer still (ucarp, BSD)', () => {
    expect(hears(settings({ advbase: 85 }), '255/255').reason).toBe('goodbye');
    expect(hears(settings({ advbase: 85, advskew: 255 }), '255/255').state).toBe('backup');
    expect(hears(settings({ advbase: 86 }), '255/255').state).toBe('backup');
  });

  it('adds its own skew to the dead time before it compares', () => {
    expect(hears(settings({ advskew: 1 }), '3/1').state).toBe('backup');
    expect(hears(settings({ advskew: 1 }), '3/2').reason).toBe('too-slow');
  });

  it('compares with the longer dead time that advbase 0 has here', () => {
    const given = settings({ advbase: 0, advskew: 64 });
    expect(hears(given, '0/192')).toEqual(stays);
    expect(hears(given, '0/193').reason).toBe('too-slow');
  });
});

describe('a backup with preemption', () => {
  const given = settings({ preempt: true });

  it.each(['1/1', '2/0', '3/0'])('takes over from %s, which is worse', (priority) => {
    expect(hears(given, priority)).toEqual({ state: 'master', reason: 'preempt', did: takesOver });
  });

  it.each(['1/0', '0/255', '0/0'])('goes on listening to %s, which is not worse', (priority) => {
    expect(hears(given, priority)).toEqual(stays);
  });

  it('does not decide between equals by address (ucarp: no effect with equal intervals)', () => {
    const lower = heard('1/0', { source: '10.77.0.200' });
    expect(step(given, backup(given), lower, at(1)).state.type).toBe('backup');
  });

  it('names a goodbye as such', () => {
    expect(hears(given, '255/255')).toEqual({ state: 'master', reason: 'goodbye', did: takesOver });
  });

  it('preempts a goodbye that its own dead time would not let time out (BSD: 255/254)', () => {
    const slow = settings({ preempt: true, advbase: 255, advskew: 254 });
    expect(hears(slow, '255/255').reason).toBe('goodbye');
    expect(hears(settings({ advbase: 255, advskew: 254 }), '255/255').state).toBe('backup');
  });

  it('does not claim before it has heard or waited (ucarp: no immediate claim at start)', () => {
    const { state, actions } = play(given, initialState(at(0)), [[0, 'start']]);
    expect([state.type, words(actions)]).toEqual(['backup', ['release start']]);
    expect(deadline(state)).toBe(at(3));
  });
});

describe('the master-down time', () => {
  it('is counted from the last advertisement, however bad its priority', () => {
    const { state } = play(settings(), backup(), [
      [1, heard('0/1')],
      [2.25, heard('3/0')],
    ]);
    expect(deadline(state)).toBe(at(5.25));
  });

  it('does not pass before its microsecond and does pass on it', () => {
    const state = backup();
    expect(step(settings(), state, { type: 'elapsed' }, at(2.999999)).state).toBe(state);
    expect(step(settings(), state, { type: 'elapsed' }, at(3)).state.type).toBe('master');
    expect(step(settings(), state, { type: 'elapsed' }, at(300)).state.type).toBe('master');
  });

  it('is the exact one and not a multiple of the interval (departs from ucarp)', () => {
    const given = settings({ advskew: 128 });
    expect(deadline(backup(given))).toBe(at(3.5));
  });

  it('is one and a half intervals at least, so that an equal master may be late', () => {
    const given = settings({ deadRatio: 1 });
    expect(deadline(backup(given))).toBe(at(1.5));
    const { state } = play(given, backup(given), [[1.4, heard('1/0')]]);
    expect([state.type, deadline(state)]).toEqual(['backup', at(2.9)]);
  });

  it('counts nominally for who advertises too slowly (ucarp)', () => {
    const given = settings({ deadRatio: 1 });
    expect(play(given, backup(given), [[1, heard('1/0')]]).state.type).toBe('backup');
    expect(play(given, backup(given), [[1, heard('1/1')]]).state.reason).toBe('too-slow');
  });

  it('is three whole intervals with advbase 0 (departs from ucarp)', () => {
    expect(deadline(backup(settings({ advbase: 0, advskew: 10 })))).toBe(at(0.117186));
  });

  it('starts after the silence that a demotion orders: 6 s alone (ucarp: SIGUSR2)', () => {
    const { state } = play(settings(), master(), [[1, 'demote']]);
    expect(deadline(state)).toBe(at(7));
    const early = step(settings(), state, { type: 'elapsed' }, at(6.999999));
    expect(early.state.type).toBe('backup');
    expect(step(settings(), state, { type: 'elapsed' }, at(7)).state.type).toBe('master');
  });
});

describe('a demoted backup', () => {
  const given = settings({ preempt: true });
  const demoted = play(given, master(given), [[1, 'demote']]).state;

  it('does not preempt for 3 s, and does afterwards (ucarp: takes it back after the sleep)', () => {
    const early = step(given, demoted, heard('1/50'), at(3.999999));
    expect([early.state.type, deadline(early.state)]).toEqual(['backup', at(6.999999)]);
    expect(step(given, early.state, heard('1/50'), at(4)).state.reason).toBe('preempt');
  });

  it('yields to nobody who is about to time out', () => {
    expect(step(given, demoted, heard('3/1'), at(1.5)).state.reason).toBe('too-slow');
    expect(step(given, demoted, heard('255/255'), at(1.5)).state.reason).toBe('goodbye');
  });

  it('can be promoted at once, and has nothing to yield to once it was master again', () => {
    const promoted = step(given, demoted, { type: 'promote' }, at(1.5));
    expect(promoted.state.reason).toBe('promoted');
    const { state } = play(given, promoted.state, [
      [1.6, heard('0/1')],
      [1.7, heard('1/50')],
    ]);
    expect([state.type, state.reason]).toEqual(['master', 'preempt']);
  });

  it('is not demoted a second time', () => {
    expect(step(given, demoted, { type: 'demote' }, at(3)).state).toBe(demoted);
  });
});

describe("the BSD kernels' decisions in BACKUP", () => {
  const cases = (['freebsd', 'netbsd', 'openbsd'] as const).flatMap((system) =>
    bsd.state_machine[system]
      .filter(
        ({ mode, event }) =>
          mode === 'recv' && /^BACKUP \d+\/\d+ hears \S+( preempt=1)?$/.test(event),
      )
      .filter(
        ({ given }) => given['demotion'] === undefined && given['suppress_preempt'] === undefined,
      )
      .map(({ event, given, after }) => ({ name: `${system}: ${event}`, system, given, after })),
  );

  it('are enough to say something', () => {
    expect(cases.length).toBeGreaterThan(40);
  });

  it.each(cases)('are ours: $name', ({ system, given, after }) => {
    const mine = settings({
      advbase: Number(given['advbase'] ?? 1),
      advskew: Number(given['advskew'] ?? 0),
      preempt: given['preempt'] === 1,
    });
    const priority = `${given['rbase'] ?? 1}/${given['rskew'] ?? 0}`;
    const { state } = step(mine, backup(mine), heard(priority), at(0));
    // With advbase 0 OpenBSD calls nobody too slow, and NetBSD waits one interval instead of three.
    if (mine.advbase === 0 && system !== 'freebsd') return;
    expect(state.type.toUpperCase()).toBe(after.state);
    if (after.md_us === null || system === 'openbsd') return; // whose dead time multiplies the skew
    expect(deadline(state)).toBe(at(after.md_us / 1_000_000));
    expect(deadTime(mine)).toBe(after.md_us);
  });
});

describe('addresses that could not be given up', () => {
  const failed = (given = settings()) =>
    play(given, master(given), [
      [0.25, 'demote'],
      [0.5, 'release-failed'],
    ]).state;

  it('are given up again after a second, without a word', () => {
    expect(deadline(failed())).toBe(at(1.5));
    const early = step(settings(), failed(), { type: 'elapsed' }, at(1.499999));
    expect(early).toEqual({ state: failed(), actions: [] });
    const due = step(settings(), failed(), { type: 'elapsed' }, at(1.5));
    expect(words(due.actions)).toEqual(['release again']);
    expect(deadline(due.state)).toBe(at(6.25));
  });

  it('are given up again and again until it succeeds, whatever the link does', () => {
    const { state, actions } = play(settings(), failed(), [
      [1, 'link-down'],
      [1.5, 'elapsed'],
      [1.6, 'release-failed'],
      [2, 'link-up'],
      [2.6, 'elapsed'],
    ]);
    expect(words(actions)).toEqual(['release again', 'release again']);
    expect(deadline(state)).toBe(at(5));
  });

  it('are wanted again by whoever becomes master meanwhile', () => {
    const { state, actions } = play(settings(), failed(), [
      [1, 'promote'],
      [1.1, 'release-failed'],
      [1.5, 'elapsed'],
    ]);
    expect(words(actions)).toEqual(['claim', 'announce', 'advertise 1/0 #random']);
    expect(deadline(state)).toBe(at(2));
  });
});
