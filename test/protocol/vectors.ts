// The recorded and computed CARP frames of test/vectors, with the parts of them that the tests
// read.

import { readFileSync } from 'node:fs';
import type { Ipv4, Mac } from '../../src/protocol/address.js';
import type { Settings } from '../../src/protocol/carp/state.js';
import { createCarpRouter, type VirtualRouter } from '../../src/protocol/virtual-router.js';
import { hex, hmacSha1, ipv4, mac } from './fixtures.js';

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')) as T;
}

/** One recorded frame of ucarp 1.5.2; `decoded` is there for advertisements. */
export interface UcarpFrame {
  readonly kind: string;
  /** Seconds since the first frame. */
  readonly t: number;
  readonly hex: string;
  readonly decoded?: {
    readonly eth_dst: string;
    readonly eth_src: string;
    readonly ip: {
      readonly id: string;
      readonly ttl: number;
      readonly proto: number;
      readonly src: string;
      readonly dst: string;
    };
    readonly carp: {
      readonly vhid: number;
      readonly advskew: number;
      readonly pad: number;
      readonly advbase: number;
      readonly counter: string;
      readonly md: string;
    };
  };
}

export interface UcarpRun {
  readonly name: string;
  readonly interface_mac: string;
  readonly params: {
    readonly srcip: string;
    readonly vhid: number;
    readonly password_hex: string;
    readonly vip: string;
    readonly advbase: number;
    readonly advskew: number;
    readonly mcastip: string;
    readonly nomcast: boolean;
    readonly deadratio: number;
  };
  readonly frames: readonly UcarpFrame[];
}

export const ucarpRuns = read<{ readonly vectors: readonly UcarpRun[] }>('ucarp.json').vectors;

/** Frames that were given to a real ucarp in state BACKUP, and what it did with each. */
export const ucarpReceive = read<{
  readonly receiver: {
    readonly srcip: string;
    readonly vhid: number;
    readonly password: string;
    readonly vip: string;
    readonly advbase: number;
    readonly advskew: number;
    readonly mcastip: string;
    readonly mac: string;
  };
  readonly cases: readonly {
    readonly name: string;
    readonly frame: string;
    readonly accepted: boolean;
    readonly log: readonly string[];
  }[];
}>('ucarp-receive.json');

export interface BsdVector {
  readonly name: string;
  readonly key_hex: string;
  readonly vhid: number;
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  readonly carp_lladdr?: string | null;
  readonly demote?: number;
  readonly packets: readonly {
    readonly family: 'ipv4' | 'ipv6';
    readonly src: string;
    readonly dst: string;
    readonly carp_hex: string;
    readonly counter: string;
    readonly hmac: string;
    readonly hmac_message: string;
    readonly ip_hex: string;
  }[];
}

/** One call of a kernel's receive or timer function on a fresh router. */
export interface BsdDecision {
  readonly event: string;
  readonly mode: 'recv' | 'setrun' | 'link';
  readonly given: Readonly<Record<string, number | string>>;
  readonly after: {
    readonly state: string;
    readonly ad_us: number | null;
    readonly md_us: number | null;
  };
}

export type Bsd = 'freebsd' | 'openbsd' | 'netbsd';

export const bsd = read<{
  readonly vectors: Readonly<Record<Bsd, readonly BsdVector[]>>;
  readonly state_machine: Readonly<Record<Bsd, readonly BsdDecision[]>>;
  readonly published: readonly {
    readonly what: string;
    readonly pass?: string;
    readonly key_hex?: string;
    readonly vhid: number;
    readonly v4: readonly string[];
    readonly advbase?: number;
    readonly advskew?: number;
    readonly carp_hex?: string;
    readonly counter?: string;
    readonly hmac?: string;
  }[];
}>('bsd-carp.json');

export const defaults: Settings = {
  advbase: 1,
  advskew: 0,
  deadRatio: 3,
  preempt: false,
  source: ipv4('10.77.0.1'),
  announceAfter: [],
};

export interface RouterParameters {
  readonly vhid: number;
  readonly key: Uint8Array;
  readonly addresses: readonly Ipv4[];
  readonly group?: Ipv4;
  readonly broadcast?: boolean;
  readonly sourceMac?: Mac;
  readonly settings?: Settings;
}

export function routerOf(parameters: RouterParameters): VirtualRouter {
  const { vhid, key, addresses } = parameters;
  return createCarpRouter({
    vhid,
    addresses,
    hmac: hmacSha1(key),
    settings: parameters.settings ?? defaults,
    group: parameters.group ?? ipv4('224.0.0.18'),
    broadcast: parameters.broadcast ?? false,
    sourceMac: parameters.sourceMac ?? mac('00:00:5e:00:01:01'),
  });
}

/**
 * The router that was asked for with the arguments of a recorded run, with another source address.
 */
export function routerOfRun(run: UcarpRun, source: string): VirtualRouter {
  const { params } = run;
  return routerOf({
    vhid: params.vhid,
    key: hex(params.password_hex),
    addresses: [ipv4(params.vip)],
    group: ipv4(params.mcastip),
    broadcast: params.nomcast,
    sourceMac: mac(`00:00:5e:00:00:${params.vhid.toString(16).padStart(2, '0')}`),
    settings: {
      ...defaults,
      advbase: params.advbase,
      advskew: params.advskew,
      deadRatio: params.deadratio,
      source: ipv4(source),
    },
  });
}
