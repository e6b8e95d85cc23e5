// Short forms for the tests of the CARP machine: seconds for instants, words for actions.

import { initialState, step } from '../../../src/protocol/carp/machine.js';
import type {
  Action,
  Backup,
  Event,
  Heard,
  Master,
  Settings,
  State,
  Step,
} from '../../../src/protocol/carp/state.js';
import { type Instant, instantFromMicroseconds } from '../../../src/protocol/units.js';
import { ipv4 } from '../fixtures.js';
import { defaults } from '../vectors.js';

/** So many seconds after the moment at which every test begins. */
export function at(seconds: number): Instant {
  return instantFromMicroseconds(1_000_000_000 + Math.round(seconds * 1_000_000));
}

export function settings(changes: Partial<Settings> = {}): Settings {
  return { ...defaults, ...changes };
}

const worseAddress = '10.77.0.2';

/** An advertisement of another host: `1/0` is advbase and advskew. */
export function heard(
  priority: string,
  { source = worseAddress, counter = 100n }: { source?: string; counter?: bigint } = {},
): Event & { type: 'advertisement'; heard: Heard } {
  const [advbase, advskew] = priority.split('/').map(Number);
  if (advbase === undefined || advskew === undefined)
    throw new Error(`not a priority: ${priority}`);
  return { type: 'advertisement', heard: { advbase, advskew, counter, source: ipv4(source) } };
}

/** What is done, in words: `advertise 1/0 #random`, `release`, ... */
export function words(actions: readonly Action[]): string[] {
  return actions.map((action) => {
    switch (action.type) {
      case 'advertise':
        return `advertise ${action.advbase}/${action.advskew} #${action.counter ?? 'random'}`;
      case 'release':
        return action.occasion === 'leaving' ? 'release' : `release ${action.occasion}`;
      default:
        return action.type;
    }
  });
}

/** The state and all actions after several events, each at its time. */
export function play(
  given: Settings,
  from: State,
  events: readonly (readonly [number, Event | Event['type']])[],
): Step {
  let state = from;
  const actions: Action[] = [];
  for (const [seconds, event] of events) {
    const next = step(given, state, typeof event === 'string' ? plain(event) : event, at(seconds));
    state = next.state;
    actions.push(...next.actions);
  }
  return { state, actions };
}

/** An event by its type alone; an advertisement is that of the master at 1/0. */
export function plain(type: Event['type']): Event {
  return type === 'advertisement' ? heard('1/0') : { type };
}

/** A backup since second 0. */
export function backup(given: Settings = settings()): Backup {
  const { state } = play(given, initialState(at(0)), [[0, 'start']]);
  if (state.type !== 'backup') throw new Error(state.type);
  return state;
}

/** A master since second 0 that never heard anybody. */
export function master(given: Settings = settings()): Master {
  const { state } = play(given, backup(given), [[0, 'promote']]);
  if (state.type !== 'master') throw new Error(state.type);
  return state;
}

export function initialize(): State {
  return initialState(at(0));
}
