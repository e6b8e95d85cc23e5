// From a captured frame of any supported link type to the IP packet in it. Unlike the codecs this
// one answers a frame that holds none with undefined: whoever looks at a network skips what is not
// asked for.

import type { IpAddress, Mac } from './address.js';
import { Reader } from './bytes.js';
import { etherType } from './ethernet.js';
import { parseIpv4Packet } from './ipv4.js';
import { parseIpv6Packet } from './ipv6.js';

const vlanTag = 0x8100; // IEEE 802.1Q
const fragmentOffsetMask = 0x1fff;

/** What may precede an IP packet, by its number in capture files (tcpdump.org/linktypes.html). */
export const linkTypes = {
  ethernet: 1,
  raw: 101,
  cooked: 113,
  cookedV2: 276,
} as const;

export type LinkType = (typeof linkTypes)[keyof typeof linkTypes];

export function isLinkType(value: number): value is LinkType {
  return Object.values<number>(linkTypes).includes(value);
}

/** What an IP packet came in. */
export interface Envelope {
  /** The Ethernet source. */
  readonly mac: Mac | undefined;
  readonly vlan: number | undefined;
}

export interface IpPacket extends Envelope {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** TTL or hop limit. */
  readonly ttl: number;
  readonly protocol: number;
  /** The IPv4 header; empty for IPv6, whose header has no checksum. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  /**
   * How long the IP header says that the payload is; more than there is if the frame ends early.
   */
  readonly payloadLength: number;
}

interface Opened extends Envelope {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** The first fragment of an IP packet or a whole one; undefined for everything else. */
export function openFrame(linkType: LinkType, bytes: Uint8Array): IpPacket | undefined {
  const opened = openLink(linkType, new Reader(bytes));
  if (opened === undefined) return undefined;
  const { mac, vlan, type, payload } = opened;
  if (type === etherType.ipv4) return openIpv4(payload, { mac, vlan });
  return type === etherType.ipv6 ? openIpv6(payload, { mac, vlan }) : undefined;
}

function openLink(linkType: LinkType, reader: Reader): Opened | undefined {
  switch (linkType) {
    case linkTypes.ethernet:
      return openEthernet(reader);
    case linkTypes.cooked:
      return openCooked(reader);
    case linkTypes.cookedV2:
      return openCookedV2(reader);
    case linkTypes.raw:
      return openRaw(reader);
  }
}

function openEthernet(reader: Reader): Opened | undefined {
  if (reader.left < 14) return undefined;
  reader.skip(6);
  const mac = reader.mac();
  return untag(reader.u16(), mac, reader);
}

/** Packet type u16, hardware type u16, address length u16, address of 8 bytes, protocol u16. */
function openCooked(reader: Reader): Opened | undefined {
  if (reader.left < 16) return undefined;
  reader.skip(4);
  const addressLength = reader.u16();
  const mac = reader.mac();
  reader.skip(2);
  return untag(reader.u16(), addressLength === 6 ? mac : undefined, reader);
}

/**
 * Protocol u16, zeros u16, interface u32, hardware type u16, packet type u8, address length u8,
 * address.
 */
function openCookedV2(reader: Reader): Opened | undefined {
  if (reader.left < 20) return undefined;
  const type = reader.u16();
  reader.skip(9);
  const addressLength = reader.u8();
  const mac = reader.mac();
  reader.skip(2);
  return untag(type, addressLength === 6 ? mac : undefined, reader);
}

function openRaw(reader: Reader): Opened | undefined {
  if (reader.left === 0) return undefined;
  const payload = reader.bytes(reader.left);
  const type = new Reader(payload).u8() >> 4 === 6 ? etherType.ipv6 : etherType.ipv4;
  return { mac: undefined, vlan: undefined, type, payload };
}

/** Steps over one VLAN tag; a frame with two belongs to a provider's network. */
function untag(type: number, mac: Mac | undefined, reader: Reader): Opened | undefined {
  if (type !== vlanTag) return { mac, vlan: undefined, type, payload: reader.bytes(reader.left) };
  if (reader.left < 4) return undefined;
  const vlan = reader.u16() & 0xfff;
  return { mac, vlan, type: reader.u16(), payload: reader.bytes(reader.left) };
}

function openIpv4(bytes: Uint8Array, envelope: Envelope): IpPacket | undefined {
  const packet = parseIpv4Packet(bytes);
  if (!packet.ok) return undefined;
  const { source, destination, ttl, protocol, header, payload } = packet.value;
  const reader = new Reader(header);
  reader.skip(2);
  const payloadLength = Math.max(0, reader.u16() - header.length);
  reader.skip(2);
  if ((reader.u16() & fragmentOffsetMask) !== 0) return undefined;
  return { ...envelope, source, destination, ttl, protocol, header, payload, payloadLength };
}

function openIpv6(bytes: Uint8Array, envelope: Envelope): IpPacket | undefined {
  const packet = parseIpv6Packet(bytes);
  if (!packet.ok) return undefined;
  const { source, destination, hopLimit, nextHeader, payload, payloadLength } = packet.value;
  const header = new Uint8Array(0);
  const [ttl, protocol] = [hopLimit, nextHeader];
  return { ...envelope, source, destination, ttl, protocol, header, payload, payloadLength };
}
