// How `tscarp sniff` writes a packet: as one JSON object for programs, or as one aligned line for
// people.

import { formatIp, formatMac } from '../protocol/address.js';
import type { CarpPacket, DecodedPacket, Verdict, VrrpPacket } from '../protocol/decode.js';
import { toMilliseconds } from '../protocol/units.js';

/** When a packet was captured. */
export interface Timestamp {
  /** Nanoseconds since 1970, UTC. */
  readonly time: bigint;
  /** Whether the last three of the nine digits mean anything. */
  readonly nanoseconds: boolean;
}

/** Without a line feed. What is not known, or makes no sense for the protocol, has no key. */
export function jsonLine(packet: DecodedPacket, at: Timestamp): string {
  const { protocol, version, mac, vlan, source, destination, ttl, checksum, digest } = packet;
  return JSON.stringify({
    time: isoTime(at),
    protocol,
    version,
    mac: mac === undefined ? undefined : formatMac(mac),
    vlan,
    src: formatIp(source),
    dst: formatIp(destination),
    ttl,
    ...(protocol === 'carp' ? carpKeys(packet) : vrrpKeys(packet)),
    checksum,
    digest,
    drop: packet.drop ?? null,
    cut: packet.cut ? true : undefined,
  });
}

function carpKeys({ vhid, advbase, advskew, counter }: CarpPacket): object {
  return { vhid, advbase, advskew, counter: counter?.toString(16).padStart(16, '0') };
}

function vrrpKeys({ vrid, priority, interval, addresses, auth }: VrrpPacket): object {
  return {
    vrid,
    priority,
    interval: interval === undefined ? undefined : toMilliseconds(interval),
    addresses: addresses?.map(formatIp),
    auth,
  };
}

/** ISO 8601 in UTC with as many digits as were captured. */
function isoTime(at: Timestamp): string {
  const whole = new Date(Number(at.time / 1_000_000n)).toISOString().slice(0, 19);
  return `${whole}.${fraction(at)}Z`;
}

/** The time of day where the reader is, as tcpdump gives it. */
function timeOfDay(at: Timestamp): string {
  const date = new Date(Number(at.time / 1_000_000n));
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${fraction(at)}`;
}

function fraction({ time, nanoseconds }: Timestamp): string {
  const digits = String(time % 1_000_000_000n).padStart(9, '0');
  return nanoseconds ? digits : digits.slice(0, 6);
}

type Tone = 'plain' | 'good' | 'bad' | 'dim';

interface Column {
  readonly text: string;
  readonly width: number;
  readonly tone: Tone;
}

const escapes: Readonly<Record<Tone, string>> = {
  plain: '',
  good: '\x1b[32m',
  bad: '\x1b[1;31m',
  dim: '\x1b[2m',
};

/** Without a line feed. The widths fit IPv4; an IPv6 packet moves what follows to the right. */
export function humanLine(packet: DecodedPacket, at: Timestamp, coloured: boolean): string {
  const columns: readonly Column[] = [
    column(timeOfDay(at), 0, 'dim'),
    column(`${packet.protocol} v${packet.version ?? '?'}`, 7),
    column(`${formatIp(packet.source)} > ${formatIp(packet.destination)}`, 28),
    ...(packet.protocol === 'carp' ? carpColumns(packet) : vrrpColumns(packet)),
    column(`ttl ${packet.ttl}`, 7, packet.ttl === 255 ? 'plain' : 'bad'),
    column(`checksum ${packet.checksum}`, 13, tone(packet.checksum)),
    column(`digest ${packet.digest}`, 16, tone(packet.digest)),
    column(packet.drop ?? '-', 0, packet.drop === undefined ? 'dim' : 'bad'),
    ...extraColumns(packet),
  ];
  return columns.map((each) => paint(each, coloured)).join('  ');
}

function carpColumns({ vhid, advbase, advskew }: CarpPacket): readonly Column[] {
  return [column(`vhid ${vhid}`, 8), column(`${advbase ?? '?'}/${advskew}`, 16)];
}

function vrrpColumns({ vrid, priority, interval }: VrrpPacket): readonly Column[] {
  const every = interval === undefined ? '?' : toMilliseconds(interval);
  return [column(`vrid ${vrid ?? '?'}`, 8), column(`prio ${priority ?? '?'} ${every}ms`, 16)];
}

function extraColumns(packet: DecodedPacket): readonly Column[] {
  const extras: string[] = [];
  if (packet.protocol === 'vrrp') {
    if (packet.addresses !== undefined) extras.push(packet.addresses.map(formatIp).join(','));
    if (packet.auth !== undefined && packet.auth !== 'none') extras.push(`auth ${packet.auth}`);
  }
  if (packet.vlan !== undefined) extras.push(`vlan ${packet.vlan}`);
  if (packet.cut) extras.push('cut short by the capture');
  return extras.map((text) => column(text, 0));
}

function column(text: string, width: number, colour: Tone = 'plain'): Column {
  return { text, width, tone: colour };
}

function tone(verdict: Verdict): Tone {
  return verdict === 'unchecked' ? 'dim' : verdict;
}

/** The padding stays outside of the colour. */
function paint({ text, width, tone: colour }: Column, coloured: boolean): string {
  const padding = ' '.repeat(Math.max(0, width - text.length));
  if (!coloured || colour === 'plain') return text + padding;
  return `${escapes[colour]}${text}\x1b[0m${padding}`;
}
