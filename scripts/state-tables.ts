// Writes the CARP machine down as Markdown by asking it: each state, each event that differs, and
// what `step` makes of it. ARCHITECTURE.md holds the result; a test compares and can rewrite it.

import type { Ipv4 } from '../src/protocol/address.js';
import { deadline, initialState, step } from '../src/protocol/carp/machine.js';
import type { Action, Event, Settings, State } from '../src/protocol/carp/state.js';
import { between, type Instant, later, seconds } from '../src/protocol/units.js';

export const beginMarker = '<!-- state tables -->';
export const endMarker = '<!-- /state tables -->';

interface Case {
  /** The event in words. */
  readonly when: string;
  readonly event: Event;
  /** Seconds since then; half a second unless given. */
  readonly after?: number;
  readonly preempt?: boolean;
  /** What happened before: alarms at their time, the rest when the state was entered. */
  readonly first?: readonly Event[];
}

const zero = 0 as Instant;
const ours = 0x0a000002 as Ipv4; // 10.0.0.2
const settings: Settings = {
  advbase: 1,
  advskew: 100,
  deadRatio: 3,
  preempt: false,
  source: ours,
  announceAfter: [],
};

function advertisement(advbase: number, advskew: number, source = 0x0a000003 as Ipv4): Event {
  return { type: 'advertisement', heard: { advbase, advskew, counter: 1n, source } };
}

const goodbye = advertisement(255, 255);
const failed: Event = { type: 'send-failed' };
const sent: Event = { type: 'sent' };

/** Events that every state knows, in the order in which they are shown. */
const common: readonly Case[] = (
  [
    ['started', 'start'],
    ['link up', 'link-up'],
    ['link down', 'link-down'],
    ['operator: demote', 'demote'],
    ['operator: promote', 'promote'],
    ['stop of the daemon', 'shutdown'],
    ['addresses claimed', 'claimed'],
    ['claim failed', 'claim-failed'],
    ['release failed', 'release-failed'],
  ] as const
).map(([when, type]) => ({ when, event: { type } }));

const sending: readonly Case[] = [
  { when: 'sent', event: sent },
  { when: 'first or second failure to send', event: failed },
  { when: 'third failure in a row', event: failed, first: [failed, failed] },
  {
    when: 'third success in a row after that',
    event: sent,
    first: [failed, failed, failed, sent, sent],
  },
];

/** Two advertisements, after which a master has announced itself for the second time. */
const settled: readonly Event[] = [{ type: 'elapsed' }, { type: 'elapsed' }];

const alarmEarly: Case = { when: 'alarm, nothing due', event: { type: 'elapsed' } };

const cases: Record<State['type'], readonly Case[]> = {
  initialize: [
    ...common,
    { when: 'link up after a stop', event: { type: 'link-up' }, first: [{ type: 'shutdown' }] },
    { when: 'any advertisement', event: advertisement(0, 1) },
    alarmEarly,
    ...sending.slice(0, 2),
  ],
  backup: [
    alarmEarly,
    { when: 'dead time over', event: { type: 'elapsed' }, after: 3.390625 },
    { when: 'advertisement of a better host', event: advertisement(1, 0) },
    { when: 'of a worse host', event: advertisement(1, 200) },
    { when: 'of a worse host, `--preempt`', event: advertisement(1, 200), preempt: true },
    { when: 'of a host slower than our dead time', event: advertisement(4, 0) },
    { when: 'goodbye (255/255)', event: goodbye },
    { when: 'goodbye, `--preempt`', event: goodbye, preempt: true },
    ...common,
    ...sending.slice(0, 2),
  ],
  master: [
    alarmEarly,
    { when: 'time to advertise', event: { type: 'elapsed' }, after: 1.390625 },
    {
      when: 'time to claim again',
      event: { type: 'elapsed' },
      after: 1,
      first: [{ type: 'claim-failed' }],
    },
    { when: 'advertisement of a better host', event: advertisement(1, 0) },
    {
      when: 'of an equal host, last octet lower',
      event: advertisement(1, 100, 0x0a000001 as Ipv4),
    },
    { when: 'of an equal host, last octet higher', event: advertisement(1, 100) },
    { when: 'of a worse host', event: advertisement(1, 200), first: settled },
    { when: 'goodbye (255/255)', event: goodbye, first: settled },
    ...common,
    ...sending,
  ],
};

