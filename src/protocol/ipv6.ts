// The IPv6 header (RFC 8200 §3), as far as CARP and VRRP need it: both come without extension
// headers.

import type { Ipv6 } from './address.js';
import { Reader, Writer } from './bytes.js';
import { dropped, type Parsed, parsed } from './parsed.js';

const headerLength = 40;

export interface Ipv6Packet {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Ipv6;
  readonly destination: Ipv6;
  /** What follows the header as far as the payload length says; shorter than that if cut off. */
  readonly payload: Uint8Array;
  /** The payload length that the header claims. */
  readonly payloadLength: number;
}

export function parseIpv6Packet(bytes: Uint8Array): Parsed<Ipv6Packet> {
  if (bytes.length < headerLength) {
    return dropped('too-short', `an IPv6 packet of ${bytes.length} bytes`);
  }
  const reader = new Reader(bytes);
  const start = reader.u32();
  const version = start >>> 28;
  if (version !== 6) return dropped('not-ip', `IP version ${version}`);
  const payloadLength = reader.u16();
  const nextHeader = reader.u8();
  const hopLimit = reader.u8();
  const source = reader.ipv6();
  const destination = reader.ipv6();
  return parsed({
    trafficClass: (start >>> 20) & 0xff,
    flowLabel: start & 0xfffff,
    nextHeader,
    hopLimit,
    source,
    destination,
    payload: bytes.subarray(headerLength, headerLength + payloadLength),
    payloadLength,
  });
}

export type Ipv6Fields = Omit<Ipv6Packet, 'payloadLength'>;

export function serializeIpv6Packet(packet: Ipv6Fields): Uint8Array {
  return new Writer(headerLength + packet.payload.length)
    .u32(((6 << 28) | (packet.trafficClass << 20) | packet.flowLabel) >>> 0)
    .u16(packet.payload.length)
    .u8(packet.nextHeader)
    .u8(packet.hopLimit)
    .ipv6(packet.source)
    .ipv6(packet.destination)
    .raw(packet.payload).bytes;
}
