// What a codec answers: a value, or the named reason why a frame was dropped. A bad frame is the
// peer's fault and therefore never an exception.

import type { Ipv4 } from './address.js';

/** Every reason for which a received frame is dropped; each one is counted under this name. */
export const dropReasons = [
  'too-short', // ends before the headers do
  'not-ip', // not an IPv4 or IPv6 packet, or with a VLAN tag
  'protocol', // not IP protocol 112
  'own-source', // carries our own source address
  'ttl', // TTL or hop limit is not 255: it came through a router
  'version', // another version of the protocol
  'type', // not an advertisement
  'vhid', // another virtual host id
  'group', // sent to another multicast group
  'checksum',
  'digest', // password, vhid or addresses differ
  'auth', // an authentication type that does not exist
  'length', // the count of addresses does not fit the packet
  'interval', // an advertisement interval that cannot be
] as const;

export type DropReason = (typeof dropReasons)[number];

/** Why a frame was dropped; `detail` is what was found: the TTL, the version, the vhid, ... */
export interface Drop {
  readonly reason: DropReason;
  readonly detail: string;
  /** The IP source, where the packet got so far. Nothing proves it. */
  readonly from?: Ipv4;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly drop: Drop };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function dropped(reason: DropReason, detail: string): Parsed<never> {
  return { ok: false, drop: { reason, detail } };
}
