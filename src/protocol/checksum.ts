// The Internet checksum (RFC 1071) and the pseudo-headers that some protocols put before it.

import { type IpAddress, isIpv6 } from './address.js';
import { Writer } from './bytes.js';

/**
 * The one's complement of the one's complement sum of 16-bit words; an odd last byte counts as the
 * high half of a word (RFC 1071 §1). Over data that contains its own correct checksum it is 0.
 */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) sum += wordSum(part);
  while (sum > 0xffff) sum = Math.floor(sum / 0x10000) + (sum & 0xffff);
  return ~sum & 0xffff;
}

/** Every part but the last must be of even length, or the words of the next would be shifted. */
function wordSum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const even = bytes.length & ~1;
  let sum = 0;
  for (let at = 0; at < even; at += 2) sum += view.getUint16(at);
  if (even < bytes.length) sum += view.getUint8(even) << 8;
  return sum;
}

/** IPv4: RFC 793 §3.1; IPv6: RFC 8200 §8.1. Both addresses must be of the same family. */
export function pseudoHeader(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): Uint8Array {
  if (isIpv6(source) && isIpv6(destination)) {
    return new Writer(40).ipv6(source).ipv6(destination).u32(length).u32(protocol).bytes;
  }
  if (isIpv6(source) || isIpv6(destination)) throw new Error('a pseudo-header of two families');
  return new Writer(12).u32(source).u32(destination).u16(protocol).u16(length).bytes;
}
