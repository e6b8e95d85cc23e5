// What is believed and what is dropped: ucarp's verdicts, the BSDs' packets, truncation, flipped
// bits.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ipv4, multicastMac } from '../../../src/protocol/address.js';
import { computeDigest, digestPrefix } from '../../../src/protocol/carp/digest.js';
import { type Membership, receive } from '../../../src/protocol/carp/receive.js';
import { internetChecksum } from '../../../src/protocol/checksum.js';
import { serializeEthernet } from '../../../src/protocol/ethernet.js';
import { accepted, flipBit, hex, hmacSha1, ipv4, ipv6, mac, toHex, verdict } from '../fixtures.js';
import { bsd, type UcarpRun, ucarpReceive, ucarpRuns } from '../vectors.js';

const ipAt = 14;
const carpAt = 34;

function membershipOf(
  vhid: number,
  key: Uint8Array,
  addresses: readonly (Ipv4 | ReturnType<typeof ipv6>)[],
  group: string,
  source: string,
): Membership {
  return {
    vhid,
    group: ipv4(group),
    source: ipv4(source),
    hmac: hmacSha1(key),
    digestPrefix: digestPrefix(vhid, addresses),
  };
}

function ofRun({ params }: UcarpRun): Membership {
  const key = hex(params.password_hex);
  return membershipOf(params.vhid, key, [ipv4(params.vip)], params.mcastip, '10.77.0.99');
}

const recorded = ucarpRuns.flatMap((run) =>
  run.frames.flatMap(({ hex: frame, decoded }, index) =>
    decoded === undefined
      ? []
      : [{ name: `${run.name}, frame ${index}`, run, frame: hex(frame), decoded }],
  ),
);

const { receiver } = ucarpReceive;
const byReceiver = membershipOf(
  receiver.vhid,
  Buffer.from(receiver.password),
  [ipv4(receiver.vip)],
  receiver.mcastip,
  receiver.srcip,
);
const good = hex(ucarpReceive.cases.find(({ name }) => name === 'good')?.frame ?? '');

describe('receive', () => {
  it.each(recorded)('believes what ucarp sent: $name', ({ run, frame, decoded }) => {
    expect(accepted(receive(frame, ofRun(run)))).toEqual({
      advbase: decoded.carp.advbase,
      advskew: decoded.carp.advskew,
      counter: BigInt(`0x${decoded.carp.counter}`),
      source: ipv4(decoded.ip.src),
    });
  });

  it('drops each recorded frame that is no advertisement', () => {
    for (const run of ucarpRuns) {
      for (const frame of run.frames.filter(({ decoded }) => decoded === undefined)) {
        const expected = frame.kind === 'arp' ? 'not-ip' : 'ttl';
        const result = verdict(receive(hex(frame.hex), ofRun(run)));
        expect(result, frame.hex).toBe(expected);
      }
    }
  });

  it.each(recorded)('drops each truncation: $name', ({ run, frame }) => {
    const membership = ofRun(run);
    const verdicts = new Set<string>();
    for (let length = 0; length < frame.length; length += 1) {
      verdicts.add(verdict(receive(frame.subarray(0, length), membership)));
    }
    expect([...verdicts]).toEqual(['too-short']);
  });

  it.each(recorded)(
    'drops each flipped bit behind the Ethernet addresses: $name',
    ({ run, frame }) => {
      const membership = ofRun(run);
      const bits = Array.from({ length: frame.length * 8 }, (_, bit) => bit).slice(12 * 8);
      const verdicts = bits.map((bit) => verdict(receive(flipBit(frame, bit), membership)));
      expect(verdicts).toEqual(bits.map(reasonOfFlip));
    },
  );

  it('ignores the Ethernet addresses, as ucarp does', () => {
    for (let bit = 0; bit < 12 * 8; bit += 1) {
      expect(verdict(receive(flipBit(good, bit), byReceiver))).toBe('accepted');
    }
  });
});

/** Which check finds a single flipped bit; nothing but the Ethernet addresses is left unchecked. */
function reasonOfFlip(bit: number): string {
  const byte = bit >> 3;
  if (byte < ipAt) return 'not-ip'; // the Ethernet type
  if (byte === ipAt) return bit < ipAt * 8 + 4 ? 'not-ip' : 'too-short'; // version and length
  if (byte === 22) return 'ttl';
  if (byte === 23) return 'protocol';
  if (byte >= 30 && byte < carpAt) return 'group'; // the destination
  if (byte === carpAt) return bit < carpAt * 8 + 4 ? 'version' : 'checksum'; // version and type
  return byte === carpAt + 1 ? 'vhid' : 'checksum';
}

