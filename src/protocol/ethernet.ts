// Ethernet II frames (RFC 894): two addresses, the type of what follows, and the payload.

import type { Mac } from './address.js';
import { Reader, Writer } from './bytes.js';
import { dropped, type Parsed, parsed } from './parsed.js';

export const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const headerLength = 14;

export interface EthernetFrame {
  readonly destination: Mac;
  readonly source: Mac;
  readonly type: number;
  readonly payload: Uint8Array;
}

export function parseEthernet(bytes: Uint8Array): Parsed<EthernetFrame> {
  if (bytes.length < headerLength) return dropped('too-short', `a frame of ${bytes.length} bytes`);
  const reader = new Reader(bytes);
  const destination = reader.mac();
  const source = reader.mac();
  const type = reader.u16();
  return parsed({ destination, source, type, payload: reader.bytes(reader.left) });
}

export function serializeEthernet(frame: EthernetFrame): Uint8Array {
  return new Writer(headerLength + frame.payload.length)
    .mac(frame.destination)
    .mac(frame.source)
    .u16(frame.type)
    .raw(frame.payload).bytes;
}
