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

import {
  between,
  type Duration,
  earliest,
  type Instant,
  later,
  milliseconds,
  seconds,
} from '../units.js';
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
  nominalDeadTime,
  outranks,
  type Priority,
} from './priority.js';
import type {
  Action,
  Backup,
  Event,
  Heard,
  Initialize,
  Master,
  Reason,
  Settings,
  State,
  Step,
} from './state.js';

export type { Memory } from './memory.js';
export { advertisementInterval, deadTime, outranks } from './priority.js';

const advertisementsToAnnounce = 2; // ucarp: one more gratuitous ARP after the third advertisement

/** How long a demoted host leaves the role to others (ucarp sleeps that long after SIGUSR2). */
export const demotionTime: Duration = seconds(3);

/** How long to wait before the next try to get the addresses, or to give them up. */
export const retryTime: Duration = seconds(1);

/**
 * How often a worse master is answered by an announcement: five times at once, then every 100 ms.
 * ucarp does it each time; but a flood of repeated advertisements must not become one of ours.
 */
const reassertionSpacing: Duration = milliseconds(100);
const reassertionLead: Duration = milliseconds(400);

const leave: Action = { type: 'release', occasion: 'leaving' };

export function initialState(now: Instant): State {
  return { type: 'initialize', since: now, reason: 'start', memory: blankMemory };
}

/** When `step` must be called with `elapsed`; undefined when nothing will happen by itself. */
export function deadline(state: State): Instant | undefined {
  switch (state.type) {
    case 'initialize':
      return state.memory.releaseAgainAt;
    case 'backup':
      return earliest(state.masterDownAt, state.memory.releaseAgainAt);
    case 'master':
      return earliest(state.advertiseAt, state.announceAt[0], state.claimAgainAt);
  }
}

/** The next state and what to do, in order. Total: every event is allowed in every state. */
export function step(settings: Settings, state: State, event: Event, now: Instant): Step {
  switch (event.type) {
    case 'sent':
      return sent(settings, state, now);
    case 'send-failed':
      return sendFailed(settings, state);
    case 'release-failed':
      return { state: releaseFailed(state, now), actions: [] };
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
        { type: 'release', occasion: 'start' },
        becomeBackup(settings, state.memory, 'start', now),
      );
    case 'link-up':
      // Who was shut down stays so until `start`, whatever its down script does to the interface.
      return state.reason === 'shutdown'
        ? { state, actions: [] }
        : becomeBackup(settings, forgetFailures(state.memory), 'link-up', now);
    case 'shutdown':
      return { state: becomeInitialize(state.memory, 'shutdown', now), actions: [] };
    case 'elapsed':
      return releaseAgain(state, now);
    default:
      return { state, actions: [] };
  }
}

function stepBackup(settings: Settings, state: Backup, event: Event, now: Instant): Step {
  switch (event.type) {
    case 'elapsed':
      return now < state.masterDownAt
        ? releaseAgain(state, now)
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
  if (nominalDeadTime(settings) < theirs) {
    return becomeMaster(settings, memory, isGoodbye(heard) ? 'goodbye' : 'too-slow', now);
  }
  return { state: { ...state, memory, masterDownAt: later(now, deadTime(settings)) }, actions: [] };
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
      return { state: { ...state, claimAgainAt: later(now, retryTime) }, actions: [] };
    case 'demote':
      return demote(settings, state, now);
    case 'link-down':
      return {
        state: becomeInitialize(state.memory, 'link-down', now),
        actions: [leave],
      };
    case 'shutdown': {
      const said = advertise(state.memory, goodbye);
      return {
        state: becomeInitialize(said.memory, 'shutdown', now),
        actions: [said.action, leave],
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
    const announceAfterAdvertisements = advertisementsToAnnounce;
    return reassert({ ...state, memory, announceAfterAdvertisements }, now);
  }
  // ucarp's last advertisement: the winner hears that somebody else was master and announces again.
  const said = advertise(memory, advertised(settings, memory));
  const backup = becomeBackup(settings, said.memory, 'preferred-master', now);
  return { ...backup, actions: [said.action, leave] };
}

/** Announces, now or as soon as it may. */
function reassert(state: Master, now: Instant): Step {
  const { reassertedUntil, announceAt } = state;
  const allowedAt = later(reassertedUntil, -reassertionLead as Duration);
  if (now < allowedAt) {
    const isPlanned = announceAt.some((at) => at <= allowedAt);
    const planned = isPlanned ? announceAt : [allowedAt, ...announceAt];
    return { state: { ...state, announceAt: planned }, actions: [] };
  }
  const from = reassertedUntil > now ? reassertedUntil : now;
  return {
    state: { ...state, reassertedUntil: later(from, reassertionSpacing) },
    actions: [{ type: 'announce' }],
  };
}

function demote(settings: Settings, state: Master, now: Instant): Step {
  const said = advertise(state.memory, goodbye);
  const backup = becomeBackup(settings, said.memory, 'demoted', now);
  const yieldUntil = later(now, demotionTime);
  const masterDownAt = later(yieldUntil, deadTime(settings));
  return {
    state: { ...backup.state, yieldUntil, masterDownAt },
    actions: [said.action, leave],
  };
}

function becomeMaster(settings: Settings, memory: Memory, reason: Reason, now: Instant): Step {
  const said = advertise(memory, advertised(settings, memory));
  const state: Master = {
    type: 'master',
    since: now,
    reason,
    memory: { ...said.memory, releaseAgainAt: undefined },
    advertiseAt: nextAdvertisement(settings, memory, now, now),
    reassertedUntil: now,
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

/** A master wants them again, so a release that failed while it was none means nothing. */
function releaseFailed(state: State, now: Instant): State {
  if (state.type === 'master') return state;
  return { ...state, memory: { ...state.memory, releaseAgainAt: later(now, retryTime) } };
}

function releaseAgain(state: Initialize | Backup, now: Instant): Step {
  const { releaseAgainAt } = state.memory;
  if (releaseAgainAt === undefined || now < releaseAgainAt) return { state, actions: [] };
  const memory = { ...state.memory, releaseAgainAt: undefined };
  return { state: { ...state, memory }, actions: [{ type: 'release', occasion: 'again' }] };
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

/**
 * When sending works again for good, the peers are told at once that we are a good master: until
 * our next advertisement, up to a second later, one that is worse would go on beside us.
 */
function sent(settings: Settings, state: State, now: Instant): Step {
  const memory = noteSuccess(state.memory);
  if (memory.suppressed === state.memory.suppressed || state.type !== 'master') {
    return { state: { ...state, memory }, actions: [] };
  }
  const said = advertise(memory, advertised(settings, memory));
  const advertiseAt = nextAdvertisement(settings, memory, now, now);
  return { state: { ...state, memory: said.memory, advertiseAt }, actions: [said.action] };
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
