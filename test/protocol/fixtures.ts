// What the tests of the protocol folder share: values out of text, and HMAC-SHA1 by Node's own
// crypto.

import { createHmac } from 'node:crypto';
import {
  type Ipv4,
  type Ipv6,
  type Mac,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../../src/protocol/address.js';
import type { Hmac } from '../../src/protocol/carp/digest.js';
import type { Parsed } from '../../src/protocol/parsed.js';

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function ipv4(text: string): Ipv4 {
  return given(parseIpv4(text), text);
}

export function ipv6(text: string): Ipv6 {
  return given(parseIpv6(text), text);
}

export function mac(text: string): Mac {
  return given(parseMac(text), text);
}

export function hmacSha1(key: Uint8Array): Hmac {
  return (message) => Uint8Array.from(createHmac('sha1', key).update(message).digest());
}

export function accepted<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(`dropped: ${result.drop.reason}, ${result.drop.detail}`);
  return result.value;
}

/** The reason of a drop, or `accepted`. */
export function verdict(result: Parsed<unknown>): string {
  return result.ok ? 'accepted' : result.drop.reason;
}

/** The same bytes with one bit turned over; bit 0 is the most significant of the first byte. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));
}

function given<T>(value: T | undefined, text: string): T {
  if (value === undefined) throw new Error(`not an address: ${text}`);
  return value;
}
