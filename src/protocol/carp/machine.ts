// CARP's state machine, as ucarp 1.5.2 decides and with what costs nothing on the wire done better.
//
// Theory of operation. Every host of a virtual host group is in one of three states. A BACKUP
// listens: each authentic advertisement puts off the moment `masterDownAt` at which it would take
// over. A MASTER holds the addresses and advertises every advbase + advskew/256 seconds; the
// shorter that interval, the better the host. Without link a host is in INITIALIZE and waits. What
// a host hears may
//
//   * depose a master: the sender's interval is shorter, or equal and its address wins the tie;
//   * be outbid by a backup that preempts: its own interval is shorter;
//   * release a backup: the sender announces an interval longer than our dead time, so it counts as
//     gone. A goodbye (advbase 255, advskew 255) is the extreme of that.
//
// This file owns every transition. It does no I/O and reads no clock: `now` is an argument, what to
// do is the list of actions, in the order in which they must be done, and `deadline` says when to
// call again. What came of an action returns as an event.
//
// Departs from ucarp: the clock is monotonic, deadlines are exact and not rounded up to a multiple
// of the interval, advertisements are evenly spaced, a planned stop or demotion says goodbye, the
// gratuitous ARP is repeated, a link that comes up starts with no send failures, and advbase 0 has
// a dead time of deadratio intervals instead of almost none.

import type { Ipv4 } from '../address.js';
import { between, type Duration, earliest, type Instant, later, seconds } from '../units.js';
import {
  blankMemory,
  forgetFailures,
  type Memory,
  nextCounter,
  noteFailure,
  noteSuccess,
} from './memory.js';
import {
  advertisementInterval,
  deadTime,
  effectiveSkew,
  goodbye,
  isGoodbye,
  outranks,
  type Priority,
} from './priority.js';

export type { Memory } from './memory.js';
export { advertisementInterval, deadTime, outranks } from './priority.js';

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

const advertisementsToAnnounce = 2; // ucarp: one more gratuitous ARP after the third advertisement

/** How long a demoted host leaves the role to others (ucarp sleeps that long after SIGUSR2). */
export const demotionTime: Duration = seconds(3);

/** How long to wait before the next try to get the addresses. */
export const claimRetryTime: Duration = seconds(1);

export function initialState(now: Instant): State {
  return { type: 'initialize', since: now, reason: 'start', memory: blankMemory };
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
      return sendFailed(settings, state);
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
      // What an earlier life left behind must go before we listen (ucarp: its down script).
      return prepend(
        { type: 'release', atStart: true },
        becomeBackup(settings, state.memory, 'start', now),
      );
    case 'link-up':
      // Who was shut down stays so until `start`, whatever its down script does to the interface.
      return state.reason === 'shutdown'
        ? { state, actions: [] }
        : becomeBackup(settings, forgetFailures(state.memory), 'link-up', now);
    case 'shutdown':
      return { state: becomeInitialize(state.memory, 'shutdown', now), actions: [] };
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

/** Counted from the last deadline, so that a late alarm does not stretch the spacing. */
function nextAdvertisement(
  settings: Settings,
  memory: Memory,
  lastDeadline: Instant,
  now: Instant,
): Instant | undefined {
  const priority = advertised(settings, memory);
  if (isGoodbye(priority)) return undefined;
  const interval = advertisementInterval(priority.advbase, priority.advskew);
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
function advertised(settings: Settings, memory: Memory): Priority {
  return { advbase: settings.advbase, advskew: effectiveSkew(settings, memory.suppressed) };
}

function advertise(memory: Memory, priority: Priority): { memory: Memory; action: Action } {
  const counter = nextCounter(memory);
  return {
    memory: { ...memory, counter },
    action: { type: 'advertise', advbase: priority.advbase, advskew: priority.advskew, counter },
  };
}

/** When sending starts to fail for good, the peers are told at once that we are a bad master. */
function sendFailed(settings: Settings, state: State): Step {
  const memory = noteFailure(state.memory, state.type === 'master');
  if (memory.suppressed === state.memory.suppressed) {
    return { state: { ...state, memory }, actions: [] };
  }
  const said = advertise(memory, advertised(settings, memory));
  return { state: { ...state, memory: said.memory }, actions: [said.action] };
}
