// From a captured frame to a description of the CARP or VRRP packet in it, for people who look at a
// network from outside: every field that can be read, and whether a receiver would take the packet.
// What depends on a receiver's own configuration (vhid, group, source address) is not judged.
//
// Both protocols have IP protocol number 112, and CARP's first byte is VRRPv2's. CARP is told by
// its fourth byte: 7 words of counter and digest, where VRRP has seven addresses and therefore
// another length.

import { type IpAddress, isIpv6 } from './address.js';
import { Reader, Writer } from './bytes.js';
import { advertisementLength, digestLength, ipProtocol } from './carp/advertisement.js';
import { computeDigest, digestPrefix, type Hmac, sameDigest } from './carp/digest.js';
import { internetChecksum, pseudoHeader } from './checksum.js';
import { type Envelope, type IpPacket, type LinkType, openFrame } from './link-layer.js';
import type { DropReason } from './parsed.js';
import type { Duration } from './units.js';
import {
  type Fields,
  findFault,
  headerLength,
  passwordData,
  readFields,
  trailerLength,
  verifyChecksum,
} from './vrrp/advertisement.js';

const requiredTtl = 255; // a packet that came through a router has less
const carpAuthLength = 7;
const authenticationHeader = 51; // RFC 4302
const linkLocalPrefix = 0xfe80n >> 6n; // fe80::/10

export interface CapturedFrame {
  readonly linkType: LinkType;
  readonly bytes: Uint8Array;
  /** The length on the wire, more than there are bytes if the capture was limited to so many. */
  readonly originalLength: number;
}

/** What digests can be checked with; each may be missing. */
export interface Secrets {
  readonly carp: { readonly hmac: Hmac; readonly addresses: readonly IpAddress[] } | undefined;
  readonly vrrpPassword: Uint8Array | undefined;
}

/** `unchecked`: for want of the secret, or because the capture has not got all of the packet. */
export type Verdict = 'good' | 'bad' | 'unchecked';

/** Fields that the packet is too short for are undefined. */
interface Common extends Envelope {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number;
  readonly version: number | undefined;
  readonly checksum: Verdict;
  readonly digest: Verdict;
  /** Why a receiver drops the packet; undefined if it would not, or if that cannot be told. */
  readonly drop: DropReason | undefined;
  /** The capture has only the start of the packet. */
  readonly cut: boolean;
}

export interface CarpPacket extends Common {
  readonly protocol: 'carp';
  readonly vhid: number;
  readonly advskew: number;
  readonly advbase: number | undefined;
  readonly counter: bigint | undefined;
}

type VrrpAuth = 'none' | 'pass' | 'ah' | 'hmac' | 'unknown';

export interface VrrpPacket extends Common {
  readonly protocol: 'vrrp';
  readonly vrid: number | undefined;
  readonly priority: number | undefined;
  readonly interval: Duration | undefined;
  readonly addresses: readonly IpAddress[] | undefined;
  readonly auth: VrrpAuth | undefined;
}

export type DecodedPacket = CarpPacket | VrrpPacket;

/** Undefined for a frame with neither CARP nor VRRP in it. Total: no bytes make it throw. */
export function decode(frame: CapturedFrame, secrets: Secrets): DecodedPacket | undefined {
  const ip = openFrame(frame.linkType, frame.bytes);
  if (ip === undefined) return undefined;
  const snapped = frame.bytes.length < frame.originalLength;
  if (ip.protocol === authenticationHeader) {
    const inner = openAuthenticationHeader(ip);
    return inner === undefined
      ? undefined
      : describeVrrp(inner, { snapped, wrapped: true }, secrets);
  }
  if (ip.protocol !== ipProtocol) return undefined;
  return isCarp(ip)
    ? describeCarp(ip, snapped, secrets)
    : describeVrrp(ip, { snapped, wrapped: false }, secrets);
}

/**
 * keepalived's `auth_type AH`: next header u8, length in words less 2 u8, then 22 bytes or more.
 */
function openAuthenticationHeader(ip: IpPacket): IpPacket | undefined {
  if (ip.payload.length < 2) return undefined;
  const reader = new Reader(ip.payload);
  if (reader.u8() !== ipProtocol) return undefined;
  const length = (reader.u8() + 2) * 4;
  const payloadLength = Math.max(0, ip.payloadLength - length);
  return { ...ip, payload: ip.payload.subarray(length), payloadLength };
}

function isCarp({ payload, payloadLength }: IpPacket): boolean {
  if (payload.length < 4) return false;
  const reader = new Reader(payload);
  const version = reader.u8() >> 4;
  reader.skip(2);
  if (reader.u8() !== carpAuthLength) return false;
  if (version !== 2) return version !== 3 && payloadLength === advertisementLength;
  const vrrpLength = headerLength + carpAuthLength * 4 + 8;
  return payloadLength !== vrrpLength && payloadLength !== vrrpLength + trailerLength;
}

