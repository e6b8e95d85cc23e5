// The frames that the bench puts on the wire in the name of another host, and what it makes of
// those that it sees there. One virtual router: CARP's and VRRP's number 1 for one address.

import { hmacSha1 } from '../../src/net/hmac.js';
import { broadcastMac, type Ipv4, type Mac, multicastMac } from '../../src/protocol/address.js';
import { Reader, Writer } from '../../src/protocol/bytes.js';
import { ipProtocol, serializeAdvertisement } from '../../src/protocol/carp/advertisement.js';
import { computeDigest, digestPrefix } from '../../src/protocol/carp/digest.js';
import { internetChecksum } from '../../src/protocol/checksum.js';
import { etherType, parseEthernet, serializeEthernet } from '../../src/protocol/ethernet.js';
import { parseIpv4Packet, serializeIpv4Packet } from '../../src/protocol/ipv4.js';
import { seconds } from '../../src/protocol/units.js';
import { serializeAdvertisement as serializeVrrp } from '../../src/protocol/vrrp/advertisement.js';

export const routerId = 1;
export const password = 'love';
const virtualAddress = 0x0a00000a as Ipv4; // 10.0.0.10
const group = 0xe0000012 as Ipv4; // 224.0.0.18

export interface Sender {
  readonly mac: Mac;
  readonly address: Ipv4;
}

const hmac = hmacSha1(new TextEncoder().encode(password));
const prefix = digestPrefix(routerId, [virtualAddress]);
// Receivers may refuse a counter that they have seen, so no advertisement is like another.
let counter = BigInt(Date.now()) << 20n;

export function carpAdvert(sender: Sender, advbase: number, advskew: number): Uint8Array {
  counter += 1n;
  const digest = computeDigest(hmac, prefix, counter);
  const vhid = routerId;
  return toGroup(
    sender,
    serializeAdvertisement({ vhid, advbase, advskew, demote: 0, counter, digest }),
  );
}

export function vrrpAdvert(sender: Sender, priority: number): Uint8Array {
  const carrier = { source: sender.address, destination: group };
  const message = {
    version: 3,
    vrid: routerId,
    priority,
    interval: seconds(1),
    addresses: [virtualAddress],
    trailer: undefined,
  } as const;
  return toGroup(sender, serializeVrrp(message, carrier));
}

function toGroup({ mac, address }: Sender, payload: Uint8Array): Uint8Array {
  return serializeEthernet({
    destination: multicastMac(group),
    source: mac,
    type: etherType.ipv4,
    payload: serializeIpv4Packet({
      tos: 0x10,
      id: Number(counter & 0xffffn),
      ttl: 255,
      protocol: ipProtocol,
      source: address,
      destination: group,
      payload,
    }),
  });
}

/**
 * Asks a host's kernel for an answer (RFC 792): what the way there and back takes, no process being
 * asked.
 */
export function echoRequest(from: Sender, to: Sender, number: number): Uint8Array {
  const write = (checksum: number): Uint8Array =>
    new Writer(16).u8(8).u8(0).u16(checksum).u32(number).raw(new Uint8Array(8)).bytes;
  return serializeEthernet({
    destination: to.mac,
    source: from.mac,
    type: etherType.ipv4,
    payload: serializeIpv4Packet({
      tos: 0,
      id: number,
      ttl: 64,
      protocol: 1,
      source: from.address,
      destination: to.address,
      payload: write(internetChecksum(write(0))),
    }),
  });
}

/** Who has the virtual address? (RFC 826) */
export function arpRequest({ mac, address }: Sender): Uint8Array {
  const payload = new Writer(28)
    .u16(1)
    .u16(etherType.ipv4)
    .u8(6)
    .u8(4)
    .u16(1)
    .mac(mac)
    .u32(address)
    .mac(0 as Mac)
    .u32(virtualAddress).bytes;
  return serializeEthernet({
    destination: broadcastMac,
    source: mac,
    type: etherType.arp,
    payload,
  });
}

export type FrameKind =
  | 'advert'
  | 'garp'
  | 'arp-request'
  | 'arp-reply'
  | 'echo-request'
  | 'echo-reply'
  | 'other';

export interface FrameFacts {
  readonly kind: FrameKind;
  readonly source: Mac;
  /** Of an echo: identifier and sequence number as one. */
  readonly echo: number;
}

export function inspect(bytes: Uint8Array): FrameFacts {
  const frame = parseEthernet(bytes);
  if (!frame.ok) return { kind: 'other', source: 0 as Mac, echo: 0 };
  const { source, type, payload } = frame.value;
  if (type === etherType.arp) return { kind: arpKind(payload), source, echo: 0 };
  const packet = parseIpv4Packet(payload);
  if (type !== etherType.ipv4 || !packet.ok) return { kind: 'other', source, echo: 0 };
  if (packet.value.protocol === ipProtocol) return { kind: 'advert', source, echo: 0 };
  if (packet.value.protocol === 1) return { ...inspectEcho(packet.value.payload), source };
  return { kind: 'other', source, echo: 0 };
}

function arpKind(payload: Uint8Array): FrameKind {
  const reader = new Reader(payload);
  reader.skip(6);
  const operation = reader.u16();
  reader.skip(6);
  const sender = reader.ipv4();
  reader.skip(6);
  const target = reader.ipv4();
  if (sender === virtualAddress && target === virtualAddress) return 'garp';
  if (operation === 1) return 'arp-request';
  return sender === virtualAddress ? 'arp-reply' : 'other';
}

function inspectEcho(payload: Uint8Array): { kind: FrameKind; echo: number } {
  const reader = new Reader(payload);
  const type = reader.u8();
  reader.skip(3);
  const echo = reader.u32();
  if (type === 8) return { kind: 'echo-request', echo };
  return { kind: type === 0 ? 'echo-reply' : 'other', echo };
}
