// How good a CARP host is, how long its silence is borne, and who wins: ucarp's arithmetic.

import type { Ipv4 } from '../address.js';
import { type Duration, microseconds } from '../units.js';

/** What an advertisement says of its sender. */
export interface Priority {
  /** Seconds, 0 to 255. */
  readonly advbase: number;
  /** 1/256 s, 0 to 255. */
  readonly advskew: number;
}

interface Candidate extends Priority {
  readonly source: Ipv4;
}

/** The sender leaves: longer than any sane dead time, so that every backup takes over at once. */
export const goodbye: Priority = { advbase: 255, advskew: 255 };

const suppressedSkew = 240; // ucarp, BSD: worse than every working host, better than a goodbye

export function isGoodbye({ advbase, advskew }: Priority): boolean {
  return advbase === goodbye.advbase && advskew === goodbye.advskew;
}

/** advbase + advskew/256 s; shorter is better. Truncated to whole microseconds (ucarp, BSD). */
export function advertisementInterval(advbase: number, advskew: number): Duration {
  return microseconds(advbase * 1_000_000 + (advskew * 1_000_000) / 256);
}

/** The skew that we advertise and compare: while sending fails that of a bad master. */
export function effectiveSkew({ advskew }: Priority, suppressed: boolean): number {
  return suppressed ? Math.max(advskew, suppressedSkew) : advskew;
}

interface Patience extends Priority {
  readonly deadRatio: number;
}

/**
 * advbase x deadratio + advskew/256 s, the product taken modulo 2^32 as ucarp does: who advertises
 * less often than that counts as gone. Departs from ucarp for advbase 0, where that would be hardly
 * more than one interval and every late advertisement a false takeover: there it is deadratio whole
 * intervals.
 */
export function nominalDeadTime({ advbase, advskew, deadRatio }: Patience): Duration {
  const skew = advertisementInterval(0, advskew);
  if (advbase === 0) return microseconds(skew * deadRatio);
  return microseconds(((advbase * deadRatio) % 2 ** 32) * 1_000_000 + skew);
}

/**
 * How long a backup waits for the next advertisement: the nominal dead time, but never less than
 * one and a half of its own intervals. Departs from ucarp for deadratio 1, where an equal master's
 * next advertisement comes at the very moment at which the wait ends; ucarp notices that a second
 * late.
 */
export function deadTime(settings: Patience): Duration {
  const interval = advertisementInterval(settings.advbase, settings.advskew);
  return microseconds(Math.max(nominalDeadTime(settings), interval * 1.5));
}

/**
 * True when an advertisement is better than what we would send: shorter interval, or equal and the
 * sender's address is lower. ucarp compares the addresses as they lie in memory, so on all
 * little-endian hosts the last octet counts most; both ends of a pair must agree on that, and so
 * do we.
 */
export function outranks(heard: Candidate, ours: Candidate, suppressed = false): boolean {
  const theirInterval = advertisementInterval(heard.advbase, heard.advskew);
  const ourInterval = advertisementInterval(ours.advbase, effectiveSkew(ours, suppressed));
  if (theirInterval !== ourInterval) return theirInterval < ourInterval;
  return reverseBytes(heard.source) < reverseBytes(ours.source);
}

function reverseBytes(address: Ipv4): number {
  return (
    ((address << 24) |
      ((address & 0xff00) << 8) |
      ((address >>> 8) & 0xff00) |
      (address >>> 24)) >>>
    0
  );
}