describe('what the digest covers', () => {
  /** The same frame with both checksums made right again, as somebody in between would do. */
  function resummed(frame: Uint8Array): Uint8Array {
    const bytes = frame.slice();
    const view = new DataView(bytes.buffer);
    view.setUint16(carpAt + 6, 0);
    view.setUint16(carpAt + 6, internetChecksum(bytes.subarray(carpAt)));
    return bytes;
  }

  it('is the counter and the digest itself', () => {
    for (let bit = (carpAt + 8) * 8; bit < good.length * 8; bit += 1) {
      const forged = resummed(flipBit(good, bit));
      expect(verdict(receive(forged, byReceiver)), `bit ${bit}`).toBe('digest');
    }
  });

  it('is not the type, advskew, authlen, demotion or advbase, which can be forged', () => {
    const open = [carpAt, carpAt + 2, carpAt + 3, carpAt + 4, carpAt + 5];
    for (const byte of open) {
      for (let bit = byte * 8 + (byte === carpAt ? 4 : 0); bit < byte * 8 + 8; bit += 1) {
        const forged = resummed(flipBit(good, bit));
        expect(verdict(receive(forged, byReceiver)), `bit ${bit}`).toBe('accepted');
      }
    }
  });
});

describe("ucarp's verdicts", () => {
  const reasonOfLog: readonly (readonly [RegExp, string])[] = [
    [/Bad TTL/, 'ttl'],
    [/Bad version/, 'version'],
    [/Ignoring vhid/, 'vhid'],
    [/Ignoring different multicast ip/, 'group'],
    [/Bad IP checksum/, 'checksum'],
    [/Bad digest/, 'digest'],
    [/sc_tv\(local\)/, 'accepted'],
  ];
  /** What ucarp's filter in the kernel drops, or what it drops without a word. */
  const silent: Readonly<Record<string, string>> = {
    'src-own-ip': 'own-source',
    'ethertype-86dd-over-ipv4': 'not-ip',
    'vlan-tagged-on-base-interface': 'not-ip',
  };

  it.each(ucarpReceive.cases)('are ours: $name', ({ name, frame, accepted: believed, log }) => {
    const result = receive(hex(frame), byReceiver);
    const said = reasonOfLog.find(([pattern]) => log.some((line) => pattern.test(line)))?.[1];
    expect(verdict(result)).toBe(said ?? silent[name]);
    expect(result.ok).toBe(believed);
  });

  it('show what was found as ucarp prints it', () => {
    const shown = ucarpReceive.cases.flatMap(({ frame, log }) => {
      const result = receive(hex(frame), byReceiver);
      if (result.ok || log.length === 0 || result.drop.reason === 'checksum') return [];
      const { reason, detail } = result.drop;
      expect(log[0]).toContain(reason === 'digest' ? `- ${detail} -` : `: [${detail}]`);
      return [reason];
    });
    expect(shown).toEqual(['ttl', 'vhid', 'group', 'digest', 'digest']);
  });

  it('show another version as its number', () => {
    const result = receive(flipBit(good, carpAt * 8 + 3), byReceiver);
    expect(result.ok ? undefined : result.drop).toMatchObject({ reason: 'version', detail: '3' });
  });

  it('come with the sender, where the packet got so far', () => {
    const wrong = receive(flipBit(good, carpAt * 8 + 3), byReceiver);
    const whole = receive(good, byReceiver);
    if (wrong.ok || !whole.ok) throw new Error('the wrong one is good, or the good one wrong');
    expect(wrong.drop.from).toBe(whole.value.source);
    const cut = receive(good.subarray(0, 20), byReceiver);
    expect(cut.ok ? 'good' : cut.drop.from).toBeUndefined();
  });
});

