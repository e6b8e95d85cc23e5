// Ethernet frames: both ways, and whatever is too short.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mac } from '../../src/protocol/address.js';
import { etherType, parseEthernet, serializeEthernet } from '../../src/protocol/ethernet.js';
import { accepted, hex, mac, toHex, verdict } from './fixtures.js';

const anyMac = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((n) => n as Mac);

describe('Ethernet frames', () => {
  it('are parsed to what they were built of', () => {
    const anyFrame = fc.record({
      destination: anyMac,
      source: anyMac,
      type: fc.integer({ min: 0, max: 0xffff }),
      payload: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(anyFrame, (frame) => {
        expect(accepted(parseEthernet(serializeEthernet(frame)))).toEqual(frame);
      }),
    );
  });

  it('are built again to the bytes that were parsed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 14, maxLength: 100 }), (bytes) => {
        expect(toHex(serializeEthernet(accepted(parseEthernet(bytes))))).toBe(toHex(bytes));
      }),
    );
  });

  it('put the destination first, then source and type', () => {
    const frame = serializeEthernet({
      destination: mac('01:00:5e:00:00:12'),
      source: mac('00:00:5e:00:01:2a'),
      type: etherType.ipv4,
      payload: hex('4510'),
    });
    expect(toHex(frame)).toBe('01005e00001200005e00012a08004510');
  });

  it('are too short below 14 bytes and have no payload with 14', () => {
    for (let length = 0; length < 14; length += 1) {
      expect(verdict(parseEthernet(new Uint8Array(length)))).toBe('too-short');
    }
    expect(accepted(parseEthernet(new Uint8Array(14))).payload).toHaveLength(0);
  });
});