function describeCarp(ip: IpPacket, snapped: boolean, secrets: Secrets): CarpPacket {
  const bytes = ip.payload.subarray(0, advertisementLength);
  const short = bytes.length < advertisementLength;
  const cut = short && snapped && bytes.length < ip.payloadLength;
  const reader = new Reader(new Writer(advertisementLength).raw(bytes).bytes);
  const version = reader.u8() >> 4;
  const vhid = reader.u8();
  const advskew = reader.u8();
  reader.skip(2);
  const advbase = reader.u8();
  reader.skip(2);
  const counter = reader.u64();
  const received = reader.bytes(digestLength);
  const checksum = cut ? 'unchecked' : verdict(sumsUp(ip, bytes));
  const digest = short ? 'unchecked' : checkDigest(secrets, vhid, counter, received);
  const drop = firstReason([
    ['too-short', short && !cut],
    ['ttl', ip.ttl !== requiredTtl],
    ['version', version !== 2],
    ['checksum', checksum === 'bad'],
    ['digest', digest === 'bad'],
  ]);
  return {
    protocol: 'carp',
    ...outside(ip),
    version,
    vhid,
    advskew,
    advbase: bytes.length > 5 ? advbase : undefined,
    counter: bytes.length > 15 ? counter : undefined,
    checksum,
    digest,
    drop,
    cut,
  };
}

/** IPv4: ucarp's sum over both headers. IPv6: NetBSD adds the pseudo-header, the others do not. */
function sumsUp({ header, source, destination }: IpPacket, bytes: Uint8Array): boolean {
  if (internetChecksum(header, bytes) === 0) return true;
  if (!isIpv6(source)) return false;
  return internetChecksum(pseudoHeader(source, destination, ipProtocol, bytes.length), bytes) === 0;
}

/**
 * OpenBSD leaves link-local addresses out of what it signs and the others do not: both are good.
 */
function checkDigest(
  { carp }: Secrets,
  vhid: number,
  counter: bigint,
  received: Uint8Array,
): Verdict {
  if (carp === undefined) return 'unchecked';
  const global = carp.addresses.filter((address) => !isLinkLocal(address));
  const sets = global.length === carp.addresses.length ? [global] : [carp.addresses, global];
  const digests = sets.map((set) => computeDigest(carp.hmac, digestPrefix(vhid, set), counter));
  return verdict(digests.some((digest) => sameDigest(digest, received)));
}

function isLinkLocal(address: IpAddress): boolean {
  return isIpv6(address) && address >> 118n === linkLocalPrefix;
}

interface Circumstances {
  /** The capture may lack the end of the frame. */
  readonly snapped: boolean;
  /** It came in an authentication header. */
  readonly wrapped: boolean;
}

function describeVrrp(ip: IpPacket, around: Circumstances, secrets: Secrets): VrrpPacket {
  const { payload } = ip;
  const cut = around.snapped && payload.length < ip.payloadLength;
  if (payload.length < headerLength) return describeStump(ip, cut);
  const fields = readFields(payload, ip);
  const checksum = cut ? 'unchecked' : verdict(sumsUpVrrp(ip, fields));
  const digest = cut ? 'unchecked' : checkPassword(secrets, fields);
  const fault = findFault(payload, fields, ip)?.reason;
  const readable = fault === 'version' || fault === 'type'; // true of a cut packet as well
  const drop = firstReason([
    ['ttl', ip.ttl !== requiredTtl],
    [fault ?? 'length', fault !== undefined && (readable || !cut)],
    ['checksum', checksum === 'bad'],
    ['auth', around.wrapped !== (fields.authType === 2)],
    ['digest', digest === 'bad'],
  ]);
  const common = { ...outside(ip), version: fields.version, vrid: fields.vrid, checksum, digest };
  if (fault === 'version') return { protocol: 'vrrp', ...common, ...unreadable, drop, cut };
  const { priority, interval, addresses } = fields;
  const auth = nameAuth(fields, around.wrapped);
  return { protocol: 'vrrp', ...common, priority, interval, addresses, auth, drop, cut };
}

const unreadable = {
  priority: undefined,
  interval: undefined,
  addresses: undefined,
  auth: undefined,
} as const;

/** A packet without even the eight bytes that VRRP begins with. */
function describeStump(ip: IpPacket, cut: boolean): VrrpPacket {
  const [first, vrid] = ip.payload;
  return {
    protocol: 'vrrp',
    ...outside(ip),
    version: first === undefined ? undefined : first >> 4,
    vrid,
    ...unreadable,
    checksum: 'unchecked',
    digest: 'unchecked',
    drop: cut ? undefined : 'too-short',
    cut,
  };
}

/** A kernel drops what has a wrong IPv4 header checksum before any daemon sees it. */
function sumsUpVrrp(ip: IpPacket, fields: Fields): boolean {
  if (ip.header.length > 0 && internetChecksum(ip.header) !== 0) return false;
  return verifyChecksum(ip.payload, fields, ip) !== undefined;
}

function checkPassword({ vrrpPassword }: Secrets, { authType, authData }: Fields): Verdict {
  if (vrrpPassword === undefined || authType !== 1) return 'unchecked';
  return verdict(sameDigest(passwordData(vrrpPassword), authData));
}

function nameAuth({ authType, trailer }: Fields, wrapped: boolean): VrrpAuth {
  if (wrapped) return 'ah';
  if (trailer !== undefined) return 'hmac';
  return (['none', 'pass', 'ah'] as const)[authType] ?? 'unknown';
}

function outside({
  mac,
  vlan,
  source,
  destination,
  ttl,
}: IpPacket): Omit<Common, 'version' | 'checksum' | 'digest' | 'drop' | 'cut'> {
  return { mac, vlan, source, destination, ttl };
}

function verdict(good: boolean): Verdict {
  return good ? 'good' : 'bad';
}

function firstReason(checks: readonly (readonly [DropReason, boolean])[]): DropReason | undefined {
  return checks.find(([, failed]) => failed)?.[0];
}
