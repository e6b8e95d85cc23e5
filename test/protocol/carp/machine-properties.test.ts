// What holds of the CARP machine whatever happens to it, in whatever order.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ipv4 } from '../../../src/protocol/address.js';
import { deadline, initialState, step } from '../../../src/protocol/carp/machine.js';
import { advertisementInterval, effectiveSkew } from '../../../src/protocol/carp/priority.js';
import type { Action, Event, Settings, State, Step } from '../../../src/protocol/carp/state.js';
import {
  type Instant,
  instantFromMicroseconds,
  microseconds,
} from '../../../src/protocol/units.js';
import { at } from './machine-fixtures.js';

const byte = fc.integer({ min: 0, max: 255 });
const base = fc.oneof(fc.constantFrom(0, 1, 1, 2, 255), byte);
const skew = fc.oneof(fc.constantFrom(0, 1, 239, 240, 241, 255), byte);
const address = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n) => n as Ipv4);

const anySettings: fc.Arbitrary<Settings> = fc
  .record({
    advbase: base,
    advskew: skew,
    deadRatio: fc.oneof(fc.constantFrom(1, 3, 2 ** 31), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
    preempt: fc.boolean(),
    source: address,
    announceAfter: fc.array(fc.integer({ min: 1, max: 20_000_000 }).map(microseconds), {
      maxLength: 4,
    }),
  })
  .filter(({ advbase, advskew }) => advbase + advskew > 0);

const plainTypes = [
  'start',
  'link-up',
  'link-down',
  'elapsed',
  'sent',
  'send-failed',
  'claimed',
  'claim-failed',
  'release-failed',
  'demote',
  'promote',
  'shutdown',
] as const;

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...plainTypes).map((type) => ({ type })) },
  {
    weight: 1,
    arbitrary: fc
      .record({
        advbase: base,
        advskew: skew,
        counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        source: address,
      })
      .map((heard) => ({ type: 'advertisement' as const, heard })),
  },
);

/**
 * An event after so many microseconds; `alarm` ones are moved to the deadline or that much later.
 */
interface Moment {
  readonly event: Event;
  readonly wait: number;
  readonly alarm: boolean;
}

const anyMoment: fc.Arbitrary<Moment> = fc.oneof(
  fc.record({
    event: anyEvent,
    wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000_000 })),
    alarm: fc.constant(false),
  }),
  fc.record({
    event: fc.constant({ type: 'elapsed' } as const),
    wait: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 5_000_000 })),
    alarm: fc.constant(true),
  }),
);

interface Seen extends Step {
  readonly given: Settings;
  readonly before: State;
  readonly event: Event;
  readonly now: Instant;
}

const centuries = 2 ** 52;

/** Runs a machine through the moments and shows every step of it. */
function walk(given: Settings, moments: readonly Moment[], look: (seen: Seen) => void): void {
  let state = initialState(at(0));
  let now = at(0);
  const take = (event: Event): void => {
    const next = step(given, state, event, now);
    look({ ...next, given, before: state, event, now });
    state = next.state;
  };
  take({ type: 'start' });
  for (const { event, wait, alarm } of moments) {
    const due = alarm ? Math.max(now, deadline(state) ?? now) : now;
    // Nobody waits for centuries, in which microseconds are not exact any more.
    now = instantFromMicroseconds((due < centuries ? due : now) + wait);
    take(event);
  }
}

function holds(look: (seen: Seen) => void): void {
  fc.assert(
    fc.property(anySettings, fc.array(anyMoment, { maxLength: 40 }), (given, moments) => {
      walk(given, moments, look);
    }),
    { numRuns: 500 },
  );
}

function isAdvertise(action: Action): action is Extract<Action, { type: 'advertise' }> {
  return action.type === 'advertise';
}

const types = (actions: readonly Action[]): string => actions.map(({ type }) => type).join(' ');

