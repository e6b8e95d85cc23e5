// CARP's rules once more, written from ucarp's behaviour and not from the machine: the machine's
// slow and simple twin. Shares no code with src/protocol/carp/machine.ts, or a mistake there would
// be one here.

import type { Settings, State } from '../../src/protocol/carp/state.js';
import type { Claim } from './lan.js';

const second = 1_000_000;

/** Microseconds for which a demoted host leaves the role to others. */
export const truce = 3 * second;

/** Microseconds after which a failed claim is tried again. */
export const claimRetry = 1 * second;

/** advbase + advskew/256 s in whole microseconds. */
export function intervalOf(advbase: number, advskew: number): number {
  return Math.floor(((advbase * 256 + advskew) * second) / 256);
}

/**
 * What a host advertises; one that could not send three times calls itself the worst of masters.
 */
export function ownInterval({ advbase, advskew }: Settings, state: State | undefined): number {
  const suppressed = state?.memory.suppressed === true && advskew < 240;
  return intervalOf(advbase, suppressed ? 240 : advskew);
}

/** Microseconds of silence after which a master counts as dead. */
export function patienceOf(settings: Settings): number {
  const interval = intervalOf(settings.advbase, settings.advskew);
  return Math.max(nominalPatience(settings), Math.floor((interval * 3) / 2));
}

/** Microseconds; a master with a longer interval counts as dead, too. */
export function nominalPatience({ advbase, advskew, deadRatio }: Settings): number {
  const skew = intervalOf(0, advskew);
  return advbase === 0 ? skew * deadRatio : advbase * deadRatio * second + skew;
}

export function isGoodbye({ advbase, advskew }: { advbase: number; advskew: number }): boolean {
  return advbase === 255 && advskew === 255;
}

/**
 * A backup takes over from a worse master if it preempts, and from one that is slower than its
 * nominal patience.
 */
export function takesOver(
  settings: Settings,
  state: State,
  claim: Claim,
  yielding: boolean,
): boolean {
  const theirs = intervalOf(claim.advbase, claim.advskew);
  const better = ownInterval(settings, state) < theirs;
  return (settings.preempt && better && !yielding) || nominalPatience(settings) < theirs;
}

/** A master yields to a better one; between equals the address decides, its last octet first. */
export function yields(settings: Settings, state: State, claim: Claim): boolean {
  const theirs = intervalOf(claim.advbase, claim.advskew);
  const mine = ownInterval(settings, state);
  if (theirs !== mine) return theirs < mine;
  for (const shift of [0, 8, 16, 24]) {
    const their = (claim.source >>> shift) & 0xff;
    const my = (settings.source >>> shift) & 0xff;
    if (their !== my) return their < my;
  }
  return false;
}
