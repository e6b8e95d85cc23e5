// CARP's state machine, as ucarp 1.5.2 decides and with what costs nothing on the wire done better.
//
// Theory of operation. Every host of a virtual host group is in one of three states. A BACKUP listens:
// each authentic advertisement puts off the moment `masterDownAt` at which it would take over. A MASTER
// holds the addresses and advertises every advbase + advskew/256 seconds; the shorter that interval, the
// better the host. Without link a host is in INITIALIZE and waits. What a host hears may
//
//   * depose a master: the sender's interval is shorter, or equal and its address wins the tie-break;
//   * be outbid by a backup that preempts: its own interval is shorter;
//   * release a backup: the sender announces an interval longer than our dead time, so it counts as gone.
//     A goodbye (advbase 255, advskew 255) is the extreme of that and is obeyed at once.
//
// This file owns every transition. It does no I/O and reads no clock: `now` is an argument, what to do
// is the list of actions, in the order in which they must be done, and `deadline` says when to call
// again. What came of an action returns as an event.
//
// Departs from ucarp: the clock is monotonic, deadlines are exact and not rounded up to a multiple of
// the interval, advertisements are evenly spaced, a planned stop or demotion says goodbye, the gratuitous
// ARP is repeated, and advbase 0 has a dead time of deadratio intervals instead of almost none.

import type { Ipv4 } from '../address.js';
import {
  between,
  type Duration,
  earliest,
  type Instant,
  later,
  microseconds,
  seconds,
} from '../units.js';

export interface Settings {
  /** Seconds, 0 to 255. */
  readonly advbase: number;
  /** 1/256 s, 0 to 255. */
  readonly advskew: number;
  /** Intervals of silence after which a master counts as dead, 1 to 2^32 - 1. */
  readonly deadRatio: number;
  /** Take over from a worse master at once. */
  readonly preempt: boolean;
  /** Our advertisements' source address: it decides between equals. */
  readonly source: Ipv4;
  /** When to announce again, counted from the takeover. */
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

/** What outlives a change of state. */
export interface Memory {
  /** The counter of the last authentic or own advertisement; undefined until somebody was heard. */
  readonly counter: bigint | undefined;
  readonly sendFailures: number;
  readonly sendSuccesses: number;
  /** After three failures in a row we advertise as the worst of masters (ucarp, BSD). */
  readonly suppressed: boolean;
}

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
  /** In ascending order. */
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
  /** Give the addresses up: remove them or run the down script. */
  | { readonly type: 'release'; readonly atStart: boolean };

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}

const goodbye = { advbase: 255, advskew: 255 } as const;
const suppressedSkew = 240; // ucarp, BSD: worse than every working host, better than a goodbye
const failuresToSuppress = 3;
const successesToRecover = 3;
const advertisementsToAnnounce = 2; // ucarp: one more gratuitous ARP after the third advertisement
const counterLimit = 2n ** 64n;

/** How long a demoted host leaves the role to others (ucarp sleeps that long after SIGUSR2). */
export const demotionTime: Duration = seconds(3);

/** How long to wait before the next try to get the addresses. */
export const claimRetryTime: Duration = seconds(1);

/** advbase + advskew/256 s, the priority: shorter is better. Truncated to whole microseconds (ucarp, BSD). */
export function advertisementInterval(advbase: number, advskew: number): Duration {
  return microseconds(advbase * 1_000_000 + (advskew * 1_000_000) / 256);
}

/**
 * How long a backup waits for the next advertisement: advbase x deadratio + advskew/256 s, the product
 * taken modulo 2^32 as ucarp does. Departs from ucarp for advbase 0, where that would be hardly more than
 * one interval and every late advertisement a false takeover: there it is deadratio whole intervals.
 */
export function deadTime({ advbase, advskew, deadRatio }: Settings): Duration {
  const skew = advertisementInterval(0, advskew);
  if (advbase === 0) return microseconds(skew * deadRatio);
  return microseconds(((advbase * deadRatio) % 2 ** 32) * 1_000_000 + skew);
}

/**
 * True when an advertisement is better than what we would send: shorter interval, or equal and the
 * sender's address is lower. ucarp compares the addresses as they lie in memory, so on all little-endian
 * hosts the last octet counts most; both ends of a pair must agree on that, and so do we.
 */
