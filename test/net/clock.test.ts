// The monotonic clock.

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { monotonicClock } from '../../src/net/clock.js';

afterEach(() => {
  vi.useRealTimers();
});

test('counts whole microseconds and never goes back', () => {
  const readings = Array.from({ length: 10_000 }, () => monotonicClock.now());
  expect(readings.every(Number.isInteger)).toBe(true);
  expect(readings).toEqual(readings.toSorted((left, right) => left - right));
});

test('advances by a second in a second', async () => {
  const start = monotonicClock.now();
  const reference = performance.now();
  await delay(30);
  const passed = (monotonicClock.now() - start) / 1000;
  const expected = performance.now() - reference;
  expect(Math.abs(passed - expected)).toBeLessThan(5);
  expect(passed).toBeGreaterThan(25);
});

test('does not follow the wall clock', () => {
  const before = monotonicClock.now();
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2001-01-01') });
  expect(Date.now()).toBe(Date.UTC(2001, 0, 1));
  expect(monotonicClock.now() - before).toBeGreaterThanOrEqual(0);
  expect(monotonicClock.now() - before).toBeLessThan(10_000_000);
});
