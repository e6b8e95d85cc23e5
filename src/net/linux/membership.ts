// Joining IPv4 multicast groups for real, so that the kernel reports them (IGMP) and switches that
// snoop forward them. By interface index, because the interface need not have an address.

import { readFileSync } from 'node:fs';
import type { Ipv4 } from '../../protocol/address.js';
import { AF_INET, closeSocket, openSocket, SOCK_DGRAM, setSocketOption } from './libc.js';
import { Structure } from './structures.js';

const IPPROTO_IP = 0;
const IP_ADD_MEMBERSHIP = 35;

export interface Membership {
  /**
   * False when the kernel forgot the groups: it does when the interface is deleted, even if the
   * next one gets the same index, and when the MTU was too small for IPv4 for a while.
   */
  held(): boolean;
  leave(): void;
}

export function joinGroups(index: number, groups: readonly Ipv4[], device: string): Membership {
  const doing = `Cannot join the multicast group on ${device}`;
  const fd = openSocket(AF_INET, SOCK_DGRAM, 0, doing);
  try {
    for (const group of groups) {
      const request = new Structure(12).net32(0, group).u32(8, index);
      setSocketOption(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, request.bytes, doing);
    }
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
  let joined = true;
  return {
    held: () => isHeld(index, groups),
    leave: () => {
      if (joined) closeSocket(fd);
      joined = false;
    },
  };
}

/** Groups that another process joined count too; whoever asks must not rely on this alone. */
function isHeld(index: number, groups: readonly Ipv4[]): boolean {
  if (groups.length === 0) return true;
  const known = knownGroups(index);
  return known === undefined || groups.every((group) => known.has(group));
}

/**
 * What the kernel lists for the interface in /proc/net/igmp; undefined where that cannot be read.
 */
function knownGroups(index: number): ReadonlySet<Ipv4> | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/net/igmp', 'latin1');
  } catch {
    return undefined; // No /proc, or a hidden one: then the index alone has to tell.
  }
  const groups = new Set<Ipv4>();
  let current = 0;
  for (const line of text.split('\n')) {
    if (/^\d/.test(line)) current = Number.parseInt(line, 10);
    const group = /^\s+([0-9A-F]{8})\s/.exec(line)?.[1];
    if (current === index && group !== undefined) groups.add(readGroup(group));
  }
  return groups;
}

/** The kernel prints the number that the address's four bytes are in host order. */
function readGroup(hex: string): Ipv4 {
  return new Structure(4).u32(0, Number.parseInt(hex, 16)).readNet32(0) as Ipv4;
}
