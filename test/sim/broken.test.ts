// The simulation must find what is broken: routers that err in one way each, and what it says of
// them.

import { describe, expect, it } from 'vitest';
import { isGoodbye } from '../../src/protocol/carp/priority.js';
import { type Instant, later, seconds } from '../../src/protocol/units.js';
import { createCarpRouter, type VirtualRouter } from '../../src/protocol/virtual-router.js';
import { type Build, carpOptions } from './cluster.js';
import { simulate } from './simulation.js';

type Flaw = (router: VirtualRouter) => Partial<VirtualRouter>;

function flawed(flaw: Flaw): Build {
  return (options) => {
    const router = createCarpRouter(options);
    return { ...router, ...flaw(router) };
  };
}

const believesAnybody: Flaw = (router) => {
  const other = createCarpRouter(carpOptions(router.settings, 'wrong'));
  return {
    receive: (frame) => {
      const verdict = router.receive(frame);
      return verdict.ok || verdict.drop.reason !== 'digest' ? verdict : other.receive(frame);
    },
  };
};

const neverYields: Flaw = (router) => ({
  step: (state, event, now) => {
    const taken = router.step(state, event, now);
    const yields = state.type === 'master' && event.type === 'advertisement';
    return yields && taken.state.type === 'backup' ? { state, actions: [] } : taken;
  },
});

const keepsAddresses: Flaw = (router) => ({
  step: (state, event, now) => {
    const { state: after, actions } = router.step(state, event, now);
    return { state: after, actions: actions.filter(({ type }) => type !== 'release') };
  },
});

const goesSilently: Flaw = (router) => ({
  step: (state, event, now) => {
    const { state: after, actions } = router.step(state, event, now);
    const left = actions.filter((action) => action.type !== 'advertise' || !isGoodbye(action));
    return { state: after, actions: left };
  },
});

const oversleeps: Flaw = (router) => ({
  deadline: (state): Instant | undefined => {
    const deadline = router.deadline(state);
    return deadline === undefined || state.type !== 'backup'
      ? deadline
      : later(deadline, seconds(1));
  },
});

const spins: Flaw = (router) => ({
  deadline: (state): Instant | undefined =>
    state.type === 'master' ? state.since : router.deadline(state),
});

const preemptsUnasked: Flaw = ({ settings }) => {
  const keen = createCarpRouter(carpOptions({ ...settings, preempt: true }));
  return { step: keen.step };
};

/** The first complaint about a segment of such routers. */
function complaint(flaw: Flaw): string {
  for (let seed = 1; seed <= 30; seed += 1) {
    try {
      simulate(seed, { length: 60, build: flawed(flaw) });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return 'nothing was found';
}

describe('the simulation finds a router that', () => {
  it.each<[string, Flaw, RegExp]>([
    ['believes who has another password', believesAnybody, /believed a frame of an intruder/],
    ['never yields', neverYields, /where the rules say backup/],
    ['keeps the addresses', keepsAddresses, /\[.*\], not \[.*release\]|keeps the addresses/],
    ['goes without a goodbye', goesSilently, /not \[goodbye release\]/],
    ['takes over late', oversleeps, /still backup after its dead time/],
    ['wakes up all the time', spins, /time does not pass any more/],
    ['preempts though it must not', preemptsUnasked, /where the rules say backup/],
  ])('%s', (_, flaw, expected) => {
    expect(complaint(flaw)).toMatch(expected);
  });

  it('prints the seed, the group and a transcript', () => {
    const lines = complaint(neverYields).split('\n');
    expect(lines[0]).toMatch(/^seed \d+: at [\d.]+ s .* \(SEED=\d+ replays it\)$/);
    expect(lines.join('\n')).toMatch(/^ {2}a 10\.0\.\d\.\d+ \d+\/\d+ ratio \d/m);
    expect(lines.join('\n')).toMatch(/^ +[\d.]+ [a-e] {2}WARNING Switching to state: MASTER$/m);
  });
});