/** The tables, with a heading line each, to stand between the two markers. */
export function stateTables(): string {
  const intro =
    'CARP, as `step` decides with advbase 1, advskew 100, deadratio 3 and address 10.0.0.2,\n' +
    'half a second after whatever came before. Actions are done in the order shown; what is\n' +
    'only remembered is in italics; "alarm" is the time from the event until the next deadline.';
  const tables = (Object.keys(cases) as State['type'][]).map(tableOf);
  return [intro, ...tables].join('\n\n');
}

function tableOf(type: State['type']): string {
  const rows: string[] = [];
  const nothing: string[] = [];
  for (const given of cases[type]) {
    const row = rowOf(type, given);
    if (row === undefined) nothing.push(given.when);
    else rows.push(row);
  }
  return [
    `**${type.toUpperCase()}**`,
    '',
    '| event | next state | reason | actions | alarm |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Nothing happens on: ${nothing.join('; ')}.`,
  ].join('\n');
}

/** One row; undefined when the step neither does nor changes anything that matters. */
function rowOf(type: State['type'], given: Case): string | undefined {
  const chosen = { ...settings, preempt: given.preempt ?? false };
  let before = enter(chosen, type);
  let then = zero;
  for (const event of given.first ?? []) {
    if (event.type === 'elapsed') then = deadline(before) ?? then;
    before = step(chosen, before, event, then).state;
  }
  const now = later(then, seconds(given.after ?? 0.5));
  const { state, actions } = step(chosen, before, given.event, now);
  const entered = state.type !== before.type || state.reason !== before.reason;
  const done = [...actions.map(word), ...changes(before, state, now)];
  if (!entered && done.length === 0 && deadline(state) === deadline(before)) return undefined;
  const reason = entered ? state.reason : '';
  const cells = [given.when, state.type.toUpperCase(), reason, done.join(', '), alarm(state, now)];
  return `| ${cells.join(' | ')} |`;
}

/** What the next state has in mind that the one before had not. */
function changes(before: State, state: State, now: Instant): string[] {
  const found: string[] = [];
  const old = before.type === 'master' ? before : undefined;
  if (state.memory.suppressed !== before.memory.suppressed) {
    found.push(state.memory.suppressed ? '*suppressed*' : '*no longer suppressed*');
  }
  if (state.type === 'backup' && state.yieldUntil !== undefined) {
    found.push(`*no preemption for ${inSeconds(now, state.yieldUntil)}*`);
  }
  if (state.type !== 'master') return found;
  if (state.claimAgainAt !== undefined && state.claimAgainAt !== old?.claimAgainAt) {
    found.push(`*claim again after ${inSeconds(now, state.claimAgainAt)}*`);
  }
  const more = state.announceAfterAdvertisements;
  if (more > (old?.announceAfterAdvertisements ?? 0)) {
    found.push(`*announce after ${more} more*`);
  }
  return found;
}

function enter(chosen: Settings, type: State['type']): State {
  const initial = initialState(zero);
  if (type === 'initialize') return initial;
  const { state } = step(chosen, initial, { type: 'start' }, zero);
  return type === 'backup' ? state : step(chosen, state, { type: 'promote' }, zero).state;
}

function word(action: Action): string {
  switch (action.type) {
    case 'advertise':
      return action.advbase === 255 ? 'goodbye' : `advertise ${action.advbase}/${action.advskew}`;
    case 'release':
      return action.occasion === 'leaving' ? 'release' : `release (${action.occasion})`;
    default:
      return action.type;
  }
}

function alarm(state: State, now: Instant): string {
  const next = deadline(state);
  return next === undefined ? 'none' : inSeconds(now, next);
}

function inSeconds(now: Instant, then: Instant): string {
  return `${(between(now, then) / 1_000_000).toFixed(3)} s`;
}
