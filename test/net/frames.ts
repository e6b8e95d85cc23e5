// Frames for the tests of links: adverts that can be told apart, and what must not be taken for
// one.

import { broadcastMac, type Ipv4, type Mac, multicastMac } from '../../src/protocol/address.js';
import { gratuitousArp } from '../../src/protocol/arp.js';
import { etherType, serializeEthernet } from '../../src/protocol/ethernet.js';
import { serializeIpv4Packet } from '../../src/protocol/ipv4.js';

export const group = 0xe0000012 as Ipv4; // 224.0.0.18
const virtualMac = 0x00005e000107 as Mac;
const ethernetHeader = 14;

export interface FrameOptions {
  readonly protocol?: number;
  readonly destination?: Mac;
}

/** An IPv4 frame to the group; the number makes it unique. */
export function advert(number: number, options: FrameOptions = {}): Uint8Array {
  const { protocol = 112, destination = multicastMac(group) } = options;
  const payload = new Uint8Array(36).fill(number & 0xff);
  new DataView(payload.buffer).setUint32(0, number);
  const packet = serializeIpv4Packet({
    tos: 0x10,
    id: 1 + (number & 0x7fff), // The kernel fills in an id of 0.
    ttl: 255,
    protocol,
    source: 0x0a090002 as Ipv4,
    destination: group,
    payload,
  });
  return serializeEthernet({
    destination,
    source: virtualMac,
    type: etherType.ipv4,
    payload: packet,
  });
}

export function broadcastAdvert(number: number): Uint8Array {
  return advert(number, { destination: broadcastMac });
}

/** The same frame in VLAN 5 (IEEE 802.1Q). */
export function tagged(frame: Uint8Array): Uint8Array {
  const tag = Uint8Array.of(0x81, 0x00, 0x00, 0x05);
  return Uint8Array.from([...frame.subarray(0, 12), ...tag, ...frame.subarray(12)]);
}

export function announcement(): Uint8Array {
  return gratuitousArp(0x0a090064 as Ipv4, virtualMac);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/**
 * What a frame carries, in hexadecimal: all that is left of it when the kernel makes the header.
 */
export function packetOf(frame: Uint8Array | string): string {
  return (typeof frame === 'string' ? frame : hex(frame)).slice(2 * ethernetHeader);
}
