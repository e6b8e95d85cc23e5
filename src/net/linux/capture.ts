// Watching CARP and VRRP on the wire, as `tscarp sniff` does: every frame of protocol 112, over
// IPv4 and IPv6, behind AH or not, coming in or sent by this host, on one interface or on all that
// there are now.

import type { Ipv4 } from '../../protocol/address.js';
import { NetError } from '../errors.js';
import type { InterfaceFacts, Subscription } from '../ports.js';
import { anyAdvertisements, assemble } from './filter.js';
import { interfaceNames, readInterface } from './interfaces.js';
import { joinGroups, type Membership } from './membership.js';
import { PacketSocket } from './packet-socket.js';
import { usableInterface } from './session-link.js';

const group = 0xe0000012 as Ipv4; // 224.0.0.18 (RFC 9568 §5.1.1.2)
const everyInterface = { name: 'all interfaces', index: 0 };

/** The bytes are the callee's to keep; the time is in nanoseconds since 1970. */
export type CapturedFrame = (bytes: Uint8Array, time: bigint) => void;

/**
 * Throws NetError. What fails later, such as an interface that goes down, is told and the capture
 * goes on; on an interface that was deleted it stays silent.
 */
export function openCapture(
  device: string | undefined,
  onFrame: CapturedFrame,
  onTrouble: (error: Error) => void,
): Subscription {
  const socket = new PacketSocket({
    facts: device === undefined ? everyInterface : usableInterface(device),
    filter: assemble(anyAdvertisements),
    groups: [],
    frame: (bytes) => onFrame(bytes, socket.arrival() ?? wallClock()),
    trouble: onTrouble,
  });
  socket.arrival(); // From now on the kernel notes when frames arrive.
  const memberships: Membership[] = [];
  const close = (): void => {
    socket.close();
    for (const membership of memberships) membership.leave();
  };
  const names = device === undefined ? interfaceNames() : [device];
  for (const facts of names.map(readInterface).filter((known) => known !== undefined)) {
    try {
      memberships.push(listen(socket, facts));
    } catch (error) {
      // One of many interfaces may be of a kind that has no multicast.
      if (device === undefined && error instanceof NetError) continue;
      close();
      throw error;
    }
  }
  return { close };
}

/** Lets the interface and the switches before it pass on what is sent to the groups. */
function listen(socket: PacketSocket, facts: InterfaceFacts): Membership {
  socket.accept('all', facts.index);
  return joinGroups(facts.index, [group], facts.name);
}

/** Late by the time that the frame waited for this process. */
function wallClock(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
}
