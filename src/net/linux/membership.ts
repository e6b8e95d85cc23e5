// Joining IPv4 multicast groups for real, so that the kernel reports them (IGMP) and switches that snoop
// forward them. By interface index, because the interface need not have an address.

import type { Ipv4 } from '../../protocol/address.js';
import { AF_INET, closeSocket, openSocket, SOCK_DGRAM, setSocketOption } from './libc.js';
import { Structure } from './structures.js';

const IPPROTO_IP = 0;
const IP_ADD_MEMBERSHIP = 35;

export interface Membership {
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
  return { leave: () => closeSocket(fd) };
}
