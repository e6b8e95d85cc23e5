// The digest, against ucarp's recorded ones and those of the BSD kernels' code.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IpAddress, Ipv4, Ipv6 } from '../../../src/protocol/address.js';
import { computeDigest, digestPrefix, sameDigest } from '../../../src/protocol/carp/digest.js';
import { flipBit, hex, hmacSha1, ipv4, ipv6, toHex } from '../fixtures.js';
import { type Bsd, type BsdVector, bsd, ucarpRuns } from '../vectors.js';

/** Those whose message is not the one that we hash, and why. */
function leftOut(system: Bsd, vector: BsdVector): string | undefined {
  const linkLocal = vector.v6.some((address) => address.startsWith('fe80'));
  if (system === 'openbsd' && linkLocal) {
    return 'OpenBSD leaves link-local addresses out of the digests that it sends';
  }
  // The parent's own hardware address is left out by OpenBSD too; such a vector is computed.
  if (typeof vector.carp_lladdr === 'string' && !vector.name.includes('not-hashed')) {
    return 'OpenBSD hashes a hardware address that was set by hand';
  }
  if (vector.v4.includes('0.0.0.0')) {
    return 'no kernel and no ucarp accepts 0.0.0.0, ::, or all ones as a virtual address';
  }
  return undefined;
}

const systems = ['freebsd', 'openbsd', 'netbsd'] as const;
const packets = systems.flatMap((system) =>
  bsd.vectors[system].flatMap((vector) =>
    vector.packets.map((packet) => ({
      name: `${system} ${vector.name} ${packet.family}`,
      vector,
      packet,
      why: leftOut(system, vector),
    })),
  ),
);

function addressesOf(vector: Pick<BsdVector, 'v4' | 'v6'>): readonly IpAddress[] {
  return [...vector.v6.map(ipv6), ...vector.v4.map(ipv4)];
}

describe('digests of ucarp', () => {
  const recorded = ucarpRuns.flatMap(({ name, params, frames }) =>
    frames.flatMap(({ decoded }, index) =>
      decoded === undefined
        ? []
        : [{ name: `${name}, frame ${index}`, params, carp: decoded.carp }],
    ),
  );

  it.each(recorded)('are computed: $name', ({ params, carp }) => {
    const prefix = digestPrefix(params.vhid, [ipv4(params.vip)]);
    const counter = BigInt(`0x${carp.counter}`);
    expect(toHex(computeDigest(hmacSha1(hex(params.password_hex)), prefix, counter))).toBe(carp.md);
  });

  it('hash version, type, vhid, address and counter, in this order', () => {
    const messages: string[] = [];
    const listen = (message: Uint8Array): Uint8Array => {
      messages.push(toHex(message));
      return message;
    };
    computeDigest(listen, digestPrefix(42, [ipv4('10.1.1.252')]), 0x13064a5f8af420e5n);
    expect(messages).toEqual(['02012a0a0101fc13064a5f8af420e5']);
  });
});

describe('digests of the BSD kernels', () => {
  it.each(packets.filter(({ why }) => why === undefined))(
    'are computed, message and all: $name',
    ({ vector, packet }) => {
      const prefix = digestPrefix(vector.vhid, addressesOf(vector));
      expect(toHex(prefix) + packet.counter).toBe(packet.hmac_message);
      const digest = computeDigest(
        hmacSha1(hex(vector.key_hex)),
        prefix,
        BigInt(`0x${packet.counter}`),
      );
      expect(toHex(digest)).toBe(packet.hmac);
    },
  );

  it.each(packets.filter(({ why }) => why !== undefined))(
    'have another message, because $why: $name',
    ({ vector, packet }) => {
      expect(toHex(digestPrefix(vector.vhid, addressesOf(vector))) + packet.counter).not.toBe(
        packet.hmac_message,
      );
    },
  );

  it('leave out no more than what is known', () => {
    expect(packets.filter(({ why }) => why !== undefined).map(({ name }) => name)).toEqual([
      'freebsd v4-v6-duplicates-and-extremes-left-out ipv4',
      'freebsd v4-v6-duplicates-and-extremes-left-out ipv6',
      'openbsd v6-linklocal-only ipv6',
      'openbsd v6-linklocal-and-global ipv6',
      'openbsd dual-two-v4-one-linklocal ipv4',
      'openbsd dual-two-v4-one-linklocal ipv6',
      'openbsd v4-v6-duplicates-and-extremes-left-out ipv4',
      'openbsd v4-v6-duplicates-and-extremes-left-out ipv6',
      'netbsd v4-v6-duplicates-and-extremes-left-out ipv4',
      'netbsd v4-v6-duplicates-and-extremes-left-out ipv6',
    ]);
  });

  it.each(bsd.published)('are as published: $what', (published) => {
    const key = published.key_hex ? hex(published.key_hex) : Buffer.from(published.pass ?? '');
    const carp = published.carp_hex ?? '';
    const counter = published.counter ?? carp.slice(16, 32);
    const prefix = digestPrefix(published.vhid, published.v4.map(ipv4));
    const digest = computeDigest(hmacSha1(key), prefix, BigInt(`0x${counter}`));
    expect(toHex(digest)).toBe(published.hmac ?? carp.slice(32));
  });
});

describe('digestPrefix', () => {
  const anyAddress = fc.oneof(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n) => n as Ipv4),
    fc.integer({ min: 0, max: 5 }).map((n) => n as Ipv4),
    fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((n) => n as Ipv6),
    fc.bigInt({ min: 0n, max: 5n }).map((n) => n as Ipv6),
  );

  it('is the sorted set of addresses, IPv4 first, whatever the order they are given in', () => {
    fc.assert(
      fc.property(fc.array(anyAddress), (addresses) => {
        const width = (address: IpAddress): number => (typeof address === 'bigint' ? 32 : 8);
        const texts = new Set(addresses.map((a) => a.toString(16).padStart(width(a), '0')));
        const sorted = [...texts].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
        expect(toHex(digestPrefix(7, addresses))).toBe(`020107${sorted.join('')}`);
      }),
    );
  });
});

describe('sameDigest', () => {
  const digest = fc.uint8Array({ minLength: 20, maxLength: 20 });

  it('is true of equal bytes and false when any bit differs', () => {
    fc.assert(
      fc.property(digest, fc.integer({ min: 0, max: 159 }), (bytes, bit) => {
        expect(sameDigest(bytes, bytes.slice())).toBe(true);
        expect(sameDigest(bytes, flipBit(bytes, bit))).toBe(false);
      }),
    );
  });

  it('is false of different lengths', () => {
    expect(sameDigest(hex('0000'), hex('00'))).toBe(false);
    expect(sameDigest(hex('00'), hex('0000'))).toBe(false);
    expect(sameDigest(hex(''), hex('00'))).toBe(false);
  });
});
