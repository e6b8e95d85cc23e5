// What a CARP host is set to, can be, hears and does: the values that machine.ts decides on. A
// state carries only its own data, so that an impossible combination cannot be written down.

import type { Ipv4 } from '../address.js';
import type { Duration, Instant } from '../units.js';
import type { Memory } from './memory.js';

export interface Settings {
  /** Seconds, 0 to 255. */
  readonly advbase: number;
  /** 1/256 s, 0 to 255; not 0 together with advbase. */
  readonly advskew: number;
  /** Intervals of silence after which a master counts as dead, 1 to 2^32 - 1. */
  readonly deadRatio: number;
  /** Take over from a worse master at once. */
  readonly preempt: boolean;
  /** Our advertisements' source address: it decides between equals. */
  readonly source: Ipv4;
  /** When to announce again, counted from the takeover; each longer than 0. */
  readonly announceAfter: readonly Duration[];
}

/** Why the present state was entered. */
export type Reason =
  | 'start' // the process began
  | 'link-up'
  | 'link-down'
  | 'master-down' // no advertisement within the dead time
  | 'goodbye' // the master said that it leaves
  | 'too-slow' // the master advertises less often than our dead time allows
  | 'preempt' // we are better than the master heard
  | 'promoted' // by an operator
  | 'demoted' // by an operator
  | 'preferred-master' // a better master was heard
  | 'shutdown';

interface Common {
  readonly since: Instant;
  readonly reason: Reason;
  readonly memory: Memory;
}

export interface Initialize extends Common {
  readonly type: 'initialize';
}

export interface Backup extends Common {
  readonly type: 'backup';
  readonly masterDownAt: Instant;
  /** Until then a demoted host does not preempt, so that its successor can settle. */
  readonly yieldUntil: Instant | undefined;
}

export interface Master extends Common {
  readonly type: 'master';
  /** Undefined for advbase 255 with advskew 255, which advertises once and never again (ucarp). */
  readonly advertiseAt: Instant | undefined;
  /** Each reassertion moves it on; too far ahead of now there were too many of late. */
  readonly reassertedUntil: Instant;
  /** When to announce again, in ascending order. */
  readonly announceAt: readonly Instant[];
  /** Announce after that many more advertisements; 0 for never. */
  readonly announceAfterAdvertisements: number;
  /** When to try again to get the addresses; undefined while there is nothing to retry. */
  readonly claimAgainAt: Instant | undefined;
}

export type State = Initialize | Backup | Master;

/** An advertisement that passed every check of receive.ts. */
export interface Heard {
  readonly advbase: number;
  readonly advskew: number;
  readonly counter: bigint;
  readonly source: Ipv4;
}

export type Event =
  | { readonly type: 'start' }
  | { readonly type: 'link-up' }
  | { readonly type: 'link-down' }
  | { readonly type: 'elapsed' }
  | { readonly type: 'advertisement'; readonly heard: Heard }
  | { readonly type: 'sent' }
  | { readonly type: 'send-failed' }
  | { readonly type: 'claimed' }
  | { readonly type: 'claim-failed' }
  | { readonly type: 'release-failed' }
  | { readonly type: 'demote' }
  | { readonly type: 'promote' }
  | { readonly type: 'shutdown' };

export type Action =
  /** Send one advertisement; `counter` undefined asks for a fresh random number. */
  | {
      readonly type: 'advertise';
      readonly advbase: number;
      readonly advskew: number;
      readonly counter: bigint | undefined;
    }
  /** Tell the segment that our hardware address answers for the addresses now. */
  | { readonly type: 'announce' }
  /** Get the addresses: add them or run the up script. Ends in `claimed` or `claim-failed`. */
  | { readonly type: 'claim' }
  /**
   * Give the addresses up: remove them and run the down script. At the start they are those of an
   * earlier life. Ends in `release-failed` if the addresses stayed; `again` tries once more to
   * remove them, without the script.
   */
  | { readonly type: 'release'; readonly occasion: 'start' | 'leaving' | 'again' };

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}
