// IPv4 packets: both ways, options, padding, and headers that lie about their length.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ipv4 } from '../../src/protocol/address.js';
import { internetChecksum } from '../../src/protocol/checksum.js';
import { parseIpv4Packet, serializeIpv4Packet } from '../../src/protocol/ipv4.js';
import { accepted, hex, ipv4, toHex, verdict } from './fixtures.js';

const byte = fc.integer({ min: 0, max: 255 });
const anyIpv4 = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n) => n as Ipv4);
const anyFields = fc.record({
  tos: byte,
  id: fc.integer({ min: 0, max: 0xffff }),
  ttl: byte,
  protocol: byte,
  source: anyIpv4,
  destination: anyIpv4,
  payload: fc.uint8Array({ maxLength: 100 }),
});

/** A header of `words` 32-bit words with the given total length, then `rest` bytes of 0xaa. */
function packetOf(words: number, totalLength: number, rest: number): Uint8Array {
  const header = new Uint8Array(words * 4);
  header[0] = 0x40 | words;
  header[2] = totalLength >> 8;
  header[3] = totalLength & 0xff;
  return Uint8Array.from([...header, ...new Array<number>(rest).fill(0xaa)]);
}

describe('IPv4 packets', () => {
  it('are parsed to what they were built of', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const packet = serializeIpv4Packet(fields);
        const { header, captured, ...rest } = accepted(parseIpv4Packet(packet));
        expect(rest).toEqual(fields);
        expect(toHex(captured)).toBe(toHex(fields.payload));
        expect(toHex(header) + toHex(captured)).toBe(toHex(packet));
      }),
    );
  });

  it('are built with a header checksum that sums to 0', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        expect(internetChecksum(serializeIpv4Packet(fields).subarray(0, 20))).toBe(0);
      }),
    );
  });

  it('are built without options and with the flag that forbids fragments', () => {
    const packet = serializeIpv4Packet({
      tos: 0x10,
      id: 0x719e,
      ttl: 255,
      protocol: 112,
      source: ipv4('10.77.0.1'),
      destination: ipv4('224.0.0.18'),
      payload: new Uint8Array(36),
    });
    expect(toHex(packet.subarray(0, 20))).toBe('45100038719e4000ff701f470a4d0001e0000012');
  });

  it('are too short below 20 bytes', () => {
    for (let length = 0; length < 20; length += 1) {
      expect(verdict(parseIpv4Packet(packetOf(5, 20, 0).subarray(0, length)))).toBe('too-short');
    }
    expect(verdict(parseIpv4Packet(packetOf(5, 20, 0)))).toBe('accepted');
  });

  it('are of version 4 or not IP to us', () => {
    expect(verdict(parseIpv4Packet(hex(`65${'00'.repeat(30)}`)))).toBe('not-ip');
    expect(verdict(parseIpv4Packet(hex(`35${'00'.repeat(30)}`)))).toBe('not-ip');
  });

  it('are too short when the header is said to be smaller than 20 or larger than all', () => {
    expect(verdict(parseIpv4Packet(hex(`44${'00'.repeat(30)}`)))).toBe('too-short');
    expect(verdict(parseIpv4Packet(packetOf(15, 60, 0).subarray(0, 59)))).toBe('too-short');
    expect(verdict(parseIpv4Packet(packetOf(15, 60, 0)))).toBe('accepted');
  });

  it('keep their options in the header', () => {
    const packet = accepted(parseIpv4Packet(packetOf(6, 26, 2)));
    expect(packet.header).toHaveLength(24);
    expect(toHex(packet.payload)).toBe('aaaa');
  });

  it('end where the total length says, and show the padding behind it as captured', () => {
    const packet = accepted(parseIpv4Packet(packetOf(5, 22, 10)));
    expect(packet.payload).toHaveLength(2);
    expect(packet.captured).toHaveLength(10);
  });

  it('have no payload when the total length is smaller than the header', () => {
    expect(accepted(parseIpv4Packet(packetOf(6, 21, 4))).payload).toHaveLength(0);
  });

  it('have what is there when the total length says more', () => {
    expect(accepted(parseIpv4Packet(packetOf(5, 100, 4))).payload).toHaveLength(4);
  });

  it('never make the parser throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(() => parseIpv4Packet(bytes)).not.toThrow();
      }),
    );
  });
});
