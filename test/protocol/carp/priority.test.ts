// Intervals, dead times and the tie-break, with ucarp's and the BSD kernels' numbers.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ipv4 } from '../../../src/protocol/address.js';
import {
  advertisementInterval,
  deadTime,
  effectiveSkew,
  isGoodbye,
  nominalDeadTime,
  outranks,
} from '../../../src/protocol/carp/priority.js';
import { ipv4 } from '../fixtures.js';
import { bsd } from '../vectors.js';
import { heard, settings } from './machine-fixtures.js';

const byte = fc.integer({ min: 0, max: 255 });

describe('advertisementInterval', () => {
  it('is advbase seconds and advskew 256ths, in whole microseconds cut off', () => {
    fc.assert(
      fc.property(byte, byte, (advbase, advskew) => {
        const twin = BigInt(advbase) * 1_000_000n + (BigInt(advskew) * 1_000_000n) / 256n;
        expect(advertisementInterval(advbase, advskew)).toBe(Number(twin));
      }),
    );
  });

  it('is what the BSD kernels set their timers to', () => {
    const timers = (['freebsd', 'openbsd', 'netbsd'] as const).flatMap((system) =>
      bsd.state_machine[system].filter(
        ({ mode, given, after }) =>
          mode === 'setrun' && after.ad_us !== null && given['demotion'] === undefined,
      ),
    );
    expect(timers.length).toBeGreaterThan(9);
    for (const { event, given, after } of timers) {
      // OpenBSD takes 0/0, which nobody else allows, for 0/1.
      const advskew = event.includes(' 0/0') ? 1 : Number(given['advskew'] ?? 0);
      expect(advertisementInterval(Number(given['advbase'] ?? 1), advskew), event).toBe(
        after.ad_us,
      );
    }
  });
});

describe('nominalDeadTime', () => {
  it.each([
    ['the default', {}, 3_000_000],
    ['skew is not multiplied', { advskew: 100 }, 3_390_625],
    ['advbase is', { advbase: 2, deadRatio: 10, advskew: 128 }, 20_500_000],
    ['one interval', { deadRatio: 1 }, 1_000_000],
    [
      'advbase x deadratio wraps at 2^32 (ucarp: -b 2 -r 2147483648)',
      { advbase: 2, deadRatio: 2 ** 31 },
      0,
    ],
    ['and leaves the skew', { advbase: 2, deadRatio: 2 ** 31, advskew: 128 }, 500_000],
    ['the rest after wrapping', { advbase: 3, deadRatio: 2 ** 31 }, 2 ** 31 * 1_000_000],
    ['ucarp: -b 255 -r 4278124287 is 1 s', { advbase: 255, deadRatio: 4_278_124_287 }, 1_000_000],
    ['the longest', { deadRatio: 2 ** 32 - 1, advskew: 255 }, (2 ** 32 - 1) * 1_000_000 + 996_093],
    ['advbase 0 has whole intervals', { advbase: 0, advskew: 64 }, 750_000],
    ['and never wraps', { advbase: 0, advskew: 1, deadRatio: 2 ** 31 }, 3_906 * 2 ** 31],
  ])('%s', (_name, changes, expected) => {
    expect(nominalDeadTime(settings(changes))).toBe(expected);
  });
});

describe('deadTime', () => {
  it.each([
    ['is the nominal one', { advskew: 100 }, 3_390_625],
    ['is that with two intervals and any skew, too', { deadRatio: 2, advskew: 255 }, 2_996_093],
    ['lets an equal master be late for half an interval', { deadRatio: 1 }, 1_500_000],
    ['and one that is skewed', { deadRatio: 1, advskew: 128 }, 2_250_000],
    ['and with advbase 0', { advbase: 0, advskew: 64, deadRatio: 1 }, 375_000],
    ['and after wrapping', { advbase: 2, deadRatio: 2 ** 31 }, 3_000_000],
  ])('%s', (_name, changes, expected) => {
    expect(deadTime(settings(changes))).toBe(expected);
  });

  it('is the master-down time of FreeBSD and NetBSD', () => {
    const cases = (['freebsd', 'netbsd'] as const).flatMap((system) =>
      bsd.state_machine[system].filter(
        ({ after }) => after.state === 'BACKUP' && after.md_us !== null,
      ),
    );
    expect(cases.length).toBeGreaterThan(20);
    for (const { event, given, after } of cases) {
      const advbase = Number(given['advbase'] ?? 1);
      if (advbase === 0) continue; // NetBSD waits a single interval there and flaps
      const advskew = Number(given['advskew'] ?? 0);
      expect(deadTime(settings({ advbase, advskew })), event).toBe(after.md_us);
    }
  });
});

