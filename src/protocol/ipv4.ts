// The IPv4 header (RFC 791 §3.1), as far as CARP and VRRP need it.

import type { Ipv4 } from './address.js';
import { Reader, Writer } from './bytes.js';
import { internetChecksum } from './checksum.js';
import { dropped, type Parsed, parsed } from './parsed.js';

const minimumHeaderLength = 20;
const dontFragment = 0x4000;

export interface Ipv4Packet {
  readonly tos: number;
  readonly id: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: Ipv4;
  readonly destination: Ipv4;
  /** The header as it stands in the frame, options included: some checks sum over it. */
  readonly header: Uint8Array;
  /** All that follows the header, link-layer padding included. */
  readonly captured: Uint8Array;
  /** What follows the header as far as the total length says; shorter than that if cut off. */
  readonly payload: Uint8Array;
}

/**
 * Reads the header and nothing of its payload. The checksum is left to the caller: ucarp sums
 * header and CARP part in one go, and hardware has verified it for everybody else.
 */
export function parseIpv4Packet(bytes: Uint8Array): Parsed<Ipv4Packet> {
  if (bytes.length < minimumHeaderLength) {
    return dropped('too-short', `an IPv4 packet of ${bytes.length} bytes`);
  }
  const reader = new Reader(bytes);
  const versionAndLength = reader.u8();
  const headerLength = (versionAndLength & 0xf) * 4;
  if (versionAndLength >> 4 !== 4) return dropped('not-ip', `IP version ${versionAndLength >> 4}`);
  if (headerLength < minimumHeaderLength || headerLength > bytes.length) {
    return dropped('too-short', `an IPv4 header of ${headerLength} in ${bytes.length} bytes`);
  }
  const tos = reader.u8();
  const totalLength = reader.u16();
  const id = reader.u16();
  reader.skip(2);
  const ttl = reader.u8();
  const protocol = reader.u8();
  reader.skip(2);
  const source = reader.ipv4();
  const destination = reader.ipv4();
  const captured = bytes.subarray(headerLength);
  const payload = bytes.subarray(headerLength, totalLength);
  const header = bytes.subarray(0, headerLength);
  return parsed({ tos, id, ttl, protocol, source, destination, header, captured, payload });
}

export type Ipv4Fields = Omit<Ipv4Packet, 'header' | 'captured'>;

/** A packet without options that must not be fragmented. */
export function serializeIpv4Packet(packet: Ipv4Fields): Uint8Array {
  const header = new Writer(minimumHeaderLength)
    .u8(0x45)
    .u8(packet.tos)
    .u16(minimumHeaderLength + packet.payload.length)
    .u16(packet.id)
    .u16(dontFragment)
    .u8(packet.ttl)
    .u8(packet.protocol)
    .u16(0)
    .u32(packet.source)
    .u32(packet.destination).bytes;
  const checksum = internetChecksum(header);
  return new Writer(minimumHeaderLength + packet.payload.length)
    .raw(header.subarray(0, 10))
    .u16(checksum)
    .raw(header.subarray(12))
    .raw(packet.payload).bytes;
}