describe('the order of the checks', () => {
  /**
   * Header of 20 bytes and 36 of CARP in which everything is wrong that comes after `right` checks.
   */
  const wrong: readonly (readonly [string, number, number])[] = [
    ['own-source', 29, 0x01],
    ['protocol', 23, 17],
    ['ttl', 22, 254],
    ['version', 34, 0x31],
    ['vhid', 35, 9],
    ['group', 33, 19],
    ['checksum', 40, 0xee],
  ];

  it.each(wrong.map(([reason], index) => ({ reason, index })))(
    'names $reason before all that come after it',
    ({ reason, index }) => {
      const frame = good.slice();
      frame[69] = 0; // the digest is wrong as well
      for (const [, at, value] of wrong.slice(index)) frame[at] = value;
      expect(verdict(receive(frame, byReceiver))).toBe(reason);
    },
  );

  it('asks for the length after the protocol and before the TTL', () => {
    const short = good.slice(0, 69);
    short[22] = 1;
    expect(verdict(receive(short, byReceiver))).toBe('too-short');
    short[23] = 17;
    expect(verdict(receive(short, byReceiver))).toBe('protocol');
  });
});

describe('IP options', () => {
  it('are summed with the header and skipped', () => {
    const frame = good.slice();
    const header = Uint8Array.from([0x46, ...frame.subarray(15, 34), 1, 1, 1, 0]);
    header.set([0, 60], 2);
    header.set([0, 0], 10);
    const sum = internetChecksum(header);
    header.set([sum >> 8, sum & 0xff], 10);
    const bytes = Uint8Array.from([...frame.subarray(0, 14), ...header, ...frame.subarray(34)]);
    expect(verdict(receive(bytes, byReceiver))).toBe('accepted');
    expect(verdict(receive(flipBit(bytes, 34 * 8), byReceiver))).toBe('checksum');
    for (let length = 0; length < bytes.length; length += 1) {
      expect(verdict(receive(bytes.subarray(0, length), byReceiver))).toBe('too-short');
    }
  });
});

describe('packets of the BSD kernels', () => {
  const packets = (['freebsd', 'openbsd', 'netbsd'] as const).flatMap((system) =>
    bsd.vectors[system].flatMap((vector) =>
      vector.packets
        .filter(({ family }) => family === 'ipv4')
        .map((packet) => ({ name: `${system} ${vector.name}`, vector, packet })),
    ),
  );
  const one = packets.filter(({ vector }) => vector.v4.length === 1 && vector.v6.length === 0);
  const rest = packets.filter(
    ({ name, vector }) => !one.some((other) => other.vector === vector) && isComputed(name),
  );

  function isComputed(name: string): boolean {
    return !name.includes('extremes') && name !== 'openbsd dual-two-v4-one-linklocal';
  }

  it.each([...one, ...rest])('are believed: $name', ({ vector, packet }) => {
    const addresses = [...vector.v4.map(ipv4), ...vector.v6.map(ipv6)];
    const membership = membershipOf(
      vector.vhid,
      hex(vector.key_hex),
      addresses,
      packet.dst,
      '192.0.2.222',
    );
    const frame = serializeEthernet({
      destination: multicastMac(ipv4(packet.dst)),
      source: mac('00:00:5e:00:01:01'),
      type: 0x0800,
      payload: hex(packet.ip_hex),
    });
    const carp = hex(packet.carp_hex);
    expect(accepted(receive(frame, membership))).toEqual({
      advbase: carp[5],
      advskew: carp[2],
      counter: BigInt(`0x${packet.counter}`),
      source: ipv4(packet.src),
    });
    expect(verdict(receive(frame, { ...membership, hmac: hmacSha1(hex('00aa')) }))).toBe('digest');
  });

  it('are more than fifty', () => {
    expect(one.length + rest.length).toBeGreaterThan(50);
  });
});

describe('any bytes at all', () => {
  const mutated = fc
    .tuple(
      fc.constantFrom(...recorded.map(({ frame }) => frame), good),
      fc.array(fc.tuple(fc.nat(69), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(80),
    )
    .map(([frame, changes, length]) => {
      const bytes = Uint8Array.from([...frame, ...new Array<number>(10).fill(0)]);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes.subarray(0, length);
    });

  it('never make receive throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated), (bytes) => {
        expect(() => receive(bytes, byReceiver)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it('are believed only if the digest is that of their counter', () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        const result = receive(bytes, byReceiver);
        if (!result.ok) return;
        const digest = computeDigest(
          byReceiver.hmac,
          byReceiver.digestPrefix,
          result.value.counter,
        );
        expect(toHex(bytes)).toContain(toHex(digest));
      }),
    );
  });
});
