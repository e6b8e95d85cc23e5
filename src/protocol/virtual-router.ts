// A virtual router as the daemon sees it, whichever protocol it speaks: frames in, events out of
// them, steps, deadlines, and frames for the actions. Pure: what must be random is handed in.

import { broadcastMac, type Ipv4, type Mac, multicastMac } from './address.js';
import { gratuitousArp } from './arp.js';
import { ipProtocol, serializeAdvertisement } from './carp/advertisement.js';
import { computeDigest, digestPrefix, type Hmac } from './carp/digest.js';
import { deadline, initialState, step } from './carp/machine.js';
import { receive } from './carp/receive.js';
import type { Action, Event, Heard, Settings, State, Step } from './carp/state.js';
import { etherType, serializeEthernet } from './ethernet.js';
import { serializeIpv4Packet } from './ipv4.js';
import type { Parsed } from './parsed.js';
import type { Instant } from './units.js';

const lowDelay = 0x10; // ucarp's and OpenBSD's type of service
const ttl = 255;

export interface CarpOptions {
  readonly vhid: number;
  readonly settings: Settings;
  /** The virtual addresses; their set is part of the digest. */
  readonly addresses: readonly Ipv4[];
  readonly group: Ipv4;
  /** Send to the broadcast hardware address instead of the group's (ucarp --nomcast). */
  readonly broadcast: boolean;
  /** The Ethernet source of advertisements. */
  readonly sourceMac: Mac;
  readonly hmac: Hmac;
}

export type Advertise = Extract<Action, { type: 'advertise' }>;

/** Numbers that must be unpredictable or at least differ from packet to packet. */
export interface Randomness {
  readonly packetId: number;
  readonly counter: bigint;
}

export interface VirtualRouter {
  readonly protocol: 'carp';
  /** vhid or VRID. */
  readonly id: number;
  readonly addresses: readonly Ipv4[];
  readonly settings: Settings;
  initialState(now: Instant): State;
  deadline(state: State): Instant | undefined;
  step(state: State, event: Event, now: Instant): Step;
  /** What an Ethernet frame says to this router, or why it says nothing. */
  receive(frame: Uint8Array): Parsed<Heard>;
  /** The Ethernet frame of an advertisement. */
  advertisement(action: Advertise, random: Randomness): Uint8Array;
  /** One Ethernet frame an address that tells the segment where it lives now. */
  announcements(mac: Mac): readonly Uint8Array[];
}

/** The Ethernet source of advertisements: the BSDs' virtual MAC, or ucarp's, one byte different. */
export function carpMac(vhid: number, likeUcarp: boolean): Mac {
  return (0x00005e000000 + (likeUcarp ? 0 : 0x100) + vhid) as Mac;
}

export function createCarpRouter(options: CarpOptions): VirtualRouter {
  const { vhid, settings, addresses, group, hmac } = options;
  const prefix = digestPrefix(vhid, addresses);
  const membership = { vhid, group, source: settings.source, hmac, digestPrefix: prefix };
  return {
    protocol: 'carp',
    id: vhid,
    addresses,
    settings,
    initialState,
    deadline,
    step: (state, event, now) => step(settings, state, event, now),
    receive: (frame) => receive(frame, membership),
    advertisement: (action, random) => {
      const counter = action.counter ?? random.counter;
      const digest = computeDigest(hmac, prefix, counter);
      const { advbase, advskew } = action;
      const payload = serializeAdvertisement({
        vhid,
        advbase,
        advskew,
        demote: 0,
        counter,
        digest,
      });
      return serializeEthernet({
        destination: options.broadcast ? broadcastMac : multicastMac(group),
        source: options.sourceMac,
        type: etherType.ipv4,
        payload: serializeIpv4Packet({
          tos: lowDelay,
          id: random.packetId,
          ttl,
          protocol: ipProtocol,
          source: settings.source,
          destination: group,
          payload,
        }),
      });
    },
    announcements: (mac) => addresses.map((address) => gratuitousArp(address, mac)),
  };
}
