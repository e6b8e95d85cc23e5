// The IPv6 header, both ways and with every byte missing.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ipv6 } from '../../src/protocol/address.js';
import { parseIpv6Packet, serializeIpv6Packet } from '../../src/protocol/ipv6.js';
import { accepted, hex, ipv6, toHex, verdict } from './fixtures.js';
import { bsd } from './vectors.js';

const packets = Object.values(bsd.vectors)
  .flat()
  .flatMap(({ packets }) => packets)
  .filter(({ family }) => family === 'ipv6');

describe('the IPv6 header', () => {
  it.each(packets)('of a BSD advertisement is read and written back: $ip_hex', (vector) => {
    const packet = accepted(parseIpv6Packet(hex(vector.ip_hex)));
    expect(packet.source).toBe(ipv6(vector.src));
    expect(packet.destination).toBe(ipv6(vector.dst));
    expect(packet).toMatchObject({ nextHeader: 112, hopLimit: 255, payloadLength: 36 });
    expect(toHex(packet.payload)).toBe(vector.carp_hex);
    expect(toHex(serializeIpv6Packet(packet))).toBe(vector.ip_hex);
  });

  it('keeps traffic class and flow label apart', () => {
    const bytes = hex(`6c09e610000070ff${'00'.repeat(32)}`);
    const packet = accepted(parseIpv6Packet(bytes));
    expect(packet).toMatchObject({ trafficClass: 0xc0, flowLabel: 0x9e610 });
  });

  it('of less than 40 bytes is too short', () => {
    const bytes = hex(`60000000000070ff${'00'.repeat(32)}`);
    expect(verdict(parseIpv6Packet(bytes))).toBe('accepted');
    for (let length = 0; length < 40; length += 1) {
      expect(verdict(parseIpv6Packet(bytes.subarray(0, length)))).toBe('too-short');
    }
  });

  it('of another version is not IPv6', () => {
    expect(verdict(parseIpv6Packet(hex(`45${'00'.repeat(39)}`)))).toBe('not-ip');
  });

  it('ends the payload where it says, or where the bytes end', () => {
    const bytes = (length: string, payload: string) =>
      hex(`60000000${length}70ff${'00'.repeat(32)}${payload}`);
    expect(toHex(accepted(parseIpv6Packet(bytes('0002', 'aabbccdd'))).payload)).toBe('aabb');
    expect(toHex(accepted(parseIpv6Packet(bytes('0009', 'aabbccdd'))).payload)).toBe('aabbccdd');
    expect(accepted(parseIpv6Packet(bytes('0009', 'aabbccdd'))).payloadLength).toBe(9);
  });

  it('is written and read back, whatever is in it', () => {
    const address = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => value as Ipv6);
    const fields = fc.record({
      trafficClass: fc.nat(0xff),
      flowLabel: fc.nat(0xfffff),
      nextHeader: fc.nat(0xff),
      hopLimit: fc.nat(0xff),
      source: address,
      destination: address,
      payload: fc.uint8Array({ maxLength: 64 }),
    });
    fc.assert(
      fc.property(fields, (packet) => {
        const read = accepted(parseIpv6Packet(serializeIpv6Packet(packet)));
        expect(read).toEqual({ ...packet, payloadLength: packet.payload.length });
      }),
    );
  });
});