describe('every step of the CARP machine', () => {
  it('is one of three states, entered now if it was entered', () => {
    holds(({ before, state, now }) => {
      expect(['initialize', 'backup', 'master']).toContain(state.type);
      if (state.type !== before.type) expect(state.since).toBe(now);
      if (state.reason === before.reason && state.type === before.type) return;
      expect(state.since).toBe(now);
    });
  });

  it('leaves a later deadline than now when the alarm was due', () => {
    holds(({ before, state, event, now }) => {
      const due = deadline(before);
      const after = deadline(state);
      if (event.type !== 'elapsed' || due === undefined || now < due) return;
      expect(after === undefined || after > now).toBe(true);
    });
  });

  it('changes nothing when the alarm was not due', () => {
    holds(({ before, state, actions, event, now }) => {
      const due = deadline(before);
      if (event.type !== 'elapsed' || (due !== undefined && due <= now)) return;
      expect(state).toEqual(before);
      expect(actions).toEqual([]);
    });
  });

  it('leaves a deadline but for INITIALIZE and a master that advertises 255/255', () => {
    holds(({ given, state }) => {
      const silent = given.advbase === 255 && given.advskew === 255;
      if (state.type === 'initialize') expect(deadline(state)).toBe(state.memory.releaseAgainAt);
      else if (state.type === 'backup' || !silent) expect(deadline(state)).toBeDefined();
      else if (state.announceAt.length === 0 && state.claimAgainAt === undefined) {
        expect(deadline(state)).toBeUndefined();
      }
    });
  });

  it('claims first on becoming master', () => {
    holds(({ before, state, actions }) => {
      if (before.type === 'master' || state.type !== 'master') return;
      expect(types(actions)).toBe('claim announce advertise');
    });
  });

  it('releases last on ceasing to be master', () => {
    holds(({ before, state, actions }) => {
      if (before.type !== 'master' || state.type === 'master') return;
      expect(types(actions)).toMatch(/^(advertise )?release$/);
      expect(actions.at(-1)).toEqual({ type: 'release', occasion: 'leaving' });
    });
  });

  it('releases what an earlier life left when it starts, and nothing else as no master', () => {
    holds(({ before, state, actions, event, now }) => {
      if (before.type === 'master' || state.type === 'master') return;
      const starts = before.type === 'initialize' && event.type === 'start';
      const again =
        event.type === 'elapsed' &&
        (before.memory.releaseAgainAt ?? Number.POSITIVE_INFINITY) <= now;
      const occasions = [...(starts ? ['start'] : []), ...(again ? ['again'] : [])];
      expect(actions).toEqual(occasions.map((occasion) => ({ type: 'release', occasion })));
    });
  });

  it('means to release again only what could not be released, and never as master', () => {
    holds(({ before, state, event, now }) => {
      const { releaseAgainAt } = state.memory;
      if (releaseAgainAt === undefined) return;
      expect(state.type).not.toBe('master');
      if (releaseAgainAt === before.memory.releaseAgainAt) return;
      expect(event.type).toBe('release-failed');
      expect(releaseAgainAt).toBe(now + 1_000_000);
    });
  });

  it('claims, announces, advertises and announces, in this order, as master', () => {
    holds(({ before, state, actions }) => {
      if (before.type !== 'master' || state.type !== 'master') return;
      expect(types(actions)).toMatch(/^(claim)? ?(announce)? ?(advertise)? ?(announce)?$/);
    });
  });

  it('says goodbye when it goes by itself, and nothing when the link is gone', () => {
    holds(({ before, state, actions, event }) => {
      if (before.type !== 'master' || state.type === 'master') return;
      const said = actions.find(({ type }) => type === 'advertise');
      const farewell = said?.type === 'advertise' && `${said.advbase}/${said.advskew}`;
      if (event.type === 'demote' || event.type === 'shutdown') expect(farewell).toBe('255/255');
      if (event.type === 'link-down') expect(said).toBeUndefined();
    });
  });

  it('advertises its own priority, worsened while sending fails', () => {
    holds(({ given, state, actions, event }) => {
      const own = [given.advbase, effectiveSkew(given, state.memory.suppressed)];
      const expected = event.type === 'demote' || event.type === 'shutdown' ? [255, 255] : own;
      for (const { advbase, advskew } of actions.filter(isAdvertise)) {
        expect([advbase, advskew]).toEqual(expected);
      }
    });
  });

  it('advertises with the counter that follows the last one', () => {
    holds(({ before, state, actions, event }) => {
      const last = event.type === 'advertisement' ? event.heard.counter : before.memory.counter;
      const next = last === undefined ? undefined : BigInt.asUintN(64, last + 1n);
      for (const { counter } of actions.filter(isAdvertise)) {
        expect(counter).toBe(next);
        expect(state.memory.counter).toBe(next);
      }
    });
  });

  it('leaves a master that keeps quiet for no longer than its interval', () => {
    holds(({ given, state, now }) => {
      if (state.type !== 'master' || state.advertiseAt === undefined) return;
      const { advbase } = given;
      const longest = advertisementInterval(advbase, Math.max(given.advskew, 240));
      expect(state.advertiseAt - now).toBeLessThanOrEqual(longest);
    });
  });

  it('keeps counts within bounds, and the times to announce in order', () => {
    holds(({ state }) => {
      expect(state.memory.sendSuccesses).toBeLessThan(3);
      if (state.type !== 'master') return;
      expect([...state.announceAt].sort((a, b) => a - b)).toEqual(state.announceAt);
      expect(state.announceAfterAdvertisements).toBeGreaterThanOrEqual(0);
      expect(state.announceAfterAdvertisements).toBeLessThanOrEqual(2);
    });
  });

  it('does not change the state that it is given', () => {
    const freeze = (state: State): State => {
      Object.freeze(state.memory);
      if (state.type === 'master') Object.freeze(state.announceAt);
      return Object.freeze(state);
    };
    holds(({ given, before, event, now, state }) => {
      expect(step(given, freeze(before), event, now).state).toEqual(state);
    });
  });
});

describe('two hosts that hear each other', () => {
  it('never both yield and never both go on as master', () => {
    fc.assert(
      fc.property(anySettings, anySettings, (one, other) => {
        fc.pre(one.source !== other.source);
        const becomes = (mine: Settings, theirs: Settings): string => {
          const { advbase, advskew, source } = theirs;
          const heard = { advbase, advskew, source, counter: 1n };
          const started = step(mine, initialState(at(0)), { type: 'start' }, at(0)).state;
          const { state } = step(mine, started, { type: 'promote' }, at(0));
          return step(mine, state, { type: 'advertisement', heard }, at(0)).state.type;
        };
        expect([becomes(one, other), becomes(other, one)].sort()).toEqual(['backup', 'master']);
      }),
    );
  });
});
