// One of a kind a second, and a count of the rest.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RateLimit } from '../../src/daemon/rate-limit.js';
import { FakeClock } from '../fakes/clock.js';

let clock: FakeClock;
let limit: RateLimit;

beforeEach(() => {
  clock = new FakeClock();
  limit = new RateLimit(clock);
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first of a kind passes, the others of the next 900 ms are counted', async () => {
  expect(limit.allow('a')).toEqual({ ok: true, suppressed: 0 });
  expect(limit.allow('a')).toEqual({ ok: false });
  await clock.pass(899);
  expect(limit.allow('a')).toEqual({ ok: false });
  await clock.pass(1);
  expect(limit.allow('a')).toEqual({ ok: true, suppressed: 2 });
  await clock.pass(1_000);
  expect(limit.allow('a')).toEqual({ ok: true, suppressed: 0 });
});

test('kinds do not count together', () => {
  limit.allow('a');
  expect(limit.allow('b')).toEqual({ ok: true, suppressed: 0 });
});

test('a flood of kinds is forgotten and not kept', () => {
  for (let kind = 0; kind < 64; kind += 1) limit.allow(String(kind));
  expect(limit.allow('0')).toEqual({ ok: false });
  limit.allow('one too many');
  expect(limit.allow('0')).toEqual({ ok: true, suppressed: 0 });
});
