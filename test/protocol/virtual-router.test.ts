// The virtual router's frames: byte for byte those of ucarp, and the replay of a recorded run.

import { describe, expect, it } from 'vitest';
import type { Action, Event } from '../../src/protocol/carp/state.js';
import { type Instant, instantFromMicroseconds } from '../../src/protocol/units.js';
import { carpMac } from '../../src/protocol/virtual-router.js';
import { accepted, hex, ipv4, mac, toHex, verdict } from './fixtures.js';
import {
  bsd,
  defaults,
  routerOf,
  routerOfRun,
  type UcarpFrame,
  type UcarpRun,
  ucarpRuns,
} from './vectors.js';

const recorded = ucarpRuns.flatMap((run) =>
  run.frames.flatMap((frame, index) =>
    frame.decoded === undefined
      ? []
      : [{ name: `${run.name}, frame ${index}`, run, frame, decoded: frame.decoded }],
  ),
);

describe('advertisement', () => {
  it.each(recorded)('builds the frame that ucarp sent: $name', ({ run, frame, decoded }) => {
    const { advbase, advskew } = decoded.carp;
    const counter = BigInt(`0x${decoded.carp.counter}`);
    const packetId = Number.parseInt(decoded.ip.id, 16);
    const router = routerOfRun(run, decoded.ip.src);
    const given = { type: 'advertise', advbase, advskew, counter } as const;
    expect(toHex(router.advertisement(given, { packetId, counter: 1n }))).toBe(frame.hex);
    const fresh = { ...given, counter: undefined };
    expect(toHex(router.advertisement(fresh, { packetId, counter }))).toBe(frame.hex);
  });

  const one = (['freebsd', 'openbsd', 'netbsd'] as const).flatMap((system) =>
    bsd.vectors[system]
      .filter(({ v4, v6, demote }) => v4.length === 1 && v6.length === 0 && !demote)
      .map((vector) => ({ name: `${system} ${vector.name}`, vector })),
  );

  it.each(one)("builds the CARP part of the BSDs' packets: $name", ({ vector }) => {
    for (const packet of vector.packets) {
      const carp = hex(packet.carp_hex);
      const router = routerOf({
        vhid: vector.vhid,
        key: hex(vector.key_hex),
        addresses: vector.v4.map(ipv4),
        group: ipv4(packet.dst),
      });
      const frame = router.advertisement(
        {
          type: 'advertise',
          advbase: carp[5] ?? 0,
          advskew: carp[2] ?? 0,
          counter: BigInt(`0x${packet.counter}`),
        },
        { packetId: 0, counter: 0n },
      );
      expect(toHex(frame.subarray(34))).toBe(packet.carp_hex);
    }
  });

  it('is believed by every other host of the group and dropped by its sender', () => {
    const ours = { vhid: 7, key: hex('6c6f7665'), addresses: [ipv4('10.0.0.100')] };
    const sender = routerOf(ours);
    const other = routerOf({ ...ours, settings: { ...defaults, source: ipv4('10.77.0.2') } });
    const frame = sender.advertisement(
      { type: 'advertise', advbase: 1, advskew: 100, counter: undefined },
      { packetId: 5, counter: 99n },
    );
    expect(accepted(other.receive(frame))).toEqual({
      advbase: 1,
      advskew: 100,
      counter: 99n,
      source: defaults.source,
    });
    expect(verdict(sender.receive(frame))).toBe('own-source');
  });
});

describe('announcements', () => {
  it('are one gratuitous ARP an address', () => {
    const addresses = [ipv4('10.0.0.100'), ipv4('10.0.0.101')];
    const router = routerOf({ vhid: 7, key: hex('00'), addresses });
    const sent = router.announcements(mac('02:aa:00:00:00:01')).map(toHex);
    expect(sent.map((frame) => frame.slice(56, 64))).toEqual(['0a000064', '0a000065']);
    expect(sent.map((frame) => frame.slice(76, 84))).toEqual(['0a000064', '0a000065']);
  });
});

describe('carpMac', () => {
  it("is the BSDs' virtual MAC, or ucarp's", () => {
    expect(carpMac(42, false)).toBe(mac('00:00:5e:00:01:2a'));
    expect(carpMac(255, true)).toBe(mac('00:00:5e:00:00:ff'));
  });
});

describe('a router', () => {
  it('shows what it was made of', () => {
    const addresses = [ipv4('10.0.0.100')];
    const router = routerOf({ vhid: 7, key: hex('00'), addresses });
    expect(router).toMatchObject({ protocol: 'carp', id: 7, addresses, settings: defaults });
  });
});

describe('a recorded run of two nodes', () => {
  const run = ucarpRuns.find(({ name }) => name === '13-two-nodes-counter');
  const frames = run?.frames ?? [];
  const isOurs = ({ hex: frame, decoded }: UcarpFrame): boolean =>
    decoded === undefined ? frame.includes('02aa00000001') : decoded.ip.src === '10.77.0.1';
  const at = (seconds: number): Instant => instantFromMicroseconds(seconds * 1_000_000);

  /** The first node once more: what came from the second goes in, what it would send comes out. */
  function replay(given: UcarpRun): { sent: string[]; states: string[] } {
    const router = routerOfRun(given, given.params.srcip);
    const drawn = given.frames.filter(isOurs).flatMap(({ decoded }) => decoded ?? []);
    const arrivals = given.frames
      .filter((frame) => !isOurs(frame) && frame.decoded !== undefined)
      .map((frame) => ({ now: at(frame.t), bytes: hex(frame.hex) }));
    const sent: string[] = [];
    const states: string[] = [];
    let state = router.initialState(at(-1.5));

    const framesOf = (action: Action): readonly Uint8Array[] => {
      if (action.type === 'announce') return router.announcements(mac(given.interface_mac));
      if (action.type !== 'advertise') return [];
      const { ip, carp } = drawn.shift() ?? { ip: { id: '0' }, carp: { counter: '0' } };
      const counter = BigInt(`0x${carp.counter}`);
      return [router.advertisement(action, { packetId: Number.parseInt(ip.id, 16), counter })];
    };
    const take = (event: Event, now: Instant): void => {
      const next = router.step(state, event, now);
      if (next.state.type !== state.type) states.push(`${next.state.type} on ${next.state.reason}`);
      state = next.state;
      sent.push(...next.actions.flatMap(framesOf).map(toHex));
    };
    const elapseUntil = (end: Instant): void => {
      for (let alarm = router.deadline(state); alarm !== undefined && alarm < end; ) {
        take({ type: 'elapsed' }, alarm);
        expect(router.deadline(state)).toBeGreaterThan(alarm);
        alarm = router.deadline(state);
      }
    };
    take({ type: 'start' }, at(-1.5));
    for (const { now, bytes } of arrivals) {
      elapseUntil(now);
      take({ type: 'advertisement', heard: accepted(router.receive(bytes)) }, now);
    }
    elapseUntil(at(15));
    return { sent, states };
  }

  it('comes out of our router frame by frame: counters, the last word, both announcements', () => {
    if (run === undefined) throw new Error('no such run');
    const { sent, states } = replay(run);
    expect(sent).toEqual(frames.filter(isOurs).map((frame) => frame.hex));
    expect(states).toEqual([
      'backup on start',
      'master on master-down',
      'backup on preferred-master',
      'master on master-down',
    ]);
  });
});
