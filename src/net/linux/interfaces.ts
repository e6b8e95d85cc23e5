// Network interfaces: what they are (ioctl) and when they change (netlink pushes it). Reading
// through ioctl and not through /sys sees the namespace that this process runs in, however it got
// there.

import { readFileSync } from 'node:fs';
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
  type Poll,
  pollSocket,
  receiveBytes,
  SOCK_DGRAM,
  SOCK_RAW,
  wouldBlock,
} from './libc.js';
import { Structure } from './structures.js';

const SIOCGIFFLAGS = 0x8913;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCGIFMTU = 0x8921;
const SIOCGIFNAME = 0x8910;
const ifreqSize = 40;
const ifreqData = 16;
const nameLimit = 15; // bytes
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772; // frames like Ethernet's, with zeros for addresses
const RTMGRP_LINK = 1;
const RTM_DELLINK = 17;
const AF_UNSPEC = 0;
const NETLINK_ROUTE = 0;
const batch = 64;
const reportLimit = 8192;

/** `called` may be an alternative name (ip link property add dev eth0 altname lan0). */
export function readInterface(called: string): InterfaceFacts | undefined {
  if (called === '' || Buffer.byteLength(called) > nameLimit) return undefined;
  const fd = questions();
  const ask = (request: number): Structure | undefined => {
    const ifreq = new Structure(ifreqSize).text(0, called);
    return control(fd, request, ifreq.bytes) ? ifreq : undefined;
  };
  const index = ask(SIOCGIFINDEX)?.readU32(ifreqData);
  const flags = ask(SIOCGIFFLAGS)?.readU16(ifreqData);
  const mtu = ask(SIOCGIFMTU)?.readU32(ifreqData);
  const hardware = ask(SIOCGIFHWADDR);
  if (index === undefined || flags === undefined || mtu === undefined) return undefined;
  if (hardware === undefined) return undefined;
  return {
    name: nameOf(fd, index) ?? called,
    index,
    mac: new Reader(hardware.readBytes(ifreqData + 2, 6)).mac() as Mac,
    mtu,
    ethernet: [ARPHRD_ETHER, ARPHRD_LOOPBACK].includes(hardware.readU16(ifreqData)),
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
  };
}

function nameOf(fd: number, index: number): string | undefined {
  const ifreq = new Structure(ifreqSize).u32(ifreqData, index);
  if (!control(fd, SIOCGIFNAME, ifreq.bytes)) return undefined;
  const name = ifreq.readBytes(0, ifreqData);
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}

let questionSocket: number | undefined;

/** Stays open: a process without a descriptor to spare must still see that its link is gone. */
function questions(): number {
  const doing = 'Cannot open a socket to ask about interfaces';
  questionSocket ??= openSocket(AF_INET, SOCK_DGRAM, 0, doing);
  return questionSocket;
}

/** The names of all interfaces, from /proc because /sys may show another namespace's. */
export function interfaceNames(): readonly string[] {
  const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2);
  return lines.map((line) => line.slice(0, line.lastIndexOf(':')).trim()).filter((name) => name);
}

/** Says whether an interface with that index was deleted, or may have been. */
type WasDeleted = (index: number) => boolean;

/** Calls back whenever the kernel reports a change of any interface, also after lost reports. */
function watchLinks(changed: (deleted: WasDeleted) => void): Subscription {
  const doing = 'Cannot watch interfaces';
  const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, doing);
  let poll: Poll;
  try {
    bindSocket(fd, new Structure(12).u16(0, AF_NETLINK).u32(8, RTMGRP_LINK).bytes, doing);
    poll = pollSocket(fd, (status) => {
      const deleted = readReports(fd);
      if (status < 0) setImmediate(() => poll.restart());
      changed(deleted);
    });
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
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

/**
 * Takes the kernel's messages. Only deletions are looked for, since they cannot be seen from the
 * facts when a new interface has taken the place already; everything else is read anew by whoever
 * asks. So lost messages (ENOBUFS, which the first read reports and clears) cost nothing but a look
 * in vain.
 */
function readReports(fd: number): WasDeleted {
  const deleted = new Set<number>();
  const buffer = new Uint8Array(reportLimit);
  for (let count = 0; count < batch; count += 1) {
    const length = receiveBytes(fd, buffer);
    if (length < 0) {
      if (!wouldBlock()) return () => true;
      break;
    }
    for (const index of deletions(new Structure(buffer.subarray(0, length)))) deleted.add(index);
  }
  return (index) => deleted.has(index);
}

/**
 * struct nlmsghdr { len, type, ... } followed by struct ifinfomsg { family, ..., index at 4, ... }.
 */
function* deletions(messages: Structure): Generator<number> {
  const header = 16;
  const { length } = messages.bytes;
  for (let at = 0; at + header + 8 <= length; ) {
    // A bridge also reports so, in its own family, that an interface is no longer its port.
    const ofDevice = messages.bytes[at + header] === AF_UNSPEC;
    if (messages.readU16(at + 4) === RTM_DELLINK && ofDevice)
      yield messages.readU32(at + header + 4);
    at += Math.max(header, (messages.readU32(at) + 3) & ~3);
  }
}

export const interfaces: Interfaces = {
  read: readInterface,
  watch: (device, changed) => {
    let index: number | undefined;
    let known: string | undefined;
    const look = (deleted: WasDeleted): InterfaceFacts | undefined | 'same' => {
      const facts = readInterface(device);
      const seen = JSON.stringify(facts);
      const same = seen === known && !(index !== undefined && deleted(index));
      known = seen;
      index = facts?.index;
      return same ? 'same' : facts;
    };
    const subscription = watchLinks((deleted) => {
      const facts = look(deleted);
      if (facts !== 'same') changed(facts);
    });
    // Only now, so that no change falls between the two.
    look(() => false);
    return subscription;
  },
};
