// From an Ethernet frame to an advertisement that may be believed: ucarp's checks, in its order,
// with its verdicts (it sums IP header and CARP part in one go, and ignores type, authlen and
// Ethernet addresses). A frame that fails one is dropped with that reason, without other effect.

import { formatIpv4, type Ipv4 } from '../address.js';
import { internetChecksum } from '../checksum.js';
import { etherType, parseEthernet } from '../ethernet.js';
import { type Ipv4Packet, parseIpv4Packet } from '../ipv4.js';
import { dropped, type Parsed, parsed } from '../parsed.js';
import { advertisementLength, ipProtocol, parseAdvertisement } from './advertisement.js';
import { computeDigest, type Hmac, sameDigest } from './digest.js';
import type { Heard } from './state.js';

const requiredTtl = 255; // a packet that came through a router has less

export interface Membership {
  readonly vhid: number;
  readonly group: Ipv4;
  /** Our own source address: what carries it is ours, or a misconfigured host's. */
  readonly source: Ipv4;
  readonly hmac: Hmac;
  readonly digestPrefix: Uint8Array;
}

export function receive(frame: Uint8Array, membership: Membership): Parsed<Heard> {
  const ethernet = parseEthernet(frame);
  if (!ethernet.ok) return ethernet;
  const { type, payload } = ethernet.value;
  if (type !== etherType.ipv4) return dropped('not-ip', `ethertype ${type.toString(16)}`);
  const ip = parseIpv4Packet(payload);
  if (!ip.ok) return ip;
  const { source } = ip.value;
  const heard = judge(ip.value, membership);
  return heard.ok ? heard : { ok: false, drop: { ...heard.drop, from: source } };
}

function judge(packet: Ipv4Packet, membership: Membership): Parsed<Heard> {
  const { source, destination, protocol, ttl, header, captured } = packet;
  if (source === membership.source) return dropped('own-source', formatIpv4(source));
  if (protocol !== ipProtocol) return dropped('protocol', String(protocol));
  const bytes = captured.subarray(0, advertisementLength);
  if (bytes.length < advertisementLength) {
    return dropped('too-short', `${bytes.length} bytes after the IP header`);
  }
  if (ttl !== requiredTtl) return dropped('ttl', String(ttl));
  const advertisement = parseAdvertisement(bytes);
  if (!advertisement.ok) return advertisement;
  const { vhid, advbase, advskew, counter, digest } = advertisement.value;
  if (vhid !== membership.vhid) return dropped('vhid', String(vhid));
  if (destination !== membership.group) return dropped('group', formatIpv4(destination));
  if (internetChecksum(header, bytes) !== 0) {
    return dropped('checksum', `from ${formatIpv4(source)}`);
  }
  const expected = computeDigest(membership.hmac, membership.digestPrefix, counter);
  if (!sameDigest(expected, digest)) {
    return dropped('digest', `md2=[${start(expected)}...] md=[${start(digest)}...]`);
  }
  return parsed({ advbase, advskew, counter, source });
}

/** The first four bytes in hexadecimal, as ucarp prints a digest. */
function start(digest: Uint8Array): string {
  return [...digest.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
