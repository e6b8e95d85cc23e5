// Groups of hosts: at random for the simulation, and by hand for scenarios and intruders.

import { createHash } from 'node:crypto';
import { hmacSha1 } from '../../src/net/hmac.js';
import type { Ipv4, Mac } from '../../src/protocol/address.js';
import type { Settings } from '../../src/protocol/carp/state.js';
import { milliseconds } from '../../src/protocol/units.js';
import {
  type CarpOptions,
  carpMac,
  type VirtualRouter,
} from '../../src/protocol/virtual-router.js';
import type { Random } from './random.js';
import { intervalOf, patienceOf } from './rules.js';

export const group = 0xe0000012 as Ipv4; // 224.0.0.18
export const virtualAddress = 0x0a000064 as Ipv4; // 10.0.0.100
export const vhid = 1;
export const password = 'love';

const clearance = 25_000; // microseconds between interval and patience, so that no race decides
const names = ['a', 'b', 'c', 'd', 'e'];

export interface Member {
  readonly name: string;
  readonly mac: Mac;
  readonly settings: Settings;
}

/** The product's createCarpRouter, or a broken one that the checkers must find. */
export type Build = (options: CarpOptions) => VirtualRouter;

export function carpOptions(settings: Settings, secret: string = password): CarpOptions {
  const addresses = [virtualAddress];
  const key = createHash('sha1').update(secret).digest('hex').slice(0, 19);
  const hmac = hmacSha1(new TextEncoder().encode(key));
  const sourceMac = carpMac(vhid, true);
  return { vhid, settings, addresses, group, broadcast: false, sourceMac, hmac };
}

export function macOf(index: number): Mac {
  return (0x020000000001 + index) as Mac;
}

/** Two to five hosts whose settings can live together. */
export function randomCluster(random: Random): readonly Member[] {
  for (;;) {
    const members = draft(random);
    if (isSound(members)) return members;
  }
}

function draft(random: Random): readonly Member[] {
  const count = random.between(2, names.length);
  const advbase = random.pick([0, 1, 1, 1, 1, 2, 3]);
  const deadRatio = random.pick([1, 2, 3, 3, 3, 5]);
  const preempt = random.pick(['all', 'none', 'some'] as const);
  const mixed = random.chance(0.15);
  const skews = advbase === 0 ? [16, 20, 24, 28, 64] : [0, 0, 1, 50, 100, 200, 239, 255];
  return names.slice(0, count).map((name, index) => ({
    name,
    mac: macOf(index),
    settings: {
      advbase: mixed ? random.between(1, 4) : advbase,
      advskew: random.pick(skews),
      deadRatio: mixed ? random.between(2, 4) : deadRatio,
      preempt: preempt === 'some' ? random.chance(0.5) : preempt === 'all',
      // Different last octets and different subnets, so that the order of the octets matters.
      source: (0x0a000000 +
        random.between(0, 3) * 256 +
        10 * random.between(0, 4) +
        index +
        1) as Ipv4,
      announceAfter: random.pick([
        [],
        [milliseconds(500)],
        [milliseconds(200), milliseconds(2_000)],
      ]),
    },
  }));
}

/**
 * A backup whose patience is as long as the master's interval loses a race now and then for ever;
 * that is a mistake in the settings, which no machine can make good. So it is either clearly longer
 * or clearly shorter.
 */
function isSound(members: readonly Member[]): boolean {
  return members.every(({ settings }) =>
    members.every((other) => {
      const { advbase, advskew } = other.settings;
      return [advskew, 240].every(
        (skew) => Math.abs(patienceOf(settings) - intervalOf(advbase, skew)) > clearance,
      );
    }),
  );
}
