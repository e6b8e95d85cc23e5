// Counters, and what failing to send leads to.

import { describe, expect, it } from 'vitest';
import { deadline, step } from '../../../src/protocol/carp/machine.js';
import type { Event, Settings, State } from '../../../src/protocol/carp/state.js';
import { at, backup, heard, master, play, settings, words } from './machine-fixtures.js';

const last = 2n ** 64n - 1n;

describe('the counter', () => {
  it('is random in every advertisement until somebody was heard (ucarp, FreeBSD, NetBSD)', () => {
    const { actions } = play(settings(), master(), [
      [1, 'elapsed'],
      [2, 'elapsed'],
      [2.5, 'demote'],
      [9, 'elapsed'],
      [10, 'shutdown'],
    ]);
    expect(words(actions).filter((word) => word.startsWith('advertise'))).toEqual([
      'advertise 1/0 #random',
      'advertise 1/0 #random',
      'advertise 255/255 #random',
      'advertise 1/0 #random',
      'advertise 255/255 #random',
    ]);
  });

  it('goes on by one from the last one heard or sent', () => {
    const { actions } = play(settings(), backup(), [
      [1, heard('1/0', { counter: 41n })],
      [4, 'elapsed'],
      [5, 'elapsed'],
      [5.5, heard('2/0', { counter: 900n })],
      [6, 'elapsed'],
      [6.5, 'shutdown'],
      [7, 'start'],
      [10, 'elapsed'],
    ]);
    expect(words(actions).filter((word) => word.startsWith('advertise'))).toEqual([
      'advertise 1/0 #42',
      'advertise 1/0 #43',
      'advertise 1/0 #901',
      'advertise 255/255 #902',
      'advertise 1/0 #903',
    ]);
  });

  it.each<[string, State, Event]>([
    ['a backup that goes on listening', backup(), heard('1/0', { counter: 6n })],
    ['a backup that takes over', backup(), heard('255/255', { counter: 5n })],
    ['a master that goes on', master(), heard('2/0', { counter: 6n })],
    ['a master that yields', master(), heard('0/1', { counter: 5n })],
  ])('is learned by %s', (_name, state, event) => {
    expect(step(settings(), state, event, at(0.5)).state.memory.counter).toBe(6n);
  });

  it('wraps from 2^64 - 1 to 0 (ucarp)', () => {
    const { actions } = play(settings(), backup(), [
      [1, heard('1/0', { counter: last })],
      [4, 'elapsed'],
      [5, 'elapsed'],
    ]);
    expect(words(actions)).toContain('advertise 1/0 #0');
    expect(words(actions)).toContain('advertise 1/0 #1');
  });

  it('reaches 2^64 - 1 itself', () => {
    const { actions } = play(settings(), backup(), [[1, heard('4/0', { counter: last - 1n })]]);
    expect(words(actions)).toContain(`advertise 1/0 #${last}`);
  });

  it('outlives the loss of the link', () => {
    const { actions } = play(settings(), backup(), [
      [1, heard('1/0', { counter: 6n })],
      [2, 'link-down'],
      [3, 'link-up'],
      [6, 'elapsed'],
    ]);
    expect(words(actions)).toContain('advertise 1/0 #7');
  });
});

