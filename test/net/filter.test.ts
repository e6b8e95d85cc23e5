// The kernel's filter programs, run by an interpreter of the few instructions that they use.

import { describe, expect, test } from 'vitest';
import { advertisementsIpv4, anyAdvertisements, assemble } from '../../src/net/linux/filter.js';
import type { Mac } from '../../src/protocol/address.js';
import { etherType, serializeEthernet } from '../../src/protocol/ethernet.js';
import { advert, announcement, broadcastAdvert } from './frames.js';

interface Metadata {
  /** The card has taken a VLAN tag off the frame. */
  readonly vlanTagPresent: boolean;
}

const vlanTagPresentOffset = 0xfffff030;

/** How many bytes of the frame the program lets through; 0 drops it. */
function filter(program: Uint8Array, frame: Uint8Array, metadata: Metadata): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const code = view.getUint16(at, true);
    const operand = view.getUint32(at + 4, true);
    if (code === 0x06) return operand;
    if (code === 0x15) {
      at += 8 * view.getUint8(at + (accumulator === operand ? 2 : 3));
    } else {
      const loaded = load(code, operand, frame, metadata);
      if (loaded === undefined) return 0; // The kernel drops what is too short.
      accumulator = loaded;
    }
  }
  return expect.fail('the program runs past its end');
}

/** Undefined when the frame ends before. */
function load(
  code: number,
  offset: number,
  frame: Uint8Array,
  { vlanTagPresent }: Metadata,
): number | undefined {
  const sizes: Readonly<Record<number, number>> = { 48: 1, 40: 2 };
  const size = sizes[code] ?? expect.fail(`instruction ${code} is not known`);
  if (offset === vlanTagPresentOffset) return Number(vlanTagPresent);
  return offset + size > frame.length ? undefined : Buffer.from(frame).readUIntBE(offset, size);
}

function ipv6(nextHeader: number): Uint8Array {
  const payload = new Uint8Array(60);
  payload[0] = 0x60;
  payload[6] = nextHeader;
  return serializeEthernet({
    destination: 0x333300000012 as Mac,
    source: 0x00005e000207 as Mac,
    type: etherType.ipv6,
    payload,
  });
}

const untagged = { vlanTagPresent: false };
const inVlan = { vlanTagPresent: true };
const whole = 0x40000;

describe('the filter of links', () => {
  const program = assemble(advertisementsIpv4);

  test.each([
    ['an advert to the group', advert(1)],
    ['an advert to the broadcast MAC', broadcastAdvert(1)],
  ])('lets %s through as a whole', (_, frame) => {
    expect(filter(program, frame, untagged)).toBe(whole);
  });

  test.each([
    ['an advert in a VLAN', advert(1), inVlan],
    ['IGMP', advert(1, { protocol: 2 }), untagged],
    ['protocol 111', advert(1, { protocol: 111 }), untagged],
    ['the authentication header', advert(1, { protocol: 51 }), untagged],
    ['ARP', announcement(), untagged],
    ['protocol 112 over IPv6', ipv6(112), untagged],
    ['a frame cut off before the protocol', advert(1).subarray(0, 23), untagged],
    ['a frame without a type', advert(1).subarray(0, 13), untagged],
  ])('drops %s', (_, frame, metadata) => {
    expect(filter(program, frame, metadata)).toBe(0);
  });
});

describe('the filter of sniff', () => {
  const program = assemble(anyAdvertisements);

  test.each([
    ['an advert over IPv4', advert(1), untagged],
    ['an advert over IPv4 in a VLAN', advert(1), inVlan],
    ['an authentication header over IPv4', advert(1, { protocol: 51 }), untagged],
    ['an advert over IPv6', ipv6(112), untagged],
    ['an authentication header over IPv6', ipv6(51), untagged],
  ])('lets %s through as a whole', (_, frame, metadata) => {
    expect(filter(program, frame, metadata)).toBe(whole);
  });

  test.each([
    ['UDP over IPv4', advert(1, { protocol: 17 })],
    ['UDP over IPv6', ipv6(17)],
    ['ICMP over IPv6', ipv6(58)],
    ['ARP', announcement()],
    ['an empty frame', new Uint8Array(0)],
  ])('drops %s', (_, frame) => {
    expect(filter(program, frame, untagged)).toBe(0);
  });
});

test('an assembled program has eight bytes an instruction, in host order', () => {
  expect([...assemble([[0x1234, 5, 6, 0x789abcde]])]).toEqual([
    0x34, 0x12, 5, 6, 0xde, 0xbc, 0x9a, 0x78,
  ]);
});
