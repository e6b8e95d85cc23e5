// The alarm rings at its instant, never before, once.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Alarm } from '../../src/daemon/alarm.js';
import { type Instant, later, microseconds, milliseconds } from '../../src/protocol/units.js';
import { FakeClock } from '../fakes/clock.js';

let clock: FakeClock;
let rings: Instant[];
let alarm: Alarm;

beforeEach(() => {
  clock = new FakeClock();
  rings = [];
  alarm = new Alarm(clock, () => rings.push(clock.now()));
});
afterEach(() => {
  vi.useRealTimers();
});

const inMs = (ms: number): Instant => later(clock.now(), milliseconds(ms));

test('rings at the instant it is set to, and only once', async () => {
  const at = inMs(1_000);
  alarm.set(at);
  await clock.pass(999);
  expect(rings).toEqual([]);
  await clock.pass(1);
  expect(rings).toEqual([at]);
  await clock.pass(10_000);
  expect(rings).toHaveLength(1);
});

test('the last setting counts, earlier or later', async () => {
  alarm.set(inMs(1_000));
  alarm.set(inMs(500));
  await clock.pass(500);
  expect(rings).toHaveLength(1);
  alarm.set(inMs(100));
  alarm.set(inMs(2_000));
  await clock.pass(1_999);
  expect(rings).toHaveLength(1);
  await clock.pass(1);
  expect(rings).toHaveLength(2);
});

test('set to the same instant again it still rings once', async () => {
  const at = inMs(1_000);
  alarm.set(at);
  await clock.pass(900);
  alarm.set(at);
  await clock.pass(100);
  expect(rings).toEqual([at]);
});

test('a timer that rings early is waited out', async () => {
  const at = inMs(1_000);
  alarm.set(at);
  clock.fallBehind(microseconds(700));
  await clock.pass(1_000);
  expect(rings).toEqual([]);
  await clock.pass(1);
  expect(rings).toHaveLength(1);
  expect(rings[0]).toBeGreaterThanOrEqual(at);
});

test('a part of a millisecond is not rounded away', async () => {
  const at = later(clock.now(), microseconds(1_000_999));
  alarm.set(at);
  await clock.pass(1_000);
  expect(rings).toEqual([]);
  await clock.pass(1);
  expect(rings[0]).toBeGreaterThanOrEqual(at);
});

test('an instant that is over rings at once, but not before set returns', async () => {
  alarm.set(later(clock.now(), milliseconds(-5_000)));
  expect(rings).toEqual([]);
  await clock.pass(1);
  expect(rings).toHaveLength(1);
});

test('an instant further than timers reach is waited for', async () => {
  const longest = 2 ** 31 - 1;
  const at = inMs(longest + 5_000);
  alarm.set(at);
  await clock.pass(10);
  expect(rings).toEqual([]);
  await clock.pass(longest + 4_989);
  expect(rings).toEqual([]);
  await clock.pass(1);
  expect(rings).toEqual([at]);
});

test('switched off it does not ring', async () => {
  alarm.set(inMs(10));
  alarm.set(undefined);
  await clock.pass(1_000);
  expect(rings).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('lets the event loop look at its sockets first, which may set it anew', async () => {
  const heard = vi.fn(() => alarm.set(inMs(500)));
  alarm.set(inMs(100));
  setTimeout(() => setImmediate(heard), 100);
  await clock.pass(100);
  expect(heard).toHaveBeenCalledOnce();
  expect(rings).toHaveLength(1);
  rings = [];
  // Now what was heard comes first.
  alarm.set(undefined);
  setTimeout(() => setImmediate(heard), 100);
  alarm.set(inMs(100));
  await clock.pass(100);
  expect(rings).toEqual([]);
  await clock.pass(500);
  expect(rings).toHaveLength(1);
});

test('looks more than once when it is so late that the process was stopped', async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (rings.length === 0) setImmediate(count);
  };
  setImmediate(count);
  alarm.set(later(clock.now(), milliseconds(-21)));
  await clock.pass(1);
  expect(rings).toHaveLength(1);
  expect(turns).toBeGreaterThan(7);
  expect(turns).toBeLessThan(12);
});

test('switched off between its time and its ring it does not ring', async () => {
  alarm.set(inMs(100));
  vi.advanceTimersByTime(100);
  alarm.set(undefined);
  await clock.pass(1_000);
  expect(rings).toEqual([]);
});

test('may be set anew while it rings', async () => {
  const again = new Alarm(clock, () => {
    rings.push(clock.now());
    if (rings.length < 3) again.set(inMs(100));
  });
  again.set(inMs(100));
  await clock.pass(1_000);
  expect(rings).toHaveLength(3);
});
