// Network interfaces: what they are (ioctl) and when they change (netlink pushes it). Reading through
// ioctl and not through /sys sees the namespace that this process runs in, however it got there.

import type { Mac } from '../../protocol/address.js';
import { Reader } from '../../protocol/bytes.js';
import type { InterfaceFacts, Interfaces, Subscription } from '../ports.js';
import {
  AF_INET,
  AF_NETLINK,
  bindSocket,
  closeSocket,
  control,
  openSocket,
  pollSocket,
  receiveBytes,
  SOCK_DGRAM,
  SOCK_RAW,
} from './libc.js';
import { Structure } from './structures.js';

const SIOCGIFFLAGS = 0x8913;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const ifreqSize = 40;
const ifreqData = 16;
const nameLimit = 15;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const ARPHRD_ETHER = 1;
const RTMGRP_LINK = 1;
const NETLINK_ROUTE = 0;

/** `eth1` of `eth1:0`: what follows the colon is a label of an address, not a device. */
export function deviceOf(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(0, colon);
}

export function readInterface(name: string): InterfaceFacts | undefined {
  if (name === '' || name.length > nameLimit) return undefined;
  const fd = openSocket(AF_INET, SOCK_DGRAM, 0, 'Cannot open a socket to ask about interfaces');
  try {
    const ask = (request: number): Structure | undefined => {
      const ifreq = new Structure(ifreqSize).text(0, name);
      return control(fd, request, ifreq.bytes) ? ifreq : undefined;
    };
    const index = ask(SIOCGIFINDEX)?.readU32(ifreqData);
    const flags = ask(SIOCGIFFLAGS)?.readU16(ifreqData);
    const hardware = ask(SIOCGIFHWADDR);
    if (index === undefined || flags === undefined || hardware === undefined) return undefined;
    return {
      name,
      index,
      mac: new Reader(hardware.readBytes(ifreqData + 2, 6)).mac() as Mac,
      ethernet: hardware.readU16(ifreqData) === ARPHRD_ETHER,
      up: (flags & IFF_UP) !== 0,
      running: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    };
  } finally {
    closeSocket(fd);
  }
}

/** Calls back whenever the kernel reports a change of any interface, also after lost reports. */
function watchLinks(changed: () => void): Subscription {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, 'Cannot watch interfaces');
  const address = new Structure(12).u16(0, AF_NETLINK).u32(8, RTMGRP_LINK);
  bindSocket(fd, address.bytes, 'Cannot watch interfaces');
  const buffer = new Uint8Array(8192);
  const batch = 64;
  const poll = pollSocket(fd, (status) => {
    // What the messages say is not looked at: the facts are read anew, so a lost message (ENOBUFS, which
    // the first read reports and clears) costs nothing.
    for (let count = 0; count < batch && receiveBytes(fd, buffer) > 0; count += 1);
    if (status < 0) setImmediate(() => poll.restart());
    changed();
  });
  let open = true;
  return {
    close: () => {
      if (!open) return;
      open = false;
      poll.stop();
      closeSocket(fd);
    },
  };
}

export const interfaces: Interfaces = {
  read: readInterface,
  watch: (device, changed) => {
    let known = JSON.stringify(readInterface(device));
    return watchLinks(() => {
      const facts = readInterface(device);
      const seen = JSON.stringify(facts);
      if (seen === known) return;
      known = seen;
      changed(facts);
    });
  },
};
