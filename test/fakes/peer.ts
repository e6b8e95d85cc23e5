// Another host of the group: it makes the frames that it would send.

import { hmacSha1 } from '../../src/net/hmac.js';
import type { Ipv4 } from '../../src/protocol/address.js';
import { carpMac, createCarpRouter } from '../../src/protocol/virtual-router.js';
import { testConfig } from './config.js';

export const peerAddress = 0x0a000002 as Ipv4; // 10.0.0.2

interface PeerOptions {
  readonly source?: Ipv4;
  readonly password?: string;
  readonly vhid?: number;
  readonly counter?: bigint;
}

/** An advertisement to the group of `testConfig`. */
export function advertisement(
  advbase: number,
  advskew: number,
  { source = peerAddress, password = 'love', vhid = 1, counter = 7n }: PeerOptions = {},
): Uint8Array {
  const { group, broadcast, address, deadRatio, preempt } = testConfig();
  const router = createCarpRouter({
    vhid,
    settings: { advbase, advskew, deadRatio, preempt, source, announceAfter: [] },
    addresses: [address],
    group,
    broadcast,
    sourceMac: carpMac(vhid, false),
    hmac: hmacSha1(new TextEncoder().encode(password)),
  });
  const action = { type: 'advertise', advbase, advskew, counter } as const;
  return router.advertisement(action, { packetId: 1, counter });
}

export function goodbye(options: PeerOptions = {}): Uint8Array {
  return advertisement(255, 255, options);
}