describe('failing to send', () => {
  const failed = { type: 'send-failed' } as const;
  const sent = { type: 'sent' } as const;
  const times = (count: number, event: Event): (readonly [number, Event])[] =>
    Array.from({ length: count }, () => [0.5, event] as const);

  /** A master after three failures in a row. */
  function suppressed(given: Settings = settings()): State {
    return play(given, master(given), times(3, failed)).state;
  }

  it('three times in a row makes the worst of masters, and says so at once (ucarp)', () => {
    const two = play(settings(), master(), times(2, failed));
    expect([two.state.memory.suppressed, two.actions]).toEqual([false, []]);
    const three = step(settings(), two.state, failed, at(0.5));
    expect(three.state.memory.suppressed).toBe(true);
    expect(words(three.actions)).toEqual(['advertise 1/240 #random']);
    expect(three.state.type).toBe('master');
  });

  it('says so once and not at every further failure', () => {
    expect(play(settings(), suppressed(), times(5, failed)).actions).toEqual([]);
  });

  it('counts failures in a row alone', () => {
    const events = [...times(2, failed), ...times(1, sent), ...times(2, failed)];
    const { state, actions } = play(settings(), master(), events);
    expect([state.memory.suppressed, state.memory.sendFailures, actions]).toEqual([false, 2, []]);
  });

  it('goes on the counter that was heard', () => {
    const events = [[0.1, heard('2/0', { counter: 6n })] as const, ...times(3, failed)];
    expect(words(play(settings(), master(), events).actions)).toContain('advertise 1/240 #7');
  });

  it('advertises and spaces with skew 240, unless its own is worse', () => {
    const next = step(settings(), suppressed(), { type: 'elapsed' }, at(1));
    expect(words(next.actions)).toEqual(['advertise 1/240 #random']);
    expect(deadline(next.state)).toBe(at(2.9375));
    const given = settings({ advskew: 250 });
    const worse = step(given, suppressed(given), { type: 'elapsed' }, at(2));
    expect(words(worse.actions)).toEqual(['advertise 1/250 #random']);
  });

  it('yields to whoever is better than 240', () => {
    expect(step(settings(), suppressed(), heard('1/239'), at(0.6)).state.type).toBe('backup');
    expect(step(settings(), suppressed(), heard('1/241'), at(0.6)).state.type).toBe('master');
    const event = heard('1/239');
    expect(words(step(settings(), suppressed(), event, at(0.6)).actions)).toEqual([
      'advertise 1/240 #101',
      'release',
    ]);
  });

  it('lets a suppressed backup preempt nobody who is better than 240', () => {
    const given = settings({ preempt: true });
    const { state } = play(given, suppressed(given), [[0.6, heard('1/100')]]);
    expect(step(given, state, heard('1/239'), at(0.7)).state.type).toBe('backup');
    expect(step(given, state, heard('1/241'), at(0.7)).state.reason).toBe('preempt');
  });

  it('is over after three advertisements in a row went out (ucarp)', () => {
    const two = play(settings(), suppressed(), times(2, sent)).state;
    expect(two.memory).toMatchObject({ suppressed: true, sendSuccesses: 2 });
    const three = step(settings(), two, sent, at(0.5));
    expect(three.state.memory).toEqual({
      counter: undefined,
      sendFailures: 0,
      sendSuccesses: 0,
      suppressed: false,
      releaseAgainAt: undefined,
    });
    expect(words(three.actions)).toEqual(['advertise 1/0 #random']);
    expect(deadline(three.state)).toBe(at(1.5));
  });

  it('is not over when one of the three failed', () => {
    const events = [...times(2, sent), ...times(1, failed), ...times(2, sent)];
    expect(play(settings(), suppressed(), events).state.memory.suppressed).toBe(true);
    const more = [...events, ...times(1, sent)];
    expect(play(settings(), suppressed(), more).state.memory.suppressed).toBe(false);
  });

  it('does not suppress a backup, but is remembered until it is master', () => {
    const { state, actions } = play(settings(), backup(), times(4, failed));
    expect([state.memory.suppressed, actions]).toEqual([false, []]);
    const events = [[3, 'elapsed'] as const, ...times(1, failed)];
    expect(play(settings(), state, events).state.memory.suppressed).toBe(true);
  });

  it('is forgotten when the link comes up again', () => {
    const given = settings({ preempt: true });
    const { state } = play(given, suppressed(given), [
      [1, 'link-down'],
      [2, 'link-up'],
    ]);
    expect(state.memory).toMatchObject({ suppressed: false, sendFailures: 0, sendSuccesses: 0 });
    expect(step(given, state, heard('1/100'), at(3)).state.reason).toBe('preempt');
  });

  it('counts success as nothing while all is well', () => {
    const { state } = play(settings(), master(), times(7, sent));
    expect(state).toEqual(master());
  });
});
