// The 36 bytes of an advertisement, against ucarp's recorded ones and those of the BSD kernels'
// code.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advertisementLength,
  parseAdvertisement,
  serializeAdvertisement,
} from '../../../src/protocol/carp/advertisement.js';
import { internetChecksum } from '../../../src/protocol/checksum.js';
import { accepted, hex, toHex, verdict } from '../fixtures.js';
import { bsd, ucarpRuns } from '../vectors.js';

const byte = fc.integer({ min: 0, max: 255 });
const anyAdvertisement = fc.record({
  vhid: byte,
  advbase: byte,
  advskew: byte,
  demote: byte,
  counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  digest: fc.uint8Array({ minLength: 20, maxLength: 20 }),
});

describe('advertisements', () => {
  it('are parsed to what they were built of', () => {
    fc.assert(
      fc.property(anyAdvertisement, (advertisement) => {
        expect(accepted(parseAdvertisement(serializeAdvertisement(advertisement)))).toEqual(
          advertisement,
        );
      }),
    );
  });

  it('are built with a checksum over all of their 36 bytes', () => {
    fc.assert(
      fc.property(anyAdvertisement, (advertisement) => {
        const bytes = serializeAdvertisement(advertisement);
        expect(bytes).toHaveLength(advertisementLength);
        expect(internetChecksum(bytes)).toBe(0);
      }),
    );
  });

  it('are too short below 36 bytes, and what follows the 36th is ignored', () => {
    const bytes = hex(`21${'00'.repeat(39)}`);
    for (let length = 0; length < 36; length += 1) {
      expect(verdict(parseAdvertisement(bytes.subarray(0, length)))).toBe('too-short');
    }
    expect(verdict(parseAdvertisement(bytes.subarray(0, 36)))).toBe('accepted');
    expect(accepted(parseAdvertisement(bytes)).digest).toHaveLength(20);
  });

  it('are of version 2 and no other, whatever their type', () => {
    for (let first = 0; first <= 0xff; first += 1) {
      const bytes = new Uint8Array(36);
      bytes[0] = first;
      expect(verdict(parseAdvertisement(bytes))).toBe(first >> 4 === 2 ? 'accepted' : 'version');
    }
  });

  it('never make the parser throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(() => parseAdvertisement(bytes)).not.toThrow();
      }),
    );
  });
});

describe('advertisements of ucarp', () => {
  const recorded = ucarpRuns.flatMap(({ name, frames }) =>
    frames.flatMap(({ hex: frame, decoded }, index) =>
      decoded === undefined ? [] : [{ name: `${name}, frame ${index}`, frame, decoded }],
    ),
  );

  it.each(recorded)('are read and built again: $name', ({ frame, decoded }) => {
    const bytes = hex(frame).subarray(34);
    const found = accepted(parseAdvertisement(bytes));
    expect(found).toEqual({
      vhid: decoded.carp.vhid,
      advbase: decoded.carp.advbase,
      advskew: decoded.carp.advskew,
      demote: decoded.carp.pad,
      counter: BigInt(`0x${decoded.carp.counter}`),
      digest: hex(decoded.carp.md),
    });
    expect(toHex(serializeAdvertisement(found))).toBe(toHex(bytes));
  });
});

describe('advertisements of the BSD kernels', () => {
  const computed = (['freebsd', 'openbsd', 'netbsd'] as const).flatMap((system) =>
    bsd.vectors[system].flatMap((vector) =>
      vector.packets.map((packet) => ({
        name: `${system} ${vector.name} ${packet.family}`,
        vector,
        packet,
        system,
      })),
    ),
  );

  it.each(computed)('are read and built again: $name', ({ vector, packet, system }) => {
    const found = accepted(parseAdvertisement(hex(packet.carp_hex)));
    expect(found.vhid).toBe(vector.vhid);
    expect(found.counter).toBe(BigInt(`0x${packet.counter}`));
    expect(found.demote).toBe(Math.min(vector.demote ?? 0, 255));
    expect(toHex(found.digest)).toBe(packet.hmac);
    const built = toHex(serializeAdvertisement(found));
    // NetBSD alone sums the IPv6 pseudo-header too: everything but the checksum is the same there.
    const pseudo = system === 'netbsd' && packet.family === 'ipv6';
    expect(pseudo ? withoutChecksum(built) : built).toBe(
      pseudo ? withoutChecksum(packet.carp_hex) : packet.carp_hex,
    );
    expect(built === packet.carp_hex).toBe(!pseudo);
  });
});

function withoutChecksum(text: string): string {
  return `${text.slice(0, 12)}....${text.slice(16)}`;
}
