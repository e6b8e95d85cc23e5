// What proves that an advertisement comes from a host that knows the password.
//
// Theory of operation. The digest is HMAC-SHA1 (RFC 2104), the password's bytes being the key, over
//
//   version 02 | type 01 | vhid | IPv4 addresses, ascending | IPv6 addresses, ascending | counter
//
// The addresses are all those of the virtual host, each once, whatever family carries the
// advertisement; so two hosts with different addresses cannot authenticate each other. advbase,
// advskew, the demotion byte and the IP header are NOT covered: whoever can send on the segment can
// change them in flight. The constants 2 and 1 are hashed, not the received first byte. SHA1 itself
// happens outside of this folder: the caller hands in an Hmac that already holds the key.

import { type IpAddress, isIpv6 } from '../address.js';
import { Writer } from '../bytes.js';

/** HMAC-SHA1 under the router's password: any message in, 20 bytes out. */
export type Hmac = (message: Uint8Array) => Uint8Array;

/** Everything of the message before the counter; it changes only with the configuration. */
export function digestPrefix(vhid: number, addresses: readonly IpAddress[]): Uint8Array {
  const distinct = [...new Set(addresses)];
  const v4 = distinct.filter((address) => !isIpv6(address)).sort(ascending);
  const v6 = distinct.filter(isIpv6).sort(ascending);
  const writer = new Writer(3 + 4 * v4.length + 16 * v6.length).u8(2).u8(1).u8(vhid);
  for (const address of v4) writer.u32(address);
  for (const address of v6) writer.ipv6(address);
  return writer.bytes;
}

function ascending(left: IpAddress, right: IpAddress): number {
  return left < right ? -1 : 1;
}

export function computeDigest(hmac: Hmac, prefix: Uint8Array, counter: bigint): Uint8Array {
  return hmac(new Writer(prefix.length + 8).raw(prefix).u64(counter).bytes);
}

/** Compares in a time that does not depend on where the two differ. */
export function sameDigest(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0);
  return difference === 0;
}
