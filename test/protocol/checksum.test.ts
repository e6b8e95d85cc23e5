// The Internet checksum against a naive twin, the example of RFC 1071, and its own promises.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { internetChecksum, pseudoHeader } from '../../src/protocol/checksum.js';
import { hex, ipv4, ipv6, toHex } from './fixtures.js';

/** RFC 1071 §1 to the letter: add with end-around carry after every word. */
function naive(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

const bytes = fc.uint8Array({ maxLength: 100 });

describe('internetChecksum', () => {
  it('is what a naive twin computes', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(internetChecksum(data)).toBe(naive(data));
      }),
    );
  });

  it('carries around as often as needed', () => {
    for (const length of [2, 3, 1000, 1001, 70_000, 200_000]) {
      const ones = new Uint8Array(length).fill(0xff);
      expect(internetChecksum(ones), `${length} bytes of all ones`).toBe(naive(ones));
    }
  });

  it('agrees with the sum of RFC 1071 §3', () => {
    expect(internetChecksum(hex('0001f203f4f5f6f7'))).toBe(0xffff - 0xddf2);
  });

  it('is all ones for nothing and for zeros', () => {
    expect(internetChecksum()).toBe(0xffff);
    expect(internetChecksum(new Uint8Array(5))).toBe(0xffff);
  });

  it('is 0 over data with its own checksum', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const even = data.subarray(0, data.length & ~1);
        const checksum = internetChecksum(even);
        expect(internetChecksum(even, Uint8Array.of(checksum >> 8, checksum & 0xff))).toBe(0);
      }),
    );
  });

  it('sums parts as it sums the whole, as long as the first ones are even', () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const even = first.subarray(0, first.length & ~1);
        const whole = Uint8Array.from([...even, ...second]);
        expect(internetChecksum(even, second)).toBe(internetChecksum(whole));
      }),
    );
  });

  it('sums a view of a larger buffer and nothing beside it', () => {
    expect(internetChecksum(hex('ffff0102ffff').subarray(2, 4))).toBe(0xfefd);
  });
});

describe('pseudoHeader', () => {
  it('has two addresses, a zero, the protocol and the length for IPv4', () => {
    const header = pseudoHeader(ipv4('10.0.0.1'), ipv4('224.0.0.18'), 112, 36);
    expect(toHex(header)).toBe('0a000001e000001200700024');
  });

  it('has two addresses, the length, three zeros and the protocol for IPv6', () => {
    const header = pseudoHeader(ipv6('fe80::1'), ipv6('ff02::12'), 112, 36);
    expect(toHex(header)).toBe(
      'fe800000000000000000000000000001ff0200000000000000000000000000120000002400000070',
    );
  });

  it('cannot be of two families', () => {
    expect(() => pseudoHeader(ipv6('fe80::1'), ipv4('224.0.0.18'), 112, 36)).toThrow(
      'two families',
    );
    expect(() => pseudoHeader(ipv4('10.0.0.1'), ipv6('ff02::12'), 112, 36)).toThrow('two families');
  });
});