describe('effectiveSkew', () => {
  it('is 240 while suppressed unless it is worse already', () => {
    expect(effectiveSkew({ advbase: 1, advskew: 100 }, false)).toBe(100);
    expect(effectiveSkew({ advbase: 1, advskew: 100 }, true)).toBe(240);
    expect(effectiveSkew({ advbase: 1, advskew: 241 }, true)).toBe(241);
  });
});

describe('isGoodbye', () => {
  it('is true of 255/255 alone', () => {
    expect(isGoodbye({ advbase: 255, advskew: 255 })).toBe(true);
    expect(isGoodbye({ advbase: 255, advskew: 254 })).toBe(false);
    expect(isGoodbye({ advbase: 254, advskew: 255 })).toBe(false);
  });
});

describe('outranks', () => {
  const against = (priority: string, ours: string, suppressed = false): boolean => {
    const [advbase = 0, advskew = 0] = ours.split('/').map(Number);
    return outranks(heard(priority).heard, settings({ advbase, advskew }), suppressed);
  };

  it.each([
    ['1/0', '1/1', true],
    ['1/1', '1/0', false],
    ['1/255', '2/0', true],
    ['2/0', '1/255', false],
    ['0/255', '1/0', true],
    ['255/255', '255/254', false],
  ])('%s against our %s: %s', (theirs, ours, wins) => {
    expect(against(theirs, ours)).toBe(wins);
  });

  it('takes our own skew for 240 while sending fails (ucarp)', () => {
    expect(against('1/239', '1/0', true)).toBe(true);
    expect(against('1/241', '1/0', true)).toBe(false);
    expect(against('1/239', '1/0', false)).toBe(false);
  });

  const tie = (source: string, ours: string): boolean =>
    outranks(heard('1/0', { source }).heard, settings({ source: ipv4(ours) }));

  it.each([
    ['10.77.0.1', '10.77.0.2', true, 'inside a /24 the lower address wins'],
    ['10.77.0.2', '10.77.0.1', false, 'inside a /24 the higher address loses'],
    ['200.0.0.0', '10.77.0.1', true, 'ucarp: 200.0.0.0 counts as lower than 10.77.0.1'],
    ['1.2.3.4', '10.77.0.1', false, 'ucarp: 1.2.3.4 counts as higher than 10.77.0.1'],
    ['10.77.0.128', '10.77.0.127', false, 'the last octet is not a signed one'],
    ['10.78.0.1', '10.77.0.1', false, 'the second octet counts when the last two are equal'],
    ['10.77.1.1', '10.78.0.1', false, 'the third octet counts more than the second'],
    ['9.77.0.1', '10.77.0.1', true, 'the first octet counts when all others are equal'],
    ['10.77.0.1', '10.77.0.1', false, 'nobody outranks its own address'],
  ])('%s against our %s at the same interval: %s, since %s', (source, ours, wins) => {
    expect(tie(source, ours)).toBe(wins);
  });

  it('reads addresses from their last octet, and never lets both of two hosts win or lose', () => {
    const address = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n) => n as Ipv4);
    const reversed = (n: Ipv4): number => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(n);
      return bytes.readUInt32LE();
    };
    fc.assert(
      fc.property(address, address, (one, other) => {
        const wins = (a: Ipv4, b: Ipv4): boolean =>
          outranks({ ...heard('1/0').heard, source: a }, settings({ source: b }));
        expect(wins(one, other)).toBe(reversed(one) < reversed(other));
        expect(wins(one, other) !== wins(other, one)).toBe(one !== other);
      }),
    );
  });
});
