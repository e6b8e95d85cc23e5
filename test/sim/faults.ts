// Everything that can go wrong, one function each, chosen at random. Each one is a disturbance and
// leaves a line in the transcript.

import { internetChecksum } from '../../src/protocol/checksum.js';
import type { Host } from './host.js';
import { type Conditions, calm, type Lan } from './lan.js';
import type { Random } from './random.js';

const carpOffset = 34; // Ethernet and IPv4 headers without options
const checksumOffset = carpOffset + 6;
const digestOffset = carpOffset + 16;
const digestBits = 160;

/** Undefined when it does not apply to this host now. */
type Fault = (lan: Lan, host: Host) => string | undefined;

const running = (host: Host): boolean => host.state !== undefined && !host.paused;

const faults = {
  start: (_lan, host) => {
    if (host.state !== undefined) return undefined;
    host.start();
    return 'start';
  },
  crash: (_lan, host) => {
    if (host.state === undefined) return undefined;
    host.crash();
    return 'crash';
  },
  leave: (_lan, host) => {
    if (!running(host)) return undefined;
    host.leave();
    return 'leave';
  },
  demote: (_lan, host) => {
    if (!running(host)) return undefined;
    host.handle({ type: 'demote' });
    return 'demote';
  },
  promote: (_lan, host) => {
    if (!running(host) || !host.linkUp) return undefined;
    host.handle({ type: 'promote' });
    return 'promote';
  },
  pause: (_lan, host) => {
    if (!running(host)) return undefined;
    host.pause();
    return 'pause';
  },
  resume: (_lan, host) => {
    if (!host.paused) return undefined;
    host.resume();
    return 'resume';
  },
  'link-down': (_lan, host) => {
    if (!host.linkUp) return undefined;
    host.setLink(false);
    return 'link-down';
  },
  'link-up': (_lan, host) => {
    if (host.linkUp) return undefined;
    host.setLink(true);
    return 'link-up';
  },
  'send-failures': (_lan, host) => {
    host.sendFails = !host.sendFails;
    return host.sendFails ? 'sends fail' : 'sends work';
  },
  'claim-failures': (_lan, host) => {
    host.claimFails = !host.claimFails;
    return host.claimFails ? 'claims fail' : 'claims work';
  },
  'release-failures': (_lan, host) => {
    host.releaseFails = !host.releaseFails;
    return host.releaseFails ? 'releases fail' : 'releases work';
  },
  deaf: (lan, host) => {
    const others = lan.hosts.filter((other) => other !== host);
    const speaker = lan.random.pick(others);
    lan.cut(host.name, speaker.name);
    return `deaf to ${speaker.name}`;
  },
  mute: (lan, host) => {
    for (const other of lan.hosts) lan.cut(other.name, host.name);
    return 'heard by nobody';
  },
  mend: (lan) => {
    lan.mend();
    return 'network mended';
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

/** What may be done to a host on a working network, and what only makes sense amid trouble. */
export const planned: readonly FaultName[] = [
  'start',
  'crash',
  'leave',
  'demote',
  'promote',
  'pause',
  'resume',
  'link-down',
  'link-up',
];
export const every: readonly FaultName[] = [
  ...planned,
  ...planned,
  'start',
  'send-failures',
  'claim-failures',
  'release-failures',
  'deaf',
  'deaf',
  'mute',
  'mend',
];

/** Returns false when the fault does not apply, and then nothing has been done. */
export function inflict(lan: Lan, host: Host, name: FaultName): boolean {
  const fault: Fault = faults[name];
  const before = lan.transcript.length;
  lan.disturb();
  const done = fault(lan, host);
  if (done === undefined) return false;
  // The cause reads better before what came of it.
  lan.note(`${done} ${host.name}`);
  const line = lan.transcript.pop();
  if (line !== undefined) lan.transcript.splice(before, 0, line);
  lan.disturb();
  return true;
}

/** Cuts the segment in two in both directions; hosts are in one half or the other at random. */
export function split(lan: Lan): void {
  const left = lan.hosts.filter(() => lan.random.chance(0.5));
  const right = lan.hosts.filter((host) => !left.includes(host));
  for (const one of left) {
    for (const other of right) {
      lan.cut(one.name, other.name);
      lan.cut(other.name, one.name);
    }
  }
  const names = (hosts: readonly Host[]): string => hosts.map(({ name }) => name).join(' ');
  lan.note(`split: [${names(left)}] [${names(right)}]`);
  lan.disturb();
}

/** A bad network: frames are late, out of order, doubled and lost. */
export function randomNoise(random: Random): Conditions {
  return {
    minDelay: 50,
    reordering: true,
    maxDelay: random.pick([1_000, 20_000, 300_000, 2_000_000]),
    loss: random.pick([0, 0.1, 0.3, 0.6]),
    duplication: random.pick([0, 0.2]),
    corruption: random.pick([0, 0.2]),
    maxLateness: random.pick([1_000, 20_000]),
    early: 0.2,
  };
}

/**
 * A good network on which somebody breaks frames all the same: broken copies must change nothing.
 */
export function randomCalm(random: Random): Conditions {
  return { ...calm, corruption: random.pick([0, 0, 0.3]), early: random.pick([0, 0.2]) };
}

/** Nothing but dead hosts and a cut network is left over from the trouble. */
export function repair(lan: Lan): void {
  lan.mend();
  for (const host of lan.hosts) {
    host.sendFails = false;
    host.claimFails = false;
    if (host.paused) host.resume();
  }
  lan.note('repaired');
  lan.disturb();
}

/** An advertisement with one bit of its digest turned over, and the checksum made right again. */
export function breakDigest(bytes: Uint8Array, random: Random): Uint8Array {
  const broken = bytes.slice();
  if (broken.length < digestOffset + digestBits / 8) return broken;
  const bit = random.between(0, digestBits - 1);
  const at = digestOffset + (bit >> 3);
  const view = new DataView(broken.buffer);
  view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)));
  view.setUint16(checksumOffset, 0);
  view.setUint16(checksumOffset, internetChecksum(broken.subarray(carpOffset)));
  return broken;
}