export function outranks(heard: Heard, settings: Settings, suppressed = false): boolean {
  const theirs = advertisementInterval(heard.advbase, heard.advskew);
  const ours = advertisementInterval(settings.advbase, effectiveSkew(settings, suppressed));
  if (theirs !== ours) return theirs < ours;
  return reverseBytes(heard.source) < reverseBytes(settings.source);
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

function effectiveSkew({ advskew }: Settings, suppressed: boolean): number {
  return suppressed ? Math.max(advskew, suppressedSkew) : advskew;
}

export function initialState(now: Instant): State {
  const memory = { counter: undefined, sendFailures: 0, sendSuccesses: 0, suppressed: false };
  return { type: 'initialize', since: now, reason: 'start', memory };
}

/** When `step` must be called with `elapsed`; undefined when nothing will happen by itself. */
export function deadline(state: State): Instant | undefined {
  switch (state.type) {
    case 'initialize':
      return undefined;
    case 'backup':
      return state.masterDownAt;
    case 'master':
      return earliest(state.advertiseAt, state.announceAt[0], state.claimAgainAt);
  }
}

/** The next state and what to do, in order. Total: every event is allowed in every state. */
export function step(settings: Settings, state: State, event: Event, now: Instant): Step {
  switch (event.type) {
    case 'sent':
      return { state: { ...state, memory: noteSuccess(state.memory) }, actions: [] };
    case 'send-failed':
      return noteFailure(settings, state, now);
    default:
  }
  switch (state.type) {
    case 'initialize':
      return stepInitialize(settings, state, event, now);
    case 'backup':
      return stepBackup(settings, state, event, now);
    case 'master':
      return stepMaster(settings, state, event, now);
  }
}

function stepInitialize(settings: Settings, state: Initialize, event: Event, now: Instant): Step {
  switch (event.type) {
    case 'start':
      // Whatever an earlier life left behind must go before we listen (ucarp runs its down script here).
      return prepend(
        { type: 'release', atStart: true },
        becomeBackup(settings, state.memory, 'start', now),
      );
    case 'link-up':
      return becomeBackup(settings, state.memory, 'link-up', now);
    default:
      return { state, actions: [] };
  }
}

function stepBackup(settings: Settings, state: Backup, event: Event, now: Instant): Step {
  switch (event.type) {
    case 'elapsed':
      return now < state.masterDownAt
        ? { state, actions: [] }
        : becomeMaster(settings, state.memory, 'master-down', now);
    case 'advertisement':
      return hearAsBackup(settings, state, event.heard, now);
    case 'promote':
      return becomeMaster(settings, state.memory, 'promoted', now);
    case 'link-down':
      return { state: becomeInitialize(state.memory, 'link-down', now), actions: [] };
    case 'shutdown':
      return { state: becomeInitialize(state.memory, 'shutdown', now), actions: [] };
    default:
      return { state, actions: [] };
  }
}

function hearAsBackup(settings: Settings, state: Backup, heard: Heard, now: Instant): Step {
  const memory = { ...state.memory, counter: heard.counter };
  const theirs = advertisementInterval(heard.advbase, heard.advskew);
  const ours = advertisementInterval(settings.advbase, effectiveSkew(settings, memory.suppressed));
  const yielding = state.yieldUntil !== undefined && now < state.yieldUntil;
  if (settings.preempt && !yielding && ours < theirs) {
    return becomeMaster(settings, memory, isGoodbye(heard) ? 'goodbye' : 'preempt', now);
  }
  const patience = deadTime(settings);
  if (patience < theirs) {
    return becomeMaster(settings, memory, isGoodbye(heard) ? 'goodbye' : 'too-slow', now);
  }
  return { state: { ...state, memory, masterDownAt: later(now, patience) }, actions: [] };
}

function isGoodbye({ advbase, advskew }: Heard): boolean {
  return advbase === goodbye.advbase && advskew === goodbye.advskew;
}

function stepMaster(settings: Settings, state: Master, event: Event, now: Instant): Step {
  switch (event.type) {
    case 'elapsed':
      return masterElapsed(settings, state, now);
    case 'advertisement':
      return hearAsMaster(settings, state, event.heard, now);
    case 'claimed':
      return { state: { ...state, claimAgainAt: undefined }, actions: [{ type: 'announce' }] };
    case 'claim-failed':
      return { state: { ...state, claimAgainAt: later(now, claimRetryTime) }, actions: [] };
    case 'demote':
      return demote(settings, state, now);
    case 'link-down':
      return {
        state: becomeInitialize(state.memory, 'link-down', now),
        actions: [{ type: 'release', atStart: false }],
      };
    case 'shutdown': {
      const said = advertise(state.memory, goodbye);
      return {
        state: becomeInitialize(said.memory, 'shutdown', now),
        actions: [said.action, { type: 'release', atStart: false }],
      };
    }
    default:
      return { state, actions: [] };
  }
}

function masterElapsed(settings: Settings, state: Master, now: Instant): Step {
  let next = state;
  const actions: Action[] = [];
  if (next.claimAgainAt !== undefined && next.claimAgainAt <= now) {
    next = { ...next, claimAgainAt: undefined };
    actions.push({ type: 'claim' });
  }
  if (next.announceAt.some((at) => at <= now)) {
    next = { ...next, announceAt: next.announceAt.filter((at) => at > now) };
    actions.push({ type: 'announce' });
  }
  if (next.advertiseAt === undefined || now < next.advertiseAt) return { state: next, actions };
  const said = advertise(next.memory, advertised(settings, next.memory));
  actions.push(said.action);
  const remaining = Math.max(next.announceAfterAdvertisements - 1, 0);
  if (next.announceAfterAdvertisements === 1) actions.push({ type: 'announce' });
  next = {
    ...next,
    memory: said.memory,
    advertiseAt: nextAdvertisement(settings, said.memory, next.advertiseAt, now),
    announceAfterAdvertisements: remaining,
  };
  return { state: next, actions };
}

/** Counted from the last deadline, so that a late alarm does not stretch the spacing, unless it is lost. */
function nextAdvertisement(
  settings: Settings,
  memory: Memory,
  lastDeadline: Instant,
  now: Instant,
): Instant | undefined {
  const { advbase, advskew } = advertised(settings, memory);
  if (advbase === goodbye.advbase && advskew === goodbye.advskew) return undefined;
  const interval = advertisementInterval(advbase, advskew);
  const lateness = between(lastDeadline, now);
  return later(lateness < interval ? lastDeadline : now, interval);
}

function hearAsMaster(settings: Settings, state: Master, heard: Heard, now: Instant): Step {
  const memory = { ...state.memory, counter: heard.counter };
  if (!outranks(heard, settings, memory.suppressed)) {
    // The hosts of the segment may have learned the other master's address: tell them again.
    const next = { ...state, memory, announceAfterAdvertisements: advertisementsToAnnounce };
    return { state: next, actions: [{ type: 'announce' }] };
  }
  // ucarp's last advertisement: the winner hears that somebody else was master and announces again.
  const said = advertise(memory, advertised(settings, memory));
  const backup = becomeBackup(settings, said.memory, 'preferred-master', now);
  return { ...backup, actions: [said.action, { type: 'release', atStart: false }] };
}

function demote(settings: Settings, state: Master, now: Instant): Step {
  const said = advertise(state.memory, goodbye);
  const backup = becomeBackup(settings, said.memory, 'demoted', now);
  const yieldUntil = later(now, demotionTime);
  const masterDownAt = later(yieldUntil, deadTime(settings));
  return {
    state: { ...backup.state, yieldUntil, masterDownAt },
    actions: [said.action, { type: 'release', atStart: false }],
  };
}

function becomeMaster(settings: Settings, memory: Memory, reason: Reason, now: Instant): Step {
  const said = advertise(memory, advertised(settings, memory));
  const state: Master = {
    type: 'master',
    since: now,
    reason,
    memory: said.memory,
    advertiseAt: nextAdvertisement(settings, memory, now, now),
    announceAt: settings.announceAfter.map((wait) => later(now, wait)).sort((a, b) => a - b),
    announceAfterAdvertisements: advertisementsToAnnounce,
    claimAgainAt: undefined,
  };
  return { state, actions: [{ type: 'claim' }, { type: 'announce' }, said.action] };
}

function becomeBackup(
  settings: Settings,
  memory: Memory,
  reason: Reason,
  now: Instant,
): { state: Backup; actions: readonly Action[] } {
  const masterDownAt = later(now, deadTime(settings));
  return {
    state: { type: 'backup', since: now, reason, memory, masterDownAt, yieldUntil: undefined },
    actions: [],
  };
}

function becomeInitialize(memory: Memory, reason: Reason, now: Instant): Initialize {
  return { type: 'initialize', since: now, reason, memory };
}

function prepend(action: Action, { state, actions }: Step): Step {
  return { state, actions: [action, ...actions] };
}

/** What we advertise: as configured, or as the worst of masters while sending fails. */
function advertised(settings: Settings, memory: Memory): { advbase: number; advskew: number } {
  return { advbase: settings.advbase, advskew: effectiveSkew(settings, memory.suppressed) };
}

/**
 * Until somebody was heard every advertisement carries a fresh random counter; afterwards the counter
 * goes on from the last one heard or sent, by one (ucarp, FreeBSD, NetBSD).
 */
function advertise(
  memory: Memory,
  priority: { readonly advbase: number; readonly advskew: number },
): { memory: Memory; action: Action } {
  const counter = memory.counter === undefined ? undefined : (memory.counter + 1n) % counterLimit;
  return {
    memory: { ...memory, counter },
    action: { type: 'advertise', advbase: priority.advbase, advskew: priority.advskew, counter },
  };
}

function noteSuccess(memory: Memory): Memory {
  if (!memory.suppressed) return { ...memory, sendFailures: 0 };
  const sendSuccesses = memory.sendSuccesses + 1;
  return sendSuccesses < successesToRecover
    ? { ...memory, sendFailures: 0, sendSuccesses }
    : { ...memory, sendFailures: 0, sendSuccesses: 0, suppressed: false };
}

/** At the third failure in a row the peers are told at once that we are a bad master (ucarp). */
function noteFailure(settings: Settings, state: State, _now: Instant): Step {
  const sendFailures = state.memory.sendFailures + 1;
  const memory = { ...state.memory, sendFailures, sendSuccesses: 0 };
  if (memory.suppressed || sendFailures < failuresToSuppress || state.type !== 'master') {
    return { state: { ...state, memory }, actions: [] };
  }
  const said = advertise(
    { ...memory, suppressed: true },
    advertised(settings, { ...memory, suppressed: true }),
  );
  return { state: { ...state, memory: said.memory }, actions: [said.action] };
}
