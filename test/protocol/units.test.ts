// Time as whole microseconds.

import { describe, expect, it } from 'vitest';
import {
  between,
  earliest,
  instantFromMicroseconds,
  later,
  microseconds,
  milliseconds,
  seconds,
  toMilliseconds,
} from '../../src/protocol/units.js';

describe('instants and durations', () => {
  it('are whole microseconds, cut off and not rounded', () => {
    expect(microseconds(390_625.9)).toBe(390_625);
    expect(instantFromMicroseconds(1.9)).toBe(1);
    expect(milliseconds(1.5)).toBe(1_500);
    expect(seconds(3)).toBe(3_000_000);
    expect(toMilliseconds(microseconds(1_500))).toBe(1.5);
  });

  it('are a point, a distance, and the distance of two points', () => {
    const start = instantFromMicroseconds(100);
    expect(later(start, microseconds(50))).toBe(150);
    expect(between(start, later(start, microseconds(50)))).toBe(50);
    expect(between(later(start, microseconds(50)), start)).toBe(-50);
  });

  it('have an earliest one among those that are set', () => {
    const [one, two] = [instantFromMicroseconds(1), instantFromMicroseconds(2)];
    expect(earliest(two, undefined, one)).toBe(one);
    expect(earliest(one, two)).toBe(one);
    expect(earliest(instantFromMicroseconds(0), one)).toBe(0);
    expect(earliest(undefined, undefined)).toBeUndefined();
    expect(earliest()).toBeUndefined();
  });
});
